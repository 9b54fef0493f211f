"""How the load balancing kinds read: no more calls than the API's batches ask for, and nothing of anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.call import Call
from reconciler.core.errors import NotFoundError
from reconciler.core.kind import ReadRequest
from reconciler.core.live import HealthState, Live, Lives
from reconciler.core.resource import Resource
from reconciler.core.values import Ref, ResourceId, Spec
from reconciler.kinds import KINDS, _elb

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MINE = [{"Key": "reconciler:environment", "Value": "shop/test"}]


@pytest.fixture
def read(workshop):
    """What a kind reads for the given specs, and the calls that it took."""

    def reading(kind: str, *specs: Spec, lives: Lives | None = None) -> tuple[list[Live], dict[str, int]]:
        desired = {
            (identity := ResourceId(kind, f"r{number}")): Resource(identity, spec) for number, spec in enumerate(specs)
        }
        workshop.gate.verify_account()
        workshop.gate.counts.clear()
        found = list(KINDS[kind].read(ReadRequest(workshop.gate, desired, lives or Lives(), "shop/test", NOW)))
        return found, {name.partition(":")[2]: count for name, count in workshop.gate.counts.items()}

    return reading


@pytest.fixture
def elb(emulator):
    return emulator.client("elbv2")


def group(elb: Any, name: str, ground: dict[str, str], tags: Any = ()) -> str:
    more = {"Tags": list(tags)} if tags else {}
    made = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=ground["vpc"], **more)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def test_tags_are_read_twenty_at_a_time_and_attributes_of_ours_alone(read, elb, ground):
    for number in range(40):
        group(elb, f"g{number}", ground, MINE if number < 3 else ())
    found, calls = read("TargetGroup")
    assert sorted(live.natural for live in found) == ["g0", "g1", "g2"]
    assert calls == {"DescribeTargetGroups": 1, "DescribeTags": 3, "DescribeTargetGroupAttributes": 3}


def test_attributes_are_remembered_until_what_is_declared_differs(read, elb, ground):
    spec = {"name": "web", "attributes": [{"key": "slow_start.duration_seconds", "value": "0"}]}
    arn = group(elb, "web", ground)
    read("TargetGroup", spec)
    assert "DescribeTargetGroupAttributes" not in read("TargetGroup", spec)[1]
    changed = spec | {"attributes": [{"key": "slow_start.duration_seconds", "value": "30"}]}
    elb.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "slow_start.duration_seconds", "Value": "30"}]
    )
    [live], calls = read("TargetGroup", changed)
    assert calls["DescribeTargetGroupAttributes"] == 1
    assert {"key": "slow_start.duration_seconds", "value": "30"} in live.spec["attributes"]


def test_attributes_are_read_anew_while_a_change_is_under_way(read, elb, ground):
    group(elb, "web", ground, [*MINE, {"Key": "reconciler:applying", "Value": "c0ffee"}])
    read("TargetGroup")
    assert read("TargetGroup")[1]["DescribeTargetGroupAttributes"] == 1


def test_what_carries_another_environments_tag_is_not_read(read, elb, ground):
    group(elb, "theirs", ground, [{"Key": "reconciler:environment", "Value": "shop/other"}])
    assert read("TargetGroup")[0] == []


def test_a_name_that_is_taken_is_read_whoever_has_it(read, elb, ground):
    group(elb, "taken", ground, [{"Key": "reconciler:environment", "Value": "shop/other"}])
    [live], _ = read("TargetGroup", {"name": "taken"})
    assert (live.natural, live.environment) == ("taken", "shop/other")


def test_rules_are_read_by_listener_without_the_default_ones(read, elb, ground):
    for priority in (5, 6):
        elb.create_rule(
            ListenerArn=ground["listener"],
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": ground["targetGroup"]}],
            Tags=MINE,
        )
    listener = Live("Listener", ground["listener"], "x", {})
    found, calls = read("ListenerRule", lives=Lives(others=[listener]))
    assert [live.natural for live in found] == [f"{ground['listener']}:5", f"{ground['listener']}:6"]
    assert calls == {"DescribeRules": 1, "DescribeTags": 1}
    assert found[0].facts["targetGroups"] == [ground["targetGroup"]]


def test_a_parent_that_only_a_manifest_names_is_read_too(read, ground):
    [live], calls = read("Listener", {"loadBalancerArn": ground["loadBalancer"], "port": 80})
    assert live.arn == ground["listener"]
    assert calls == {"DescribeListeners": 1, "DescribeTags": 1, "DescribeListenerAttributes": 1}


def test_a_parent_that_a_manifest_names_and_nobody_has_holds_nothing(read, ground):
    assert read("Listener", {"loadBalancerArn": ground["loadBalancer"][:-3] + "000", "port": 80})[0] == []


def test_a_parent_that_was_read_and_is_gone_is_an_error(read, ground):
    gone = Live("LoadBalancer", ground["loadBalancer"][:-3] + "000", "x", {})
    with pytest.raises(NotFoundError):
        read("Listener", lives=Lives(others=[gone]))


def test_certificates_are_listed_only_where_git_declares_some(read, ground):
    spec = {"loadBalancerArn": ground["loadBalancer"], "port": 8443}
    assert "DescribeListenerCertificates" not in read("Listener", spec)[1]
    declared = spec | {"certificates": [{"certificateArn": ground["certificateA"]}]}
    assert read("Listener", declared)[1]["DescribeListenerCertificates"] == 1
    assert "DescribeListenerCertificates" not in read("Listener", declared)[1]


def test_every_page_of_every_parent_is_read(workshop, elb, ground):
    for number in range(7):
        elb.create_listener(
            LoadBalancerArn=ground["loadBalancer"],
            Protocol="HTTP",
            Port=9000 + number,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": ground["targetGroup"]}],
        )
    call = Call("elbv2", "DescribeListeners", {"loadBalancerArn": ground["loadBalancer"], "pageSize": 2})
    [listed, again] = _elb.pages_of_many(workshop.gate, [call, call], "listeners")
    assert len({listener["listenerArn"] for listener in listed}) == 9
    assert listed == again


def test_attributes_are_what_references_ask_for(read, ground):
    [live], _ = read("LoadBalancer", {"name": "ground"})
    suffix = ground["loadBalancer"].rpartition("/")[2]
    assert live.attributes["fullName"] == f"app/ground/{suffix}"
    assert live.attributes["dnsName"].endswith(".elb.amazonaws.com")
    assert _elb.full_name(ground["targetGroup"]).startswith("targetgroup/ground-1/")


@pytest.mark.parametrize(("kind", "member"), [("Listener", "loadBalancerArn"), ("ListenerRule", "listenerArn")])
def test_a_natural_key_is_empty_while_its_parent_is_unknown(kind, member):
    later = Ref(ResourceId("LoadBalancer", "later"), "arn")
    assert KINDS[kind].natural(Resource(ResourceId(kind, "x"), {member: later, "port": 80, "priority": 1})) == ""


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("active", HealthState.HEALTHY),
        ("provisioning", HealthState.PROGRESSING),
        ("active_impaired", HealthState.DEGRADED),
        ("failed", HealthState.DEGRADED),
        ("something_new", HealthState.UNKNOWN),
    ],
)
def test_a_load_balancers_health_is_its_state(code, state):
    live = Live("LoadBalancer", "x", "x", {}, facts={"state": {"code": code}})
    health = KINDS["LoadBalancer"].health(live)
    assert health.state is state
    assert bool(health.reason) == (state is not HealthState.HEALTHY)
