"""Replacing a target group while it serves: at every moment each rule that serves has a healthy target."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.hold import write_hold
from reconciler.emulator.elbv2 import state, targets
from tests.e2e.rules_kit import AUTO, image, status, tag, the_service
from tests.e2e.stage import CONTROLLER, Stage, environment, summary


class Traffic:
    """Watches every rule that forwards: is there a healthy target behind what it sends requests to?

    It looks into the emulator itself, under its lock, so that it can look at every moment.
    """

    def __init__(self, stage: Stage) -> None:
        self.lock = stage.aws.world.lock
        self.outages: list[str] = []
        self.looks = 0
        stage.before_write = lambda call: self.look(f"before {call.name}")

    def look(self, when: str) -> None:
        """Note each rule that would answer 503 now."""
        with self.lock:
            self.looks += 1
            rules = [rule.view for store in state.stores.values() for rule in store.rules.values()]
            for rule in rules:
                forwards = [action["ForwardConfig"] for action in rule["Actions"] if "ForwardConfig" in action]
                for group in (group for config in forwards for group in config["TargetGroups"]):
                    if group.get("Weight", 1) > 0 and not self.healthy(group["TargetGroupArn"]):
                        self.outages.append(f"{when}: nobody is well behind rule {rule['Priority']}")

    def healthy(self, arn: str) -> int:
        return list(targets.health(arn).values()).count("healthy")


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


WORKER = """\
---
apiVersion: reconciler/v1
kind: ListenerRule
metadata: {name: api}
spec:
  listener: http
  priority: 5
  conditions: [{field: path-pattern, pathPatternConfig: {values: ["/api/*"]}}]
  actions: [{type: forward, targetGroup: web}]
"""


def another_port(stage: Stage, old: int = 80, new: int = 8080) -> None:
    stage.edit("base/web.yaml", (f"port: {old}, vpcId", f"port: {new}, vpcId"))
    stage.commit(f"port {new}")


def test_two_rules_and_two_services_move_together(small: Stage) -> None:
    second = (small.root / "base/service.yaml").read_text().replace("metadata: {name: web}", "metadata: {name: canary}")
    small.write({"base/canary.yaml": second, "base/web.yaml": (small.root / "base/web.yaml").read_text() + WORKER})
    small.commit("two of each")
    small.settle()
    traffic = Traffic(small)
    another_port(small)
    settle_second_by_second(small, traffic)
    assert traffic.outages == []
    [after] = groups(small)
    assert after["Port"] == 8080
    assert traffic.healthy(after["TargetGroupArn"]) == 4
    small.assert_no_differences()


def test_a_new_image_in_the_same_commit_arrives_too(small: Stage) -> None:
    small.settle()
    traffic = Traffic(small)
    small.edit("base/service.yaml", ("web:1", "web:2"))
    another_port(small)
    settle_second_by_second(small, traffic)
    assert traffic.outages == []
    assert [one["Port"] for one in groups(small)] == [8080]
    assert image(small) == "2"
    small.assert_no_differences()


def test_it_needs_no_self_heal(small: Stage) -> None:
    small.write({"environments/test.yaml": environment("{mode: auto}")})
    small.commit("only commits")
    small.settle(order=AUTO)
    another_port(small)
    small.settle(order=AUTO)
    assert [one["Port"] for one in groups(small)] == [8080]
    small.assert_no_differences()


def test_a_hold_on_the_service_stops_it_safely_and_it_goes_on_afterwards(small: Stage) -> None:
    small.settle()
    traffic = Traffic(small)
    another_port(small)
    small.run(AUTO)
    tag(small, the_service(small)["serviceArn"], hold=write_hold(small.aws.world.now() + timedelta(hours=1), "stop"))
    for _ in range(20):
        small.run(AUTO)
        small.tick()
        traffic.look("while held")
    assert traffic.outages == []
    assert sorted(one["Port"] for one in groups(small)) == [80, 8080]
    assert the_service(small)["loadBalancers"][0]["targetGroupArn"].split("/")[1] == old_name(small)
    assert small.run(AUTO).settled
    small.tick(3700)
    settle_second_by_second(small, traffic)
    assert traffic.outages == []
    assert [one["Port"] for one in groups(small)] == [8080]


def old_name(stage: Stage) -> str:
    return next(str(one["TargetGroupName"]) for one in groups(stage) if one["Port"] == 80)


def test_a_successor_whose_checks_fail_never_gets_a_request(small: Stage) -> None:
    small.settle()
    traffic = Traffic(small)
    old = old_name(small)
    small.edit("base/web.yaml", ("port: 80, vpcId", "healthCheckPath: /nowhere, port: 8080, vpcId"))
    small.commit("a port and a path on which nobody answers")
    for _ in range(40):
        report = small.run(AUTO)
        traffic.look("after a pass")
        if report.settled:
            break
        for _ in range(5):
            small.tick(1)
            for group in groups(small):
                if group["TargetGroupName"] != old:
                    fail_checks(group["TargetGroupArn"])
            traffic.look("after a tick")
    assert traffic.outages == []
    assert old in {one["TargetGroupName"] for one in groups(small)}
    assert status(report, "Service/web").quarantined
    small.assert_fixpoint()


def fail_checks(arn: str) -> None:
    """Nobody answers the checks of this group."""
    for identity, port in targets.health(arn):
        targets.set_health(arn, identity, port, healthy=False)


def test_a_second_change_during_the_first_ends_at_the_second(small: Stage) -> None:
    small.settle()
    traffic = Traffic(small)
    another_port(small)
    for _ in range(3):
        small.run(AUTO)
        small.tick()
    another_port(small, 8080, 9090)
    settle_second_by_second(small, traffic, most=90)
    assert traffic.outages == []
    assert [one["Port"] for one in groups(small)] == [9090]
    small.assert_no_differences()


@pytest.mark.parametrize("passes", [1, 2, 4, 7])
def test_a_revert_during_the_replacement_ends_at_the_first_group_again(small: Stage, passes: int) -> None:
    small.settle()
    before = groups(small)[0]["TargetGroupArn"]
    traffic = Traffic(small)
    another_port(small)
    for _ in range(passes):
        small.run(AUTO)
        small.tick()
    another_port(small, 8080, 80)
    settle_second_by_second(small, traffic, most=90)
    assert traffic.outages == []
    assert [one["TargetGroupArn"] for one in groups(small)] == [before]  # it had not gone yet
    small.assert_no_differences()


def test_a_revert_after_the_replacement_makes_a_group_of_the_first_name_again(small: Stage) -> None:
    small.settle()
    another_port(small)
    while len(groups(small)) < 2 or any(one["Port"] == 80 for one in groups(small)):
        small.run(AUTO)
        small.tick()
        if [one["Port"] for one in groups(small)] == [8080]:
            break
    another_port(small, 8080, 80)  # before the tags say that the first replacement is over
    traffic = Traffic(small)
    settle_second_by_second(small, traffic, most=90)
    assert traffic.outages == []
    assert [one["Port"] for one in groups(small)] == [80]
    small.assert_no_differences()


def test_a_service_scaled_to_nothing_is_moved_as_well(small: Stage) -> None:
    small.edit("base/service.yaml", ("desiredCount: 2", "desiredCount: 0"))
    small.commit("closed for the night")
    small.settle()
    another_port(small)
    small.settle(order=AUTO)
    assert [one["Port"] for one in groups(small)] == [8080]
    small.assert_no_differences()


def test_a_process_that_is_restarted_at_every_pass_gets_as_far(small: Stage) -> None:
    small.settle()
    traffic = Traffic(small)
    another_port(small)
    for _ in range(30):
        small.restart()
        report = small.run(AUTO)
        traffic.look("after a pass")
        if report.settled:
            break
        small.tick()
        traffic.look("after a tick")
    assert traffic.outages == []
    assert [one["Port"] for one in groups(small)] == [8080]
    small.assert_no_differences()


def test_an_environment_without_replacements_reads_no_target_health(small: Stage) -> None:
    small.settle()
    small.run()
    ours = [
        call for call in small.aws.calls if call.operation == "DescribeTargetHealth" and call.access_key == CONTROLLER
    ]
    assert ours == []


def test_the_watch_sees_a_rule_that_nobody_serves(small: Stage) -> None:
    small.settle()
    traffic = Traffic(small)
    traffic.look("all is well")
    assert traffic.outages == []
    fail_checks(groups(small)[0]["TargetGroupArn"])
    small.aws.tick(11)
    traffic.look("nobody is well")
    assert traffic.outages == ["nobody is well: nobody is well behind rule 10"]


def test_a_group_that_people_fill_by_hand_waits_until_they_have_filled_its_successor(small: Stage) -> None:
    small.write({"base/service.yaml": None})
    small.commit("no service")
    small.settle()
    traffic = Traffic(small)
    elb = small.client("elbv2")
    target = {"Targets": [{"Id": "172.31.0.10", "Port": 80}]}
    elb.register_targets(TargetGroupArn=groups(small)[0]["TargetGroupArn"], **target)
    small.aws.tick(1, 30)
    another_port(small)
    for _ in range(6):
        report = small.run(AUTO)
        small.tick()
    old, new = old_name(small), next(one for one in groups(small) if one["Port"] == 8080)
    said = f"TargetGroup/web: {new['TargetGroupName']} waits to be as healthy as {old}, and settled"
    assert said in report.plan.notes
    elb.register_targets(TargetGroupArn=new["TargetGroupArn"], **target)
    small.aws.tick(1, 30)
    small.settle(order=AUTO)
    assert [one["Port"] for one in groups(small)] == [8080]
    assert traffic.outages == []


def test_a_service_of_a_later_wave_moves_with_its_group_and_gets_its_new_image(shop: Stage) -> None:
    shop.settle()
    [before] = [one for one in groups(shop) if one["TargetGroupName"].startswith("web")]
    traffic = Traffic(shop)
    shop.edit("base/web.yaml", ("port: 80 ", "port: 8080 "), ("shop/web:${var.image_tag}", "shop/web:1.4.3"))
    shop.commit("another port and another image")
    settle_second_by_second(shop, traffic, most=90)
    assert traffic.outages == []
    [after] = [one for one in groups(shop) if one["TargetGroupName"].startswith("web")]
    assert (before["Port"], after["Port"]) == (80, 8080)
    assert after["TargetGroupArn"] != before["TargetGroupArn"]
    assert traffic.healthy(after["TargetGroupArn"]) == 3
    assert image(shop) == "1.4.3"
    shop.assert_no_differences()
