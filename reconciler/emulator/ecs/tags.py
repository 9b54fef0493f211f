"""Tags on everything of ECS that takes them, by ARN.

Replaces moto's operations of these names (called by `operations`), and moto's backend methods, through which the
Resource Groups Tagging API writes. Reads by that API go through moto, which finds the tags on the same objects.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from reconciler.emulator.ecs.errors import client, cluster_not_found, error, invalid, service_not_found
from reconciler.emulator.ecs.model import Json
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.tag_rules import merged_tags

__all__ = ["list_tags_for_resource", "tag_resource", "untag_resource"]


def list_tags_for_resource(site: Site, params: Json) -> Json:
    """ListTagsForResource."""
    return {"tags": deepcopy(_holder(site, params["resourceArn"]).tags or [])}


def tag_resource(site: Site, params: Json) -> Json:
    """TagResource: given keys are set, others kept."""
    holder = _holder(site, params["resourceArn"])
    holder.tags = merged_tags(holder.tags, params["tags"])
    return {}


def untag_resource(site: Site, params: Json) -> Json:
    """UntagResource: keys that are not there are ignored."""
    holder = _holder(site, params["resourceArn"])
    gone = set(params["tagKeys"])
    if any(key.lower().startswith("aws:") for key in gone):
        raise invalid("Tag keys cannot start with the reserved prefix 'aws:'.")
    holder.tags = [tag for tag in holder.tags or () if tag["key"] not in gone]
    return {}


def _holder(site: Site, arn: str) -> Any:
    """Return the object that has the tags of an ARN. Raises ECS's error for the kind of thing that is missing."""
    prefix = site.arn("")
    if not arn.startswith(prefix) or "/" not in arn:
        raise invalid("The ARN provided is invalid.")
    kind, _, rest = arn.removeprefix(prefix).partition("/")
    parts = rest.split("/")
    match kind:
        case "cluster":
            return _or(site.backend.clusters.get(rest), cluster_not_found())
        case "service" | "task" | "container-instance" if len(parts) != 2:
            raise invalid("Long arn format must be used for tagging operations")
        case "service":
            service = site.backend.services.get(f"{parts[0]}:{parts[1]}")
            return _or(service if service is not None and service.status != "INACTIVE" else None, service_not_found())
        case "task":
            return _or(site.tasks(parts[0]).get(arn), invalid("The specified task was not found."))
        case "container-instance":
            instance = site.instances(parts[0]).get(parts[1])
            return _or(instance, invalid("The specified container instance was not found."))
        case "task-definition":
            return _or(site.find_definition(arn), client("The specified task definition was not found."))
        case "capacity-provider":
            return _or(
                site.backend.capacity_providers.get(rest), client("The specified capacity provider was not found.")
            )
        case "task-set":
            sets = [item for service in site.services() for item in service.task_sets]
            missing = error("TaskSetNotFoundException", "The specified task set was not found.")
            return _or(next((item for item in sets if item.task_set_arn == arn), None), missing)
        case _:
            raise invalid("The ARN provided is invalid.")


def _or(found: Any, problem: Exception) -> Any:
    if found is None:
        raise problem
    return found
