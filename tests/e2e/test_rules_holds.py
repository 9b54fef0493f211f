"""Holds: a person's tag stops every write within one pass, needs neither git nor us, and ends by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.hold import write_hold
from reconciler.core.policy import Intent
from reconciler.core.values import ResourceId
from reconciler.engine import marks
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import (
    AUTO,
    during,
    held,
    image,
    names,
    one_group,
    status,
    tag,
    tags_of,
    the_group,
    the_service,
)
from tests.e2e.stage import Stage

WEB = "Service/web"


def for_an_hour(stage: Stage, reason: str = "looking at the memory leak - anna") -> str:
    return write_hold(stage.aws.world.now() + timedelta(hours=1), reason)


def another_image(stage: Stage) -> None:
    stage.edit("base/service.yaml", ("web:1", "web:2"))
    stage.commit("another image")


def test_a_hold_set_by_hand_on_a_service_stops_writes_within_one_pass_and_ends_by_itself(small: Stage) -> None:
    small.settle()
    tag(small, the_service(small)["serviceArn"], hold=for_an_hour(small))
    another_image(small)
    report, writes = during(small)
    assert writes == []
    assert "looking at the memory leak - anna" in held(report)[WEB]
    assert status(report, WEB).held
    small.tick(3500)
    assert during(small)[1] == []
    small.tick(200)  # the hour is over
    report = small.settle(order=AUTO)
    assert image(small) == "2"
    assert not status(report, WEB).held


def test_a_hold_on_a_cluster_holds_all_that_is_in_it_and_nothing_else(small: Stage) -> None:
    small.settle()
    [cluster] = small.client("ecs").list_clusters()["clusterArns"]
    tag(small, cluster, hold=for_an_hour(small))
    another_image(small)
    small.edit("base/web.yaml", ("priority: 10", "priority: 20"))
    small.commit("and another priority")
    report, writes = during(small)
    assert names(writes) == ["SetRulePriorities"]
    assert "memory leak" in held(report)[WEB]
    small.tick(3700)
    small.settle(order=AUTO)
    assert image(small) == "2"


def test_in_a_held_cluster_nothing_is_made_and_nothing_is_deleted(small: Stage) -> None:
    small.settle()
    [cluster] = small.client("ecs").list_clusters()["clusterArns"]
    tag(small, cluster, hold=for_an_hour(small))
    text = (small.root / "base/service.yaml").read_text()
    small.write({"base/service.yaml": text.replace("metadata: {name: web}", "metadata: {name: other}")})
    small.commit("one goes, one comes")
    report, writes = during(small)
    assert names(writes) == []
    assert "memory leak" in held(report)[WEB]
    assert "memory leak" in held(report)["Service/other"]
    small.tick(3700)
    small.settle(order=AUTO)
    assert the_service(small, "other")["runningCount"] == 2
    small.assert_no_differences()


def test_a_hold_that_is_set_during_a_rollout_lets_it_end_and_starts_nothing(small: Stage) -> None:
    small.settle()
    another_image(small)
    small.run(AUTO)
    small.tick()
    tag(small, the_service(small)["serviceArn"], hold=for_an_hour(small))
    start = len(small.aws.calls)
    for _ in range(12):
        small.run(AUTO)
        small.tick()
    assert small.writes(start) == []
    assert image(small) == "2"
    small.tick(3700)
    small.settle(order=AUTO)
    small.assert_no_differences()


def test_a_hold_without_a_readable_end_lasts_as_long_as_its_tag(stage: Stage) -> None:
    one_group(stage, "{mode: auto, selfHeal: true}")
    arn = the_group(stage)["TargetGroupArn"]
    tag(stage, arn, hold="until I am back")
    stage.client("elbv2").modify_target_group(TargetGroupArn=arn, HealthCheckPath="/hand")
    stage.tick(100_000)
    assert during(stage)[1] == []
    stage.client("elbv2").remove_tags(ResourceArns=[arn], TagKeys=["reconciler:hold"])
    assert names(during(stage)[1]) == ["ModifyTargetGroup"]


def test_a_hold_stops_a_persons_order_too_unless_it_is_forced_with_a_reason(small: Stage) -> None:
    small.settle()
    tag(small, the_service(small)["serviceArn"], hold=for_an_hour(small))
    another_image(small)
    report, writes = during(small, Order(Intent.ORDER))
    assert (names(writes), WEB in held(report)) == ([], True)
    _, writes = during(small, Order(Intent.ORDER, forced="the leak is fixed in this image"))
    assert "UpdateService" in names(writes)


def test_a_window_stops_what_a_hold_would_and_force_goes_against_it(stage: Stage) -> None:
    one_group(stage)
    stage.edit("base/web.yaml", ("/a", "/b"))
    stage.commit("another path")
    denied = "a sync window denies changes until Monday"
    report, writes = during(stage, Order(Intent.ORDER, denied=denied))
    assert (writes, held(report)["TargetGroup/web"]) == ([], denied)
    _, writes = during(stage, Order(Intent.ORDER, denied=denied, forced="the fix cannot wait"))
    assert names(writes) == ["ModifyTargetGroup"]


def test_in_a_window_nothing_new_is_made_and_nothing_is_deleted(stage: Stage) -> None:
    one_group(stage, "{mode: auto, prune: true}")
    text = (stage.root / "base/web.yaml").read_text()
    stage.write({"base/web.yaml": text.replace("name: web", "name: other")})
    stage.commit("one goes, one comes")
    report, writes = during(stage, Order(Intent.AUTO, denied="closed"))
    assert writes == []
    assert held(report) == {"TargetGroup/other": "closed", "TargetGroup/web": "closed"}


def test_the_command_holds_and_releases(small: Stage) -> None:
    small.settle()
    identity = ResourceId.parse(WEB)
    marks.hold(small.engine, small.desired(), [identity], timedelta(hours=2), "a game day (30% off)")
    value = tags_of(small, the_service(small)["serviceArn"])["reconciler:hold"]
    assert value.endswith("a game day  30  off")  # what AWS does not take in tags is blank
    another_image(small)
    assert during(small)[1] == []
    marks.release(small.engine, small.desired(), [identity])
    small.settle(order=AUTO)
    assert image(small) == "2"


@pytest.mark.parametrize(
    ("span", "reason", "why"),
    [
        (timedelta(hours=24, seconds=1), "long", "at most 24 h"),
        (timedelta(0), "none", "at most 24 h"),
        (timedelta(hours=-1), "negative", "at most 24 h"),
        (timedelta(hours=1), " ", "needs a reason"),
    ],
)
def test_a_hold_that_is_too_long_or_has_no_reason_is_refused(
    stage: Stage, span: timedelta, reason: str, why: str
) -> None:
    one_group(stage)
    start = len(stage.aws.calls)
    with pytest.raises(ReconcilerError, match=why):
        marks.hold(stage.engine, stage.desired(), [ResourceId.parse("TargetGroup/web")], span, reason)
    assert stage.writes(start) == []


def test_a_hold_on_what_is_not_ours_is_refused(stage: Stage) -> None:
    one_group(stage)
    with pytest.raises(marks.NotOursError, match="Service/web is nothing that acme/test owns"):
        marks.hold(stage.engine, stage.desired(), [ResourceId.parse(WEB)], timedelta(hours=1), "why not")


def test_a_hold_keeps_an_object_from_being_pruned(stage: Stage) -> None:
    one_group(stage, "{mode: auto, prune: true, maxDeletions: 1}")
    tag(stage, the_group(stage)["TargetGroupArn"], hold=for_an_hour(stage))
    text = (stage.root / "base/web.yaml").read_text()
    stage.write({"base/web.yaml": text.replace("name: web", "name: other")})
    stage.commit("renamed, without saying so")
    _, writes = during(stage)
    assert names(writes) == ["CreateTargetGroup"]
    stage.tick(3700)
    _, writes = during(stage)
    assert names(writes) == ["DeleteTargetGroup"]
