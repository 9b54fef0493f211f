"""What CreateService and UpdateService refuse. Called with the canonical, effective members of the service.

The words are AWS's where they are known (ECS developer guide, "API failure reasons"; reports of Terraform users).
"""

from __future__ import annotations

import re
from typing import Any

from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError, InvalidSubnetIdError
from moto.ec2.models import ec2_backends

from reconciler.emulator.ecs import balancing
from reconciler.emulator.ecs.errors import invalid
from reconciler.emulator.ecs.model import Json, TaskDefinition
from reconciler.emulator.ecs.service_echo import uses_fargate
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.elbv2 import targets

__all__ = ["check_network", "check_request", "check_service"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def check_request(params: Json) -> None:
    """Check a CreateService request by itself: names, counts, exclusive members."""
    if not _NAME.fullmatch(params["serviceName"]):
        raise invalid("Service name can only contain alphanumeric characters, hyphens and underscores, up to 255.")
    daemon = params.get("schedulingStrategy") == "DAEMON"
    if daemon and params.get("desiredCount") is not None:
        raise invalid("The daemon scheduling strategy does not support a desired count. Remove it and try again.")
    if not daemon and params.get("desiredCount") is None:
        raise invalid("DesiredCount is required for the REPLICA scheduling strategy.")
    if daemon and params.get("launchType") == "FARGATE":
        raise invalid("The daemon scheduling strategy is not supported on Fargate.")
    if daemon and params.get("placementStrategy"):
        raise invalid("Placement strategies are not supported with the daemon scheduling strategy.")
    if params.get("launchType") and params.get("capacityProviderStrategy"):
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if uses_fargate(params) and "placementStrategy" in params:
        raise invalid("Placement strategies are not supported with FARGATE launch type.")
    controller = (params.get("deploymentController") or {"type": "ECS"})["type"]
    if not params.get("taskDefinition") and controller != "EXTERNAL":
        raise invalid("TaskDefinition can not be blank.")


def check_service(site: Site, spec: Json, definition: TaskDefinition | None, cluster: Any, desired: int) -> None:
    """Check what a service would be as a whole. `definition`: None leaves its network and load balancers unchecked."""
    if desired < 0:
        raise invalid("DesiredCount cannot be negative.")
    _check_strategy(spec)
    for item in spec.get("capacityProviderStrategy") or ():
        if item["capacityProvider"] not in (cluster.capacity_providers or ()):
            raise invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated "
                "with the cluster. Associate the capacity provider with the cluster and try again."
            )
    if uses_fargate(spec) and spec.get("placementConstraints"):
        raise invalid("Placement constraints are not supported with FARGATE launch type.")
    if spec.get("platformVersion") and not uses_fargate(spec):
        raise invalid("The platform version must be null when specifying an EC2 launch type.")
    if definition is not None:
        check_network(site, spec, definition)
        _check_load_balancers(site, spec, definition)


def _check_strategy(spec: Json) -> None:
    configuration = spec["deploymentConfiguration"]
    if configuration["strategy"] != "ROLLING":
        raise invalid(
            f"The emulator runs ROLLING only: the deployment strategy {configuration['strategy']} is not there."
        )
    low, high = configuration["minimumHealthyPercent"], configuration["maximumPercent"]
    if not 0 <= low <= 100:
        raise invalid("minimumHealthyPercent must be between 0 and 100.")
    if high < 100:
        raise invalid("maximumPercent must be greater than or equal to 100.")
    if low == high == 100:
        raise invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
    if spec["schedulingStrategy"] == "DAEMON" and high > 200:
        raise invalid("maximumPercent must be at most 200 for the daemon scheduling strategy.")


def check_network(site: Site, spec: Json, definition: TaskDefinition) -> None:
    """Check that network mode and network configuration fit, and that subnets and security groups exist."""
    network = (spec.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    compatible = definition.content["compatibilities"]
    if uses_fargate(spec) and "FARGATE" not in compatible:
        raise invalid("Task definition does not support launch_type FARGATE.")
    if definition.network_mode != "awsvpc":
        if network is not None:
            raise invalid("Network Configuration is not valid for the given networkMode of this task definition.")
        return
    if network is None:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not network.get("subnets"):
        raise invalid("subnets can not be empty.")
    if len(network["subnets"]) > 16 or len(network.get("securityGroups") or ()) > 5:
        raise invalid("At most 16 subnets and 5 security groups can be given.")
    ec2 = ec2_backends[site.account][site.region]
    for subnet in network["subnets"]:
        try:
            ec2.get_subnet(subnet)
        except InvalidSubnetIdError as problem:
            raise invalid(
                f"Error retrieving subnet information for [{subnet}]: {problem.message} (ErrorCode: "
                "InvalidSubnetID.NotFound)"
            ) from problem
    for group in network.get("securityGroups") or ():
        try:
            ec2.describe_security_groups(group_ids=[group])
        except InvalidSecurityGroupNotFoundError as problem:
            raise invalid(
                f"Error retrieving security group information for [{group}]: {problem.message} (ErrorCode: "
                "InvalidGroup.NotFound)"
            ) from problem


def _check_load_balancers(site: Site, spec: Json, definition: TaskDefinition) -> None:
    balancers = spec.get("loadBalancers") or []
    if len(balancers) > 5:
        raise invalid("load balancers can have at most 5 items.")
    ports = {
        (container["name"], mapping.get("containerPort"))
        for container in definition.container_definitions
        for mapping in container["portMappings"]
    }
    names = {container["name"] for container in definition.container_definitions}
    for balancer in balancers:
        arn, name, port = balancer.get("targetGroupArn"), balancer.get("containerName"), balancer.get("containerPort")
        if arn is None:
            raise invalid("The emulator supports load balancers with a target group only: targetGroupArn is missing.")
        if name not in names:
            raise invalid(f"The container {name} does not exist in the task definition.")
        if (name, port) not in ports:
            raise invalid(f"The container {name} did not have a container port {port} defined.")
        kind = balancing.target_type(site, arn)
        if kind is None:
            raise invalid(f"The specified target group {arn} does not exist.")
        if not targets.load_balancers_of(arn):
            raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
        expected = "ip" if definition.network_mode == "awsvpc" else "instance"
        if kind != expected:
            raise invalid(
                f"The provided target group {arn} has target type {kind}, which is incompatible with the "
                f"{definition.network_mode} network mode specified in the task definition."
            )
