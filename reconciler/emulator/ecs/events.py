"""What the emulated ECS says: the `events` of a service, and its events on the account's default bus.

Called by everything here that changes a task, a deployment or a service. The words are AWS's (ECS developer guide,
"Service event messages"; the shapes: "Amazon ECS events"), because people and programs look for them.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from reconciler.emulator.ecs import clock
from reconciler.emulator.ecs.model import Deployment, Json, Service, Task
from reconciler.emulator.ecs.task_view import view
from reconciler.emulator.ecs.timing import EVENTS_KEPT
from reconciler.emulator.world import World

__all__ = ["deployment_changed", "say", "service_action", "task_changed"]

_SEVERITY = {
    "SERVICE_STEADY_STATE": "INFO",
    "SERVICE_TASK_START_IMPAIRED": "WARN",
    "SERVICE_TASK_PLACEMENT_FAILURE": "ERROR",
    "SERVICE_DEPLOYMENT_IN_PROGRESS": "INFO",
    "SERVICE_DEPLOYMENT_COMPLETED": "INFO",
    "SERVICE_DEPLOYMENT_FAILED": "ERROR",
}


def say(service: Service, message: str) -> None:
    """Add a line to the service's events, newest first, `(service name) ` put before it; the oldest fall off."""
    service.events.insert(
        0, {"id": clock.uuid(), "createdAt": clock.now(), "message": f"(service {service.name}) {message}"}
    )
    del service.events[EVENTS_KEPT:]


def task_changed(task: Task, account: str, region: str) -> None:
    """Emit "ECS Task State Change" with the task as it is now."""
    task.version += 1
    detail = _plain(view(task, tags=False)) | {"updatedAt": _text(clock.now())}
    World.current().emit("aws.ecs", "ECS Task State Change", detail, [task.task_arn], account, region)


def service_action(service: Service, name: str, **more: Any) -> None:
    """Emit "ECS Service Action"; `more` are further members of its detail (`reason`, `targetGroupArns`, …)."""
    detail: Json = {
        "eventType": _SEVERITY[name],
        "eventName": name,
        "clusterArn": service.cluster_arn,
        "createdAt": _text(clock.now()),
        **more,
    }
    World.current().emit("aws.ecs", "ECS Service Action", detail, [service.arn], service.account, service.region)


def deployment_changed(service: Service, deployment: Deployment, name: str, reason: str) -> None:
    """Emit "ECS Deployment State Change"."""
    detail: Json = {
        "eventType": _SEVERITY[name],
        "eventName": name,
        "clusterArn": service.cluster_arn,
        "deploymentId": deployment.id,
        "updatedAt": _text(clock.now()),
        "reason": reason,
    }
    world = World.current()
    world.emit("aws.ecs", "ECS Deployment State Change", detail, [service.arn], service.account, service.region)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _plain(value: Json) -> Json:
    """Return a copy that is pure JSON: times as text."""
    plain: Json = json.loads(json.dumps(value, default=_text))
    return plain
