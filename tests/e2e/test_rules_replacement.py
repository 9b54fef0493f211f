"""Replacing a target group while it serves: at every moment each rule that serves has a healthy target."""

from __future__ import annotations

from typing import Any

from tests.e2e.stage import Stage, summary


class Traffic:
    """Watches every rule that forwards: is there a healthy target behind what it forwards to, by weight?"""

    def __init__(self, stage: Stage) -> None:
        self.elb = stage.client("elbv2")
        self.outages: list[str] = []
        self.looks = 0
        stage.before_write = lambda call: self.look(f"before {call.name}")
        self._tick = stage.aws.tick
        self.stage = stage

    def look(self, when: str) -> None:
        """Note each rule that would answer 503 now."""
        self.looks += 1
        [balancer] = self.elb.describe_load_balancers()["LoadBalancers"]
        for listener in self.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            for rule in self.elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                groups = [
                    group
                    for action in rule["Actions"]
                    for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
                ]
                serving = [group["TargetGroupArn"] for group in groups if group.get("Weight", 1) > 0]
                down = [arn for arn in serving if not self.healthy(arn)]
                if down:
                    self.outages.append(
                        f"{when}: rule {rule['Priority']} sends requests to {down}, which has no healthy target"
                    )

    def healthy(self, arn: str) -> int:
        states = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return sum(target["TargetHealth"]["State"] == "healthy" for target in states)


def groups(stage: Stage) -> list[Any]:
    return list(stage.client("elbv2").describe_target_groups()["TargetGroups"])


def settle_second_by_second(stage: Stage, traffic: Traffic, most: int = 60) -> None:
    for _ in range(most):
        report = stage.run()
        traffic.look("after a pass")
        if report.settled:
            return
        for _ in range(5):
            stage.tick(1)
            traffic.look("after a tick")
    raise AssertionError(f"not settled: {summary(report)}")


def test_a_rule_has_a_healthy_target_at_every_moment_of_a_replacement(small: Stage) -> None:
    small.settle()
    [before] = groups(small)
    traffic = Traffic(small)
    small.edit("base/web.yaml", ("port: 80, vpcId", "port: 8080, vpcId"))
    small.commit("another port")
    settle_second_by_second(small, traffic)
    assert traffic.outages == []
    [after] = groups(small)
    assert (before["Port"], after["Port"]) == (80, 8080)
    assert after["TargetGroupName"] != before["TargetGroupName"]
    assert traffic.healthy(after["TargetGroupArn"]) == 2
    small.assert_no_differences()
