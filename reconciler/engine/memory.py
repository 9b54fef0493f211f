"""What a pass remembers between passes. It is history and a cache: with nothing remembered, every rule still holds.

`reconciler.store` keeps it in a database; `NoMemory` forgets at the end of the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from reconciler.core.values import ResourceId, Spec


class Memory(Protocol):
    """Baselines, and since when resources have drifted."""

    def baselines(self, environment: str) -> Mapping[ResourceId, tuple[str, Spec]]:
        """For each resource the digest that was applied, and what AWS answered after that."""

    def keep_baseline(self, environment: str, resource: ResourceId, digest: str, spec: Spec) -> None:
        """Replaces the baseline of a resource."""

    def drifts(self, environment: str) -> Mapping[ResourceId, datetime]:
        """Since when each drifted resource has been."""

    def keep_drifts(self, environment: str, drifted: Iterable[ResourceId], now: datetime) -> None:
        """The resources that are drifted now; those not named have recovered."""


class NoMemory:
    """Memory for the time of a process."""

    def __init__(self) -> None:
        self._baselines: dict[tuple[str, ResourceId], tuple[str, Spec]] = {}
        self._drifts: dict[tuple[str, ResourceId], datetime] = {}

    def baselines(self, environment: str) -> Mapping[ResourceId, tuple[str, Spec]]:
        return {identity: kept for (owner, identity), kept in self._baselines.items() if owner == environment}

    def keep_baseline(self, environment: str, resource: ResourceId, digest: str, spec: Spec) -> None:
        self._baselines[environment, resource] = digest, spec

    def drifts(self, environment: str) -> Mapping[ResourceId, datetime]:
        return {identity: since for (owner, identity), since in self._drifts.items() if owner == environment}

    def keep_drifts(self, environment: str, drifted: Iterable[ResourceId], now: datetime) -> None:
        before = self.drifts(environment)
        self._drifts = {key: since for key, since in self._drifts.items() if key[0] != environment}
        self._drifts |= {(environment, identity): before.get(identity, now) for identity in drifted}
