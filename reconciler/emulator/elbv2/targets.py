"""The targets of target groups and their health, over virtual time.

The ECS part registers its tasks here; RegisterTargets and DescribeTargetHealth go through here too. A target is known
by (id, port): one EC2 instance with two dynamic host ports is two targets. States follow from timestamps when they are
read, so nothing has to run at a tick.

AWS checks every HealthCheckIntervalSeconds and wants a threshold of equal results; here the product of both is capped
(`CHECK_SECONDS`), so that a rollout in a test needs tens of ticks, not hundreds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from reconciler.emulator.elbv2.errors import not_found
from reconciler.emulator.elbv2.state import Record, Store, Target, kind_of, store_of
from reconciler.emulator.world import World

__all__ = ["CHECK_SECONDS", "deregister", "describe", "health", "load_balancers_of", "register", "set_health"]

CHECK_SECONDS = 10.0

# state → (reason, description), as the API reference of TargetHealth lists them
_REASONS: dict[str, tuple[str, str]] = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "unused": ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
    "unavailable": ("Target.HealthCheckDisabled", "Health checks are disabled for this target group"),
}


def register(
    target_group_arn: str,
    id: str,  # noqa: A002 - the API's own name for it, as everywhere here
    port: int | None,
    az: str | None = None,
    healthy: bool = True,
) -> None:
    """Register a target, or take one back that is draining. `healthy` says how its checks will end.

    Raises TargetGroupNotFound. Registering again what is registered changes nothing but `healthy`.
    """
    store, _ = _group(target_group_arn)
    targets = store.targets.setdefault(target_group_arn, {})
    known = targets.get((id, port))
    if known is not None and known.draining_since is None:
        if known.healthy != healthy:
            set_health(target_group_arn, id, port, healthy=healthy)
        return
    targets[id, port] = Target(id, port, az, healthy, World.current().now())


def deregister(target_group_arn: str, id: str, port: int | None) -> None:  # noqa: A002 - as above
    """Let a target drain for the group's deregistration delay; one that is not registered is ignored, as by AWS.

    Raises TargetGroupNotFound.
    """
    store, group = _group(target_group_arn)
    targets = store.targets.get(target_group_arn, {})
    target = targets.get((id, port))
    if target is None or target.draining_since is not None:
        return
    if _state(store, group, target) == "unused":
        del targets[id, port]
    else:
        target.draining_since = World.current().now()


def set_health(target_group_arn: str, id: str, port: int | None, *, healthy: bool) -> None:  # noqa: A002 - as above
    """Say how a registered target answers its health checks from now on. Raises KeyError for one that is not there."""
    store, group = _group(target_group_arn)
    target = store.targets.get(target_group_arn, {})[id, port]
    if target.healthy == healthy:
        return
    target.before = _state(store, group, target)
    target.healthy = healthy
    target.checked_since = World.current().now()


def health(target_group_arn: str) -> dict[tuple[str, int | None], str]:
    """Return the state of each target: initial, healthy, unhealthy, draining, unused or unavailable.

    What has drained is not listed. Raises TargetGroupNotFound.
    """
    store, group = _group(target_group_arn)
    targets = store.targets.get(target_group_arn, {})
    states = {key: _state(store, group, target) for key, target in targets.items()}
    for key in [key for key, state in states.items() if state == "gone"]:
        del targets[key], states[key]
    return states


def load_balancers_of(target_group_arn: str) -> list[str]:
    """Return the load balancers whose listeners or rules forward to a target group. Raises TargetGroupNotFound."""
    store, _ = _group(target_group_arn)
    return store.load_balancers_of(target_group_arn)


def describe(target_group_arn: str, wanted: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return TargetHealthDescriptions: of all targets, or of those asked for (`Id`, optionally `Port`)."""
    store, group = _group(target_group_arn)
    states = health(target_group_arn)
    targets = store.targets.get(target_group_arn, {})
    asked = list(wanted)
    if not asked:
        return [_description(group, targets[key], state) for key, state in states.items()]
    found = []
    for want in asked:
        keys = [key for key in states if key[0] == want["Id"] and want.get("Port", key[1]) == key[1]]
        found += [_description(group, targets[key], states[key]) for key in keys]
        if not keys:
            port = want.get("Port", group.view.get("Port"))
            reason = {
                "State": "unused",
                "Reason": "Target.NotRegistered",
                "Description": "Target is not registered to the target group",
            }
            found.append({"Target": {"Id": want["Id"], "Port": port}, "TargetHealth": reason})
    return found


def _group(arn: str) -> tuple[Store, Record]:
    if kind_of(arn) != "targetgroup":
        raise not_found("targetgroup", arn)
    store = store_of(arn)
    return store, store.get("targetgroup", arn)


def _state(store: Store, group: Record, target: Target) -> str:
    now = World.current().now()
    if target.draining_since is not None:
        delay = float(group.attributes.get("deregistration_delay.timeout_seconds", 300))
        return "draining" if now < target.draining_since + timedelta(seconds=delay) else "gone"
    if not store.forwarding.get(group.view["TargetGroupArn"]):
        return "unused"
    if not group.view.get("HealthCheckEnabled", True):
        return "unavailable"
    threshold = group.view["HealthyThresholdCount" if target.healthy else "UnhealthyThresholdCount"]
    seconds = min(float(group.view["HealthCheckIntervalSeconds"]) * threshold, CHECK_SECONDS)
    if now < target.checked_since + timedelta(seconds=seconds):
        return target.before
    return "healthy" if target.healthy else "unhealthy"


def _description(group: Record, target: Target, state: str) -> dict[str, Any]:
    where: dict[str, Any] = {"Id": target.id}
    if target.port is not None:
        where["Port"] = target.port
    if target.zone is not None:
        where["AvailabilityZone"] = target.zone
    told: dict[str, Any] = {"State": state}
    if state in _REASONS:
        told["Reason"], told["Description"] = _REASONS[state]
    found: dict[str, Any] = {"Target": where, "TargetHealth": told}
    port = group.view.get("HealthCheckPort")
    if port is not None:
        found["HealthCheckPort"] = str(target.port) if port == "traffic-port" else str(port)
    return found
