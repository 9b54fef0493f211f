"""What the emulated ECS remembers of services, deployments, tasks and task definitions.

The objects lie in moto's own backend (`backend.services`, `backend.tasks`, `backend.task_definitions`), so they are
isolated by account and region, cleared with moto's state, and seen by the other moto services that look there: the
tagging API and Application Auto Scaling read the snake_case attributes. What a client sent is kept as JSON-like
dictionaries with the API's own names, which is what makes the answers lossless.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = [
    "IN_FLIGHT",
    "REVISION_FIELDS",
    "Deployment",
    "Json",
    "Revision",
    "Service",
    "ServiceDeployment",
    "Target",
    "Task",
    "TaskDefinition",
]

Json = dict[str, Any]
Target = tuple[str, str, int]
"""(target group ARN, id, port)"""

REVISION_FIELDS = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "loadBalancers",
    "serviceRegistries",
    "networkConfiguration",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "gatewayConnectors",
    "monitoring",
)
"""What a service revision holds (ECS API reference, ServiceRevision), and therefore what a rollback puts back."""

IN_FLIGHT = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
"""The statuses of a service deployment that has not ended."""


@dataclass(eq=False, slots=True)
class TaskDefinition:
    """One revision of a family. `content` is the API's TaskDefinition as ECS returns it."""

    arn: str
    family: str
    revision: int
    content: Json
    tags: list[Json]

    @property
    def status(self) -> str:
        """ACTIVE, INACTIVE or DELETE_IN_PROGRESS."""
        return str(self.content["status"])

    @property
    def network_mode(self) -> str:
        """The effective network mode."""
        return str(self.content.get("networkMode") or "bridge")

    @property
    def container_definitions(self) -> list[Json]:
        """The containers, as ECS returns them."""
        containers: list[Json] = self.content["containerDefinitions"]
        return containers


@dataclass(eq=False, slots=True)
class Revision:
    """An immutable service revision: the part of a service that a deployment deploys."""

    arn: str
    created_at: datetime
    spec: Json
    images: list[Json]


@dataclass(eq=False, slots=True)
class ServiceDeployment:
    """One entry of the deployments API: the attempt to bring a service to a revision."""

    arn: str
    created_at: datetime
    target: Revision
    sources: list[Json]
    configuration: Json
    alarms_watched: bool
    breaker_threshold: int
    status: str = "PENDING"
    status_reason: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: Json | None = None
    failure_count: int = 0
    breaker_triggered: bool = False
    triggered_alarms: list[str] = field(default_factory=list)

    @property
    def in_flight(self) -> bool:
        """Whether it has not ended."""
        return self.status in IN_FLIGHT


@dataclass(eq=False, slots=True)
class Deployment:
    """One entry of a service's `deployments`: the tasks of one revision."""

    id: str
    revision: Revision
    created_at: datetime
    updated_at: datetime
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_state_reason: str = ""
    failed_tasks: int = 0
    is_rollback: bool = False
    impaired_at: int = 0
    stuck: bool = False
    retry_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(eq=False, slots=True)
class Service:
    """A service. `spec` holds its effective input members by the API's names; the rest is computed."""

    account: str
    region: str
    cluster_name: str
    cluster_arn: str
    name: str
    arn: str
    spec: Json
    created_at: datetime
    created_by: str
    desired_count: int
    tags: list[Json]
    request: Json
    role_arn: str | None = None
    status: str = "ACTIVE"
    steady: bool = False
    events: list[Json] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    history: list[ServiceDeployment] = field(default_factory=list)
    revisions: dict[str, Revision] = field(default_factory=dict)
    completed: Deployment | None = None
    tasks: list[Task] = field(default_factory=list)
    task_sets: list[Any] = field(default_factory=list)
    placement_complaint: tuple[str, datetime] | None = None

    @property
    def physical_resource_id(self) -> str:
        """The ARN, under the name by which moto's tagging API asks for it."""
        return self.arn

    @property
    def controller(self) -> str:
        """ECS, CODE_DEPLOY or EXTERNAL."""
        return str(self.spec["deploymentController"]["type"])

    @property
    def scheduling_strategy(self) -> str:
        """REPLICA or DAEMON."""
        return str(self.spec["schedulingStrategy"])

    @property
    def propagate_tags(self) -> str:
        """NONE, SERVICE or TASK_DEFINITION."""
        return str(self.spec["propagateTags"])

    @property
    def task_definition(self) -> str | None:
        """The task definition's ARN, under the name by which moto's task sets write it."""
        return self.spec.get("taskDefinition")

    @task_definition.setter
    def task_definition(self, arn: str) -> None:
        self.spec["taskDefinition"] = arn

    @property
    def load_balancers(self) -> list[Json]:
        """The load balancers, under the name by which moto's task sets write them."""
        balancers: list[Json] = self.spec["loadBalancers"]
        return balancers

    @load_balancers.setter
    def load_balancers(self, balancers: list[Json]) -> None:
        self.spec["loadBalancers"] = balancers

    @property
    def primary(self) -> Deployment | None:
        """The deployment that the service is to run, if ECS controls its deployments."""
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def current(self) -> ServiceDeployment | None:
        """The newest service deployment."""
        return self.history[-1] if self.history else None


@dataclass(eq=False, slots=True)
class Task:
    """A task. `next_at` is when its lifecycle moves on by itself; None: not before something happens to it."""

    id: str
    task_arn: str
    cluster_name: str
    cluster_arn: str
    definition: TaskDefinition
    group: str
    created_at: datetime
    containers: list[Json]
    next_at: datetime | None
    tags: list[Json] = field(default_factory=list)
    request: Json = field(default_factory=dict)
    service: Service | None = None
    deployment: Deployment | None = None
    started_by: str | None = None
    launch_type: str | None = None
    capacity_provider: str | None = None
    instance: Any = None
    zone: str | None = None
    ip: str | None = None
    attachments: list[Json] = field(default_factory=list)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    behaviour: str = "runs"
    times: dict[str, datetime] = field(default_factory=dict)
    stop_code: str | None = None
    stopped_reason: str | None = None
    targets: list[Target] = field(default_factory=list)
    draining: list[Target] = field(default_factory=list)
    version: int = 1
    counted: bool = False

    @property
    def alive(self) -> bool:
        """Whether it is meant to run."""
        return self.desired_status == "RUNNING"

    @property
    def running(self) -> bool:
        """Whether it is meant to run and does."""
        return self.alive and self.last_status == "RUNNING"
