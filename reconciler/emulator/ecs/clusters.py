"""Clusters, as ECS has them: idempotent creation, `include`, counts, and refusal to be deleted while in use.

Replaces moto's cluster operations (called by `operations`). The objects stay moto's, because moto's container
instances and CloudFormation hang on them.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from moto.ecs.models import Cluster

from reconciler.emulator.ecs.errors import error, invalid
from reconciler.emulator.ecs.model import Json
from reconciler.emulator.ecs.pages import page
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.tag_rules import checked_tags

__all__ = [
    "create_cluster",
    "delete_cluster",
    "describe_clusters",
    "list_clusters",
    "put_cluster_capacity_providers",
    "update_cluster",
    "update_cluster_settings",
]

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
ALL_FIELDS = frozenset({"TAGS", "SETTINGS", "CONFIGURATIONS", "STATISTICS", "ATTACHMENTS"})


def create_cluster(site: Site, params: Json) -> Json:
    """CreateCluster. A cluster of that name that is ACTIVE is returned as it is."""
    name = params.get("clusterName") or "default"
    found = site.backend.clusters.get(name)
    if found is None or found.status != "ACTIVE":
        providers = list(dict.fromkeys(params.get("capacityProviders") or []))
        strategy = params.get("defaultCapacityProviderStrategy") or []
        _check_providers(site, providers, strategy)
        found = Cluster(  # type: ignore[abstract]  # moto instantiates it itself; the methods are CloudFormation's
            name,
            site.account,
            site.region,
            deepcopy(params.get("settings")),
            deepcopy(params.get("configuration")),
            providers,
            _filled(strategy),
            checked_tags(params.get("tags")),
            deepcopy(params.get("serviceConnectDefaults")),
        )
        site.backend.clusters[name] = found
    return {"cluster": view(site, found, ALL_FIELDS)}


def describe_clusters(site: Site, params: Json) -> Json:
    """DescribeClusters, for at most 100. Fields that `include` does not name come back empty, as in AWS."""
    references = params.get("clusters") or ["default"]
    if len(references) > 100:
        raise invalid("Clusters cannot have more than 100 elements.")
    include = frozenset(params.get("include") or ())
    clusters, failures = [], []
    for reference in references:
        name = site.local_name(reference, "cluster")
        found = site.backend.clusters.get(name) if name else None
        if found is None:
            arn = reference if reference.startswith("arn:") else site.arn(f"cluster/{reference}")
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            clusters.append(view(site, found, include))
    return {"clusters": clusters, "failures": failures}


def list_clusters(site: Site, params: Json) -> Json:
    """ListClusters: the ACTIVE ones."""
    return page(sorted(c.arn for c in site.backend.clusters.values() if c.status == "ACTIVE"), params, "clusterArns")


def update_cluster(site: Site, params: Json) -> Json:
    """UpdateCluster: what is absent is kept; settings are replaced by name."""
    cluster = site.cluster(params["cluster"])
    if params.get("settings") is not None:
        _merge_settings(cluster, params["settings"])
    if params.get("configuration") is not None:
        cluster.configuration = deepcopy(params["configuration"])
    if params.get("serviceConnectDefaults") is not None:
        cluster.service_connect_defaults = deepcopy(params["serviceConnectDefaults"])
    return {"cluster": view(site, cluster, ALL_FIELDS)}


def update_cluster_settings(site: Site, params: Json) -> Json:
    """UpdateClusterSettings."""
    cluster = site.cluster(params["cluster"])
    _merge_settings(cluster, params["settings"])
    return {"cluster": view(site, cluster, ALL_FIELDS)}


def put_cluster_capacity_providers(site: Site, params: Json) -> Json:
    """PutClusterCapacityProviders: both lists are replaced whole. A provider that a service uses cannot be left out."""
    cluster = site.cluster(params["cluster"])
    providers = list(dict.fromkeys(params["capacityProviders"]))
    strategy = params["defaultCapacityProviderStrategy"]
    _check_providers(site, providers, strategy)
    for service in site.services(cluster.name):
        used = {item["capacityProvider"] for item in service.spec.get("capacityProviderStrategy") or ()}
        if service.status != "INACTIVE" and used - set(providers):
            raise error(
                "ResourceInUseException",
                "The specified capacity provider is in use and cannot be removed.",
            )
    cluster.capacity_providers = providers
    cluster.default_capacity_provider_strategy = _filled(strategy)
    return {"cluster": view(site, cluster, ALL_FIELDS)}


def delete_cluster(site: Site, params: Json) -> Json:
    """DeleteCluster: refused while anything is in it. It stays describable as INACTIVE."""
    cluster = site.cluster(params["cluster"])
    if any(service.status != "INACTIVE" for service in site.services(cluster.name)):
        raise error("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    if site.instances(cluster.name):
        raise error(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        )
    if any(task.last_status != "STOPPED" for task in site.tasks(cluster.name).values()):
        raise error("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    cluster.status = "INACTIVE"
    cluster.capacity_providers, cluster.default_capacity_provider_strategy = [], []
    return {"cluster": view(site, cluster, ALL_FIELDS)}


def view(site: Site, cluster: Any, include: frozenset[str]) -> Json:
    """Return the API's Cluster, its counts taken from the tasks and services that there are."""
    tasks = [task for task in site.live_tasks if task.cluster_name == cluster.name]
    services = [service for service in site.services(cluster.name) if service.status == "ACTIVE"]
    answer: Json = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": len(site.instances(cluster.name)),
        "runningTasksCount": sum(task.last_status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(task.last_status in {"PROVISIONING", "PENDING", "ACTIVATING"} for task in tasks),
        "activeServicesCount": len(services),
        "statistics": _statistics(site, cluster) if "STATISTICS" in include else [],
        "tags": deepcopy(cluster.tags or []) if "TAGS" in include else [],
        "settings": deepcopy(cluster.settings or []) if "SETTINGS" in include else [],
        "capacityProviders": list(cluster.capacity_providers or []),
        "defaultCapacityProviderStrategy": deepcopy(cluster.default_capacity_provider_strategy or []),
    }
    if "CONFIGURATIONS" in include and cluster.configuration:
        answer["configuration"] = deepcopy(cluster.configuration)
    if "ATTACHMENTS" in include:
        answer["attachments"] = []
    if cluster.service_connect_defaults:
        answer["serviceConnectDefaults"] = deepcopy(cluster.service_connect_defaults)
    return answer


def _statistics(site: Site, cluster: Any) -> list[Json]:
    """Return counts by launch type, as ECS names them (ECS API reference, Cluster.statistics)."""
    numbers: dict[str, int] = {}
    for task in site.live_tasks:
        if task.cluster_name == cluster.name:
            launch = "Fargate" if task.launch_type == "FARGATE" else "EC2"
            state = "running" if task.last_status == "RUNNING" else "pending"
            numbers[f"{state}{launch}TasksCount"] = numbers.get(f"{state}{launch}TasksCount", 0) + 1
    for service in site.services(cluster.name):
        if service.status != "INACTIVE":
            launch = "Fargate" if service.spec.get("launchType") == "FARGATE" else "EC2"
            state = service.status.lower()
            numbers[f"{state}{launch}ServiceCount"] = numbers.get(f"{state}{launch}ServiceCount", 0) + 1
    return [{"name": name, "value": str(value)} for name, value in sorted(numbers.items())]


def _merge_settings(cluster: Any, settings: list[Json]) -> None:
    merged = {item["name"]: item for item in cluster.settings or ()}
    merged.update({item["name"]: dict(item) for item in settings})
    cluster.settings = list(merged.values())


def _filled(strategy: list[Json]) -> list[Json]:
    return [{"base": 0, "weight": 0, **item} for item in strategy]


def _check_providers(site: Site, providers: list[str], strategy: list[Json]) -> None:
    for name in providers:
        if name not in FARGATE_PROVIDERS and name not in site.backend.capacity_providers:
            raise invalid(
                f"The specified capacity provider '{name}' was not found. Specify a valid name and try again."
            )
    if any(item["capacityProvider"] not in providers for item in strategy):
        raise invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with "
            "the cluster. Associate the capacity provider with the cluster and try again."
        )
