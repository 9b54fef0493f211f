"""Writing through the gate, over real HTTP: what is made again, and what never is."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.aws.gate import DryRunError
from reconciler.aws.session import connect
from reconciler.aws.trace import Outcome
from reconciler.core.call import Call, Repeat
from reconciler.core.errors import (
    ConflictError,
    RefusedError,
    Retry,
    UnavailableError,
    UnknownOutcomeError,
)
from tests.aws.conftest import Reply, answer, error

REGISTER = Call("ecs", "RegisterTaskDefinition", {"family": "web", "containerDefinitions": []}, Repeat.OBSERVE)
UPDATE = Call("ecs", "UpdateService", {"service": "web", "desiredCount": 2}, Repeat.SAFE)
CREATE = Call("ecs", "CreateService", {"serviceName": "web"}, Repeat.SAFE)

LOST = pytest.mark.parametrize(
    "lost",
    [
        Reply(drop=True),
        Reply(b'{"taskDef', cut=True),
        Reply(b"<html>Service Unavailable</html>", 503),
        error("ServerException", status=500),
        Reply(b"<html>hello</html>"),
    ],
    ids=["dropped", "cut short", "html 503", "5xx", "html 200"],
)


@LOST
def test_a_registration_whose_answer_is_lost_is_never_made_twice(aws, gate, lost, trace):
    aws.on("RegisterTaskDefinition", lost)
    with pytest.raises(UnknownOutcomeError, match="looks at what is there") as caught:
        gate.write(REGISTER)
    assert caught.value.retry is Retry.OBSERVE
    assert aws.operations() == ["RegisterTaskDefinition"]
    assert trace[-1].outcome is Outcome.UNKNOWN


@LOST
def test_a_write_that_may_be_repeated_is_made_again_when_its_answer_is_lost(aws, gate, lost):
    aws.on("UpdateService", lost, answer(service={"serviceName": "web"}))
    assert gate.write(UPDATE) == {"service": {"serviceName": "web"}}
    assert len(aws.operations()) == 2


def test_a_repeatable_write_that_is_lost_every_time_has_an_unknown_outcome(aws, gate):
    aws.on("UpdateService", Reply(drop=True))
    with pytest.raises(UnknownOutcomeError):
        gate.write(UPDATE)
    assert len(aws.operations()) == 4


@pytest.mark.parametrize("call", [REGISTER, UPDATE], ids=["observe", "safe"])
def test_a_throttled_write_is_made_again_whatever_its_kind(aws, gate, call, virtual):
    aws.on(call.operation, error("ThrottlingException", "Rate exceeded"), answer())
    gate.write(call)
    assert len(aws.operations()) == 2
    assert virtual.slept


def test_a_write_throttled_to_the_end_is_unavailable_and_had_no_effect(aws, gate):
    aws.on("RegisterTaskDefinition", error("ThrottlingException", "Rate exceeded"))
    with pytest.raises(UnavailableError) as caught:
        gate.write(REGISTER)
    assert caught.value.retry is Retry.LATER
    assert len(aws.operations()) == 9


def test_a_server_error_that_calls_itself_throttling_is_throttling(aws, gate):
    aws.on("RegisterTaskDefinition", error("ThrottlingException", status=503), answer())
    gate.write(REGISTER)
    assert len(aws.operations()) == 2


def test_a_write_that_finds_nobody_listening_had_no_effect(aws, session, gate, trace):
    gate.verify_account()
    session.close()  # the connections that are open already
    aws.close()
    with pytest.raises(UnavailableError, match="AWS_ENDPOINT_URL"):
        gate.write(REGISTER)
    assert gate.counts["ecs:RegisterTaskDefinition"] == 4
    assert trace[-1].outcome is Outcome.ERROR


def test_too_many_concurrent_registrations_wait_their_turn(aws, gate):
    busy = error("ClientException", "Too many concurrent attempts to create a new revision of the specified family.")
    aws.on("RegisterTaskDefinition", busy, busy, answer(taskDefinition={"revision": 1}))
    assert gate.write(REGISTER)["taskDefinition"]["revision"] == 1


def test_registrations_of_one_family_are_made_one_after_the_other(aws, gate):
    held = []

    def look(request):
        held.append((gate._families["web"].locked(), gate._families["api"].locked()))
        return answer()

    aws.on("RegisterTaskDefinition", by=look)
    gate.write(REGISTER)
    assert held == [(True, False)]
    assert not gate._families["web"].locked()


def test_registrations_of_two_families_run_side_by_side(aws, gate):
    meeting = threading.Barrier(2, timeout=20)

    def meet(request):
        meeting.wait()
        return answer()

    aws.on("RegisterTaskDefinition", by=meet)
    gate.verify_account()
    other = Call("ecs", "RegisterTaskDefinition", {"family": "api", "containerDefinitions": []}, Repeat.OBSERVE)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(gate.write, [REGISTER, other]))
    assert len(aws.operations()) == 2


PROPAGATING = error("InvalidParameterException", "The target group x does not have an associated load balancer.")


def test_what_is_not_known_everywhere_yet_is_waited_for(aws, gate, virtual):
    aws.on("CreateService", *[PROPAGATING] * 5, answer(service={}))
    gate.write(CREATE)
    assert 10 < sum(virtual.slept) < 60


def test_after_two_minutes_it_counts(aws, gate, virtual):
    aws.on("CreateService", PROPAGATING)
    with pytest.raises(RefusedError, match="associated load balancer"):
        gate.write(CREATE)
    assert 100 <= sum(virtual.slept) <= 125


def test_another_refusal_of_the_same_call_counts_at_once(aws, gate):
    aws.on("CreateService", error("InvalidParameterException", "No such subnet"))
    with pytest.raises(RefusedError):
        gate.write(CREATE)
    assert len(aws.operations()) == 1


def test_a_conflict_is_for_the_next_pass(aws, gate):
    aws.on("DeleteCluster", error("ClusterContainsServicesException", "The Cluster cannot be deleted"))
    with pytest.raises(ConflictError) as caught:
        gate.write(Call("ecs", "DeleteCluster", {"cluster": "shop"}))
    assert caught.value.retry is Retry.LATER
    assert caught.value.code == "ClusterContainsServicesException"
    assert len(aws.operations()) == 1


def test_a_dry_run_sends_nothing_and_says_so(aws, make_gate, trace):
    with pytest.raises(DryRunError):
        make_gate(dry_run=True).write(UPDATE)
    assert aws.requests == []
    assert [(record.name, record.outcome) for record in trace] == [("ecs:UpdateService", Outcome.NOT_SENT)]


def test_a_dry_run_reads(aws, make_gate):
    aws.on("DescribeClusters", answer(clusters=[]))
    assert make_gate(dry_run=True).read(Call("ecs", "DescribeClusters")) == {"clusters": []}


class LeaseLostError(Exception):
    """What the engine's fence raises."""


def test_a_hook_that_raises_stops_the_write(aws, make_gate):
    def fence(call):
        raise LeaseLostError(call.name)

    with pytest.raises(LeaseLostError, match="ecs:UpdateService"):
        make_gate(before_write=fence).write(UPDATE)
    assert aws.operations() == []


def test_the_hook_is_asked_before_every_attempt_and_never_for_reads(aws, make_gate):
    seen = []
    gate = make_gate(before_write=lambda call: seen.append(call.name))
    aws.on("UpdateService", error("ThrottlingException"), answer())
    aws.on("DescribeClusters", answer(clusters=[]))
    gate.read(Call("ecs", "DescribeClusters"))
    gate.write(UPDATE)
    assert seen == ["ecs:UpdateService", "ecs:UpdateService"]


def test_a_write_goes_to_no_other_account(aws, make_gate):
    with pytest.raises(Exception, match="999999999999"):
        make_gate(account="999999999999").write(UPDATE)
    assert aws.operations() == []


def test_parameters_that_the_api_does_not_have_are_named_and_their_values_are_not(aws, gate):
    call = Call("ecs", "UpdateService", {"service": "web", "desiredCount": "hunter2", "passwort": "hunter2"})
    with pytest.raises(RefusedError) as caught:
        gate.write(call)
    assert "passwort" in str(caught.value)
    assert "desiredCount" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert aws.operations() == []


def test_an_assumed_role_that_cannot_be_assumed_leaves_no_doubt_about_the_write(aws, make_gate):
    aws.on("AssumeRole", Reply(b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", 403))
    assumed = connect("eu-west-1", role_arn="arn:aws:iam::123456789012:role/r", endpoint_url=aws.url)
    with pytest.raises(Exception, match=r"AssumeRole failed.*trust policy"):
        make_gate(session=assumed).write(REGISTER)
    assumed.close()
    assert aws.operations() == ["AssumeRole"]
