"""Whether a service's tasks are healthy, and what the scheduler does with those that are not.

Used by `scheduler`. A task is healthy when it runs, its container health checks pass, and all of its targets are
healthy; without any check, when it has outlived the time in which a crash would show. Failures of the deployment under
way are counted here, consecutively, as the circuit breaker does (ECS developer guide, "How the Amazon ECS deployment
circuit breaker detects failures").
"""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.ecs import balancing, clock, events
from reconciler.emulator.ecs.lifecycle import stop
from reconciler.emulator.ecs.model import Deployment, Service, Task
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.task_view import health
from reconciler.emulator.ecs.timing import PROVEN_AFTER, RETRY_AT_MOST, RETRY_STEP

__all__ = ["healthy", "tend"]

_SERVING = frozenset({"healthy", "unused", "unavailable"})
"""Target states that do not hold a deployment up: the last two mean that the load balancer checks nothing."""


def healthy(task: Task) -> bool:
    """Return whether a running task is healthy now."""
    state = health(task)
    if state == "UNHEALTHY":
        return False
    checked = any(c.get("healthCheck") and c["essential"] for c in task.definition.container_definitions)
    if checked and state != "HEALTHY":
        return False
    if task.targets:
        return all(balancing.state(target) in _SERVING for target in task.targets)
    return checked or clock.now() - task.times["startedAt"] >= PROVEN_AFTER


def tend(site: Site, service: Service, primary: Deployment) -> bool:
    """Replace the unhealthy, count the failures and the successes of the deployment. Returns whether any changed."""
    changed = False
    grace = timedelta(seconds=service.spec.get("healthCheckGracePeriodSeconds") or 0)
    for task in list(service.tasks):
        if task.running and clock.now() - task.times["startedAt"] >= grace:
            reason = _ailment(service, task)
            if reason is not None:
                stop(site, task, "ServiceSchedulerInitiated", reason)
                changed = True
        if task.deployment is primary and not task.counted:
            changed = _count(service, primary, task) or changed
    return changed


def _ailment(service: Service, task: Task) -> str | None:
    """Return why a task must be replaced, in ECS's words, or None."""
    for target in task.targets:
        if balancing.state(target) == "unhealthy":
            arn, identity, port = target
            where = f"(instance {identity}) (port {port})" if identity.startswith("i-") else f"(port {port})"
            events.say(service, f"{where} is unhealthy in (target-group {arn}) due to (reason Health checks failed)")
            return f"Task failed ELB health checks in (target-group {arn})"
    if health(task) == "UNHEALTHY":
        events.say(service, f"(task {task.id}) failed container health checks.")
        return "Task failed container health checks"
    return None


def _count(service: Service, primary: Deployment, task: Task) -> bool:
    """Count a task once: as a failure if it stopped by itself or was sick, as a success once it is healthy."""
    if task.alive:
        if not (task.running and healthy(task)):
            return False
        task.counted = True
        breaker = service.spec["deploymentConfiguration"]["deploymentCircuitBreaker"]
        if breaker.get("resetOnHealthyTask", True):
            primary.failed_tasks, primary.retry_at, primary.impaired_at = 0, None, 0
        return True
    task.counted = True
    own = task.stop_code in {"EssentialContainerExited", "TaskFailedToStart"}
    if own or (task.stopped_reason or "").startswith("Task failed"):
        primary.failed_tasks += 1
        primary.updated_at = clock.now()
        primary.retry_at = clock.now() + min(primary.failed_tasks * RETRY_STEP, RETRY_AT_MOST)
        return True
    return False
