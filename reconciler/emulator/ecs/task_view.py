"""What DescribeTasks says of a task. Describing changes nothing."""

from __future__ import annotations

from copy import deepcopy

from reconciler.emulator.ecs.model import Json, Task
from reconciler.emulator.ecs.service_echo import uses_fargate
from reconciler.emulator.ecs.service_view import FARGATE_VERSION

__all__ = ["health", "view"]


def health(task: Task) -> str:
    """Return the task's health by its essential containers' health checks: HEALTHY, UNHEALTHY or UNKNOWN."""
    checked = [
        container["healthStatus"]
        for container, definition in zip(task.containers, task.definition.container_definitions, strict=True)
        if definition.get("healthCheck") and definition["essential"]
    ]
    if "UNHEALTHY" in checked:
        return "UNHEALTHY"
    return "HEALTHY" if checked and set(checked) == {"HEALTHY"} else "UNKNOWN"


def view(task: Task, *, tags: bool = True) -> Json:
    """Return the API's Task."""
    content = task.definition.content
    overrides = task.request.get("overrides") or {}
    answer: Json = {
        "taskArn": task.task_arn,
        "clusterArn": task.cluster_arn,
        "taskDefinitionArn": task.definition.arn,
        "group": task.group,
        "createdAt": task.created_at,
        "desiredStatus": task.desired_status,
        "lastStatus": task.last_status,
        "containers": deepcopy(task.containers),
        "attachments": deepcopy(task.attachments),
        "attributes": [{"name": "ecs.cpu-architecture", "value": _architecture(content)}],
        "cpu": overrides.get("cpu")
        or content.get("cpu")
        or str(sum(c["cpu"] for c in task.definition.container_definitions)),
        "memory": overrides.get("memory") or content.get("memory") or _memory(task),
        "enableExecuteCommand": bool(task.request.get("enableExecuteCommand")),
        "healthStatus": health(task),
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **deepcopy(overrides)},
        "version": task.version,
        "startedBy": task.started_by,
        "launchType": task.launch_type,
        "capacityProviderName": task.capacity_provider,
        "containerInstanceArn": task.instance.container_instance_arn if task.instance is not None else None,
        "availabilityZone": task.zone,
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
        **task.times,
    }
    if uses_fargate(task.request):
        version = task.request.get("platformVersion", "LATEST")
        answer["platformVersion"] = FARGATE_VERSION if version == "LATEST" else version
        answer["platformFamily"] = "Linux"
        answer["ephemeralStorage"] = content.get("ephemeralStorage") or {"sizeInGiB": 20}
    if "connectivityAt" in task.times:
        answer["connectivity"] = "CONNECTED"
    if tags:
        answer["tags"] = deepcopy(task.tags)
    return {key: value for key, value in answer.items() if value is not None}


def _architecture(content: Json) -> str:
    declared = (content.get("runtimePlatform") or {}).get("cpuArchitecture", "X86_64")
    return "arm64" if declared == "ARM64" else "x86_64"


def _memory(task: Task) -> str:
    containers = task.definition.container_definitions
    return str(sum(c.get("memory") or c.get("memoryReservation") or 0 for c in containers))
