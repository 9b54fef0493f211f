"""ECS on EC2, emulated: container instances, placement, dynamic host ports, daemons."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.emulator.ecs import add_instance


def instance(shop: Any, cpu: int = 2048, memory: int = 4096) -> str:
    return add_instance("shop", "123456789012", "us-east-1", cpu, memory)


def ports(shop: Any) -> list[int]:
    bindings = [task["containers"][0]["networkBindings"][0] for task in shop.tasks()]
    return sorted(binding["hostPort"] for binding in bindings)


def on_instances(shop: Any) -> dict[str, int]:
    """Return how many tasks meant to run each instance has."""
    arns = [task["containerInstanceArn"] for task in shop.tasks()]
    return {arn: arns.count(arn) for arn in set(arns)}


def test_each_task_gets_a_host_port_of_its_own_and_is_a_target_of_its_own(shop):
    arn = instance(shop)
    group = shop.target_group("instance")
    shop.define(fargate=False)
    balancer = [{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}]
    shop.create_on_ec2(desiredCount=3, loadBalancers=balancer)
    shop.settle()
    assert ports(shop) == [32768, 32769, 32770]
    described = shop.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert sorted(target["Target"]["Port"] for target in described) == ports(shop)
    (known,) = shop.ecs.describe_container_instances(cluster="shop", containerInstances=[arn])["containerInstances"]
    assert {target["Target"]["Id"] for target in described} == {known["ec2InstanceId"]}
    assert (known["runningTasksCount"], known["pendingTasksCount"]) == (3, 0)
    remaining = {item["name"]: item["integerValue"] for item in known["remainingResources"]}
    assert (remaining["CPU"], remaining["MEMORY"]) == (2048 - 3 * 128, 4096 - 3 * 256)


def test_what_stopped_tasks_took_is_given_back(shop):
    arn = instance(shop)
    shop.define(fargate=False)
    shop.create_on_ec2()
    shop.settle()
    shop.update(forceNewDeployment=True)
    shop.settle()
    shop.update(desiredCount=0)
    shop.until(lambda service: service["runningCount"] == 0)
    shop.aws.tick(steps=5)
    (known,) = shop.ecs.describe_container_instances(cluster="shop", containerInstances=[arn])["containerInstances"]
    for left, had in zip(known["remainingResources"], known["registeredResources"], strict=True):
        assert left["integerValue"] == had["integerValue"]
        assert left.get("stringSetValue") == had.get("stringSetValue")


def test_tasks_are_spread_over_the_instances(shop):
    for _ in range(3):
        instance(shop)
    shop.define(fargate=False)
    shop.create_on_ec2(desiredCount=6)
    shop.settle()
    assert sorted(on_instances(shop).values()) == [2, 2, 2]


UNPLACEABLE = [
    ("no instance", None, {}, "Reason: No Container Instances were found in your cluster.", "RESOURCE:INSTANCE"),
    ("no CPU", {"cpu": 64}, {}, "has insufficient CPU units available", "RESOURCE:CPU"),
    ("no memory", {"memory": 64}, {}, "has insufficient memory available", "RESOURCE:MEMORY"),
    (
        "no port",
        {},
        {"portMappings": [{"containerPort": 8080, "hostPort": 22}]},
        "is already using a port required by your task",
        "RESOURCE:PORTS",
    ),
]


@pytest.mark.parametrize(
    ("size", "container", "words", "code"), [u[1:] for u in UNPLACEABLE], ids=[u[0] for u in UNPLACEABLE]
)
def test_a_task_that_fits_nowhere_is_reported_once_a_minute(shop, size, container, words, code):
    if size is not None:
        instance(shop, **size)
    shop.define(fargate=False, **container)
    shop.create_on_ec2(desiredCount=1)
    shop.aws.tick(steps=70)
    complaints = [
        message for message in shop.messages() if "was unable to place a task because no container" in message
    ]
    assert len(complaints) == 2
    assert words in complaints[0]
    failures = [
        e.detail for e in shop.aws.world.events if e.detail.get("eventName") == "SERVICE_TASK_PLACEMENT_FAILURE"
    ]
    assert {failure["reason"] for failure in failures} == {code}
    assert shop.describe()["deployments"][0]["failedTasks"] == 0
    run = shop.ecs.run_task(cluster="shop", taskDefinition="web")
    assert [failure["reason"] for failure in run["failures"]] == [code]
    if not container:
        instance(shop)
        shop.settle()


def test_a_fixed_port_lets_one_task_run_on_an_instance(shop):
    instance(shop)
    shop.define(fargate=False, portMappings=[{"containerPort": 8080, "hostPort": 80}])
    shop.create_on_ec2(desiredCount=2)
    shop.aws.tick(steps=20)
    assert shop.describe()["runningCount"] == 1
    instance(shop)
    shop.settle()
    assert sorted(on_instances(shop).values()) == [1, 1]


def test_a_daemon_runs_once_on_each_instance_and_follows_them(shop):
    instance(shop)
    shop.define(fargate=False)
    service = shop.create_on_ec2(desiredCount=None, schedulingStrategy="DAEMON")
    percents = service["deploymentConfiguration"]
    assert (percents["maximumPercent"], percents["minimumHealthyPercent"]) == (100, 0)
    shop.settle()
    instance(shop)
    shop.until(lambda service: service["runningCount"] == 2)
    assert sorted(on_instances(shop).values()) == [1, 1]
    shop.define("2", fargate=False)
    shop.update(taskDefinition="web")
    shop.settle()
    assert sorted(on_instances(shop).values()) == [1, 1]
    assert {task["taskDefinitionArn"].rsplit(":", 1)[-1] for task in shop.tasks()} == {"2"}
    assert shop.refused(shop.update, desiredCount=1)[0] == "InvalidParameterException"
    shop.ecs.delete_service(cluster="shop", service="web")
    shop.until(lambda service: service["status"] == "INACTIVE")


def test_tasks_move_away_from_a_draining_instance(shop):
    first = instance(shop)
    shop.define(fargate=False)
    shop.create_on_ec2(desiredCount=2)
    shop.settle()
    second = instance(shop)
    shop.ecs.update_container_instances_state(cluster="shop", containerInstances=[first], status="DRAINING")
    shop.aws.tick(steps=30)
    assert on_instances(shop) == {second: 2}
    shop.ecs.deregister_container_instance(cluster="shop", containerInstance=first)
    assert shop.ecs.list_container_instances(cluster="shop")["containerInstanceArns"] == [second]


def test_an_instance_with_tasks_is_deregistered_by_force_only(shop):
    arn = instance(shop)
    shop.define(fargate=False)
    shop.create_on_ec2(desiredCount=1)
    shop.settle()
    gone = shop.ecs.deregister_container_instance
    assert shop.refused(gone, cluster="shop", containerInstance=arn)[0] == "InvalidParameterException"
    gone(cluster="shop", containerInstance=arn, force=True)
    shop.aws.tick(steps=10)
    assert shop.describe()["runningCount"] == 0


def test_an_instance_registers_through_the_api_with_its_resources(shop):
    ec2 = shop.aws.client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]
    registered = shop.ecs.register_container_instance(
        cluster="shop",
        instanceIdentityDocument=json.dumps({"instanceId": ec2["InstanceId"]}),
        totalResources=[{"name": "CPU", "type": "INTEGER", "integerValue": 512}],
        tags=[{"key": "pool", "value": "a"}],
    )["containerInstance"]
    sizes = {item["name"]: item["integerValue"] for item in registered["registeredResources"]}
    assert sizes["CPU"] == 512
    assert registered["tags"] == [{"key": "pool", "value": "a"}]
    attributes = {item["name"]: item["value"] for item in registered["attributes"]}
    assert attributes["ecs.os-type"] == "linux"
    refusal = shop.refused(shop.ecs.register_container_instance, cluster="shop", instanceIdentityDocument="{}")
    assert refusal[0] == "ClientException"


def test_awsvpc_on_ec2_registers_addresses(shop):
    instance(shop)
    group = shop.target_group("ip")
    shop.ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "app", "image": "a:1", "memory": 64, "portMappings": [{"containerPort": 8080}]}],
    )
    balancer = [{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}]
    shop.create(launchType="EC2", desiredCount=1, loadBalancers=balancer)
    shop.settle()
    (target,) = shop.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert target["Target"]["Id"].startswith("172.31.")
    assert target["Target"]["Port"] == 8080


def test_start_task_places_one_task_on_each_named_instance(shop):
    small, large = instance(shop, cpu=64), instance(shop)
    shop.define(fargate=False)
    answer = shop.ecs.start_task(
        cluster="shop",
        taskDefinition="web",
        containerInstances=[small, large],
        startedBy="me",
        tags=[{"key": "a", "value": "b"}],
    )
    (task,) = answer["tasks"]
    assert (task["containerInstanceArn"], task["startedBy"]) == (large, "me")
    assert answer["failures"] == [{"arn": small, "reason": "RESOURCE:CPU"}]
    assert len(shop.ecs.list_tasks(cluster="shop", containerInstance=large)["taskArns"]) == 1
    assert shop.refused(shop.ecs.list_tasks, cluster="shop", containerInstance="none")[0] == "ClientException"


def test_distinct_instances_are_honoured(shop):
    instance(shop)
    shop.define(fargate=False)
    shop.create_on_ec2(desiredCount=2, placementConstraints=[{"type": "distinctInstance"}])
    shop.aws.tick(steps=15)
    assert shop.describe()["runningCount"] == 1
    instance(shop)
    shop.settle()
    assert sorted(on_instances(shop).values()) == [1, 1]


def test_missing_instances_are_failures_and_bad_requests_errors(shop):
    described = shop.ecs.describe_container_instances(cluster="shop", containerInstances=["none"])
    assert [failure["reason"] for failure in described["failures"]] == ["MISSING"]
    for call, members in (
        (shop.ecs.describe_container_instances, {"containerInstances": []}),
        (shop.ecs.list_container_instances, {"filter": "runningTasksCount > 0"}),
        (shop.ecs.update_container_instances_state, {"containerInstances": ["none"], "status": "REGISTERING"}),
        (shop.ecs.deregister_container_instance, {"containerInstance": "none"}),
    ):
        assert shop.refused(call, cluster="shop", **members)[0] in {"ClientException", "InvalidParameterException"}


def test_a_daemon_that_does_not_fit_is_reported(shop):
    instance(shop, cpu=64)
    shop.define(fargate=False)
    shop.create_on_ec2(desiredCount=None, schedulingStrategy="DAEMON")
    shop.aws.tick(steps=3)
    assert "has insufficient CPU units available" in shop.messages()[-1]
