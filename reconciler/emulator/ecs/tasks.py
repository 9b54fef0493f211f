"""Tasks: listing and describing all of them, running and stopping single ones.

Replaces moto's operations of these names (called by `operations`). The tasks of services are started by `scheduler`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from reconciler.emulator.ecs.errors import client, invalid
from reconciler.emulator.ecs.lifecycle import admit, launch, stop
from reconciler.emulator.ecs.model import Json, Task, TaskDefinition
from reconciler.emulator.ecs.pages import page
from reconciler.emulator.ecs.placement import Unplaceable, choose_instance, missing
from reconciler.emulator.ecs.service_echo import canonical_members, uses_fargate
from reconciler.emulator.ecs.service_rules import check_network
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.tag_rules import checked_tags
from reconciler.emulator.ecs.task_view import view

__all__ = ["describe_tasks", "list_tasks", "run_task", "start_task", "stop_task"]


def list_tasks(site: Site, params: Json) -> Json:
    """ListTasks: by default those meant to run. PENDING as a filter finds nothing, as in AWS."""
    cluster = site.cluster(params.get("cluster"))
    wanted = params.get("desiredStatus", "RUNNING")
    service = site.service(cluster, params["serviceName"]) if params.get("serviceName") else None
    instance = _instance(site, cluster, params["containerInstance"]) if params.get("containerInstance") else None
    arns = [
        task.task_arn
        for task in site.tasks(cluster.name).values()
        if task.desired_status == wanted
        and (service is None or task.service is service)
        and (instance is None or task.instance is instance)
        and params.get("family") in {None, task.definition.family}
        and params.get("startedBy") in {None, task.started_by}
        and params.get("launchType") in {None, task.launch_type}
    ]
    return page(sorted(arns), params, "taskArns")


def describe_tasks(site: Site, params: Json) -> Json:
    """DescribeTasks, for at most 100."""
    references = params["tasks"]
    if not references:
        raise invalid("Tasks cannot be empty.")
    if len(references) > 100:
        raise invalid("Tasks cannot have more than 100 elements.")
    cluster = site.cluster(params.get("cluster"))
    tags = "TAGS" in (params.get("include") or ())
    tasks, failures = [], []
    for reference in references:
        arn = _arn(site, cluster, reference)
        task = site.tasks(cluster.name).get(arn)
        if task is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            tasks.append(view(task, tags=tags))
    return {"tasks": tasks, "failures": failures}


def stop_task(site: Site, params: Json) -> Json:
    """StopTask: the task's service, if it has one, starts another."""
    cluster = site.cluster(params.get("cluster"))
    task = site.tasks(cluster.name).get(_arn(site, cluster, params["task"]))
    if task is None:
        raise invalid("The referenced task was not found.")
    stop(site, task, "UserInitiated", params.get("reason") or "Task stopped by user")
    return {"task": view(task)}


def run_task(site: Site, params: Json) -> Json:
    """RunTask: tasks without a service. What cannot be placed is listed in `failures`."""
    cluster = site.cluster(params.get("cluster"))
    definition = site.runnable_definition(params["taskDefinition"])
    count = params.get("count", 1)
    if not 1 <= count <= 10:
        raise invalid("Count must be between 1 and 10.")
    if params.get("launchType") and params.get("capacityProviderStrategy"):
        raise invalid("Specify either Launch Type or Capacity Provider Strategy, but not both.")
    request = _request(site, params, cluster)
    check_network(site, request, definition)
    tasks: list[Task] = []
    failures: list[Json] = []
    for _ in range(count):
        instance = None
        if not uses_fargate(request):
            try:
                instance = choose_instance(site, cluster.name, definition, _group(params, definition), request)
            except Unplaceable as problem:
                failures.append({"arn": cluster.arn, "reason": problem.code, "detail": problem.reason})
                continue
        tasks.append(_run(site, cluster, definition, params, request, instance))
    return {"tasks": [view(task) for task in tasks], "failures": failures}


def start_task(site: Site, params: Json) -> Json:
    """StartTask: one task on each of the named instances."""
    cluster = site.cluster(params.get("cluster"))
    definition = site.runnable_definition(params["taskDefinition"])
    request = _request(site, {"launchType": "EC2", **params}, cluster)
    check_network(site, request, definition)
    tasks: list[Task] = []
    failures: list[Json] = []
    for reference in params["containerInstances"]:
        instance = _instance(site, cluster, reference)
        lacks = missing(instance, definition)
        if lacks is not None:
            failures.append({"arn": instance.container_instance_arn, "reason": lacks[0]})
        else:
            tasks.append(_run(site, cluster, definition, params, request, instance))
    return {"tasks": [view(task) for task in tasks], "failures": failures}


def _request(site: Site, params: Json, cluster: Any) -> Json:
    request = canonical_members(site, params)
    if not request.get("launchType") and not request.get("capacityProviderStrategy"):
        default = cluster.default_capacity_provider_strategy
        request |= {"capacityProviderStrategy": deepcopy(default)} if default else {"launchType": "EC2"}
    return request


def _run(site: Site, cluster: Any, definition: TaskDefinition, params: Json, request: Json, instance: Any) -> Task:
    task = launch(site, definition, request, _group(params, definition), (cluster.name, cluster.arn))
    task.started_by = params.get("startedBy")
    task.tags = checked_tags(params.get("tags"))
    if params.get("propagateTags") == "TASK_DEFINITION":
        own = {tag["key"] for tag in task.tags}
        task.tags += [dict(tag) for tag in definition.tags if tag["key"] not in own]
    if request.get("capacityProviderStrategy"):
        task.capacity_provider = request["capacityProviderStrategy"][0]["capacityProvider"]
    admit(site, task, instance)
    return task


def _group(params: Json, definition: TaskDefinition) -> str:
    return params.get("group") or f"family:{definition.family}"


def _instance(site: Site, cluster: Any, reference: str) -> Any:
    instance = site.instances(cluster.name).get(reference.rsplit("/", 1)[-1])
    if instance is None:
        raise client("The referenced container instance was not found.")
    return instance


def _arn(site: Site, cluster: Any, reference: str) -> str:
    return reference if reference.startswith("arn:") else site.arn(f"task/{cluster.name}/{reference}")
