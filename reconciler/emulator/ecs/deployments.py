"""The deployments API, which moto lacks: service deployments and service revisions, described, listed, stopped.

Called by `operations`. The records are kept by `rollouts`, on the services.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from reconciler.emulator.ecs import clock
from reconciler.emulator.ecs.errors import error, invalid
from reconciler.emulator.ecs.model import Json, Revision, Service, ServiceDeployment
from reconciler.emulator.ecs.pages import page
from reconciler.emulator.ecs.service_view import revision_counts
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.timing import HISTORY_KEPT

__all__ = [
    "continue_service_deployment",
    "describe_service_deployments",
    "describe_service_revisions",
    "list_service_deployments",
    "stop_service_deployment",
]

STOP_REASON = "Service deployment rolled back because it was stopped by the user."


def list_service_deployments(site: Site, params: Json) -> Json:
    """ListServiceDeployments: those of the last 90 days, newest first."""
    cluster = site.cluster(params.get("cluster"))
    service = site.service(cluster, params["service"])
    statuses, window = params.get("status"), params.get("createdAt") or {}
    oldest = clock.now() - HISTORY_KEPT
    found = [
        record
        for record in reversed(service.history)
        if record.created_at >= oldest
        and (not statuses or record.status in statuses)
        and _within(record.created_at, window)
    ]
    return page([_brief(service, record) for record in found], params, "serviceDeployments")


def describe_service_deployments(site: Site, params: Json) -> Json:
    """DescribeServiceDeployments, for at most 20."""
    arns = _at_most_20(params["serviceDeploymentArns"])
    found, failures = [], []
    for arn in arns:
        service, record = _find(site, arn)
        if service is None or record is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(_view(service, record))
    return {"serviceDeployments": found, "failures": failures}


def describe_service_revisions(site: Site, params: Json) -> Json:
    """DescribeServiceRevisions, for at most 20."""
    arns = _at_most_20(params["serviceRevisionArns"])
    found, failures = [], []
    for arn in arns:
        service = _service_of(site, arn, "service-revision")
        revision = service.revisions.get(arn) if service is not None else None
        if service is None or revision is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(_revision(service, revision))
    return {"serviceRevisions": found, "failures": failures}


def stop_service_deployment(site: Site, params: Json) -> Json:
    """StopServiceDeployment: roll back to the last completed revision, from the next tick on.

    Raises ConflictException for a deployment that has ended, or has nothing to go back to;
    ServiceDeploymentNotFoundException; InvalidParameterException for ABORT, which AWS documents as invalid.
    """
    if params.get("stopType", "ROLLBACK") != "ROLLBACK":
        raise invalid("The valid value of stopType is ROLLBACK.")
    arn = params["serviceDeploymentArn"]
    service, record = _find(site, arn)
    if service is None or record is None:
        raise error("ServiceDeploymentNotFoundException", "The service deploy ARN that you specified was not found.")
    if record.status not in {"PENDING", "IN_PROGRESS"}:
        raise error("ConflictException", f"The service deployment is {record.status} and cannot be stopped.")
    if service.completed is None:
        raise error("ConflictException", "The service has no completed service revision to roll back to.")
    record.status, record.status_reason, record.updated_at = "ROLLBACK_REQUESTED", STOP_REASON, clock.now()
    return {"serviceDeploymentArn": arn}


def continue_service_deployment(site: Site, params: Json) -> Json:
    """ContinueServiceDeployment: always refused, as no rolling deployment waits at a PAUSE hook."""
    service, record = _find(site, params["serviceDeploymentArn"])
    if service is None or record is None:
        raise error("ServiceDeploymentNotFoundException", "The service deploy ARN that you specified was not found.")
    raise invalid(f"The service deployment is not waiting at a lifecycle hook {params['hookId']}.")


def _find(site: Site, arn: str) -> tuple[Service | None, ServiceDeployment | None]:
    service = _service_of(site, arn, "service-deployment")
    records = service.history if service is not None else ()
    return service, next((record for record in records if record.arn == arn), None)


def _service_of(site: Site, arn: str, kind: str) -> Service | None:
    prefix = site.arn(f"{kind}/")
    parts = arn.removeprefix(prefix).split("/")
    if not arn.startswith(prefix) or len(parts) != 3:
        return None
    found = site.backend.services.get(f"{parts[0]}:{parts[1]}")
    return found if isinstance(found, Service) else None


def _at_most_20(arns: list[str]) -> list[str]:
    if not 1 <= len(arns) <= 20:
        raise invalid("Between 1 and 20 ARNs can be described at once.")
    return arns


def _within(moment: datetime, window: Json) -> bool:
    after, before = (_moment(window.get(name)) for name in ("after", "before"))
    return (after is None or moment >= after) and (before is None or moment <= before)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)


def _brief(service: Service, record: ServiceDeployment) -> Json:
    return {
        "serviceDeploymentArn": record.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "startedAt": record.started_at,
        "createdAt": record.created_at,
        "finishedAt": record.finished_at,
        "targetServiceRevisionArn": record.target.arn,
        "status": record.status,
        "statusReason": record.status_reason,
    }


def _view(service: Service, record: ServiceDeployment) -> Json:
    breaker, alarms = record.configuration["deploymentCircuitBreaker"], record.configuration["alarms"]
    target = revision_counts(service, record.target)
    return {
        "serviceDeploymentArn": record.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": record.created_at,
        "startedAt": record.started_at,
        "finishedAt": record.finished_at,
        "stoppedAt": record.stopped_at,
        "updatedAt": record.updated_at,
        "sourceServiceRevisions": deepcopy(record.sources),
        "targetServiceRevision": target,
        "status": record.status,
        "statusReason": record.status_reason,
        "deploymentConfiguration": deepcopy(record.configuration),
        "rollback": deepcopy(record.rollback),
        "deploymentCircuitBreaker": {
            "status": _monitor(record, watched=breaker["enable"], triggered=record.breaker_triggered),
            "failureCount": record.failure_count,
            "threshold": record.breaker_threshold,
        },
        "alarms": {
            "status": _monitor(record, watched=record.alarms_watched, triggered=bool(record.triggered_alarms)),
            "alarmNames": list(alarms["alarmNames"]),
            "triggeredAlarmNames": list(record.triggered_alarms),
        },
    }


def _monitor(record: ServiceDeployment, *, watched: bool, triggered: bool) -> str:
    if not watched:
        return "DISABLED"
    if triggered:
        return "TRIGGERED"
    return "MONITORING" if record.in_flight else "MONITORING_COMPLETE"


def _revision(service: Service, revision: Revision) -> Json:
    answer: Json = {
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "containerImages": deepcopy(revision.images),
        "guardDutyEnabled": False,
        "createdAt": revision.created_at,
        "resolvedConfiguration": {
            "loadBalancers": [
                {"targetGroupArn": item["targetGroupArn"]} for item in revision.spec.get("loadBalancers") or ()
            ]
        },
    }
    return answer | deepcopy(revision.spec)
