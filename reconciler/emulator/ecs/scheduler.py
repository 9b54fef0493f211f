"""The service scheduler: starts and stops a service's tasks, step by step, within its deployment's percentages.

`driver` calls `step` for each service at each step of the clock. At no step are there more tasks that have not stopped
than maximumPercent of the desired count allows, and no healthy task is stopped for a deployment or a smaller count
while fewer than minimumHealthyPercent would remain (ECS API reference, DeploymentConfiguration).
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from reconciler.emulator.ecs import clock, events, rollouts
from reconciler.emulator.ecs.lifecycle import admit, launch, stop
from reconciler.emulator.ecs.model import Deployment, Service, Task
from reconciler.emulator.ecs.placement import Unplaceable, choose_instance, eligible_instances, missing
from reconciler.emulator.ecs.service_echo import uses_fargate
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.task_health import healthy, tend
from reconciler.emulator.ecs.timing import ALARM_BAKE, PLACEMENT_EVENT_EVERY

__all__ = ["restless", "step", "wanted_count"]

PLACEMENT_FAILED = "was unable to place a task because no container instance met all of its requirements."
MORE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


def wanted_count(site: Site, service: Service) -> int:
    """Return how many tasks a service should run: its desired count, or one for each instance."""
    if service.scheduling_strategy == "DAEMON" and service.status == "ACTIVE":
        return len(eligible_instances(site, service.cluster_name))
    return service.desired_count


def step(site: Site, service: Service) -> bool:
    """Do what is due for one service now. Returns whether anything changed."""
    if service.status == "INACTIVE" or service.controller != "ECS":
        return _drained(service) if service.status == "DRAINING" else False
    if service.status == "DRAINING":
        for task in service.tasks:
            stop(site, task, "ServiceSchedulerInitiated", f"Scaling activity initiated by ({_by(task)})")
        return _drained(service)
    primary = service.primary
    if primary is None:
        return False
    service.desired_count = wanted_count(site, service)
    changed = _open(service)
    changed = tend(site, service, primary) or changed
    if _judge(service, primary):
        return True
    if primary.rollout_state != "FAILED":
        changed = _start_tasks(site, service, primary) or changed
        changed = _stop_tasks(site, service, primary) or changed
        _report_if_stuck(service, primary)
    return _settle(service, primary) or changed


def restless(service: Service) -> bool:
    """Return whether something may become due for a service although nothing has changed: a retry, a health check."""
    primary = service.primary
    failed = primary is None or primary.rollout_state == "FAILED"
    return service.status != "INACTIVE" and not service.steady and not failed


def _open(service: Service) -> bool:
    """Move the service deployment on from the states that only wait for the scheduler."""
    record = service.current
    if record is None:
        return False
    if record.status == "PENDING":
        record.status, record.started_at, record.updated_at = "IN_PROGRESS", clock.now(), clock.now()
        return True
    if record.status == "ROLLBACK_REQUESTED":
        rollouts.roll_back(service, record.status_reason or "", "ECS deployment stopped")
        return True
    return False


def _judge(service: Service, primary: Deployment) -> bool:
    """Fail the deployment when its monitors say so. Returns whether they did."""
    limit = rollouts.threshold(service)
    if primary.failed_tasks >= primary.impaired_at + limit:
        primary.impaired_at = primary.failed_tasks
        events.say(service, f"is unable to consistently start tasks successfully. {MORE}")
        events.service_action(service, "SERVICE_TASK_START_IMPAIRED")
    record = service.current
    if record is None or not record.in_flight or primary.rollout_state != "IN_PROGRESS":
        return False
    record.breaker_threshold = limit
    if record.alarms_watched and not primary.is_rollback:
        record.triggered_alarms = rollouts.alarms_in_alarm(service)
        if record.triggered_alarms:
            rollouts.fail(service, primary, "alarm")
            return True
    breaker = service.spec["deploymentConfiguration"]["deploymentCircuitBreaker"]
    if not primary.is_rollback:
        record.failure_count = primary.failed_tasks
    tripped = primary.failed_tasks >= record.breaker_threshold
    if tripped and (breaker["enable"] or primary.is_rollback):
        record.breaker_triggered = not primary.is_rollback or record.breaker_triggered
        rollouts.fail(service, primary, "breaker")
        return True
    return False


def _start_tasks(site: Site, service: Service, primary: Deployment) -> bool:
    now = clock.now()
    if primary.retry_at is not None and now < primary.retry_at:
        return False
    _, most = _bounds(service)
    lacking = service.desired_count - sum(_current(task, primary) for task in service.tasks)
    started: list[Task] = []
    for _ in range(min(lacking, most - len(service.tasks))):
        try:
            task = _start_one(site, service, primary)
        except Unplaceable as problem:
            _complain(service, problem, now)
            break
        if task is None:
            break
        started.append(task)
    if started:
        service.placement_complaint = None
        named = " ".join(f"(task {task.id})" for task in started)
        events.say(service, f"has started {len(started)} tasks: {named}.")
    return bool(started)


def _start_one(site: Site, service: Service, primary: Deployment) -> Task | None:
    spec = primary.revision.spec | {
        member: service.spec[member]
        for member in ("placementConstraints", "placementStrategy", "enableExecuteCommand")
        if member in service.spec
    }
    definition = site.find_definition(spec["taskDefinition"])
    if definition is None:
        return None
    instance: Any = None
    if service.scheduling_strategy == "DAEMON":
        instance = _daemon_instance(site, service, primary, definition)
        if instance is None:
            return None
    elif not uses_fargate(spec):
        instance = choose_instance(site, service.cluster_name, definition, f"service:{service.name}", spec)
    cluster = (service.cluster_name, service.cluster_arn)
    task = launch(site, definition, spec, f"service:{service.name}", cluster)
    task.service, task.deployment, task.started_by = service, primary, primary.id
    task.tags = _tags(service, definition.tags)
    if spec.get("capacityProviderStrategy"):
        task.capacity_provider = _provider(service, primary, spec["capacityProviderStrategy"])
    admit(site, task, instance)
    return task


def _daemon_instance(site: Site, service: Service, primary: Deployment, definition: Any) -> Any:
    """Return an instance without a task of this deployment, and with room for it, or None."""
    taken = {task.instance.id for task in service.tasks if _current(task, primary)}
    complaint: Unplaceable | None = None
    for instance in eligible_instances(site, service.cluster_name):
        if instance.id in taken:
            continue
        lacks = missing(instance, definition)
        if lacks is None:
            return instance
        complaint = Unplaceable(f"The closest matching (container-instance {instance.id}) {lacks[1]}.", lacks[0])
    if complaint is not None:
        raise complaint
    return None


def _stop_tasks(site: Site, service: Service, primary: Deployment) -> bool:
    """Stop what is too much or too old: first what is not healthy, then healthy ones down to the minimum."""
    least, _ = _bounds(service)
    old = [task for task in service.tasks if task.alive and not _current(task, primary)]
    current = [task for task in service.tasks if _current(task, primary)]
    # Scaling in takes the youngest first, and those that do not run yet before those that do.
    surplus = sorted(current, key=lambda t: (t.running, _age(t)))[: max(len(current) - service.desired_count, 0)]
    sound = {task.task_arn for task in service.tasks if task.running and healthy(task)}
    stopped = []
    for task in sorted(old, key=lambda t: (t.task_arn in sound, -_age(t))) + surplus:
        if task.task_arn in sound:
            if len(sound) <= least:
                continue
            sound.discard(task.task_arn)
        stop(site, task, "ServiceSchedulerInitiated", f"Scaling activity initiated by ({_by(task)})")
        stopped.append(task)
    if stopped:
        named = " ".join(f"(task {task.id})" for task in stopped)
        events.say(service, f"has stopped {len(stopped)} running tasks: {named}.")
    return bool(stopped)


def _report_if_stuck(service: Service, primary: Deployment) -> None:
    """Say once that the percentages allow neither a start nor a stop: all old tasks are sound, and there is no room."""
    least, most = _bounds(service)
    old = [task for task in service.tasks if task.deployment is not primary]
    sound = sum(task.running and healthy(task) for task in old)
    stuck = bool(old) and len(old) == len(service.tasks) == sound and len(old) >= most and sound <= least
    if stuck and not primary.stuck:
        events.say(
            service,
            "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
            "Update the minimumHealthyPercent or maximumPercent value and try again.",
        )
    primary.stuck = stuck


def _bounds(service: Service) -> tuple[int, int]:
    """Return how many tasks must stay healthy (rounded up) and how many may exist (rounded down)."""
    configuration, desired = service.spec["deploymentConfiguration"], service.desired_count
    least = math.ceil(desired * configuration["minimumHealthyPercent"] / 100)
    return least, math.floor(desired * configuration["maximumPercent"] / 100)


def _settle(service: Service, primary: Deployment) -> bool:
    """Notice the steady state: exactly the wanted tasks, all of this deployment, all healthy."""
    settled = len(service.tasks) == service.desired_count and all(
        _current(task, primary) and task.running and healthy(task) for task in service.tasks
    )
    if not settled:
        service.steady, primary.settled_at = False, None
        return False
    if service.steady:
        return False
    now = clock.now()
    if primary.rollout_state == "IN_PROGRESS":
        primary.settled_at = primary.settled_at or now
        record = service.current
        baking = record is not None and record.alarms_watched and not primary.is_rollback
        if baking and now - primary.settled_at < ALARM_BAKE:
            return False
        rollouts.complete(service, primary)
    elif primary.rollout_state == "FAILED":
        return False
    service.steady = True
    events.say(service, "has reached a steady state.")
    events.service_action(service, "SERVICE_STEADY_STATE")
    return True


def _drained(service: Service) -> bool:
    if service.tasks:
        return False
    service.status, service.deployments = "INACTIVE", []
    return True


def _complain(service: Service, problem: Unplaceable, now: datetime) -> None:
    last = service.placement_complaint
    if last is not None and last[0] == problem.reason and now - last[1] < PLACEMENT_EVENT_EVERY:
        return
    service.placement_complaint = (problem.reason, now)
    events.say(service, f"{PLACEMENT_FAILED} {problem.reason} {MORE}")
    events.service_action(service, "SERVICE_TASK_PLACEMENT_FAILURE", reason=problem.code)


def _current(task: Task, primary: Deployment) -> bool:
    """Whether a task counts towards the deployment's: its own, meant to run, and not on an instance being drained."""
    drained = task.instance is not None and task.instance.status != "ACTIVE"
    return task.alive and task.deployment is primary and not drained


def _provider(service: Service, primary: Deployment, strategy: list[Any]) -> str:
    """Return the provider whose turn it is: bases first, then the one furthest below its weight."""
    used = [task.capacity_provider for task in service.tasks if _current(task, primary)]
    for item in strategy:
        if used.count(item["capacityProvider"]) < item["base"]:
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item["weight"]] or strategy
    chosen = min(weighted, key=lambda i: (used.count(i["capacityProvider"]) - i["base"]) / max(i["weight"], 1))
    return str(chosen["capacityProvider"])


def _tags(service: Service, definition_tags: list[Any]) -> list[Any]:
    source = {"SERVICE": service.tags, "TASK_DEFINITION": definition_tags}.get(service.propagate_tags, [])
    tags = [dict(tag) for tag in source]
    if service.spec["enableECSManagedTags"]:
        tags.append({"key": "aws:ecs:clusterName", "value": service.cluster_name})
        tags.append({"key": "aws:ecs:serviceName", "value": service.name})
    return tags


def _age(task: Task) -> float:
    return (clock.now() - task.created_at).total_seconds()


def _by(task: Task) -> str:
    return f"deployment {task.started_by}"
