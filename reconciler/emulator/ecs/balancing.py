"""The way from ECS to the load balancer's targets; a target group that is gone is nothing to fail over.

Used by `lifecycle`, `task_health` and `service_rules`. The targets and their health are `elbv2.targets`'.
"""

from __future__ import annotations

from reconciler.emulator.ecs import events
from reconciler.emulator.ecs.model import Service, Target
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.elbv2 import targets
from reconciler.emulator.elbv2.errors import ElbError
from reconciler.emulator.elbv2.state import kind_of, store

__all__ = ["deregister", "register", "state", "target_type"]


def target_type(site: Site, arn: str) -> str | None:
    """Return the target type of a target group of this account and region, or None if there is no such group."""
    group = store(site.account, site.region).target_groups.get(arn) if kind_of(arn) == "targetgroup" else None
    return None if group is None else str(group.view.get("TargetType", "instance"))


def state(target: Target) -> str | None:
    """Return a target's state (initial, healthy, unhealthy, draining, unused, unavailable), None if it is not there."""
    arn, identity, port = target
    try:
        return targets.health(arn).get((identity, port))
    except ElbError:
        return None


def register(service: Service, target: Target, zone: str | None, *, healthy: bool) -> bool:
    """Register a task's target and say so; `healthy`: how its checks will end. Returns whether it was possible."""
    arn, identity, port = target
    try:
        targets.register(arn, identity, port, az=zone, healthy=healthy)
    except ElbError as problem:
        events.say(service, f"failed to register targets in (target-group {arn}) with (error {problem.message})")
        return False
    events.say(service, f"registered 1 targets in (target-group {arn})")
    return True


def deregister(service: Service, target: Target) -> None:
    """Let a task's target drain, and say so."""
    arn, identity, port = target
    try:
        targets.deregister(arn, identity, port)
    except ElbError as problem:
        events.say(service, f"failed to deregister targets in (target-group {arn}) with (error {problem.message})")
        return
    events.say(service, f"deregistered 1 targets in (target-group {arn})")
