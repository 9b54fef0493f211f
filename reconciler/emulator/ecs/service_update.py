"""UpdateService: absent means keep, `[]` clears, and some members start a deployment when their value changes.

Replaces moto's operation (called by `operations`). Source: aws-behaviour.md, section 2 ("UpdateService merges", "What
can change how"), and the ECS API reference, which says of each member whether it starts a deployment.
"""

from __future__ import annotations

from copy import deepcopy

from reconciler.emulator.ecs import rollouts
from reconciler.emulator.ecs.errors import invalid, service_not_active
from reconciler.emulator.ecs.model import Json, Service
from reconciler.emulator.ecs.service_echo import (
    LINKED_ROLE,
    canonical_members,
    merged_deployment_configuration,
    uses_fargate,
)
from reconciler.emulator.ecs.service_rules import check_network, check_service
from reconciler.emulator.ecs.service_view import view
from reconciler.emulator.ecs.site import Site

__all__ = ["STARTS_DEPLOYMENT", "update_service"]

STARTS_DEPLOYMENT = frozenset(
    {
        "taskDefinition",
        "networkConfiguration",
        "platformVersion",
        "loadBalancers",
        "serviceRegistries",
        "serviceConnectConfiguration",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
        "gatewayConnectors",
        "monitoring",
    }
)
"""Members that start a deployment when their value changes; the last two are taken to be like the others."""

_CODE_DEPLOY_MAY = frozenset(
    {
        "desiredCount",
        "deploymentConfiguration",
        "healthCheckGracePeriodSeconds",
        "placementConstraints",
        "placementStrategy",
        "enableECSManagedTags",
        "enableExecuteCommand",
        "propagateTags",
    }
)
_NOT_SPEC = frozenset({"cluster", "service", "desiredCount", "forceNewDeployment"})


def update_service(site: Site, params: Json) -> Json:
    """UpdateService. Nothing is changed unless everything is accepted."""
    cluster = site.cluster(params.get("cluster"))
    service = site.service(cluster, params["service"])
    if service.status != "ACTIVE":
        raise service_not_active()
    changes = {key: value for key, value in params.items() if key not in _NOT_SPEC and value is not None}
    force = bool(params.get("forceNewDeployment"))
    _check_allowed(service, params, changes, force=force)
    desired = service.desired_count if params.get("desiredCount") is None else params["desiredCount"]
    spec = _effective(site, service, changes)
    deploys = force or any(spec.get(member) != service.spec.get(member) for member in STARTS_DEPLOYMENT)
    definition = site.runnable_definition(spec["taskDefinition"]) if deploys and "taskDefinition" in spec else None
    check_service(site, spec, definition, cluster, desired)
    service.spec = spec
    service.desired_count = desired
    if (spec["loadBalancers"] or spec["serviceRegistries"]) and service.role_arn is None:
        service.role_arn = LINKED_ROLE.format(partition=site.partition, account=site.account)
    if service.controller == "ECS":
        if deploys:
            rollouts.start(site, service)
        else:
            rollouts.touch(service)
    return {"service": view(service)}


def _check_allowed(service: Service, params: Json, changes: Json, *, force: bool) -> None:
    if service.scheduling_strategy == "DAEMON" and params.get("desiredCount") is not None:
        raise invalid("The daemon scheduling strategy does not support a desired count. Remove it and try again.")
    if service.controller == "CODE_DEPLOY":
        refused = set(changes) - _CODE_DEPLOY_MAY
        if refused or force:
            raise invalid(
                "Unable to update network parameters, task definition or load balancers on services with a "
                "CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
            )
    strategy = changes.get("capacityProviderStrategy")
    if strategy is not None and strategy != service.spec.get("capacityProviderStrategy") and not force:
        raise invalid("You must force a new deployment when you change the capacity provider strategy of a service.")
    if uses_fargate(service.spec) and "placementStrategy" in changes:
        raise invalid("Placement strategies are not supported with FARGATE launch type.")


def _effective(site: Site, service: Service, changes: Json) -> Json:
    """Return the service's members after the update, as ECS would echo them."""
    new_definition = None
    if "taskDefinition" in changes:
        new_definition = site.runnable_definition(changes["taskDefinition"])
        changes = changes | {"taskDefinition": new_definition.arn}
    if "networkConfiguration" in changes:
        reference = str(service.spec.get("taskDefinition", ""))
        definition = new_definition or site.find_definition(reference)
        if definition is not None:
            check_network(site, {**service.spec, **changes}, definition)
    spec = deepcopy(service.spec)
    spec.update(canonical_members(site, changes))
    spec["deploymentConfiguration"] = merged_deployment_configuration(
        service.spec["deploymentConfiguration"], changes.get("deploymentConfiguration") or {}
    )
    if changes.get("capacityProviderStrategy"):
        spec.pop("launchType", None)
    elif changes.get("capacityProviderStrategy") == []:
        spec["launchType"] = "FARGATE" if uses_fargate(service.spec) else "EC2"
        spec.pop("capacityProviderStrategy")
    if uses_fargate(spec):
        spec.setdefault("platformVersion", "LATEST")
        spec["platformFamily"] = "Linux"
    if spec["loadBalancers"]:
        spec.setdefault("healthCheckGracePeriodSeconds", 0)
    return spec
