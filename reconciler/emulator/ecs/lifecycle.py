"""The life of a task, from PROVISIONING to STOPPED, driven by time.

`scheduler` and `tasks` start and stop tasks; `driver` calls `advance` at each step. The table of what an image does:
a tag that contains `crash` exits with 1 soon after the start, `unhealthy` runs but never passes a health check,
`missing` cannot be pulled; anything else runs. Source of the steps: ECS developer guide, "Amazon ECS task lifecycle".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from reconciler.emulator.ecs import balancing, clock, events
from reconciler.emulator.ecs.model import Json, Task, TaskDefinition
from reconciler.emulator.ecs.placement import attach_network, book, release
from reconciler.emulator.ecs.service_echo import uses_fargate
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.timing import (
    ACTIVATING,
    CONTAINER_UNHEALTHY_AFTER,
    CRASH_AFTER,
    DRAIN_AT_MOST,
    PENDING,
    PROVISIONING,
    STOP_STEP,
    STOPPED_KEPT,
)

__all__ = ["admit", "advance", "digest_of", "launch", "stop"]


def digest_of(image: str) -> str:
    """Return the digest that the emulated registry has for an image: the same for the same name, always."""
    return "sha256:" + sha256(image.encode()).hexdigest()


def launch(site: Site, definition: TaskDefinition, request: Json, group: str, cluster: tuple[str, str]) -> Task:
    """Make a task in PROVISIONING and put it on its way. `request` is the service's spec or RunTask's input.

    `cluster` is (name, ARN). The task has no instance yet: `admit` places it.
    """
    identity = clock.hex_id()
    name, cluster_arn = cluster
    arn = site.arn(f"task/{name}/{identity}")
    now = clock.now()
    task = Task(
        id=identity,
        task_arn=arn,
        cluster_name=name,
        cluster_arn=cluster_arn,
        definition=definition,
        group=group,
        created_at=now,
        containers=[_container(site, name, arn, container) for container in definition.container_definitions],
        next_at=now + PROVISIONING,
        request=request,
        launch_type="FARGATE" if uses_fargate(request) else "EC2",
        behaviour=_behaviour(definition),
    )
    if request.get("capacityProviderStrategy"):
        task.launch_type = "FARGATE" if uses_fargate(request) else None
    return task


def admit(site: Site, task: Task, instance: object | None) -> None:
    """Place a launched task (on an instance, or on Fargate for None) and make it known."""
    if instance is not None:
        book(instance, task)
    if task.definition.network_mode == "awsvpc":
        attach_network(site, task, task.request)
    site.tasks(task.cluster_name)[task.task_arn] = task
    site.live_tasks.append(task)
    if task.service is not None:
        task.service.tasks.append(task)
    events.task_changed(task, site.account, site.region)


def stop(site: Site, task: Task, code: str, reason: str) -> None:
    """Begin to stop a task: deregister its targets, drain them, stop its containers. A stopping task is left alone."""
    if not task.alive:
        return
    now = clock.now()
    task.desired_status = "STOPPED"
    task.stop_code, task.stopped_reason = code, reason
    task.times["stoppingAt"] = now
    _deregister(task)
    if task.last_status in {"PROVISIONING", "PENDING"}:
        _enter(site, task, "DEPROVISIONING", STOP_STEP)
    else:
        _enter(site, task, "DEACTIVATING", STOP_STEP)


def advance(site: Site, task: Task) -> bool:
    """Take the next step of a task's life if it is due. Returns whether anything changed."""
    now = clock.now()
    changed = _check_health(task, now)
    if task.next_at is None or task.next_at > now:
        return changed
    task.next_at = None
    match task.last_status:
        case "PROVISIONING":
            task.times["pullStartedAt"] = now
            for attachment in task.attachments:
                attachment["status"] = "ATTACHED"
            _enter(site, task, "PENDING", PENDING)
        case "PENDING":
            _pulled(site, task, now)
        case "ACTIVATING":
            _started(site, task, now)
        case "RUNNING":
            _crash(site, task)
        case "DEACTIVATING":
            _drain(site, task, now)
        case "STOPPING" | "DEPROVISIONING":
            _stopped(site, task, now)
    return True


def _pulled(site: Site, task: Task, now: datetime) -> None:
    task.times["pullStoppedAt"] = now
    if task.behaviour == "missing":
        image = next(c["image"] for c in task.containers if _behaves(c["image"]) == "missing")
        reason = f"CannotPullContainerError: failed to resolve ref {image}: {image}: not found"
        for container in task.containers:
            if container["image"] == image:
                container["reason"] = reason
        stop(site, task, "TaskFailedToStart", reason)
        return
    for container in task.containers:
        container["imageDigest"] = digest_of(container["image"])
        container["runtimeId"] = f"{task.id}-{sha256(container['name'].encode()).hexdigest()[:10]}"
    _register(task)
    _enter(site, task, "ACTIVATING", ACTIVATING)


def _started(site: Site, task: Task, now: datetime) -> None:
    task.times |= {"startedAt": now, "connectivityAt": now}
    for container, definition in zip(task.containers, task.definition.container_definitions, strict=True):
        container["lastStatus"] = "RUNNING"
        if definition.get("healthCheck") and _behaves(container["image"]) != "unhealthy":
            container["healthStatus"] = "HEALTHY"
    _enter(site, task, "RUNNING", CRASH_AFTER if task.behaviour == "crash" else None)


def _crash(site: Site, task: Task) -> None:
    for container in task.containers:
        if _behaves(container["image"]) == "crash":
            container["exitCode"] = 1
            container["lastStatus"] = "STOPPED"
    stop(site, task, "EssentialContainerExited", "Essential container in task exited")


def _drain(site: Site, task: Task, now: datetime) -> None:
    waited = now - task.times["stoppingAt"]
    busy = any(balancing.state(target) == "draining" for target in task.draining)
    if busy and waited < DRAIN_AT_MOST:
        task.next_at = now + STOP_STEP
    else:
        _enter(site, task, "STOPPING", STOP_STEP)


def _stopped(site: Site, task: Task, now: datetime) -> None:
    for container in task.containers:
        ran = container["lastStatus"] == "RUNNING"
        container["lastStatus"] = "STOPPED"
        if ran:
            container.setdefault("exitCode", 0)
    for attachment in task.attachments:
        attachment["status"] = "DELETED"
    task.times |= {"executionStoppedAt": now, "stoppedAt": now}
    site.live_tasks.remove(task)
    if task.service is not None:
        task.service.tasks.remove(task)
    release(task)
    _enter(site, task, "STOPPED", None)
    known = site.tasks(task.cluster_name)
    for arn, other in list(known.items()):
        if other.last_status == "STOPPED" and now - other.times["stoppedAt"] > STOPPED_KEPT:
            del known[arn]


def _enter(site: Site, task: Task, status: str, lasts: timedelta | None) -> None:
    task.last_status = status
    task.next_at = None if lasts is None else clock.now() + lasts
    events.task_changed(task, site.account, site.region)


def _check_health(task: Task, now: datetime) -> bool:
    """Turn health checks that never pass from UNKNOWN to UNHEALTHY when their time has come."""
    if not task.running or task.behaviour != "unhealthy":
        return False
    if now - task.times["startedAt"] < CONTAINER_UNHEALTHY_AFTER:
        return False
    changed = False
    for container, definition in zip(task.containers, task.definition.container_definitions, strict=True):
        sick = bool(definition.get("healthCheck")) and _behaves(container["image"]) == "unhealthy"
        if sick and container["healthStatus"] != "UNHEALTHY":
            container["healthStatus"] = "UNHEALTHY"
            changed = True
    return changed


def _register(task: Task) -> None:
    if task.service is None:
        return
    sound = task.behaviour not in {"unhealthy", "crash"}
    for balancer in task.request.get("loadBalancers") or ():
        arn, port = balancer["targetGroupArn"], balancer["containerPort"]
        identity = task.ip
        if task.ip is None:
            identity, port = task.instance.ec2_instance_id, _host_port(task, balancer)
        if identity is None:
            continue
        target = (arn, identity, port)
        if balancing.register(task.service, target, task.zone if task.ip is None else None, healthy=sound):
            task.targets.append(target)


def _deregister(task: Task) -> None:
    if task.service is not None:
        for target in task.targets:
            balancing.deregister(task.service, target)
        if task.targets:
            events.say(task.service, "has begun draining connections on 1 tasks.")
    task.draining, task.targets = task.targets, []


def _host_port(task: Task, balancer: Json) -> int:
    for container in task.containers:
        if container["name"] == balancer["containerName"]:
            for binding in container["networkBindings"]:
                if binding["containerPort"] == balancer["containerPort"]:
                    return int(binding["hostPort"])
    return int(balancer["containerPort"])


def _container(site: Site, cluster: str, task_arn: str, definition: Json) -> Json:
    task_id = task_arn.rsplit("/", 1)[-1]
    container: Json = {
        "containerArn": site.arn(f"container/{cluster}/{task_id}/{clock.uuid()}"),
        "taskArn": task_arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "healthStatus": "UNKNOWN",
        "networkInterfaces": [],
        "cpu": str(definition["cpu"]),
    }
    for member in ("memory", "memoryReservation"):
        if definition.get(member) is not None:
            container[member] = str(definition[member])
    return container


def _behaves(image: str) -> str:
    """Return what an image does, by its tag (the part after the last colon)."""
    _, _, tag = image.rpartition("/")[2].partition(":")
    return next((word for word in ("missing", "crash", "unhealthy") if word in tag), "runs")


def _behaviour(definition: TaskDefinition) -> str:
    """Return what the task as a whole does: the worst that one of its containers does; a sidecar's exit is its own."""
    found = {
        _behaves(container["image"])
        for container in definition.container_definitions
        if container["essential"] or _behaves(container["image"]) == "missing"
    }
    return next((word for word in ("missing", "crash", "unhealthy") if word in found), "runs")
