"""Plans and reports as values: their order, their digest, how they are shown."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Call
from reconciler.core.difference import Cause, Difference
from reconciler.core.errors import PlanError
from reconciler.core.fields import Effect, Field
from reconciler.core.live import Health, HealthState
from reconciler.core.plan import Action, Held, Plan, Verb, ordered
from reconciler.core.report import Failure, Operation, PassReport, ResourceStatus, SyncState
from reconciler.core.values import Ref, ResourceId

WEB, API = ResourceId("Service", "web"), ResourceId("Service", "api")


def action(name: str, *after: str, verb: Verb = Verb.CREATE, **params: object) -> Action:
    identity = ResourceId("Service", name)
    edges = tuple(f"Service/{edge}:create" for edge in after)
    return Action(identity, verb, (Call("ecs", "CreateService", params),), "git has it", after=edges)


def plan(*actions: Action, held: tuple[Held, ...] = (), deletions: tuple[ResourceId, ...] = ()) -> Plan:
    return Plan("acme/prod", "c0ffee", actions, held, deletions=deletions)


@given(st.permutations("abcde"), st.sets(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=8))
def test_each_action_stands_after_those_that_it_waits_for(names, pairs):
    edges = [(one, other) for one, other in pairs if one < other]
    made = ordered(action(name, *(one for one, other in edges if other == name)) for name in names)
    place = {item.resource.name: index for index, item in enumerate(made)}
    assert sorted(place) == list("abcde")
    assert all(place[one] < place[other] for one, other in edges)


def test_waiting_for_what_the_plan_does_not_do_is_no_waiting():
    (made,) = ordered([action("web", "gone", "gone")])
    assert made.after == ()


def test_nothing_but_the_edges_of_an_action_is_changed_by_its_ordering():
    first = dataclasses.replace(action("a"), notes=("n",), differences=(Difference(("x",), Cause.PENDING, 1, 2),))
    assert ordered([action("b", "a", "a"), first]) == (first, action("b", "a"))


def test_a_plan_that_goes_in_a_circle_is_refused_with_the_circle():
    with pytest.raises(
        PlanError, match=r"in a circle: Service/([ab]):create → Service/[ab]:create → Service/\1:create"
    ):
        ordered([action("a", "b"), action("b", "a")])


def test_the_costliest_difference_is_the_effect_of_the_action():
    differences = tuple(
        Difference((effect.name,), Cause.PENDING, 1, 2, row=Field("x", effect=effect))
        for effect in (Effect.NEW_TASKS, Effect.REPLACE, Effect.DEPLOYMENT)
    )
    assert dataclasses.replace(action("a"), differences=differences).effect is Effect.REPLACE
    assert action("a").effect is Effect.IN_PLACE


def test_a_plans_digest_is_equal_for_the_same_steps_at_another_commit_or_time():
    ours = {"key": "reconciler:commit", "value": "1"}
    theirs = {"key": "team", "value": "shop"}
    one = plan(action("a", count=1, clientToken="t1", tags=[ours, theirs]))
    other = dataclasses.replace(
        plan(action("a", count=1, clientToken="t2", tags=[theirs])), commit="dead", notes=("later",)
    )
    assert one.digest == other.digest


def test_recording_alone_is_no_part_of_a_plans_digest():
    assert plan(action("a"), action("b", verb=Verb.STAMP)).digest == plan(action("a")).digest


@pytest.mark.parametrize(
    "other",
    [
        plan(action("b", count=1)),
        plan(action("a", count=2)),
        plan(action("a", count=1, tags=[{"key": "team", "value": "shop"}])),
        plan(action("a", count=1), action("b")),
        plan(action("a", count=1), deletions=(WEB,)),
        plan(action("a", count=1, verb=Verb.UPDATE)),
    ],
)
def test_a_plan_that_does_something_else_has_another_digest(other):
    assert other.digest != plan(action("a", count=1)).digest


def test_a_plan_is_empty_when_it_only_records():
    assert plan().empty
    assert plan(action("a", verb=Verb.STAMP)).empty
    assert not plan(action("a")).empty
    assert not plan(held=(Held(WEB, "held"),)).empty


def test_a_plan_is_shown_as_json_with_its_reasons_and_references():
    made = plan(
        dataclasses.replace(
            action("a", "b", targetGroupArn=Ref(API, "arn")), differences=(Difference(("n",), Cause.DRIFTED, 1, 2),)
        ),
        held=(Held(WEB, "in quarantine", "release it", blocked=True),),
    )
    shown = json.loads(json.dumps(made.to_json()))
    assert shown["digest"].startswith("p1:")
    assert shown["actions"][0]["why"] == "git has it"
    assert shown["actions"][0]["after"] == ["Service/b:create"]
    assert shown["actions"][0]["calls"][0]["params"] == {"targetGroupArn": {"ref": "Service/api", "attribute": "arn"}}
    assert shown["actions"][0]["differences"][0]["cause"] == "drifted"
    assert shown["held"] == [
        {
            "resource": "Service/web",
            "reason": "in quarantine",
            "next": "release it",
            "blocked": True,
            "differences": [],
        }
    ]


# ------------------------------------------------------------------------------------------------------------- reports


def report(*statuses: ResourceStatus, look_again: timedelta | None = None) -> PassReport:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    found = {status.id: status for status in statuses}
    failure = Failure("Service/web:create", "refused", "terminal")
    return PassReport("acme/prod", "c0ffee", started, plan(), found, failures=(failure,), look_again=look_again)


def status(identity: ResourceId, sync: SyncState, health: HealthState = HealthState.HEALTHY) -> ResourceStatus:
    return ResourceStatus(identity, sync, Health(health, "so it is"), Operation.RUNNING)


@pytest.mark.parametrize(
    ("one", "other", "whole"),
    [
        (SyncState.SYNCED, SyncState.SYNCED, SyncState.SYNCED),
        (SyncState.SYNCED, SyncState.OUT_OF_SYNC, SyncState.OUT_OF_SYNC),
        (SyncState.OUT_OF_SYNC, SyncState.UNKNOWN, SyncState.UNKNOWN),
    ],
)
def test_an_environment_is_as_far_in_sync_as_its_worst_resource(one, other, whole):
    assert report(status(WEB, one), status(API, other)).sync is whole


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (HealthState.DEGRADED, HealthState.DEGRADED),
        (HealthState.SUSPENDED, HealthState.HEALTHY),
        (HealthState.HEALTHY, HealthState.HEALTHY),
    ],
)
def test_an_environment_is_as_healthy_as_its_worst_resource_and_a_suspended_one_is_no_illness(part, whole):
    statuses = (status(WEB, SyncState.SYNCED, part), status(API, SyncState.SYNCED))
    assert report(*statuses).health.state is whole


def test_an_environment_without_resources_is_in_sync_and_healthy():
    assert (report().sync, report().health.state) == (SyncState.SYNCED, HealthState.HEALTHY)


def test_a_pass_is_settled_when_it_need_not_look_again():
    assert report().settled
    assert not report(look_again=timedelta(seconds=5)).settled


def test_a_report_is_shown_as_json():
    shown = json.loads(json.dumps(report(status(WEB, SyncState.SYNCED), look_again=timedelta(seconds=5)).to_json()))
    assert shown["lookAgainSeconds"] == 5
    assert shown["failures"] == [{"action": "Service/web:create", "message": "refused", "retry": "terminal"}]
    assert shown["resources"][0]["operation"] == "Running"
    assert shown["resources"][0]["healthReason"] == "so it is"
    assert json.loads(json.dumps(report().to_json()))["lookAgainSeconds"] is None
