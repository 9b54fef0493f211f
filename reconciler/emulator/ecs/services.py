"""Services: creating, describing, listing, deleting.

Replaces moto's operations of these names (called by `operations`). Updates are in `service_update`, what a service
looks like in `service_view`; tasks are started by `scheduler` at the next tick, never here.
"""

from __future__ import annotations

from copy import deepcopy

from reconciler.emulator.ecs import clock, rollouts
from reconciler.emulator.ecs.errors import client, invalid, service_not_active
from reconciler.emulator.ecs.model import Json, Service
from reconciler.emulator.ecs.pages import page
from reconciler.emulator.ecs.service_echo import LINKED_ROLE, canonical_members, with_defaults
from reconciler.emulator.ecs.service_rules import check_network, check_request, check_service
from reconciler.emulator.ecs.service_view import view
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.tag_rules import checked_tags
from reconciler.emulator.ecs.timing import HISTORY_KEPT

__all__ = ["create_service", "delete_service", "describe_services", "list_services", "list_services_by_namespace"]

_NOT_SPEC = ("cluster", "serviceName", "desiredCount", "clientToken", "tags", "role")


def create_service(site: Site, params: Json) -> Json:
    """CreateService: idempotent by `clientToken` with equal parameters, else a name in use is refused."""
    check_request(params)
    cluster = site.cluster(params.get("cluster"))
    old = site.find_service(cluster, params["serviceName"])
    if old is not None and old.status == "ACTIVE":
        if params.get("clientToken") and old.request == params:
            return {"service": view(old)}
        raise invalid("Creation of service was not idempotent.")
    if old is not None and old.status == "DRAINING":
        raise invalid("Unable to Start a service that is still Draining.")
    tags = checked_tags(params.get("tags"))
    definition = site.runnable_definition(params["taskDefinition"]) if params.get("taskDefinition") else None
    given = {key: value for key, value in params.items() if key not in _NOT_SPEC}
    if definition is not None:
        given["taskDefinition"] = definition.arn
        check_network(site, given, definition)
    spec = with_defaults(canonical_members(site, given), cluster)
    desired = params.get("desiredCount") or 0
    check_service(site, spec, definition, cluster, desired)
    service = Service(
        account=site.account,
        region=site.region,
        cluster_name=cluster.name,
        cluster_arn=cluster.arn,
        name=params["serviceName"],
        arn=_service_arn(site, cluster.name, params["serviceName"]),
        spec=spec,
        created_at=clock.now(),
        created_by=site.caller,
        desired_count=desired,
        tags=tags,
        request=deepcopy(params),
        role_arn=_role(site, spec, params.get("role")),
    )
    if old is not None:
        since = clock.now() - HISTORY_KEPT
        service.history = [entry for entry in old.history if entry.created_at >= since]
        service.revisions = dict(old.revisions)
    site.backend.services[f"{cluster.name}:{service.name}"] = service
    if service.controller == "ECS":
        rollouts.start(site, service)
    return {"service": view(service)}


def describe_services(site: Site, params: Json) -> Json:
    """DescribeServices, for at most 10. Ended services are described as INACTIVE."""
    references = params["services"]
    if not references:
        raise invalid("Services cannot be empty.")
    if len(references) > 10:
        raise invalid("Services cannot have more than 10 elements.")
    cluster = site.cluster(params.get("cluster"))
    tags = "TAGS" in (params.get("include") or ())
    services, failures = [], []
    for reference in references:
        service = site.find_service(cluster, reference)
        if service is None:
            arn = reference
            if not reference.startswith("arn:"):
                arn = _service_arn(site, cluster.name, reference)
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            services.append(view(service, tags=tags))
    return {"services": services, "failures": failures}


def list_services(site: Site, params: Json) -> Json:
    """ListServices: those that are not INACTIVE, 10 to a page unless `maxResults` says otherwise."""
    cluster = site.cluster(params.get("cluster"))
    arns = [
        service.arn
        for service in site.services(cluster.name)
        if service.status != "INACTIVE"
        and params.get("launchType") in {None, service.spec.get("launchType")}
        and params.get("schedulingStrategy") in {None, service.scheduling_strategy}
        and params.get("resourceManagementType") in {None, "CUSTOMER"}
    ]
    return page(sorted(arns), params, "serviceArns", default=10)


def list_services_by_namespace(site: Site, params: Json) -> Json:
    """ListServicesByNamespace: those whose Service Connect configuration names the namespace."""
    wanted = params["namespace"].rsplit("/", 1)[-1]
    arns = [
        service.arn
        for service in site.services()
        if service.status != "INACTIVE"
        and str((service.spec.get("serviceConnectConfiguration") or {}).get("namespace")).rsplit("/", 1)[-1] == wanted
    ]
    return page(sorted(arns), params, "serviceArns", default=10)


def delete_service(site: Site, params: Json) -> Json:
    """DeleteService: DRAINING now, INACTIVE when its last task has stopped."""
    cluster = site.cluster(params.get("cluster"))
    service = site.service(cluster, params["service"])
    if service.status != "ACTIVE":
        raise service_not_active()
    replica = service.scheduling_strategy == "REPLICA"
    if replica and service.desired_count > 0 and not params.get("force"):
        raise invalid("The service cannot be stopped while it is scaled above 0.")
    if service.task_sets and not params.get("force"):
        raise invalid("The service cannot be stopped while it has task sets.")
    service.status = "DRAINING"
    service.desired_count = 0
    rollouts.abandon(service, "Service deployment stopped because the service was deleted.")
    return {"service": view(service)}


def _service_arn(site: Site, cluster: str, name: str) -> str:
    long = site.backend.enable_long_arn_for_name(name="serviceLongArnFormat")
    return site.arn(f"service/{cluster}/{name}" if long else f"service/{name}")


def _role(site: Site, spec: Json, given: str | None) -> str | None:
    """Return the service's role: the linked one wherever ECS registers the tasks somewhere."""
    if given and (spec.get("networkConfiguration") or {}).get("awsvpcConfiguration"):
        raise client("You cannot specify an IAM role for services that require a service linked role.")
    if given:
        return given if given.startswith("arn:") else f"arn:{site.partition}:iam::{site.account}:role/{given}"
    if spec["loadBalancers"] or spec["serviceRegistries"]:
        return LINKED_ROLE.format(partition=site.partition, account=site.account)
    return None
