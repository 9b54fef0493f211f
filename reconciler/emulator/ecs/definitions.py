"""Task definitions: registering, describing, listing, deregistering, deleting.

Replaces moto's operations of these names (called by `operations`). The revisions lie in moto's backend.
"""

from __future__ import annotations

from copy import deepcopy

from reconciler.emulator.ecs import clock
from reconciler.emulator.ecs.definition_echo import canonical_size, echoed_definition
from reconciler.emulator.ecs.definition_rules import check_definition
from reconciler.emulator.ecs.errors import client, invalid
from reconciler.emulator.ecs.model import Json, TaskDefinition
from reconciler.emulator.ecs.pages import page
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.tag_rules import checked_tags

__all__ = [
    "delete_task_definitions",
    "deregister_task_definition",
    "describe_task_definition",
    "list_task_definition_families",
    "list_task_definitions",
    "register_task_definition",
]


def register_task_definition(site: Site, params: Json) -> Json:
    """RegisterTaskDefinition: a new revision each time, also for equal content. Numbers are never used twice."""
    params = deepcopy(params)
    for member in ("cpu", "memory"):
        if params.get(member):
            params[member] = canonical_size(member, params[member])
    tags = checked_tags(params.get("tags"))
    check_definition(params)
    family = params["family"]
    counters: dict[str, int] = site.backend.__dict__.setdefault("revision_counters", {})
    counters[family] = revision = counters.get(family, 0) + 1
    arn = site.arn(f"task-definition/{family}:{revision}")
    content = echoed_definition(params) | {
        "taskDefinitionArn": arn,
        "revision": revision,
        "status": "ACTIVE",
        "registeredAt": clock.now(),
        "registeredBy": site.caller,
    }
    definition = TaskDefinition(arn, family, revision, content, tags)
    site.backend.task_definitions.setdefault(family, {})[revision] = definition
    return {"taskDefinition": content, "tags": tags} if tags else {"taskDefinition": content}


def describe_task_definition(site: Site, params: Json) -> Json:
    """DescribeTaskDefinition, INACTIVE ones included when named by revision."""
    definition = _require(site, params["taskDefinition"])
    answer: Json = {"taskDefinition": definition.content}
    if "TAGS" in (params.get("include") or ()):
        answer["tags"] = definition.tags
    return answer


def list_task_definitions(site: Site, params: Json) -> Json:
    """ListTaskDefinitions. `familyPrefix` is the whole family name (ECS API reference)."""
    status, family = params.get("status", "ACTIVE"), params.get("familyPrefix")
    found = [
        definition
        for name, revisions in site.backend.task_definitions.items()
        if family in {None, name}
        for definition in revisions.values()
        if definition.status == status
    ]
    found.sort(key=lambda d: (d.family, d.revision), reverse=params.get("sort") == "DESC")
    return page([definition.arn for definition in found], params, "taskDefinitionArns")


def list_task_definition_families(site: Site, params: Json) -> Json:
    """ListTaskDefinitionFamilies. A family is ACTIVE while one of its revisions is."""
    status, prefix = params.get("status", "ALL"), params.get("familyPrefix", "")
    families = []
    for family, revisions in sorted(site.backend.task_definitions.items()):
        state = "ACTIVE" if any(d.status == "ACTIVE" for d in revisions.values()) else "INACTIVE"
        if revisions and family.startswith(prefix) and status in {"ALL", state}:
            families.append(family)
    return page(families, params, "families")


def deregister_task_definition(site: Site, params: Json) -> Json:
    """DeregisterTaskDefinition: INACTIVE from now on. What runs it runs on; nothing new can be started with it."""
    if ":" not in params["taskDefinition"].rsplit("/", 1)[-1]:
        raise client("Revision is missing.")
    definition = _require(site, params["taskDefinition"])
    if definition.status != "ACTIVE":
        raise client("The specified task definition is inactive.")
    definition.content |= {"status": "INACTIVE", "deregisteredAt": clock.now()}
    return {"taskDefinition": definition.content}


def delete_task_definitions(site: Site, params: Json) -> Json:
    """DeleteTaskDefinitions: at most 10, INACTIVE ones only. They stay describable as DELETE_IN_PROGRESS while used."""
    references = params["taskDefinitions"]
    if not 1 <= len(references) <= 10:
        raise invalid("Size of TaskDefinition references list must be between 1 and 10.")
    deleted, failures = [], []
    for reference in references:
        named = ":" in reference.rsplit("/", 1)[-1]
        definition = site.find_definition(reference) if named else None
        if definition is None:
            reason = (
                "The specified task definition does not exist. Specify a valid account, family, revision and try again."
                if named
                else "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
            )
            failures.append({"arn": reference, "reason": reason})
        elif definition.status == "ACTIVE":
            reason = (
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
            )
            failures.append({"arn": reference, "reason": reason})
        else:
            definition.content |= {"status": "DELETE_IN_PROGRESS", "deleteRequestedAt": clock.now()}
            if not any(task.definition is definition for task in site.live_tasks):
                del site.backend.task_definitions[definition.family][definition.revision]
            deleted.append(definition.content)
    return {"taskDefinitions": deleted, "failures": failures}


def _require(site: Site, reference: str) -> TaskDefinition:
    definition = site.find_definition(reference)
    if definition is None:
        raise client("Unable to describe task definition.")
    return definition
