"""Which operation of ECS is answered by what: the table by which moto's dispatch is patched.

Called by `install`. moto's dispatch looks a method up by the operation's name in snake case, so an operation that moto
lacks is added the same way as one that it has is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

from reconciler.emulator.ecs import (
    clusters,
    definitions,
    deployments,
    instances,
    service_update,
    services,
    tasks,
)
from reconciler.emulator.ecs import tags as resource_tags
from reconciler.emulator.ecs.errors import invalid
from reconciler.emulator.ecs.model import Json
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.elbv2.patch import PlainResult
from reconciler.emulator.validate import problems

__all__ = ["OPERATIONS", "patch"]

Operation = Callable[[Site, Json], Json]

_MAY_LACK = "deploymentCircuitBreaker.rollback"
"""The model requires it, the service takes its absence for false (aws-behaviour.md, "UpdateService merges")."""

OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        clusters.create_cluster,
        clusters.delete_cluster,
        clusters.describe_clusters,
        clusters.list_clusters,
        clusters.put_cluster_capacity_providers,
        clusters.update_cluster,
        clusters.update_cluster_settings,
        definitions.delete_task_definitions,
        definitions.deregister_task_definition,
        definitions.describe_task_definition,
        definitions.list_task_definition_families,
        definitions.list_task_definitions,
        definitions.register_task_definition,
        deployments.continue_service_deployment,
        deployments.describe_service_deployments,
        deployments.describe_service_revisions,
        deployments.list_service_deployments,
        deployments.stop_service_deployment,
        service_update.update_service,
        services.create_service,
        services.delete_service,
        services.describe_services,
        services.list_services,
        services.list_services_by_namespace,
        instances.deregister_container_instance,
        instances.describe_container_instances,
        instances.list_container_instances,
        instances.register_container_instance,
        instances.update_container_instances_state,
        resource_tags.list_tags_for_resource,
        resource_tags.tag_resource,
        resource_tags.untag_resource,
        tasks.describe_tasks,
        tasks.list_tasks,
        tasks.run_task,
        tasks.start_task,
        tasks.stop_task,
    )
}
"""Operation in snake case → what answers it, with the request's parameters by the API's names."""


def patch() -> None:
    """Put the table into moto's dispatch, and the tagging API's way in here. Called once per process."""
    for name, operation in OPERATIONS.items():
        setattr(EC2ContainerServiceResponse, name, _method(operation))
    for method in (tag_resource, untag_resource, run_task):
        setattr(EC2ContainerServiceBackend, method.__name__, method)


def _method(operation: Operation) -> Callable[[Any], ActionResult]:
    def answer(self: Any) -> ActionResult:
        params = {key: value for key, value in self._get_params().items() if value is not None}
        shape = get_service_model("ecs").operation_model(self._get_action()).input_shape
        found = [problem for problem in problems(shape, params) if _MAY_LACK not in problem]
        if found:
            raise invalid(f"{len(found)} validation error(s) detected: {'; '.join(found)}")
        return PlainResult(operation(Site.of(self.current_account, self.region, self.access_key), params))

    return answer


def run_task(self: Any, *_: Any, **__: Any) -> list[Any]:  # noqa: ARG001 - moto's signature
    """Stand in for moto's backend method, which its task sets call: they are records here, and run nothing."""
    return []


def tag_resource(self: Any, arn: str, tags: dict[str, str]) -> None:
    """Stand in for moto's backend method, through which the tagging API writes."""
    given = [{"key": key, "value": value} for key, value in tags.items()]
    resource_tags.tag_resource(Site.of(self.account_id, self.region_name), {"resourceArn": arn, "tags": given})


def untag_resource(self: Any, resource_arn: str, tag_keys: list[str]) -> None:
    """Stand in for moto's backend method, through which the tagging API writes."""
    site = Site.of(self.account_id, self.region_name)
    resource_tags.untag_resource(site, {"resourceArn": resource_arn, "tagKeys": tag_keys})
