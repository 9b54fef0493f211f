"""How a service fares: its health, the rollout of a change of ours, and how a failed one is ended.

Part of `service`. The states are a table in ARCHITECTURE.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.core.call import Call
from reconciler.core.live import Health, HealthState, Live, Rollout, RolloutState
from reconciler.core.values import Json, Spec

CLOCK_SKEW = timedelta(minutes=1)  # between us and AWS, when a deployment is told from an earlier one
CRASH_LOOP = 5  # failed tasks of one deployment without a circuit breaker

_RUNNING = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED")


def rollout(live: Live, content: Spec) -> Rollout:
    """How the deployment that carries the wanted task definition stands, if a change of ours is under way."""
    since = live.applying_since
    recent: list[Spec] = [
        item
        for item in live.facts.get("deployments", ())
        if since is None or _time(item["createdAt"]) >= since - CLOCK_SKEW
    ]
    wanted = content.get("taskDefinition")
    ours = next((item for item in recent if item["taskDefinition"] == wanted), None)
    if ours is None:
        return Rollout(RolloutState.NONE)
    started, arn, status = _time(ours["createdAt"]), ours["arn"], ours["status"]
    reason = ours["reason"] or status
    if status == "SUCCESSFUL":
        return Rollout(RolloutState.SUCCEEDED, arn, reason, started)
    if status in _RUNNING:
        return _running(live, arn, started)
    if status == "STOPPED" and recent[0] is not ours:
        return Rollout(RolloutState.NONE)  # somebody else's deployment took over: that is drift, not our failure
    return Rollout(RolloutState.FAILED, arn, reason, started, rolling_back=True)


def _running(live: Live, arn: str, started: datetime) -> Rollout:
    failed = int(live.facts.get("primary", {}).get("failedTasks") or 0)
    configuration = live.spec.get("deploymentConfiguration") or {}
    breaker = (configuration.get("deploymentCircuitBreaker") or {}).get("enable", False)
    if failed >= CRASH_LOOP and not breaker:
        return Rollout(RolloutState.FAILED, arn, f"crash loop: {failed} tasks have failed", started)
    running, desired = live.facts.get("running", 0), live.facts.get("desired", 0)
    return Rollout(RolloutState.RUNNING, arn, f"{running} tasks running, {desired} wanted", started)


def _time(value: Json) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def health(live: Live) -> Health:
    facts = live.facts
    if facts.get("leaving"):
        return Health(HealthState.PROGRESSING, "draining before it is deleted")
    primary = facts.get("primary", {})
    running, desired = int(facts.get("running", 0)), int(facts.get("desired", 0))
    counts = f"{running} of {desired} tasks running"
    match primary.get("rolloutState"):
        case "FAILED":
            return Health(HealthState.DEGRADED, primary.get("rolloutStateReason") or "the deployment failed")
        case "IN_PROGRESS":
            failed = int(primary.get("failedTasks") or 0)
            return Health(HealthState.PROGRESSING, counts + (f", {failed} have failed" if failed else ""))
        case _ if desired == 0 and running == 0:
            return Health(HealthState.SUSPENDED, "scaled to zero")
        case _ if running < desired and facts.get("pending") and not primary.get("failedTasks"):
            return Health(HealthState.PROGRESSING, f"{counts}, {facts['pending']} starting")
        case _ if running < desired:
            return Health(HealthState.DEGRADED, counts)
        case _:
            return Health(HealthState.HEALTHY, counts)


def abort(live: Live, rollout: Rollout) -> tuple[Call, ...]:
    """Ends a rollout that will not succeed; AWS puts the previous revision back, where there was one."""
    first = len(live.facts.get("deployments", ())) <= 1
    if first or rollout.rolling_back or not rollout.deployment:
        return ()
    params = {"serviceDeploymentArn": rollout.deployment, "stopType": "ROLLBACK"}
    return (Call("ecs", "StopServiceDeployment", params),)
