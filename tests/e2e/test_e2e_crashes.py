"""The process dies at every write, before it is sent and after it took effect; the next one finishes the work."""

from __future__ import annotations

import pytest

from tests.e2e.deaths import at_every_write
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SERVICE, WEB = "base/service.yaml", "base/web.yaml"


def second_commit(stage: Stage) -> str:
    """The first commit stays reachable as `first`, the second is `main`."""
    stage.checkout("main~1", "-B", "first")
    stage.checkout("main")
    return stage.head


def from_first(stage: Stage) -> None:
    """AWS as the first commit has it, and the second one to be applied."""
    stage.checkout("first")
    stage.settle()
    stage.checkout("main")


def test_the_first_sync_of_the_shop_survives_a_death_at_each_write(shop: Stage) -> None:
    assert at_every_write(shop, lambda _stage: None) >= 40


def test_a_new_image_survives_a_death_at_each_write(small: Stage) -> None:
    small.edit(SERVICE, ("web:1", "web:2"))
    small.commit("a new image")
    second_commit(small)
    assert at_every_write(small, from_first) >= 8


def test_a_failed_rollout_survives_a_death_at_each_write_of_its_quarantine(small: Stage) -> None:
    small.edit(SERVICE, ("web:1", "web:crash"))
    small.commit("a broken image")
    second_commit(small)
    assert at_every_write(small, from_first) >= 8


def test_a_removal_survives_a_death_at_each_write(small: Stage) -> None:
    small.write({SERVICE: None, WEB: None})
    small.commit("no more web")
    second_commit(small)
    assert at_every_write(small, from_first) >= 8


def test_replacing_a_target_group_survives_a_death_at_each_write(small: Stage) -> None:
    small.edit(WEB, ("port: 80,", "port: 8080,"))
    small.commit("another port")
    second_commit(small)

    def prepare(stage: Stage) -> None:
        stage.watch = None
        from_first(stage)
        stage.watch = lambda: serves(stage)

    assert at_every_write(small, prepare) >= 16


def serves(stage: Stage) -> None:
    """Assert that the rule forwards to something healthy: what gets a share of the requests can answer them."""
    elb = stage.client("elbv2")
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    groups = [
        group["TargetGroupArn"]
        for rule in rules
        for action in rule["Actions"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
        if group.get("Weight", 1)
    ]
    assert groups, "no rule forwards to anything"
    for arn in groups:
        targets = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        states = [target["TargetHealth"]["State"] for target in targets]
        assert "healthy" in states, f"{arn} serves and has {states}"


def test_changes_in_place_survive_a_death_after_each_write(small: Stage) -> None:
    """Everything that changes without a deployment, with more than one call for most resources."""
    edge, tags = "base/edge.yaml", "tags: [{key: team, value: shop}]"
    small.edit(edge, ("name: shop}\nspec: {}", f"name: shop}}\nspec: {{{tags}, settings: [{CONTAINER_INSIGHTS}]}}"))
    small.edit(edge, ("spec: {subnets", f"spec: {{{tags}, attributes: [{IDLE}], subnets"))
    small.edit(edge, ('statusCode: "404"', 'statusCode: "503"'))
    small.edit(WEB, ("spec: {protocol", f"spec: {{{tags}, attributes: [{DELAY}], healthCheckPath: /health, protocol"))
    small.edit(WEB, ("/*", "/shop/*"), ("priority: 10", "priority: 20"))
    small.edit(SERVICE, ("desiredCount: 2", f"desiredCount: 3\n  healthCheckGracePeriodSeconds: 30\n  {tags}"))
    small.commit("changes in place")
    second_commit(small)
    assert at_every_write(small, from_first, lambda point: point.when == "after") >= 15


CONTAINER_INSIGHTS = "{name: containerInsights, value: enabled}"
IDLE = '{key: idle_timeout.timeout_seconds, value: "120"}'
DELAY = '{key: deregistration_delay.timeout_seconds, value: "30"}'


def test_a_first_deployment_that_fails_survives_a_death_at_each_write(small: Stage) -> None:
    small.edit(SERVICE, ("web:1", "web:crash"))
    small.commit("broken from the beginning")
    assert at_every_write(small, lambda _stage: None) >= 18


def test_a_commit_during_a_rollout_survives_a_death_at_each_write(small: Stage) -> None:
    small.edit(SERVICE, ("web:1", "web:2"))
    small.commit("a new image")
    small.edit(SERVICE, ("web:2", "web:3"))
    small.commit("a newer one")
    small.checkout("main~2", "-B", "first")
    small.checkout("main~1", "-B", "second")

    def in_the_middle(stage: Stage) -> None:
        stage.checkout("first")
        stage.settle()
        stage.checkout("second")
        stage.run()
        stage.tick()
        stage.checkout("main")

    assert at_every_write(small, in_the_middle) >= 8


def adopted(stage: Stage) -> None:
    """AWS with the corner shop as somebody made it by hand, and the commit that says adopt."""
    stage.checkout("first")
    stage.settle()
    everything = tagged(stage)
    for arn in everything:
        strip(stage, arn)
    stage.checkout("main")


def test_an_adoption_survives_a_death_at_each_write_with_tagging_calls_only(small: Stage) -> None:
    for name in ("base/edge.yaml", WEB, SERVICE):
        text = (small.root / name).read_text()
        small.write({name: text.replace("spec:", "reconcile: {adopt: true}\nspec:")})
    small.commit("adopt all of it")
    second_commit(small)
    assert at_every_write(small, adopted) >= 12
    small.begin_anew()
    adopted(small)
    since, tasks = len(small.aws.calls), small.client("ecs").list_tasks(cluster="shop")["taskArns"]
    small.settle()
    assert {call.operation for call in small.writes(since)} <= {"TagResource", "AddTags", "RemoveTags", "UntagResource"}
    assert small.client("ecs").list_tasks(cluster="shop")["taskArns"] == tasks
    small.assert_no_differences()


def tagged(stage: Stage) -> list[str]:
    """The ARNs of all that carries our tags, as the reports know them."""
    return [status.arn for status in stage.reports[-1].statuses.values() if status.id.kind != "TaskDefinition"]


def strip(stage: Stage, arn: str) -> None:
    keys = [f"reconciler:{name}" for name in ("environment", "resource", "commit", "digest", "applying")]
    if ":ecs:" in arn:
        stage.client("ecs").untag_resource(resourceArn=arn, tagKeys=keys)
    else:
        stage.client("elbv2").remove_tags(ResourceArns=[arn], TagKeys=keys)
