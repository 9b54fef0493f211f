"""What ECS makes of the input of CreateService and UpdateService: canonical forms and the defaults that it echoes.

Used by `services` and `service_update`. Source: aws-behaviour.md, section 2, and the ECS API reference. Defaults that
only a newer service model has (the circuit breaker's threshold) are added only where the loaded model knows them.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends

from reconciler.emulator.ecs.model import Json
from reconciler.emulator.ecs.site import Site

__all__ = [
    "canonical_members",
    "default_deployment_configuration",
    "merged_deployment_configuration",
    "uses_fargate",
    "with_defaults",
]

FARGATE_PROVIDERS = frozenset({"FARGATE", "FARGATE_SPOT"})
LINKED_ROLE = "arn:{partition}:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
_EBS_DEFAULTS = {"encrypted": True, "filesystemType": "xfs", "volumeType": "gp3", "iops": 3000, "throughput": 125}
_EMPTY_LISTS = ("loadBalancers", "serviceRegistries", "placementConstraints", "placementStrategy")


def uses_fargate(spec: Json) -> bool:
    """Return whether the tasks of a service or a RunTask run on Fargate."""
    if spec.get("launchType") == "FARGATE":
        return True
    return any(item["capacityProvider"] in FARGATE_PROVIDERS for item in spec.get("capacityProviderStrategy") or ())


def canonical_members(site: Site, params: Json) -> Json:
    """Return the members that ECS rewrites, rewritten: network defaults, capacity weights, placement strategies."""
    spec = deepcopy(params)
    if spec.get("capacityProviderStrategy"):
        spec["capacityProviderStrategy"] = [
            {"base": 0, "weight": 0, **item} for item in spec["capacityProviderStrategy"]
        ]
    if spec.get("placementStrategy"):
        spec["placementStrategy"] = [_strategy(item) for item in spec["placementStrategy"]]
    network = (spec.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if network is not None:
        network.setdefault("assignPublicIp", "DISABLED")
        if not network.get("securityGroups"):
            network["securityGroups"] = _default_groups(site, network["subnets"][0])
    connect = spec.get("serviceConnectConfiguration")
    if connect is not None:
        for item in connect.get("services") or ():
            item.setdefault("discoveryName", item["portName"])
    for volume in spec.get("volumeConfigurations") or ():
        if "managedEBSVolume" in volume:
            volume["managedEBSVolume"] = {**_EBS_DEFAULTS, **volume["managedEBSVolume"]}
    return spec


def with_defaults(spec: Json, cluster: Any) -> Json:
    """Return a canonical CreateService input with every member that ECS adds."""
    daemon = spec.get("schedulingStrategy") == "DAEMON"
    full: Json = {
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "propagateTags": "NONE",
        "availabilityZoneRebalancing": "DISABLED" if daemon else "ENABLED",
        **spec,
    }
    for member in _EMPTY_LISTS:
        full[member] = full.get(member) or []
    if not full.get("launchType") and not full.get("capacityProviderStrategy"):
        default = cluster.default_capacity_provider_strategy
        full |= {"capacityProviderStrategy": deepcopy(default)} if default else {"launchType": "EC2"}
    if uses_fargate(full):
        full.setdefault("platformVersion", "LATEST")
        full["platformFamily"] = "Linux"
    if full["loadBalancers"]:
        full.setdefault("healthCheckGracePeriodSeconds", 0)
    full["deploymentConfiguration"] = merged_deployment_configuration(
        default_deployment_configuration(daemon=daemon), spec.get("deploymentConfiguration") or {}
    )
    return full


def default_deployment_configuration(*, daemon: bool) -> Json:
    """Return what ECS echoes for a service that declared nothing."""
    return {
        "maximumPercent": 100 if daemon else 200,
        "minimumHealthyPercent": 0 if daemon else 100,
        "deploymentCircuitBreaker": _breaker({}),
        "alarms": {"alarmNames": [], "enable": False, "rollback": False},
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def merged_deployment_configuration(old: Json, new: Json) -> Json:
    """Merge at the top level only: the circuit breaker is replaced whole, so its rollback is false when left out."""
    merged = {**deepcopy(old), **deepcopy(new)}
    if "deploymentCircuitBreaker" in new:
        merged["deploymentCircuitBreaker"] = _breaker(new["deploymentCircuitBreaker"])
    if "alarms" in new:
        merged["alarms"] = {"alarmNames": [], "enable": False, "rollback": False, **new["alarms"]}
    return merged


def _breaker(given: Json) -> Json:
    breaker: Json = {"enable": False, "rollback": False}
    if "resetOnHealthyTask" in _members("DeploymentCircuitBreaker"):
        breaker["resetOnHealthyTask"] = True
    if "thresholdConfiguration" in _members("DeploymentCircuitBreaker"):
        breaker["thresholdConfiguration"] = {"type": "BOUNDED_PERCENT", "value": 50}
    return breaker | deepcopy(given)


@cache
def _members(shape: str) -> frozenset[str]:
    return frozenset(get_service_model("ecs").shape_for(shape).members)


def _strategy(item: Json) -> Json:
    """Placement strategies come back in lower case, `host` as `instanceId` (ECS API reference, PlacementStrategy)."""
    echo = {"type": item["type"]}
    if "field" in item:
        name = item["field"]
        lowered = name.lower()
        if lowered in {"host", "instanceid"}:
            name = "instanceId"
        elif lowered in {"cpu", "memory"}:
            name = lowered.upper()
        echo["field"] = name
    return echo


def _default_groups(site: Site, subnet_id: str) -> list[str]:
    ec2 = ec2_backends[site.account][site.region]
    group = ec2.get_default_security_group(ec2.get_subnet(subnet_id).vpc_id)
    return [group.id] if group is not None else []
