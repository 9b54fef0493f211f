"""Container instances: EC2 instances that have joined a cluster, and agree with the tasks that really run on them.

Replaces moto's operations (called by `operations`); the objects stay moto's, because its attributes operations work on
them. `add_instance` is the way in for tests and the demo: it starts the EC2 instance too.
"""

from __future__ import annotations

import json
from typing import Any

from moto.ec2.models import ec2_backends

from reconciler.emulator.ecs import clock
from reconciler.emulator.ecs.errors import client, invalid
from reconciler.emulator.ecs.lifecycle import stop
from reconciler.emulator.ecs.model import Json
from reconciler.emulator.ecs.pages import page
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.tag_rules import checked_tags

__all__ = [
    "add_instance",
    "deregister_container_instance",
    "describe_container_instances",
    "list_container_instances",
    "register_container_instance",
    "update_container_instances_state",
]

_IMAGE = "ami-0e9e0d5d1f5b2c9a1"


def add_instance(
    cluster: str, account: str, region: str, cpu: int = 2048, memory: int = 4096, instance_type: str = "t3.medium"
) -> str:
    """Start an EC2 instance in moto, in the next zone, and register it with a cluster (name or ARN). Returns its ARN.

    `cpu` in units, `memory` in MiB. Raises ClusterNotFoundException (as ServiceException).
    """
    site = Site.of(account, region)
    name = site.cluster(cluster).name
    ec2 = ec2_backends[account][region]
    zones = sorted(zone.name for zone in ec2.describe_availability_zones())
    reservation = ec2.run_instances(
        _IMAGE,
        1,
        None,
        [],
        instance_type=instance_type,
        is_instance_type_default=False,
        placement=zones[len(site.instances(name)) % len(zones)],
        region_name=region,
        launch_template={},
    )
    instance = _join(site, name, reservation.instances[0].id, {"CPU": cpu, "MEMORY": memory}, [])
    return str(instance.container_instance_arn)


def register_container_instance(site: Site, params: Json) -> Json:
    """RegisterContainerInstance: `instanceIdentityDocument` names an instance of EC2, `totalResources` its size."""
    cluster = site.cluster(params.get("cluster"))
    try:
        identity = json.loads(params.get("instanceIdentityDocument") or "")["instanceId"]
    except (ValueError, KeyError, TypeError) as problem:
        raise client("The instance identity document is not valid.") from problem
    sizes = {
        item["name"]: item["integerValue"] for item in params.get("totalResources") or () if "integerValue" in item
    }
    instance = _join(site, cluster.name, identity, sizes, checked_tags(params.get("tags")))
    for attribute in params.get("attributes") or ():
        instance.attributes[attribute["name"]] = attribute.get("value")
    return {"containerInstance": _view(site, instance)}


def describe_container_instances(site: Site, params: Json) -> Json:
    """DescribeContainerInstances, for at most 100."""
    cluster = site.cluster(params.get("cluster"))
    references = params["containerInstances"]
    if not references:
        raise client("Container Instances cannot be empty.")
    if len(references) > 100:
        raise invalid("Container Instances cannot have more than 100 elements.")
    return _described(site, cluster, references, tags="TAGS" in (params.get("include") or ()))


def list_container_instances(site: Site, params: Json) -> Json:
    """ListContainerInstances. `filter` (the cluster query language) is not understood and refused."""
    cluster = site.cluster(params.get("cluster"))
    if params.get("filter"):
        raise invalid("The emulator does not understand the cluster query language: leave out filter.")
    arns = [
        str(instance.container_instance_arn)
        for instance in site.instances(cluster.name).values()
        if params.get("status") in {None, instance.status}
    ]
    return page(sorted(arns), params, "containerInstanceArns")


def update_container_instances_state(site: Site, params: Json) -> Json:
    """UpdateContainerInstancesState: the scheduler moves services' tasks away from a DRAINING instance."""
    cluster = site.cluster(params.get("cluster"))
    if params["status"] not in {"ACTIVE", "DRAINING"}:
        raise invalid("Container instance status should be one of [ACTIVE,DRAINING]")
    for reference in params["containerInstances"]:
        instance = site.instances(cluster.name).get(reference.rsplit("/", 1)[-1])
        if instance is not None:
            instance.status = params["status"]
    return _described(site, cluster, params["containerInstances"], tags=True)


def deregister_container_instance(site: Site, params: Json) -> Json:
    """DeregisterContainerInstance: with tasks on it only by `force`, which stops them."""
    cluster = site.cluster(params.get("cluster"))
    known = site.instances(cluster.name)
    instance = known.get(params["containerInstance"].rsplit("/", 1)[-1])
    if instance is None:
        raise client("The referenced container instance was not found.")
    on = [task for task in site.live_tasks if task.instance is instance]
    if on and not params.get("force"):
        raise invalid("Found running tasks on the instance.")
    for task in on:
        stop(site, task, "TerminationNotice", "Container instance deregistered")
    instance.status = "INACTIVE"
    del known[instance.id]
    return {"containerInstance": _view(site, instance)}


def _join(site: Site, cluster: str, ec2_instance: str, sizes: dict[str, int], tags: list[Json]) -> Any:
    instance = site.backend.register_container_instance(cluster, ec2_instance)
    for resource in (*instance.registered_resources, *instance.remaining_resources):
        if resource["name"] in sizes:
            resource["integerValue"] = sizes[resource["name"]]
    instance.tags = tags
    instance.registered_at = clock.now()
    return instance


def _described(site: Site, cluster: Any, references: list[str], *, tags: bool) -> Json:
    found: list[Json] = []
    failures: list[Json] = []
    for reference in references:
        identity = reference.rsplit("/", 1)[-1]
        instance = site.instances(cluster.name).get(identity)
        if instance is None:
            failures.append({"arn": site.arn(f"container-instance/{cluster.name}/{identity}"), "reason": "MISSING"})
        else:
            found.append(_view(site, instance, tags=tags))
    return {"containerInstances": found, "failures": failures}


def _view(site: Site, instance: Any, *, tags: bool = True) -> Json:
    """Return the API's ContainerInstance, its counts taken from the tasks on it."""
    on = [task.last_status for task in site.live_tasks if task.instance is instance]
    return {
        "containerInstanceArn": instance.container_instance_arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": 1,
        "versionInfo": instance.version_info,
        "remainingResources": instance.remaining_resources,
        "registeredResources": instance.registered_resources,
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": on.count("RUNNING"),
        "pendingTasksCount": sum(on.count(status) for status in ("PROVISIONING", "PENDING", "ACTIVATING")),
        "attributes": [{"name": name, "value": value} for name, value in instance.attributes.items()],
        "registeredAt": instance.registered_at,
        "attachments": [],
        "tags": instance.tags if tags else [],
    }
