"""What UpdateService is sent: absent means keep, so each field that git drops is reset by its explicit value.

The expectations come from the ECS API reference (which member keeps what it is not sent, and what removes it) and from
what AWS is known to refuse. Every call passes botocore's own validation.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from botocore.validate import ParamValidator

from reconciler.aws.casing import to_api
from reconciler.aws.models import operation_model
from reconciler.core.call import Call
from reconciler.core.fields import Removal
from reconciler.core.live import Live
from reconciler.core.resource import Resource
from reconciler.core.values import ResourceId, Spec
from reconciler.kinds import KINDS

SERVICE = KINDS["Service"]
BALANCER = {"targetGroupArn": "arn:tg", "containerName": "app", "containerPort": 80}
VOLUME = {"name": "data", "managedEBSVolume": {"roleArn": "arn:r", "sizeInGiB": 10}}
LATTICE = {"roleArn": "arn:r", "targetGroupArn": "arn:t", "portName": "http"}
SPREAD = {"type": "spread", "field": "instanceId"}
BREAKER = {"enable": True, "rollback": True}
MINIMAL: Spec = {
    "cluster": "shop",
    "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
    "desiredCount": 2,
    "launchType": "EC2",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
}
ROLLOUT: Spec = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
    "alarms": {"alarmNames": [], "enable": False, "rollback": False},
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}


def live_of(spec: Spec) -> Live:
    """What AWS answers to a service that was made from the spec."""
    settings = copy.deepcopy(ROLLOUT) | spec.get("deploymentConfiguration", {})
    return Live(
        "Service", "arn:service", "shop/web", spec | {"serviceName": "web", "deploymentConfiguration": settings}
    )


def updates(before: Spec, after: Spec, tools: Any, live: Live | None = None) -> tuple[Call, ...]:
    """The calls for a change in git, as the planner asks for them."""
    base, wanted = (Resource(ResourceId("Service", "web"), spec) for spec in (before, after))
    live = live or live_of(before)
    differences = tools.differences_of(SERVICE, wanted, live, base=base)
    written = tuple(one for one in differences if not (one.cause is tools.REMOVED and isinstance(one.removed, Removal)))
    calls = SERVICE.update(tools.change_of(SERVICE, wanted, live, written)) if written else ()
    for call in calls:
        params = to_api(call.service, call.operation, call.params)
        report = ParamValidator().validate(params, operation_model(call.service, call.operation).input_shape)
        assert not report.has_errors(), report.generate_report()
    return calls


def sent(before: Spec, after: Spec, tools: Any, live: Live | None = None) -> Spec:
    """The one UpdateService, without the names of cluster and service."""
    [call] = updates(before, after, tools, live)
    assert call.operation == "UpdateService"
    assert (call.params["cluster"], call.params["service"]) == ("shop", "web")
    return {name: value for name, value in call.params.items() if name not in ("cluster", "service")}


def rollout(**members: Any) -> Spec:
    return {"deploymentConfiguration": members}


RESETS: dict[str, tuple[Spec, Spec]] = {  # what git had → what is sent when it is gone
    "the circuit breaker": (rollout(deploymentCircuitBreaker=BREAKER), rollout(
        deploymentCircuitBreaker={"enable": False, "rollback": False})),
    "its threshold": (
        rollout(deploymentCircuitBreaker=BREAKER | {"thresholdConfiguration": {"type": "COUNT", "value": 3}}),
        rollout(deploymentCircuitBreaker={"enable": False, "rollback": False, "thresholdConfiguration": {
            "type": "BOUNDED_PERCENT", "value": 50}}),
    ),
    "alarms": (rollout(alarms={"alarmNames": ["a"], "enable": True, "rollback": True}), rollout(
        alarms={"alarmNames": [], "enable": False, "rollback": False})),
    "bounds": (rollout(maximumPercent=150, minimumHealthyPercent=50), rollout(
        maximumPercent=200, minimumHealthyPercent=100)),
    "strategy": (rollout(strategy="BLUE_GREEN", bakeTimeInMinutes=5), rollout(
        strategy="ROLLING", bakeTimeInMinutes=0)),
    "a linear strategy": (rollout(strategy="LINEAR", linearConfiguration={"stepPercent": 20.0}), rollout(
        strategy="ROLLING")),
    "hooks": (rollout(lifecycleHooks=[{"hookTargetArn": "arn:h", "roleArn": "arn:r", "lifecycleStages": [
        "PRE_SCALE_UP"]}]), rollout(lifecycleHooks=[])),
    "early success": (rollout(earlySuccessCriteria={"enable": True, "healthyPercent": 50}), rollout(
        earlySuccessCriteria={"enable": False})),
    "load balancers": ({"loadBalancers": [BALANCER]}, {"loadBalancers": []}),
    "service registries": ({"serviceRegistries": [{"registryArn": "arn:s"}]}, {"serviceRegistries": []}),
    "Service Connect": (
        {"serviceConnectConfiguration": {"enabled": True, "namespace": "internal", "services": [
            {"portName": "http", "clientAliases": [{"port": 80}]}]}},
        {"serviceConnectConfiguration": {"enabled": False}},
    ),
    "volumes": ({"volumeConfigurations": [VOLUME]}, {"volumeConfigurations": []}),
    "VPC Lattice": ({"vpcLatticeConfigurations": [LATTICE]}, {"vpcLatticeConfigurations": []}),
    "placement constraints": ({"placementConstraints": [{"type": "distinctInstance"}]}, {"placementConstraints": []}),
    "placement strategy": ({"placementStrategy": [SPREAD]}, {"placementStrategy": []}),
    "grace period": ({"healthCheckGracePeriodSeconds": 60}, {"healthCheckGracePeriodSeconds": 0}),
    "execute command": ({"enableExecuteCommand": True}, {"enableExecuteCommand": False}),
    "managed tags": ({"enableECSManagedTags": True}, {"enableECSManagedTags": False}),
    "propagation": ({"propagateTags": "SERVICE"}, {"propagateTags": "NONE"}),
    "monitoring": ({"monitoring": {"metricConfigurations": [
        {"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}}, {"monitoring": {"metricConfigurations": []}}),
    "gateway connectors": ({"gatewayConnectors": [{"portName": "http"}]}, {"gatewayConnectors": []}),
}  # fmt: skip


@pytest.mark.parametrize(("had", "expected"), RESETS.values(), ids=RESETS)
def test_what_git_drops_is_sent_with_the_value_that_resets_it(had, expected, tools):
    assert sent(MINIMAL | had, MINIMAL, tools) == expected


KEPT: dict[str, Spec] = {
    "count": {"desiredCount": 2},
    "launch type": {"launchType": "EC2"},
    "capacity providers": {"capacityProviderStrategy": [{"capacityProvider": "one", "weight": 1}]},
    "platform version": {"platformVersion": "1.4.0"},
    "rebalancing": {"availabilityZoneRebalancing": "DISABLED"},
    "controller": {"deploymentController": {"type": "CODE_DEPLOY"}},
    "network": {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}},
}


@pytest.mark.parametrize("had", KEPT.values(), ids=KEPT)
def test_what_has_no_value_to_go_back_to_is_kept_and_not_sent(had, tools):
    after = {name: value for name, value in MINIMAL.items() if name not in had}
    assert updates(MINIMAL | had, after, tools) == ()


def test_a_dropped_public_address_is_reset_with_the_subnets_beside_it(tools):
    network = MINIMAL["networkConfiguration"]["awsvpcConfiguration"]
    before = MINIMAL | {"networkConfiguration": {"awsvpcConfiguration": network | {"assignPublicIp": "ENABLED"}}}
    expected = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}}
    assert sent(before, MINIMAL, tools) == {"networkConfiguration": expected}


def test_of_the_deployment_configuration_only_the_members_that_change_are_sent(tools):
    after = MINIMAL | rollout(maximumPercent=150)
    assert sent(MINIMAL, after, tools) == rollout(maximumPercent=150)


def test_rollback_goes_with_the_circuit_breaker_even_where_only_its_neighbour_changes(tools):
    before = MINIMAL | rollout(deploymentCircuitBreaker=BREAKER)
    after = MINIMAL | rollout(deploymentCircuitBreaker={"enable": False, "rollback": True})
    assert sent(before, after, tools) == rollout(deploymentCircuitBreaker={"enable": False, "rollback": True})


def test_a_circuit_breaker_that_aws_does_not_echo_is_sent_with_all_its_members(tools):
    live = live_of(MINIMAL)
    live = replace(live, spec=live.spec | {"deploymentConfiguration": {}})
    after = MINIMAL | rollout(deploymentCircuitBreaker={"enable": True})
    expected = rollout(deploymentCircuitBreaker={"enable": True, "rollback": False})
    assert sent(MINIMAL, after, tools, live) == expected


def test_a_daemon_goes_back_to_its_own_bounds(tools):
    daemon = {name: value for name, value in MINIMAL.items() if name != "desiredCount"} | {
        "schedulingStrategy": "DAEMON"
    }
    before = daemon | rollout(maximumPercent=150, minimumHealthyPercent=50)
    assert sent(before, daemon, tools) == rollout(maximumPercent=100, minimumHealthyPercent=0)


def test_a_daemon_is_never_sent_a_count(tools):
    live = live_of(MINIMAL)
    live = replace(live, spec=live.spec | {"schedulingStrategy": "DAEMON"})
    before, after = MINIMAL | {"desiredCount": 3}, MINIMAL | {"desiredCount": 3, "enableExecuteCommand": True}
    assert sent(before, after, tools, live) == {"enableExecuteCommand": True}


FARGATE = {
    "by launch type": {"launchType": "FARGATE"},
    "by capacity provider": {"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]},
}


@pytest.mark.parametrize("how", FARGATE.values(), ids=FARGATE)
def test_fargate_is_sent_no_placement_not_even_an_empty_one(how, tools):
    after = MINIMAL | how
    placed = {"placementStrategy": [{"type": "random"}], "placementConstraints": [{"type": "distinctInstance"}]}
    assert updates(after | placed, after, tools) == ()
    assert sent(after | placed, after | {"enableExecuteCommand": True}, tools) == {"enableExecuteCommand": True}
    [create] = SERVICE.create(
        tools.creation_of(SERVICE, Resource(ResourceId("Service", "web"), after | {"placementStrategy": []}))
    )
    assert "placementStrategy" not in create.params


def test_every_update_carries_the_volumes_that_are_configured_at_launch(tools):
    before = MINIMAL | {"volumeConfigurations": [VOLUME]}
    after = before | {"desiredCount": 5}
    assert sent(before, after, tools) == {"desiredCount": 5, "volumeConfigurations": [VOLUME]}


def test_scaling_down_before_a_deletion_carries_them_too():
    live = live_of(MINIMAL | {"volumeConfigurations": [VOLUME]})
    scale, gone = SERVICE.delete(live)
    assert (scale.params["desiredCount"], scale.params["volumeConfigurations"]) == (0, [VOLUME])
    assert "volumeConfigurations" not in gone.params


def test_another_capacity_provider_strategy_forces_a_deployment(tools):
    after = MINIMAL | {"capacityProviderStrategy": [{"capacityProvider": "one", "weight": 1}]}
    assert sent(MINIMAL, after, tools) == {
        "capacityProviderStrategy": [{"capacityProvider": "one", "weight": 1}],
        "forceNewDeployment": True,
    }


def test_tags_are_calls_of_their_own(tools):
    before = MINIMAL | {"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}
    after = MINIMAL | {"tags": [{"key": "a", "value": "9"}]}
    assert [call.operation for call in updates(before, after, tools)] == ["TagResource", "UntagResource"]


CONTROLLERS = {"CODE_DEPLOY": True, "EXTERNAL": False}


@pytest.mark.parametrize(("controller", "configured"), CONTROLLERS.items(), ids=CONTROLLERS)
def test_another_controller_is_sent_only_what_update_service_may_change(controller, configured, tools):
    before = MINIMAL | {"deploymentController": {"type": controller}}
    after = before | {
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-9"]}},
        "platformVersion": "1.4.0",
        "healthCheckGracePeriodSeconds": 9,
        **rollout(maximumPercent=150),
    }
    expected = {"healthCheckGracePeriodSeconds": 9} | (rollout(maximumPercent=150) if configured else {})
    assert sent(before, after, tools) == expected
