"""The gate against an AWS that keeps state: what a lost answer leaves behind, counted there and not by the gate."""

import pytest

from reconciler.aws.gate import Gate
from reconciler.aws.session import connect
from reconciler.core.call import Call, Repeat
from reconciler.core.errors import UnavailableError, UnknownOutcomeError
from reconciler.core.values import Json
from reconciler.emulator.faults import Fault

CONTAINERS = [
    {"name": "app", "image": "registry.example/web:1", "memory": 128, "environment": [{"name": "A", "value": "1"}]}
]
REGISTER = Call("ecs", "RegisterTaskDefinition", {"family": "web", "containerDefinitions": CONTAINERS}, Repeat.OBSERVE)
CREATE_CLUSTER = Call("ecs", "CreateCluster", {"clusterName": "shop"}, Repeat.SAFE)


@pytest.fixture
def gate(emulator, make_gate):
    session = connect("us-east-1", endpoint_url=emulator.url)
    yield make_gate(session=session, account=None)
    session.close()


def revisions(gate: Gate) -> list[Json]:
    return gate.pages(Call("ecs", "ListTaskDefinitions", {"familyPrefix": "web"}), "taskDefinitionArns")


def test_a_registration_that_took_effect_and_lost_its_answer_leaves_one_revision(emulator, gate):
    emulator.faults.add(Fault("ecs:RegisterTaskDefinition", "drop_after"))
    with pytest.raises(UnknownOutcomeError):
        gate.write(REGISTER)
    assert len(revisions(gate)) == 1


@pytest.mark.parametrize("kind", ["drop_before", "500", "503", "html500"])
def test_a_registration_that_may_have_taken_effect_is_left_to_the_next_pass(emulator, gate, kind):
    emulator.faults.add(Fault("ecs:RegisterTaskDefinition", kind))
    with pytest.raises(UnknownOutcomeError):
        gate.write(REGISTER)
    assert revisions(gate) == []


def test_a_throttled_registration_is_made_once(emulator, gate):
    emulator.faults.add(Fault("ecs:RegisterTaskDefinition", "throttle", times=3))
    assert gate.write(REGISTER)["taskDefinition"]["revision"] == 1
    assert len(revisions(gate)) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "500", "503", "html500", "throttle"])
def test_a_repeatable_create_reaches_its_end_through_any_single_fault(emulator, gate, kind):
    emulator.faults.add(Fault("ecs:CreateCluster", kind))
    assert gate.write(CREATE_CLUSTER)["cluster"]["clusterName"] == "shop"
    assert len(gate.pages(Call("ecs", "ListClusters"), "clusterArns")) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "500", "503", "html500", "throttle"])
def test_a_read_of_a_query_api_comes_through_any_single_fault(emulator, gate, kind):
    emulator.faults.add(Fault("elbv2:DescribeTargetGroups", kind))
    assert gate.pages(Call("elbv2", "DescribeTargetGroups"), "targetGroups") == []
    assert gate.counts["elbv2:DescribeTargetGroups"] == 2


def test_a_fault_that_stays_is_an_error_of_the_read(emulator, gate):
    emulator.faults.add(Fault("elbv2:DescribeTargetGroups", "html500", times=None))
    with pytest.raises(UnavailableError):
        gate.pages(Call("elbv2", "DescribeTargetGroups"), "targetGroups")
