"""ECS in one account and region: finding things by the names and ARNs that the API accepts, and making ARNs.

Every operation of this package gets a `Site`. It wraps moto's backend of that account and region, where all state lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.ecs.models import ecs_backends
from moto.utilities.utils import get_partition

from reconciler.emulator.ecs.errors import client, cluster_not_found, invalid, service_not_found
from reconciler.emulator.ecs.model import Service, Task, TaskDefinition
from reconciler.emulator.identity import principal_of

__all__ = ["Site", "sites"]


@dataclass(frozen=True, slots=True)
class Site:
    """One account and region. `backend` is moto's EC2ContainerServiceBackend; `access_key` is the request's, if any."""

    account: str
    region: str
    backend: Any
    access_key: str = ""

    @classmethod
    def of(cls, account: str, region: str, access_key: str = "") -> Site:
        """Return the site of that account and region, made on first use."""
        return cls(account, region, ecs_backends[account][region], access_key)

    @property
    def caller(self) -> str:
        """The ARN of the principal behind the request: a role's own ARN for its sessions."""
        who = principal_of(self.access_key)
        return who.role_arn or who.arn

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, …"""
        return str(get_partition(self.region))

    def arn(self, rest: str) -> str:
        """Return the ECS ARN whose resource part is `rest`."""
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:{rest}"

    @property
    def live_tasks(self) -> list[Task]:
        """The tasks that have not stopped, in the order of their start. It lies on the backend: moto clears it."""
        tasks: list[Task] = self.backend.__dict__.setdefault("live_tasks", [])
        return tasks

    def services(self, cluster: str | None = None) -> Iterator[Service]:
        """Yield the services (of a cluster), ended ones included, in the order of creation."""
        for service in list(self.backend.services.values()):
            if isinstance(service, Service) and (cluster is None or service.cluster_name == cluster):
                yield service

    def tasks(self, cluster: str) -> dict[str, Task]:
        """Return a cluster's tasks by ARN, those that stopped within the hour included."""
        tasks: dict[str, Task] = self.backend.tasks.setdefault(cluster, {})
        return tasks

    def instances(self, cluster: str) -> dict[str, Any]:
        """Return a cluster's container instances, moto's own objects, by id."""
        instances: dict[str, Any] = self.backend.container_instances.setdefault(cluster, {})
        return instances

    def cluster(self, reference: str | None) -> Any:
        """Return the ACTIVE cluster (moto's object) of a name or ARN; None means `default`.

        Raises ClusterNotFoundException, also for an ARN of another account or region.
        """
        name = self.local_name(reference or "default", "cluster")
        found = self.backend.clusters.get(name) if name else None
        if found is None or found.status != "ACTIVE":
            raise cluster_not_found()
        return found

    def local_name(self, reference: str, kind: str) -> str | None:
        """Return the last part of a name or ARN, or None for an ARN of another account, region or kind."""
        if not reference.startswith("arn:"):
            return reference.rsplit("/", 1)[-1]
        prefix = self.arn(f"{kind}/")
        return reference.rsplit("/", 1)[-1] if reference.startswith(prefix) else None

    def find_service(self, cluster: Any, reference: str) -> Service | None:
        """Return a cluster's service by name or ARN, ended ones included, or None."""
        if reference.startswith("arn:"):
            prefix = self.arn("service/")
            parts = reference.removeprefix(prefix).split("/")
            if not reference.startswith(prefix) or (len(parts) == 2 and parts[0] != cluster.name):
                return None
        found = self.backend.services.get(f"{cluster.name}:{reference.rsplit('/', 1)[-1]}")
        return found if isinstance(found, Service) else None

    def service(self, cluster: Any, reference: str) -> Service:
        """Return a cluster's service by name or ARN, ended ones included. Raises ServiceNotFoundException."""
        found = self.find_service(cluster, reference)
        if found is None:
            raise service_not_found()
        return found

    def find_definition(self, reference: str) -> TaskDefinition | None:
        """Return a task definition by `family`, `family:revision` or ARN; a bare family is its newest ACTIVE one."""
        name = self.local_name(reference, "task-definition")
        if name is None:
            return None
        family, _, revision = name.partition(":")
        revisions: dict[int, TaskDefinition] = self.backend.task_definitions.get(family, {})
        if revision:
            return revisions.get(int(revision)) if revision.isdigit() else None
        active = [number for number, definition in revisions.items() if definition.status == "ACTIVE"]
        return revisions[max(active)] if active else None

    def runnable_definition(self, reference: str) -> TaskDefinition:
        """Return a task definition that a deployment may start.

        Raises ClientException: none found (AWS: "TaskDefinition not found."), or INACTIVE ("TaskDefinition is
        inactive").
        """
        if not reference:
            raise invalid("TaskDefinition can not be blank.")
        found = self.find_definition(reference)
        if found is None:
            raise client("TaskDefinition not found.")
        if found.status != "ACTIVE":
            raise client("TaskDefinition is inactive")
        return found


def sites() -> list[Site]:
    """Return every site that anything was ever done in, in a stable order."""
    return [
        Site(str(account), str(region), backend)
        for account, regions in sorted(ecs_backends.items())
        for region, backend in sorted(regions.items())
    ]
