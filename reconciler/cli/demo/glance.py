"""What AWS says between two passes: task counts, deployments, target health, events.

The screen shows it, and the steps verify with it what they claim. It asks the AWS API with an identity of its own, and
knows nothing of what the engine thinks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.aws.gate import Gate
from reconciler.aws.wire import keeping_events
from reconciler.core.call import Answer, Call, batches
from reconciler.core.errors import NotFoundError
from reconciler.core.values import Json, ResourceId

SERVICE_BATCH = 10  # DescribeServices takes no more
IN_SERVICE = ("ACTIVE", "DRAINING")


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """One entry of a service's `deployments`."""

    primary: bool
    state: str  # IN_PROGRESS, COMPLETED, FAILED
    image: str  # of the first container, without the registry
    task_definition: str
    desired: int
    running: int
    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service; `deployments` has the primary one first."""

    cluster: str
    name: str
    status: str
    desired: int
    running: int
    pending: int
    deployments: tuple[DeploymentView, ...]
    groups: tuple[str, ...] = ()  # ARNs of its target groups

    @property
    def primary(self) -> DeploymentView | None:
        return next((item for item in self.deployments if item.primary), None)

    @property
    def old(self) -> int:
        """Running tasks of deployments that are on their way out."""
        return sum(item.running for item in self.deployments if not item.primary)

    @property
    def moving(self) -> bool:
        primary = self.primary
        return len(self.deployments) > 1 or bool(primary and primary.state == "IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Event:
    """One service event, in ECS's words."""

    id: str
    service: str
    message: str


@dataclass(frozen=True)
class Snapshot:
    """AWS at one moment."""

    instances: Mapping[str, int] = field(default_factory=dict)  # active clusters → their container instances
    services: Mapping[str, ServiceView] = field(default_factory=dict)  # by name
    targets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # target group's ARN → state → targets
    events: tuple[Event, ...] = ()  # oldest first

    def targets_of(self, service: ServiceView) -> Counter[str]:
        counts: Counter[str] = Counter()
        for arn in service.groups:
            counts.update(self.targets.get(arn, {}))
        return counts


class Glance:
    """Reads snapshots through a gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._environments: dict[str, Mapping[str, str]] = {}

    def now(self, groups: Mapping[ResourceId, str]) -> Snapshot:
        """Read all clusters and services, and the target groups given by ARN. Raises AwsError."""
        instances: dict[str, int] = {}
        services: dict[str, ServiceView] = {}
        events: list[tuple[str, Event]] = []
        for cluster in self._clusters():
            instances[cluster["clusterName"]] = cluster.get("registeredContainerInstancesCount", 0)
            for answer in self._services(cluster["clusterName"]):
                view = self._service(cluster["clusterName"], answer)
                services[view.name] = view
                events += [
                    (str(item["createdAt"]), Event(item["id"], view.name, item["message"]))
                    for item in reversed(answer.get("events", []))
                ]
        events.sort(key=lambda pair: pair[0])  # the sort is stable: a service's own order stays
        targets = {arn: self._targets(arn) for arn in groups.values()}
        return Snapshot(instances, services, targets, tuple(event for _, event in events))

    def environment(self, task_definition: str) -> Mapping[str, str]:
        """The environment variables of a revision's first container."""
        return {item["name"]: item["value"] for item in self._container(task_definition).get("environment", [])}

    def _clusters(self) -> list[Answer]:
        arns = self._gate.pages(Call("ecs", "ListClusters"), "clusterArns")
        if not arns:
            return []
        answer = self._gate.read(Call("ecs", "DescribeClusters", {"clusters": arns}))
        return [cluster for cluster in answer["clusters"] if cluster["status"] == "ACTIVE"]

    def _services(self, cluster: str) -> list[Answer]:
        try:
            arns = self._gate.pages(Call("ecs", "ListServices", {"cluster": cluster}), "serviceArns")
        except NotFoundError:
            return []
        found: list[Answer] = []
        for batch in batches(arns, SERVICE_BATCH):
            with keeping_events():
                answer = self._gate.read(Call("ecs", "DescribeServices", {"cluster": cluster, "services": batch}))
            found += [service for service in answer["services"] if service["status"] in IN_SERVICE]
        return found

    def _service(self, cluster: str, answer: Answer) -> ServiceView:
        deployments = sorted(answer.get("deployments", []), key=lambda item: item["status"] != "PRIMARY")
        return ServiceView(
            cluster=cluster,
            name=answer["serviceName"],
            status=answer["status"],
            desired=answer["desiredCount"],
            running=answer["runningCount"],
            pending=answer["pendingCount"],
            deployments=tuple(self._deployment(item) for item in deployments),
            groups=tuple(item["targetGroupArn"] for item in answer.get("loadBalancers", [])),
        )

    def _deployment(self, answer: Answer) -> DeploymentView:
        arn = answer["taskDefinition"]
        return DeploymentView(
            primary=answer["status"] == "PRIMARY",
            state=answer.get("rolloutState", ""),
            image=str(self._container(arn).get("image", "")).rpartition("/")[2],
            task_definition=arn,
            desired=answer.get("desiredCount", 0),
            running=answer.get("runningCount", 0),
            pending=answer.get("pendingCount", 0),
            failed=answer.get("failedTasks", 0),
        )

    def _container(self, task_definition: str) -> dict[str, Json]:
        call = Call("ecs", "DescribeTaskDefinition", {"taskDefinition": task_definition})
        answer = self._gate.cached(call, key=f"demo/{task_definition}", max_age_seconds=None)
        containers: list[dict[str, Json]] = answer["taskDefinition"]["containerDefinitions"]
        return containers[0]

    def _targets(self, arn: str) -> Counter[str]:
        try:
            answer = self._gate.read(Call("elbv2", "DescribeTargetHealth", {"targetGroupArn": arn}))
        except NotFoundError:
            return Counter()
        return Counter(item["targetHealth"]["state"] for item in answer["targetHealthDescriptions"])
