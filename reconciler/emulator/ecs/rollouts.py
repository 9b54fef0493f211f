"""Deployments of a service: their start, completion, failure, rollback and supersession.

`services`, `service_update` and `deployments` start and stop them at a client's word; `scheduler` moves the tasks and
says here when a deployment is steady or has failed too often. It keeps both records in step: the service's
`deployments` (PRIMARY, ACTIVE) and the deployments API's service deployment.

    service deployment: PENDING → IN_PROGRESS → SUCCESSFUL
        breaker or alarm, rollback on:   → ROLLBACK_IN_PROGRESS → ROLLBACK_SUCCESSFUL | ROLLBACK_FAILED
        breaker or alarm, rollback off:  → STOPPED
        StopServiceDeployment:           → ROLLBACK_REQUESTED → ROLLBACK_IN_PROGRESS → …
        a newer deployment, or deletion: → STOPPED
"""

from __future__ import annotations

import math
from copy import deepcopy

from moto.cloudwatch.models import cloudwatch_backends

from reconciler.emulator.ecs import clock, events
from reconciler.emulator.ecs.lifecycle import digest_of
from reconciler.emulator.ecs.model import REVISION_FIELDS, Deployment, Json, Revision, Service, ServiceDeployment
from reconciler.emulator.ecs.service_view import revision_counts
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.timing import BREAKER_LEAST, BREAKER_MOST, BREAKER_PERCENT

__all__ = ["abandon", "alarms_in_alarm", "complete", "fail", "roll_back", "start", "threshold", "touch"]

BREAKER_REASON = "Service deployment rolled back because the circuit breaker threshold was exceeded."
ALARM_REASON = "Service deployment rolled back because an alarm was triggered."


def start(site: Site, service: Service) -> Deployment:
    """Start a deployment of the service as it is now, superseding whichever is under way."""
    now = clock.now()
    sources = [revision_counts(service, deployment.revision) for deployment in service.deployments]
    abandon(service, "Service deployment stopped because a newer service deployment started.")
    for older in service.deployments:
        older.status, older.updated_at = "ACTIVE", now
    revision = _revision(site, service)
    deployment = Deployment(f"ecs-svc/{clock.number()}", revision, now, now)
    deployment.rollout_state_reason = f"ECS deployment {deployment.id} in progress."
    service.deployments.insert(0, deployment)
    configuration = service.spec["deploymentConfiguration"]
    alarms = configuration["alarms"]
    service.history.append(
        ServiceDeployment(
            arn=site.arn(f"service-deployment/{service.cluster_name}/{service.name}/{clock.hex_id()[:21]}"),
            created_at=now,
            target=revision,
            sources=sources,
            configuration=deepcopy(configuration),
            # An alarm that is in ALARM already at the start is not watched (ECS developer guide, deployment alarms).
            alarms_watched=alarms["enable"] and not alarms_in_alarm(service),
            breaker_threshold=threshold(service),
            updated_at=now,
        )
    )
    service.steady = False
    events.deployment_changed(service, deployment, "SERVICE_DEPLOYMENT_IN_PROGRESS", deployment.rollout_state_reason)
    return deployment


def touch(service: Service) -> None:
    """Note that the service was changed in place: its tasks may no longer be as wanted."""
    if service.primary is not None:
        service.primary.updated_at = clock.now()
        service.primary.retry_at = None


def threshold(service: Service) -> int:
    """Return how many consecutive failures trip the circuit breaker.

    By default max(3, min(200, 0.5 x desired)) (ECS API reference, ServiceDeploymentCircuitBreaker.threshold); the
    newer thresholdConfiguration may say COUNT, or a percentage without these bounds (ThresholdConfiguration).
    """
    breaker = service.spec["deploymentConfiguration"]["deploymentCircuitBreaker"]
    configured = breaker.get("thresholdConfiguration") or {}
    kind, value = configured.get("type", "BOUNDED_PERCENT"), configured.get("value", BREAKER_PERCENT)
    if kind == "COUNT":
        return max(int(value), 1)
    count = math.ceil(service.desired_count * value / 100)
    return max(count, 1) if kind == "UNBOUNDED_PERCENT" else max(BREAKER_LEAST, min(BREAKER_MOST, count))


def alarms_in_alarm(service: Service) -> list[str]:
    """Return the names of the service's deployment alarms that CloudWatch has in ALARM."""
    known = cloudwatch_backends[service.account][service.region].alarms
    names = service.spec["deploymentConfiguration"]["alarms"]["alarmNames"]
    return [name for name in names if name in known and known[name].state_value == "ALARM"]


def complete(service: Service, deployment: Deployment) -> None:
    """The deployment is steady: the older ones are over, and this is the one to roll back to."""
    now = clock.now()
    for older in service.deployments:
        if older is not deployment:
            older.status = "INACTIVE"
    service.deployments = [deployment]
    service.completed = deployment
    deployment.is_rollback = False
    deployment.updated_at, deployment.rollout_state = now, "COMPLETED"
    deployment.rollout_state_reason = f"ECS deployment {deployment.id} completed."
    events.say(service, f"(deployment {deployment.id}) deployment completed.")
    record = service.current
    if record is not None and record.in_flight:
        rolled_back = record.rollback is not None
        record.status = "ROLLBACK_SUCCESSFUL" if rolled_back else "SUCCESSFUL"
        record.updated_at = record.finished_at = now
    events.deployment_changed(service, deployment, "SERVICE_DEPLOYMENT_COMPLETED", deployment.rollout_state_reason)


def fail(service: Service, deployment: Deployment, cause: str) -> None:
    """The deployment failed; `cause` is `breaker` or `alarm`. Rolls back if the service says so and can."""
    now = clock.now()
    breaker = cause == "breaker"
    why = "tasks failed to start" if breaker else "alarm detected"
    deployment.rollout_state, deployment.updated_at = "FAILED", now
    deployment.rollout_state_reason = (
        "ECS deployment circuit breaker: tasks failed to start."
        if breaker
        else "ECS deployment failed: alarm detected."
    )
    events.say(service, f"(deployment {deployment.id}) deployment failed: {why}.")
    events.deployment_changed(service, deployment, "SERVICE_DEPLOYMENT_FAILED", deployment.rollout_state_reason)
    record = service.current
    if record is None or not record.in_flight:
        return
    configuration = service.spec["deploymentConfiguration"]
    wanted = configuration["deploymentCircuitBreaker" if breaker else "alarms"]["rollback"]
    reason = BREAKER_REASON if breaker else ALARM_REASON
    if deployment.is_rollback:
        _end(record, "ROLLBACK_FAILED", "Service deployment rollback failed because its tasks failed to start.")
    elif not wanted:
        _end(record, "STOPPED", reason.replace("rolled back", "stopped"))
        record.stopped_at = now
    elif service.completed is None or service.completed is deployment:
        _end(record, "ROLLBACK_FAILED", "Service deployment rollback failed because there is no completed revision.")
    else:
        prefix = "ECS deployment circuit breaker" if breaker else "ECS deployment alarm"
        roll_back(service, reason, prefix)


def roll_back(service: Service, reason: str, prefix: str) -> None:
    """Put the last completed revision back: it is the PRIMARY again, and the service's own members are its members."""
    now = clock.now()
    target, record = service.completed, service.current
    if target is None or record is None:
        raise RuntimeError("a rollback needs a completed deployment and a record")
    for other in service.deployments:
        other.status = "ACTIVE"
    service.deployments = [target, *(d for d in service.deployments if d is not target)]
    target.status, target.rollout_state, target.updated_at = "PRIMARY", "IN_PROGRESS", now
    target.rollout_state_reason = f"{prefix}: rolling back to deploymentId {target.id}."
    target.is_rollback, target.failed_tasks, target.retry_at, target.settled_at = True, 0, None, None
    for member in REVISION_FIELDS:
        service.spec.pop(member, None)
    service.spec |= deepcopy(target.revision.spec)
    record.status, record.status_reason, record.updated_at = "ROLLBACK_IN_PROGRESS", reason, now
    record.rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": target.revision.arn}
    service.steady = False
    events.say(service, f"rolling back to deployment {target.id}.")
    events.deployment_changed(service, target, "SERVICE_DEPLOYMENT_IN_PROGRESS", target.rollout_state_reason)


def abandon(service: Service, reason: str) -> None:
    """End the service deployment that is under way, if one is: the client changed its mind."""
    record = service.current
    if record is not None and record.in_flight:
        _end(record, "STOPPED", reason)
        record.stopped_at = clock.now()


def _end(record: ServiceDeployment, status: str, reason: str) -> None:
    record.status, record.status_reason = status, reason
    record.updated_at = record.finished_at = clock.now()


def _revision(site: Site, service: Service) -> Revision:
    spec: Json = {member: deepcopy(service.spec[member]) for member in REVISION_FIELDS if member in service.spec}
    definition = site.find_definition(spec["taskDefinition"])
    images = [
        {"containerName": c["name"], "image": c["image"], "imageDigest": digest_of(c["image"])}
        for c in (definition.container_definitions if definition is not None else ())
    ]
    arn = site.arn(f"service-revision/{service.cluster_name}/{service.name}/{clock.number()}")
    revision = Revision(arn, clock.now(), spec, images)
    service.revisions[arn] = revision
    return revision
