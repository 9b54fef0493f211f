"""Undeclared drift is told until a person deals with it, whatever git does meanwhile."""

from __future__ import annotations

from reconciler.core.difference import Cause
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import AUTO, WEB, causes, one_group
from tests.e2e.stage import Stage

LOOK = Order(write=False)


def test_a_new_commit_that_is_not_applied_yet_hides_no_undeclared_drift(stage: Stage) -> None:
    one_group(stage)
    stage.run(AUTO)  # takes the baseline
    arn = stage.client("elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    stage.client("elbv2").modify_target_group(TargetGroupArn=arn, HealthyThresholdCount=7)
    assert causes(stage.run(LOOK), WEB) == {"healthyThresholdCount": Cause.UNDECLARED.value}
    stage.edit("base/web.yaml", ("/a", "/b"))
    stage.commit("another path")
    found = causes(stage.run(LOOK), WEB)
    assert found == {"healthCheckPath": Cause.PENDING.value, "healthyThresholdCount": Cause.UNDECLARED.value}
