"""UpdateService on the emulated ECS: what it keeps, what it replaces, what starts a deployment."""

from __future__ import annotations

import pytest


@pytest.fixture
def web(shop):
    """A settled service."""
    shop.define("1")
    shop.create(desiredCount=1)
    shop.settle()
    return shop


def test_a_task_definition_by_family_by_revision_or_by_arn_is_the_same(web):
    second = web.define("2")
    for reference in ("web", "web:2", second):
        assert web.update(taskDefinition=reference)["taskDefinition"] == second
    assert len(web.describe()["deployments"]) == 2


def test_what_is_absent_is_kept(web):
    before = web.update(enableExecuteCommand=True, healthCheckGracePeriodSeconds=20)
    after = web.update(desiredCount=2)
    changed = {"desiredCount", "deployments", "events", "currentServiceRevisions"}
    assert {m: v for m, v in after.items() if m not in changed} == {m: v for m, v in before.items() if m not in changed}


def test_the_deployment_configuration_merges_at_its_top_level(web):
    web.update(
        deploymentConfiguration={"maximumPercent": 150, "deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    )
    configuration = web.update(deploymentConfiguration={"minimumHealthyPercent": 50})["deploymentConfiguration"]
    assert (configuration["maximumPercent"], configuration["minimumHealthyPercent"]) == (150, 50)
    assert configuration["deploymentCircuitBreaker"]["rollback"]


def test_a_circuit_breaker_sent_without_rollback_turns_rollback_off(web):
    on = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    web.update(deploymentConfiguration=on)
    from botocore.config import Config  # noqa: PLC0415 - only here: the client must not check what it sends

    careless = web.aws.client("ecs", config=Config(parameter_validation=False))
    careless.update_service(
        cluster="shop", service="web", deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True}}
    )
    breaker = web.describe()["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert (breaker["enable"], breaker["rollback"]) == (True, False)


def test_an_empty_list_clears(web):
    group = web.target_group()
    balanced = web.update(loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}])
    assert len(balanced["loadBalancers"]) == 1
    assert web.update(loadBalancers=[])["loadBalancers"] == []


IN_PLACE = {
    "desiredCount": 3,
    "deploymentConfiguration": {"maximumPercent": 150},
    "availabilityZoneRebalancing": "DISABLED",
    "healthCheckGracePeriodSeconds": 9,
    "enableExecuteCommand": True,
    "enableECSManagedTags": True,
    "propagateTags": "SERVICE",
}


@pytest.mark.parametrize("member", IN_PLACE)
def test_starts_no_deployment(web, member):
    before = web.describe()["deployments"][0]["id"]
    after = web.update(**{member: IN_PLACE[member]})
    assert [deployment["id"] for deployment in after["deployments"]] == [before]
    if member != "deploymentConfiguration":
        assert after[member] == IN_PLACE[member]


DEPLOYS = {
    "platformVersion": "1.4.0",
    "serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:r"}],
    "serviceConnectConfiguration": {"enabled": False},
    "volumeConfigurations": [{"name": "data"}],
    "vpcLatticeConfigurations": [{"roleArn": "arn:r", "targetGroupArn": "arn:t", "portName": "http"}],
    "forceNewDeployment": True,
}


@pytest.mark.parametrize("member", DEPLOYS)
def test_starts_a_deployment(web, member):
    after = web.update(**{member: DEPLOYS[member]})
    assert [deployment["status"] for deployment in after["deployments"]] == ["PRIMARY", "ACTIVE"]
    if member != "forceNewDeployment":
        again = web.update(**{member: DEPLOYS[member]})
        assert len(again["deployments"]) == 2, "an equal value starts nothing"


def test_a_changed_network_starts_a_deployment_and_a_missing_subnet_is_refused(web):
    network = {"awsvpcConfiguration": {"subnets": web.subnets[:1]}}
    assert len(web.update(networkConfiguration=network)["deployments"]) == 2
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}
    before = web.describe()
    assert web.refused(web.update, networkConfiguration=network, desiredCount=9)[0] == "InvalidParameterException"
    assert web.describe() == before, "a refused update changes nothing"


def test_a_new_capacity_provider_strategy_must_be_forced(web):
    web.ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "force a new deployment" in web.refused(web.update, capacityProviderStrategy=strategy)[1]
    moved = web.update(capacityProviderStrategy=strategy, forceNewDeployment=True)
    assert "launchType" not in moved
    assert moved["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]


def test_a_service_that_is_not_there_is_not_found(web):
    refusal = web.refused(web.ecs.update_service, cluster="shop", service="none", desiredCount=1)
    assert refusal == ("ServiceNotFoundException", "Service not found.")


def test_a_count_changes_although_the_target_group_is_no_longer_attached(web):
    group = web.target_group()
    web.update(loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}])
    web.settle()
    for balancer in web.elb.describe_load_balancers()["LoadBalancers"]:
        for listener in web.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            web.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    assert web.update(desiredCount=2)["desiredCount"] == 2
    assert "associated load balancer" in web.refused(web.update, forceNewDeployment=True)[1]
