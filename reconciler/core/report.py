"""What a pass found and did: the value that the command line, the store and the dashboard show."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.core.difference import Difference
from reconciler.core.live import Health, HealthState
from reconciler.core.masking import masked_text
from reconciler.core.plan import Plan
from reconciler.core.values import Json, ResourceId


class SyncState(enum.Enum):
    """Whether live is what git says. An AWS error is Unknown, never OutOfSync."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class Operation(enum.Enum):
    """What became of this pass's own writes to the resource."""

    NONE = "None"
    RUNNING = "Running"  # written, or its rollout is under way
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """One resource on its three axes, with the sentence that explains them."""

    id: ResourceId
    sync: SyncState
    health: Health
    operation: Operation = Operation.NONE
    differences: tuple[Difference, ...] = ()
    message: str = ""
    next: str = ""  # what a person can do
    quarantined: bool = False
    hold: str = ""  # until when and why a person holds it
    arn: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)  # counts and revisions, for screens
    part_of: ResourceId | None = None
    parents: tuple[ResourceId, ...] = ()  # what it refers to, for trees and graphs

    @property
    def held(self) -> bool:
        return bool(self.hold)

    def to_json(self) -> dict[str, Json]:
        return {
            "resource": str(self.id),
            "sync": self.sync.value,
            "health": self.health.state.value,
            "healthReason": masked_text(self.health.reason),
            "operation": self.operation.value,
            "message": masked_text(self.message),
            "next": self.next,
            "quarantined": self.quarantined,
            "held": self.held,
            "hold": masked_text(self.hold),
            "arn": self.arn,
            "differences": [difference.to_json() for difference in self.differences],
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that did not succeed."""

    action: str
    message: str
    retry: str  # of core.errors.Retry: terminal, later, observe

    def to_json(self) -> dict[str, Json]:
        return {"action": self.action, "message": masked_text(self.message), "retry": self.retry}


@dataclass(frozen=True)
class PassReport:
    """One pass over one environment at one commit."""

    environment: str
    commit: str
    started: datetime
    plan: Plan
    statuses: Mapping[ResourceId, ResourceStatus]
    applied: tuple[str, ...] = ()  # ids of the actions that succeeded
    failures: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()  # ids of the actions that waited for a failed one
    look_again: timedelta | None = None  # None: only when something happens
    calls: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def sync(self) -> SyncState:
        states = {status.sync for status in self.statuses.values()}
        order = (SyncState.UNKNOWN, SyncState.OUT_OF_SYNC)
        return next((state for state in order if state in states), SyncState.SYNCED)

    @property
    def health(self) -> Health:
        worst = Health.worst(status.health for status in self.statuses.values())
        return Health(HealthState.HEALTHY) if worst.state is HealthState.SUSPENDED else worst

    @property
    def settled(self) -> bool:
        """Whether nothing is under way and nothing will change before git or AWS does."""
        return self.look_again is None

    def to_json(self) -> dict[str, Json]:
        return {
            "environment": self.environment,
            "commit": self.commit,
            "started": self.started.isoformat(),
            "sync": self.sync.value,
            "health": self.health.state.value,
            "plan": self.plan.to_json(),
            "resources": [status.to_json() for status in self.statuses.values()],
            "applied": list(self.applied),
            "failures": [failure.to_json() for failure in self.failures],
            "skipped": list(self.skipped),
            "lookAgainSeconds": self.look_again.total_seconds() if self.look_again else None,
            "calls": dict(self.calls),
            "warnings": list(self.warnings),
        }
