"""What CreateService and UpdateService refuse on the emulated ECS, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ParamValidationError


def balancer(arn: str, port: int = 8080, name: str = "app") -> list[dict[str, Any]]:
    return [{"targetGroupArn": arn, "containerName": name, "containerPort": port}]


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("a cluster that is not there", {"cluster": "none"}, "ClusterNotFoundException", ""),
    ("a task definition that is not there", {"taskDefinition": "none"}, "ClientException", "not found"),
    ("a replica service without a count", {"desiredCount": None}, "InvalidParameterException", "DesiredCount"),
    (
        "a daemon with a count",
        {"schedulingStrategy": "DAEMON", "launchType": "EC2"},
        "InvalidParameterException",
        "daemon",
    ),
    (
        "awsvpc without a network",
        {"networkConfiguration": None},
        "InvalidParameterException",
        "Network Configuration must",
    ),
    ("a launch type of no sense", {"launchType": "MAINFRAME"}, "InvalidParameterException", "enum"),
    (
        "another strategy",
        {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
        "InvalidParameterException",
        "ROLLING only",
    ),
    (
        "percentages that block",
        {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100}},
        "InvalidParameterException",
        "block deployments",
    ),
    ("placement on Fargate, even empty", {"placementStrategy": []}, "InvalidParameterException", "FARGATE"),
    ("tags of AWS's own", {"tags": [{"key": "aws:x", "value": "1"}]}, "InvalidParameterException", "aws:"),
    (
        "a provider that the cluster lacks",
        {"launchType": None, "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException",
        "not associated",
    ),
    ("a name with a blank", {"serviceName": "a b"}, "InvalidParameterException", "alphanumeric"),
    (
        "a launch type and a strategy",
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "InvalidParameterException",
        "both a launch type",
    ),
    (
        "too much health",
        {"deploymentConfiguration": {"minimumHealthyPercent": 101}},
        "InvalidParameterException",
        "between 0 and 100",
    ),
    ("too few tasks", {"deploymentConfiguration": {"maximumPercent": 99}}, "InvalidParameterException", "equal to 100"),
    ("a count below zero", {"desiredCount": -1}, "InvalidParameterException", "negative"),
    (
        "constraints on Fargate",
        {"placementConstraints": [{"type": "distinctInstance"}]},
        "InvalidParameterException",
        "FARGATE",
    ),
    (
        "a platform version on EC2",
        {"launchType": "EC2", "platformVersion": "1.4.0"},
        "InvalidParameterException",
        "platform version must be null",
    ),
    (
        "a group that is not there",
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["SUBNET"], "securityGroups": ["sg-0"]}}},
        "InvalidParameterException",
        "Error retrieving security group",
    ),
    (
        "a subnet that is not there",
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}},
        "InvalidParameterException",
        "Error retrieving subnet",
    ),
]


@pytest.mark.parametrize(("members", "code", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_create_refuses(shop, members, code, words):
    shop.define()
    network = members.get("networkConfiguration") or {}
    if network.get("awsvpcConfiguration", {}).get("subnets") == ["SUBNET"]:
        groups = network["awsvpcConfiguration"]["securityGroups"]
        members = {"networkConfiguration": {"awsvpcConfiguration": {"subnets": shop.subnets, "securityGroups": groups}}}
    found, message = shop.refused(shop.create, **members)
    assert found == code
    assert words in message
    assert shop.ecs.list_services(cluster="shop")["serviceArns"] == []


def test_create_checks_the_target_group(shop):
    shop.define()
    ready, lonely = shop.target_group(), shop.target_group(name="lonely", attached=False)
    wrong = shop.target_group("instance", name="wrong")
    assert shop.refused(shop.create, loadBalancers=balancer(lonely)) == (
        "InvalidParameterException",
        f"The target group with targetGroupArn {lonely} does not have an associated load balancer.",
    )
    assert "target type instance" in shop.refused(shop.create, loadBalancers=balancer(wrong))[1]
    assert "does not exist" in shop.refused(shop.create, loadBalancers=balancer(ready + "0"))[1]
    assert "did not have a container port 81" in shop.refused(shop.create, loadBalancers=balancer(ready, 81))[1]
    assert "sidecar does not exist" in shop.refused(shop.create, loadBalancers=balancer(ready, name="sidecar"))[1]
    shop.create(loadBalancers=balancer(ready))


def test_a_code_deploy_service_refuses_what_only_code_deploy_may_change(shop):
    shop.define()
    shop.create(deploymentController={"type": "CODE_DEPLOY"})
    assert "CODE_DEPLOY" in shop.refused(shop.update, taskDefinition="web")[1]
    assert "CODE_DEPLOY" in shop.refused(shop.update, forceNewDeployment=True)[1]
    assert shop.update(desiredCount=1)["desiredCount"] == 1


def test_a_role_for_bridge_networking_is_kept_and_refused_for_awsvpc(shop):
    shop.define(fargate=False)
    balancers = balancer(shop.target_group("instance"))
    service = shop.create_on_ec2(role="ecs", loadBalancers=balancers)
    assert service["roleArn"] == "arn:aws:iam::123456789012:role/ecs"
    shop.define(family="task")
    assert shop.refused(shop.create, serviceName="x", taskDefinition="task", role="ecs")[0] == "ClientException"


def test_the_client_itself_knows_that_a_circuit_breaker_needs_rollback(shop):
    shop.define()
    with pytest.raises(ParamValidationError):
        shop.create(deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True}})
