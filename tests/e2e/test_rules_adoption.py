"""Adoption: what people made by hand becomes ours by tags alone, and what has an owner stays with it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.plan import Verb
from reconciler.core.policy import Intent
from reconciler.core.values import ResourceId
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import (
    AUTO,
    WEB,
    causes,
    content,
    during,
    group,
    held,
    image,
    names,
    one_group,
    status,
    tags_of,
    tasks,
    the_group,
    the_service,
)
from tests.e2e.stage import Stage, environment

SERVICE = "Service/web"
CLUSTER = "apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: shop}\nspec: {}\n"


def adopting(stage: Stage) -> Order:
    """As `reconciler adopt --all` asks for it."""
    return Order(Intent.ORDER, adopt=frozenset(stage.desired().resources), verbs=frozenset({Verb.ADOPT}))


def made_by_hand(stage: Stage) -> None:
    """The corner shop as somebody with boto3 makes it: other orders, and much said that AWS takes for granted."""
    ecs, elb = stage.client("ecs"), stage.client("elbv2")
    ecs.create_cluster(clusterName="shop")
    [balancer] = elb.create_load_balancer(Name="shop", Subnets=stage.subnets[::-1], Scheme="internet-facing")[
        "LoadBalancers"
    ]
    [made] = elb.create_target_group(
        Name="web",
        Protocol="HTTP",
        Port=80,
        VpcId=stage.vpc,
        TargetType="ip",
        HealthCheckIntervalSeconds=10,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
        HealthCheckPath="/",
        HealthCheckPort="traffic-port",
        Matcher={"HttpCode": "200"},
    )["TargetGroups"]
    [listener] = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "fixed-response", "Order": 1, "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"]
    forward = {"TargetGroups": [{"TargetGroupArn": made["TargetGroupArn"], "Weight": 1}]}
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "ForwardConfig": forward}],
    )
    revision = register(stage)
    ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition=revision,
        desiredCount=2,
        launchType="FARGATE",
        platformVersion="LATEST",
        schedulingStrategy="REPLICA",
        enableECSManagedTags=False,
        healthCheckGracePeriodSeconds=0,
        networkConfiguration={"awsvpcConfiguration": {"assignPublicIp": "DISABLED", "subnets": stage.subnets[::-1]}},
        deploymentConfiguration={
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"rollback": True, "enable": True},
        },
        loadBalancers=[{"containerPort": 8080, "containerName": "app", "targetGroupArn": made["TargetGroupArn"]}],
    )
    stage.aws.tick(1, 30)


def register(stage: Stage, tag: str = "1", **more: Any) -> str:
    made = stage.client("ecs").register_task_definition(
        family="web",
        cpu="256",
        memory="512",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[
            {
                "environment": [{"value": "info", "name": "LOG_LEVEL"}],
                "portMappings": [{"protocol": "tcp", "hostPort": 8080, "containerPort": 8080}],
                "image": f"registry.example/web:{tag}",
                "essential": True,
                "name": "app",
                **more,
            }
        ],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def test_a_shop_made_by_hand_is_adopted_by_tags_alone_and_then_nothing_differs(small: Stage) -> None:
    made_by_hand(small)
    before, revision = tasks(small), the_service(small)["taskDefinition"]
    start = len(small.aws.calls)
    report = small.run(adopting(small))
    assert len(report.applied) == 6
    assert {call.operation for call in small.writes(start)} == {"AddTags", "TagResource"}
    small.settle(order=AUTO)
    small.tick(60)
    assert {call.operation for call in small.writes(start)} <= {"AddTags", "RemoveTags", "TagResource", "UntagResource"}
    assert (tasks(small), the_service(small)["taskDefinition"]) == (before, revision)
    small.assert_no_differences()


def test_what_differs_is_shown_before_and_pending_afterwards(small: Stage) -> None:
    made_by_hand(small)
    ecs = small.client("ecs")
    ecs.update_service(cluster="shop", service="web", desiredCount=1, taskDefinition=register(small, "0"))
    small.aws.tick(1, 30)
    before = tasks(small)
    report = small.run(adopting(small))
    [adopted] = [action for action in report.plan.actions if str(action.resource) == SERVICE]
    shown = {item.field: item.cause.value for item in adopted.differences}
    assert shown == {"desiredCount": "pending", "taskDefinition.containerDefinitions[app].image": "pending"}
    report = small.run(Order(Intent.AUTO, write=False))
    assert causes(report, SERVICE) == shown
    assert tasks(small) == before
    small.settle(order=AUTO)
    assert (image(small), the_service(small)["desiredCount"]) == ("1", 2)
    small.assert_no_differences()


def test_in_manual_mode_what_differs_after_adoption_waits_for_a_person(small: Stage) -> None:
    small.write({"environments/test.yaml": environment("{mode: manual}")})
    small.commit("only watch")
    made_by_hand(small)
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    small.run(adopting(small))
    for _ in range(3):
        report, writes = during(small)
        assert writes == []
        assert causes(report, SERVICE) == {"desiredCount": "pending"}
    small.settle()
    assert the_service(small)["desiredCount"] == 2


def test_without_adopt_what_is_there_is_refused_and_the_report_says_how(small: Stage) -> None:
    made_by_hand(small)
    report, writes = during(small)
    assert writes == []
    reason = held(report)["Cluster/shop"]
    assert "is there already and not ours" in reason
    assert "`reconciler adopt Cluster/shop`" in reason
    assert status(report, "Cluster/shop").sync.value == "OutOfSync"


def test_a_manifest_that_says_adopt_needs_no_command(stage: Stage) -> None:
    stage.client("ecs").create_cluster(clusterName="shop")
    stage.write(
        {
            "reconciler.yaml": "installation: acme\nenvironments: environments\n",
            "environments/test.yaml": environment("{mode: auto}"),
            "base/c.yaml": CLUSTER.replace("spec:", "reconcile: {adopt: true}\nspec:"),
        }
    )
    stage.commit("ours from now on")
    _, writes = during(stage)
    assert [call.operation for call in writes] == ["TagResource"]
    stage.assert_no_differences()


@pytest.mark.parametrize("adopt", [False, True], ids=["plainly", "with adopt: true"])
def test_a_second_claimant_is_refused_and_the_owner_carries_on_and_is_told(stage: Stage, adopt: bool) -> None:
    files = {
        "reconciler.yaml": "installation: acme\nenvironments: environments\n",
        "environments/test.yaml": environment("{mode: auto}"),
        "base/c.yaml": CLUSTER,
    }
    stage.write(files)
    stage.commit("the owner")
    stage.settle()
    arn = stage.client("ecs").list_clusters()["clusterArns"][0]
    before = tags_of(stage, arn)
    other = Stage(stage.aws, stage.folder / "other")
    settings = "reconcile: {adopt: true}\n" if adopt else ""
    other.write(files | {"reconciler.yaml": "installation: rival\nenvironments: environments\n"})
    other.write({"base/c.yaml": CLUSTER.replace("spec:", f"{settings}spec:")})
    other.commit("the rival")
    report, writes = during(other)
    assert writes == []
    assert "belongs to acme/test and stays there" in held(report)["Cluster/shop"]
    assert tags_of(other, arn) == before
    assert during(stage)[1] == []
    stage.assert_no_differences()
    other.close()


def test_an_adopted_target_group_keeps_its_name(stage: Stage) -> None:
    elb = stage.client("elbv2")
    elb.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=stage.vpc, TargetType="ip", HealthCheckPath="/a"
    )
    stage.write(
        {
            "reconciler.yaml": "installation: acme\nenvironments: environments\n",
            "environments/test.yaml": environment("{mode: auto}"),
            "base/web.yaml": group(stage),
        }
    )
    stage.commit("a group that is there")
    stage.run(adopting(stage))
    assert the_group(stage)["TargetGroupName"] == "web"
    stage.settle(order=AUTO)
    stage.assert_no_differences()
    assert the_group(stage)["TargetGroupName"] == "web"


def test_adoption_waits_for_a_window_like_every_write(stage: Stage) -> None:
    one_group(stage)
    stage.client("ecs").create_cluster(clusterName="shop")
    stage.write({"base/c.yaml": CLUSTER})
    stage.commit("a cluster that is there")
    shop = frozenset({ResourceId("Cluster", "shop")})
    report, writes = during(stage, Order(denied="closed", adopt=shop, verbs=frozenset({Verb.ADOPT})))
    assert (writes, held(report)) == ([], {"Cluster/shop": "closed"})


def test_adopting_again_what_is_ours_changes_nothing(stage: Stage) -> None:
    one_group(stage)
    before = tags_of(stage, the_group(stage)["TargetGroupArn"])
    report, writes = during(stage, adopting(stage))
    assert (writes, names(writes), report.plan.actions) == ([], [], ())
    assert tags_of(stage, the_group(stage)["TargetGroupArn"]) == before
    assert status(report, WEB).sync.value == "Synced"


def test_the_content_of_an_adopted_service_is_not_registered_again(small: Stage) -> None:
    made_by_hand(small)
    small.run(adopting(small))
    small.settle(order=AUTO)
    assert len(small.client("ecs").list_task_definitions()["taskDefinitionArns"]) == 1
    assert content(small)["revision"] == 1
