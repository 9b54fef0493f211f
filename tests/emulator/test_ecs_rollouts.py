"""Rolling deployments on the emulated ECS, second by second."""

from __future__ import annotations

import math
from typing import Any

import pytest

from reconciler.emulator.elbv2 import targets

LIVING = ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING")


def balanced(shop: Any, **members: Any) -> str:
    """Create `web` behind a target group. Returns the group's ARN."""
    group = shop.target_group()
    balancer = [{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}]
    shop.define("1")
    shop.create(loadBalancers=balancer, **members)
    return str(group)


def states(shop: Any, group: str) -> list[str]:
    """Return the health of a group's targets."""
    described = shop.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return sorted(target["TargetHealth"]["State"] for target in described)


def test_tasks_pass_through_their_states_and_describing_changes_nothing(shop):
    shop.define()
    shop.create(desiredCount=1)
    seen = []
    for _ in range(8):
        shop.aws.tick()
        for _ in range(3):
            (task,) = shop.tasks()
        if task["lastStatus"] not in seen:
            seen.append(task["lastStatus"])
    assert seen == ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"]


def test_three_tasks_behind_a_load_balancer_roll_out_in_under_forty_seconds(shop):
    group = balanced(shop)
    assert shop.settle() < 40
    assert states(shop, group) == ["healthy"] * 3
    shop.define("2")
    shop.update(taskDefinition="web")
    assert shop.settle() < 40
    assert {task["containers"][0]["image"] for task in shop.tasks()} == {"registry.example/web:2"}
    assert states(shop, group).count("healthy") == 3


def test_during_a_rollout_there_are_two_deployments_then_one(shop):
    shop.define("1")
    first = shop.create()["deployments"][0]["id"]
    shop.settle()
    shop.define("2")
    second = shop.update(taskDefinition="web")["deployments"][0]["id"]
    shapes = []

    def look(service: Any) -> None:
        shape = [(deployment["id"], deployment["status"]) for deployment in service["deployments"]]
        if shape not in shapes:
            shapes.append(shape)

    shop.settle(look=look)
    assert shapes == [[(second, "PRIMARY"), (first, "ACTIVE")], [(second, "PRIMARY")]]
    assert shop.describe()["deployments"][0]["rolloutStateReason"] == f"ECS deployment {second} completed."


@pytest.mark.parametrize(
    ("low", "high", "desired"), [(100, 200, 3), (50, 100, 4), (100, 134, 3), (0, 100, 2), (66, 150, 3)]
)
def test_no_second_of_a_rollout_leaves_the_percentages(shop, low, high, desired):
    percents = {"minimumHealthyPercent": low, "maximumPercent": high}
    group = balanced(shop, desiredCount=desired, deploymentConfiguration=percents)
    shop.settle()
    shop.define("2")
    shop.update(taskDefinition="web")
    least, most = math.ceil(desired * low / 100), math.floor(desired * high / 100)

    def look(service: Any) -> None:
        living = [t for desired_status in ("RUNNING", "STOPPED") for t in shop.tasks(desired_status)]
        assert sum(task["lastStatus"] in LIVING for task in living) <= most
        assert states(shop, group).count("healthy") >= least

    shop.settle(within=200, look=look)


def test_scaling_starts_and_stops_only_the_difference(shop):
    shop.define()
    shop.create(desiredCount=2)
    shop.settle()
    first = {task["taskArn"] for task in shop.tasks()}
    shop.update(desiredCount=4)
    shop.until(lambda service: service["runningCount"] == 4)
    grown = {task["taskArn"] for task in shop.tasks()}
    assert first < grown
    shop.update(desiredCount=2)
    shop.until(lambda service: service["runningCount"] == 2)
    assert {task["taskArn"] for task in shop.tasks()} == first, "the youngest go first"
    assert len(shop.describe()["deployments"]) == 1


def test_forcing_a_deployment_replaces_every_task(shop):
    shop.define()
    shop.create()
    shop.settle()
    before = {task["taskArn"] for task in shop.tasks()}
    shop.update(forceNewDeployment=True)
    shop.settle()
    assert not before & {task["taskArn"] for task in shop.tasks()}


def test_a_newer_update_supersedes_the_rollout_under_way(shop):
    shop.define("1")
    shop.create()
    shop.settle()
    shop.define("2")
    shop.update(taskDefinition="web")
    shop.aws.tick(steps=3)
    overtaken = shop.deployment()
    shop.define("3")
    shop.update(taskDefinition="web")
    assert [d["status"] for d in shop.describe()["deployments"]] == ["PRIMARY", "ACTIVE", "ACTIVE"]
    shop.settle()
    history = shop.ecs.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]
    assert [entry["status"] for entry in history] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    assert history[1]["serviceDeploymentArn"] == overtaken["serviceDeploymentArn"]
    assert {task["containers"][0]["image"] for task in shop.tasks()} == {"registry.example/web:3"}


def test_the_service_says_what_aws_would_say(shop):
    group = balanced(shop, desiredCount=1)
    shop.settle()
    shop.define("2")
    shop.update(taskDefinition="web")
    shop.settle()
    said = "\n".join(shop.messages())
    for words in (
        "(service web) has started 1 tasks: (task ",
        f"(service web) registered 1 targets in (target-group {group})",
        f"(service web) deregistered 1 targets in (target-group {group})",
        "(service web) has begun draining connections on 1 tasks.",
        "(service web) has stopped 1 running tasks: (task ",
        ") deployment completed.",
    ):
        assert words in said
    assert shop.messages()[-1] == "(service web) has reached a steady state."
    newest = shop.describe()["events"][0]
    assert newest["message"] == "(service web) has reached a steady state."


def test_no_more_than_a_hundred_events_are_kept(shop):
    shop.define("missing")
    shop.create()
    shop.aws.tick(seconds=3000)
    assert len(shop.describe()["events"]) == 100


def test_one_long_tick_does_what_many_short_ones_do(shop):
    shop.define()
    shop.create()
    shop.aws.tick(seconds=600)
    service = shop.describe()
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    for task in shop.tasks():
        assert (task["startedAt"] - task["createdAt"]).total_seconds() == 4


def test_one_seed_gives_one_trace(shop):
    def play() -> list[tuple[Any, ...]]:
        shop.aws.reset()
        type(shop).__init__(shop, shop.aws)
        balanced(shop)
        shop.settle()
        shop.define("crash")
        shop.update(taskDefinition="web")
        shop.aws.tick(steps=30)
        return [(event.id, event.time, event.detail_type, event.detail) for event in shop.aws.world.events]

    first = play()
    assert len(first) > 20
    assert play() == first


def test_a_service_of_two_target_groups_registers_in_both(shop):
    groups = [shop.target_group(name="one"), shop.target_group(name="two")]
    shop.define()
    shop.create(
        desiredCount=2,
        loadBalancers=[{"targetGroupArn": g, "containerName": "app", "containerPort": 8080} for g in groups],
    )
    shop.settle()
    assert [states(shop, group) for group in groups] == [["healthy"] * 2] * 2
    addresses = {
        detail["value"]
        for task in shop.tasks()
        for detail in task["attachments"][0]["details"]
        if detail["name"] == "privateIPv4Address"
    }
    described = shop.elb.describe_target_health(TargetGroupArn=groups[0])["TargetHealthDescriptions"]
    assert {target["Target"]["Id"] for target in described} == addresses


def test_percentages_that_allow_no_step_are_reported(shop):
    shop.define()
    percents = {"minimumHealthyPercent": 50, "maximumPercent": 100}
    shop.create(desiredCount=1, deploymentConfiguration=percents)
    shop.settle()
    shop.update(forceNewDeployment=True)
    shop.aws.tick(steps=20)
    stuck = [message for message in shop.messages() if "because of the service deployment configuration" in message]
    assert len(stuck) == 1
    shop.update(deploymentConfiguration={"minimumHealthyPercent": 0})
    shop.settle()


def test_a_target_group_that_is_deleted_under_a_service_is_reported_and_breaks_nothing(shop):
    group = balanced(shop, desiredCount=1)
    shop.settle()
    for balancer in shop.elb.describe_load_balancers()["LoadBalancers"]:
        shop.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    shop.elb.delete_target_group(TargetGroupArn=group)
    shop.update(desiredCount=2)
    shop.until(lambda service: service["runningCount"] == 2)
    assert any(f"failed to register targets in (target-group {group})" in message for message in shop.messages())
    shop.update(desiredCount=0)
    shop.until(lambda service: service["runningCount"] == 0)
    assert any(f"failed to deregister targets in (target-group {group})" in message for message in shop.messages())


def test_capacity_providers_share_the_tasks_by_base_and_weight(shop):
    shop.ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    shop.define()
    strategy = [
        {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    shop.create(desiredCount=6, launchType=None, capacityProviderStrategy=strategy)
    shop.settle()
    providers = [task["capacityProviderName"] for task in shop.tasks()]
    assert (providers.count("FARGATE"), providers.count("FARGATE_SPOT")) == (3, 3)


def test_an_unhealthy_target_of_a_settled_service_is_replaced(shop):
    group = balanced(shop)
    shop.settle()
    victim = shop.tasks()[0]
    address = next(d["value"] for d in victim["attachments"][0]["details"] if d["name"] == "privateIPv4Address")
    targets.set_health(group, address, 8080, healthy=False)
    shop.aws.tick(steps=40)
    assert victim["taskArn"] not in {task["taskArn"] for task in shop.tasks()}
    assert states(shop, group).count("healthy") == 3
    assert any(f"(port 8080) is unhealthy in (target-group {group})" in message for message in shop.messages())
    assert len(shop.describe()["deployments"]) == 1
