"""Waves, and what a manifest's own settings forbid or allow: protect, ignore, allowReplace, previousName."""

from __future__ import annotations

import re

import pytest

from reconciler.core.errors import ReconcilerError
from tests.e2e.rules_kit import (
    AUTO,
    WEB,
    by_hand,
    causes,
    during,
    group,
    held,
    names,
    one_group,
    status,
    tags_of,
    tasks,
    the_group,
    the_service,
    verbs,
)
from tests.e2e.stage import Stage

SERVICE = "Service/web"


def wave(number: int) -> tuple[str, str]:
    return "metadata: {name: web}", f"metadata: {{name: web}}\nreconcile: {{wave: {number}}}"


def later(stage: Stage, number: int = 1) -> None:
    """A target group in a later wave, which changes with the next commit."""
    stage.write(
        {"base/late.yaml": group(stage, name="late").replace("spec:", f"reconcile: {{wave: {number}}}\nspec:", 1)}
    )


def roll_out(stage: Stage, tag: str = "2") -> None:
    stage.edit("base/service.yaml", ("web:1", f"web:{tag}"))
    later(stage)
    stage.commit("a rollout, and something after it")


def test_a_wave_waits_until_the_earlier_one_is_synced_and_healthy(small: Stage) -> None:
    small.settle()
    roll_out(small)
    report, writes = during(small)
    assert "CreateTargetGroup" not in names(writes)
    assert held(report) == {"TargetGroup/late": "its wave 1 waits for wave 0"}
    assert not report.settled
    while status(report, SERVICE).operation.value != "None":
        small.tick()
        before = len(small.aws.calls)
        report = small.run(AUTO)
        running = status(report, SERVICE).health.state.value == "Progressing"
        assert not (running and small.writes(before))
    small.settle(order=AUTO)
    made = names(small.writes())
    assert made.count("CreateTargetGroup") == 2
    small.assert_no_differences()


def test_a_wave_waits_for_tasks_that_start_without_a_deployment(small: Stage) -> None:
    small.settle()
    small.edit("base/service.yaml", ("desiredCount: 2", "desiredCount: 3"))
    later(small)
    small.commit("one more task, and something after it")
    small.run(AUTO)
    small.tick(2)
    report, writes = during(small)
    assert status(report, SERVICE).health.reason == "2 of 3 tasks running, 1 starting"
    assert names(writes) == []
    assert not report.settled
    report = small.settle(order=AUTO)
    assert status(report, SERVICE).health.reason == "3 of 3 tasks running"
    small.assert_no_differences()


def test_a_wave_does_not_wait_for_what_this_commit_does_not_change(small: Stage) -> None:
    small.settle()
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=3, forceNewDeployment=True)
    later(small)
    small.commit("only something late")
    _, writes = during(small)
    assert "CreateTargetGroup" in names(writes)


def test_what_is_in_quarantine_counts_as_settled_for_the_next_wave(small: Stage) -> None:
    small.settle()
    roll_out(small, "crash")
    report = small.settle(order=AUTO)
    assert status(report, SERVICE).quarantined
    assert names(small.writes()).count("CreateTargetGroup") == 2


def test_what_is_blocked_does_not_hold_the_next_wave(small: Stage) -> None:
    small.settle()
    small.edit("base/web.yaml", ("priority: 10", "priority: 20"))
    small.edit("base/service.yaml", ("launchType: FARGATE", "launchType: EC2"))
    later(small)
    small.commit("a service that is Blocked, and something after it")
    report = small.settle(order=AUTO)
    assert SERVICE in held(report)
    assert names(small.writes()).count("CreateTargetGroup") == 2


def test_a_wave_against_a_dependency_is_a_validation_error(small: Stage) -> None:
    small.settle()
    small.edit(
        "base/web.yaml",
        ("metadata: {name: web}\nspec: {protocol", "metadata: {name: web}\nreconcile: {wave: 2}\nspec: {protocol"),
    )
    small.commit("the target group after its rule")
    start = len(small.aws.calls)
    with pytest.raises(ReconcilerError, match="wave"):
        small.run(AUTO)
    assert small.aws.calls[start:] == []


def test_a_failure_holds_the_later_waves(small: Stage) -> None:
    small.settle()
    later(small)
    small.edit("base/web.yaml", ("priority: 10", "priority: 20"))
    elb = small.client("elbv2")  # somebody else takes the priority
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=20,
        Conditions=[{"Field": "path-pattern", "Values": ["/other"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    small.commit("a priority that is taken")
    report, writes = during(small)
    assert "CreateTargetGroup" not in names(writes)
    assert held(report)["TargetGroup/late"] == "its wave 1 waits for wave 0"


def test_a_field_that_a_manifest_ignores_is_neither_compared_nor_written(stage: Stage) -> None:
    one_group(stage, "{mode: auto, selfHeal: true}")
    stage.edit("base/web.yaml", ("spec:\n", "reconcile: {ignore: [healthCheckPath]}\nspec:\n"))
    stage.commit("the path is not ours")
    by_hand(stage, HealthCheckPath="/hand", HealthyThresholdCount=4)
    report, _ = during(stage)
    assert "healthCheckPath" not in causes(report, WEB)
    stage.edit("base/web.yaml", ("/a", "/b"), ("targetType: ip", "targetType: ip\n  healthyThresholdCount: 3"))
    stage.commit("what is ignored changes beside what is not")
    stage.settle(order=AUTO)
    found = the_group(stage)
    assert (found["HealthCheckPath"], found["HealthyThresholdCount"]) == ("/hand", 3)
    stage.assert_no_differences()


def test_a_change_that_must_delete_first_is_blocked_until_its_digest_is_allowed_and_the_rest_goes_on(
    small: Stage,
) -> None:
    small.settle()
    small.edit(
        "base/service.yaml", ("spec:\n  cluster: shop\n", "spec:\n  cluster: shop\n  schedulingStrategy: DAEMON\n")
    )
    small.edit("base/service.yaml", ("  desiredCount: 2\n", ""), ("launchType: FARGATE", "launchType: EC2"))
    small.edit("base/web.yaml", ("priority: 10", "priority: 20"))
    small.commit("another launch type")
    before = tasks(small)
    report, writes = during(small)
    assert names(writes) == ["SetRulePriorities"]
    [blocked] = [item for item in report.plan.held if str(item.resource) == SERVICE]
    assert blocked.blocked
    assert "must be deleted first" in blocked.reason
    assert tasks(small) == before


def allowed(stage: Stage) -> str:
    """The digest that the report names."""
    [blocked] = [item for item in stage.run(AUTO).plan.held if str(item.resource) == SERVICE]
    match = re.search(r"r1:[0-9a-f]{16}", blocked.next)
    assert match is not None
    return match.group()


OTHER = "apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: other}\nspec: {}\n"


def test_an_allowed_replacement_deletes_and_makes_anew_and_only_with_that_digest(small: Stage) -> None:
    small.settle()
    small.write({"base/other.yaml": OTHER})
    small.edit("base/service.yaml", ("cluster: shop", "cluster: other"))
    small.commit("another cluster")
    small.settle(order=AUTO)
    digest = allowed(small)
    small.edit(
        "base/service.yaml",
        ("metadata: {name: web}", "metadata: {name: web}\nreconcile: {allowReplace: r1:0000000000000000}"),
    )
    small.commit("the wrong digest")
    assert SERVICE in held(small.run(AUTO))
    small.edit("base/service.yaml", ("r1:0000000000000000", digest))
    small.commit("the right one")
    start = len(small.aws.calls)
    small.settle(order=AUTO)
    made = names(small.writes(start))
    assert made.index("DeleteService") < made.index("CreateService")
    assert (made.count("DeleteService"), made.count("CreateService")) == (1, 1)
    assert the_service(small, cluster="other")["runningCount"] == 2
    small.assert_no_differences()


def test_another_change_needs_another_permission(small: Stage) -> None:
    small.settle()
    small.write({"base/other.yaml": OTHER})
    small.edit("base/service.yaml", ("cluster: shop", "cluster: other"))
    small.commit("another cluster")
    small.settle(order=AUTO)
    first = allowed(small)
    small.edit("base/service.yaml", ("web:1", "web:2"))
    small.commit("and another image")
    assert allowed(small) != first


def test_a_new_name_with_the_previous_one_given_renames_without_recreating(stage: Stage) -> None:
    one_group(stage, "{mode: auto, prune: true}")
    before = the_group(stage)["TargetGroupArn"]
    stage.edit("base/web.yaml", ("metadata: {name: web}", "metadata: {name: shop-front, previousName: web}"))
    stage.commit("a better name")
    _, writes = during(stage)
    assert names(writes) == []
    assert the_group(stage)["TargetGroupArn"] == before
    assert tags_of(stage, before)["reconciler:resource"] == "TargetGroup/shop-front"
    stage.assert_no_differences()
    stage.edit("base/web.yaml", (", previousName: web", ""))
    stage.commit("the old name is forgotten")
    assert during(stage)[1] == []


def test_a_service_is_renamed_in_git_while_its_tasks_run_on(small: Stage) -> None:
    small.settle()
    before, arn = tasks(small), the_service(small)["serviceArn"]
    small.edit("base/service.yaml", ("metadata: {name: web}", "metadata: {name: front, previousName: web}"))
    small.commit("a better name")
    report = small.settle(order=AUTO)
    assert verbs(report) == []
    assert tasks(small) == before
    assert tags_of(small, arn)["reconciler:resource"] == "Service/front"
    small.assert_no_differences()


def test_a_rename_together_with_a_change_of_content_applies_both(stage: Stage) -> None:
    one_group(stage)
    before = the_group(stage)["TargetGroupArn"]
    stage.edit("base/web.yaml", ("metadata: {name: web}", "metadata: {name: front, previousName: web}"), ("/a", "/b"))
    stage.commit("a better name and path")
    report = stage.run(AUTO)
    assert causes(report, "TargetGroup/front") == {"healthCheckPath": "pending"}
    stage.settle(order=AUTO)
    assert (the_group(stage)["TargetGroupArn"], the_group(stage)["HealthCheckPath"]) == (before, "/b")
    stage.assert_no_differences()
