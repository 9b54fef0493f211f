"""Container instances: moto's operations, made to agree with the tasks that really run on them.

`add_instance` is the way in for tests, the demo and the control endpoint: an EC2 instance that has joined a cluster.
`operations` wraps moto's own operations with what is here.
"""

from __future__ import annotations

import json
from typing import Any

from moto.ec2.models import ec2_backends

from reconciler.emulator.ecs.errors import invalid
from reconciler.emulator.ecs.lifecycle import stop
from reconciler.emulator.ecs.model import Json
from reconciler.emulator.ecs.site import Site

__all__ = ["add_instance", "before_deregistering", "refresh", "registered", "set_resources"]

_IMAGE = "ami-0e9e0d5d1f5b2c9a1"


def add_instance(
    cluster: str, account: str, region: str, cpu: int = 2048, memory: int = 4096, instance_type: str = "t3.medium"
) -> str:
    """Start an EC2 instance in moto and register it with a cluster (name or ARN). Returns the instance's ARN.

    `cpu` in units, `memory` in MiB. Raises ClusterNotFoundException (as ServiceException).
    """
    site = Site.of(account, region)
    name = site.cluster(cluster).name
    reservation = ec2_backends[account][region].run_instances(_IMAGE, 1, None, [], instance_type=instance_type)
    instance = site.backend.register_container_instance(name, reservation.instances[0].id)
    set_resources(instance, {"CPU": cpu, "MEMORY": memory})
    instance.tags = []
    return str(instance.container_instance_arn)


def set_resources(instance: Any, amounts: dict[str, int]) -> None:
    """Set how much CPU (units) and MEMORY (MiB) an instance without tasks has."""
    for resource in (*instance.registered_resources, *instance.remaining_resources):
        if resource["name"] in amounts:
            resource["integerValue"] = amounts[resource["name"]]


def registered(site: Site, params: Json) -> None:
    """Check RegisterContainerInstance's input, which moto only crashes on."""
    site.cluster(params.get("cluster"))
    document = json.loads(params.get("instanceIdentityDocument") or "{}")
    if "instanceId" not in document:
        raise invalid("The instance identity document needs an instanceId.")


def refresh(site: Site, cluster: str) -> None:
    """Set the counts of a cluster's instances from the tasks on them."""
    for instance in site.instances(cluster).values():
        on = [task for task in site.live_tasks if task.instance is instance]
        instance.running_tasks_count = sum(task.last_status == "RUNNING" for task in on)
        instance.pending_tasks_count = sum(task.last_status in {"PROVISIONING", "PENDING", "ACTIVATING"} for task in on)


def before_deregistering(site: Site, params: Json) -> None:
    """Check DeregisterContainerInstance's input; with `force` the tasks on the instance are stopped first."""
    cluster = site.cluster(params.get("cluster"))
    instance = site.instances(cluster.name).get(params["containerInstance"].rsplit("/", 1)[-1])
    if instance is None:
        raise invalid("The referenced container instance was not found.")
    refresh(site, cluster.name)
    if params.get("force"):
        for task in list(site.live_tasks):
            if task.instance is instance:
                stop(site, task, "TerminationNotice", "Container instance deregistered")
