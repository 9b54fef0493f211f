"""Tasks on the emulated ECS: listing, describing, running and stopping them; their events."""

from __future__ import annotations

from typing import Any

import pytest


def network(shop: Any) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": shop.subnets}}


def run(shop: Any, **members: Any) -> Any:
    request = {
        "cluster": "shop",
        "taskDefinition": "web",
        "launchType": "FARGATE",
        "networkConfiguration": network(shop),
    }
    return shop.ecs.run_task(**request | members)


def test_every_container_is_described_with_its_image_and_address(shop):
    containers = [
        {"name": "app", "image": "registry.example/web:1", "portMappings": [{"containerPort": 8080}]},
        {"name": "log", "image": "registry.example/log:1", "essential": False},
    ]
    shop.ecs.register_task_definition(
        family="web",
        containerDefinitions=containers,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
    )
    shop.create(desiredCount=1)
    shop.settle()
    (task,) = shop.tasks()
    assert [container["name"] for container in task["containers"]] == ["app", "log"]
    assert {container["lastStatus"] for container in task["containers"]} == {"RUNNING"}
    assert all(container["imageDigest"].startswith("sha256:") for container in task["containers"])
    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    assert details["subnetId"] in shop.subnets
    interfaces = [container["networkInterfaces"][0]["privateIpv4Address"] for container in task["containers"]]
    assert interfaces == [details["privateIPv4Address"]] * 2
    assert (task["launchType"], task["platformVersion"], task["group"]) == ("FARGATE", "1.4.0", "service:web")
    assert task["startedBy"] == shop.describe()["deployments"][0]["id"]


def test_tasks_are_listed_by_service_family_starter_status_and_page(shop):
    shop.define()
    shop.define(family="job")
    shop.create()
    run(shop, taskDefinition="job", count=2, startedBy="me")
    shop.aws.tick(steps=10)

    def listed(**filters: Any) -> int:
        return len(shop.ecs.list_tasks(cluster="shop", **filters)["taskArns"])

    assert listed() == 5
    assert listed(serviceName="web") == 3
    assert listed(family="job") == listed(startedBy="me") == 2
    assert listed(desiredStatus="STOPPED") == listed(launchType="EC2") == 0
    pages = shop.ecs.get_paginator("list_tasks").paginate(cluster="shop", PaginationConfig={"PageSize": 2})
    assert [len(page["taskArns"]) for page in pages] == [2, 2, 1]
    assert shop.refused(shop.ecs.list_tasks, cluster="shop", serviceName="none")[0] == "ServiceNotFoundException"


def test_a_missing_task_is_a_failure(shop):
    answer = shop.ecs.describe_tasks(cluster="shop", tasks=["none"])
    assert answer["failures"] == [{"arn": "arn:aws:ecs:us-east-1:123456789012:task/shop/none", "reason": "MISSING"}]


def test_a_stopped_task_is_described_for_an_hour(shop):
    shop.define()
    task = run(shop)["tasks"][0]["taskArn"]
    shop.aws.tick(steps=6)
    shop.ecs.stop_task(cluster="shop", task=task.rsplit("/", 1)[-1], reason="enough")
    shop.aws.tick(steps=3)
    (stopped,) = shop.ecs.describe_tasks(cluster="shop", tasks=[task])["tasks"]
    assert (stopped["lastStatus"], stopped["desiredStatus"]) == ("STOPPED", "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert stopped["containers"][0]["exitCode"] == 0
    assert stopped["stoppingAt"] < stopped["stoppedAt"]
    shop.aws.tick(seconds=3700)
    other = run(shop)["tasks"][0]["taskArn"]
    shop.ecs.stop_task(cluster="shop", task=other)
    shop.aws.tick(steps=5)
    assert shop.ecs.describe_tasks(cluster="shop", tasks=[task])["failures"][0]["reason"] == "MISSING"


def test_a_task_without_a_service_that_crashes_is_not_replaced(shop):
    shop.define("crash")
    run(shop)
    shop.aws.tick(steps=20)
    assert shop.ecs.list_tasks(cluster="shop")["taskArns"] == []
    assert len(shop.ecs.list_tasks(cluster="shop", desiredStatus="STOPPED")["taskArns"]) == 1


def test_run_task_refuses_an_inactive_definition_and_too_many(shop):
    arn = shop.define()
    assert shop.refused(run, shop=shop, count=11)[0] == "InvalidParameterException"
    shop.ecs.deregister_task_definition(taskDefinition=arn)
    assert shop.refused(run, shop=shop, taskDefinition=arn)[0] == "ClientException"


def test_tags_reach_the_tasks_as_the_service_says(shop):
    shop.define()
    shop.create(
        desiredCount=1, tags=[{"key": "team", "value": "shop"}], propagateTags="SERVICE", enableECSManagedTags=True
    )
    shop.aws.tick()
    arns = shop.ecs.list_tasks(cluster="shop")["taskArns"]
    (task,) = shop.ecs.describe_tasks(cluster="shop", tasks=arns, include=["TAGS"])["tasks"]
    assert {tag["key"]: tag["value"] for tag in task["tags"]} == {
        "team": "shop",
        "aws:ecs:clusterName": "shop",
        "aws:ecs:serviceName": "web",
    }
    assert "tags" not in shop.tasks()[0]


@pytest.fixture
def events(shop):
    """Deploy well, then badly. Returns the events of ECS."""
    shop.define("1")
    configuration = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    shop.create(desiredCount=1, deploymentConfiguration=configuration)
    shop.settle()
    shop.define("crash")
    shop.update(taskDefinition="web")
    shop.aws.tick(steps=60)
    return [event for event in shop.aws.world.events if event.source == "aws.ecs"]


def test_each_change_of_a_tasks_state_is_an_event(shop, events):
    changes = [event for event in events if event.detail_type == "ECS Task State Change"]
    first = changes[0].detail["taskArn"]
    mine = [event for event in changes if event.detail["taskArn"] == first]
    assert [event.detail["lastStatus"] for event in mine] == ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"]
    assert [event.detail["version"] for event in mine] == [2, 3, 4, 5]
    assert mine[0].resources == (first,)
    assert (mine[0].account, mine[0].region) == ("123456789012", "us-east-1")
    assert mine[-1].detail["startedAt"].endswith("Z")
    stopped = [event.detail for event in changes if event.detail["lastStatus"] == "STOPPED"]
    assert stopped[0]["stopCode"] == "EssentialContainerExited"
    assert stopped[0]["containers"][0]["exitCode"] == 1


def test_each_turn_of_a_deployment_is_an_event(shop, events):
    turns = [event for event in events if event.detail_type == "ECS Deployment State Change"]
    assert [(event.detail["eventType"], event.detail["eventName"]) for event in turns] == [
        ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        ("INFO", "SERVICE_DEPLOYMENT_COMPLETED"),
        ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
        ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        ("INFO", "SERVICE_DEPLOYMENT_COMPLETED"),
    ]
    assert turns[0].resources == (shop.describe()["serviceArn"],)
    assert turns[3].detail["reason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert turns[3].detail["deploymentId"] == turns[2].detail["deploymentId"]


def test_the_steady_state_and_a_bad_start_are_events(shop, events):
    actions = [event.detail["eventName"] for event in events if event.detail_type == "ECS Service Action"]
    assert actions == ["SERVICE_STEADY_STATE", "SERVICE_TASK_START_IMPAIRED", "SERVICE_STEADY_STATE"]
