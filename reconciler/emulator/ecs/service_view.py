"""What DescribeServices and the deployments API say of a service: views over the model, with the API's names."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from reconciler.emulator.ecs.model import Deployment, Json, Revision, Service, Task
from reconciler.emulator.ecs.service_echo import uses_fargate

__all__ = ["counts", "revision_counts", "view"]

_SHOWN = (
    "loadBalancers",
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "taskDefinition",
    "deploymentConfiguration",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
_SHOWN_BY_DEPLOYMENT = (
    "taskDefinition",
    "capacityProviderStrategy",
    "launchType",
    "platformFamily",
    "networkConfiguration",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
_PENDING = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
FARGATE_VERSION = "1.4.0"
"""What LATEST means (ECS developer guide, "Fargate platform versions")."""


def counts(tasks: list[Task]) -> tuple[int, int]:
    """Return how many of the tasks are running, and how many on their way to it."""
    running = sum(task.last_status == "RUNNING" for task in tasks)
    return running, sum(task.last_status in _PENDING for task in tasks)


def view(service: Service, *, tags: bool = True) -> Json:
    """Return the API's Service."""
    running, pending = counts(service.tasks)
    answer: Json = {member: deepcopy(service.spec[member]) for member in _SHOWN if member in service.spec}
    answer |= {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": running,
        "pendingCount": pending,
        "deployments": [_deployment(service, deployment) for deployment in service.deployments],
        "roleArn": service.role_arn,
        "events": service.events,
        "createdAt": service.created_at,
        "createdBy": service.created_by,
    }
    if service.task_sets:
        answer["taskSets"] = [_task_set(item) for item in service.task_sets]
    if service.current is not None:
        answer["currentServiceDeployment"] = service.current.arn
    answer["currentServiceRevisions"] = [
        revision_counts(service, deployment.revision) for deployment in service.deployments
    ]
    if tags:
        answer["tags"] = deepcopy(service.tags)
    return answer


def revision_counts(service: Service, revision: Revision) -> Json:
    """Return the API's ServiceRevisionSummary: what was asked for, runs and is on its way, of one revision."""
    tasks = [task for task in service.tasks if task.deployment is not None and task.deployment.revision is revision]
    running, pending = counts(tasks)
    primary = service.primary
    wanted = service.desired_count if primary is not None and primary.revision is revision else _wanted(tasks)
    return {
        "arn": revision.arn,
        "requestedTaskCount": wanted,
        "runningTaskCount": running,
        "pendingTaskCount": pending,
    }


def _wanted(tasks: list[Task]) -> int:
    return sum(task.alive for task in tasks)


def _deployment(service: Service, deployment: Deployment) -> Json:
    tasks = [task for task in service.tasks if task.deployment is deployment]
    running, pending = counts(tasks)
    spec = deployment.revision.spec
    answer: Json = {member: deepcopy(spec[member]) for member in _SHOWN_BY_DEPLOYMENT if member in spec}
    if uses_fargate(spec):
        version = spec.get("platformVersion", "LATEST")
        answer["platformVersion"] = FARGATE_VERSION if version == "LATEST" else version
    answer |= {
        "id": deployment.id,
        "status": deployment.status,
        "desiredCount": service.desired_count if deployment.status == "PRIMARY" else _wanted(tasks),
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_state_reason,
    }
    return answer


def _task_set(item: Any) -> Json:
    """Return the API's TaskSet from moto's object."""
    return {
        "id": item.id,
        "taskSetArn": item.task_set_arn,
        "serviceArn": item.service_arn,
        "clusterArn": item.cluster_arn,
        "externalId": item.external_id,
        "status": item.status,
        "taskDefinition": item.task_definition,
        "createdAt": item.createdAt,
        "updatedAt": item.updatedAt,
        "launchType": item.launch_type,
        "capacityProviderStrategy": item.capacity_provider_strategy,
        "platformVersion": item.platform_version,
        "networkConfiguration": item.network_configuration,
        "loadBalancers": item.load_balancers,
        "serviceRegistries": item.service_registries,
        "scale": item.scale,
        "stabilityStatus": item.stabilityStatus,
        "stabilityStatusAt": item.stabilityStatusAt,
        "tags": item.tags,
    }
