"""A store that may fail without stopping a pass.

The store is history and a cache. A file that is damaged, locked or in a folder that became read-only costs what was
remembered (baselines of undeclared drift, since when something has drifted), never the pass. Used by the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from reconciler.core.values import ResourceId, Spec
from reconciler.store.database import Store, StoreError, open_store


class Forgiving:
    """The store at an address, as the engine's `Memory`. What fails is told once, and nothing is remembered after."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._store: Store | None = None
        try:
            self._store = open_store(url)
        except StoreError as error:
            self._lost(error)

    def baselines(self, environment: str) -> Mapping[ResourceId, tuple[str, Spec]]:
        """As Store.baselines; empty when it cannot be read."""
        try:
            return self._store.baselines(environment) if self._store else {}
        except StoreError as error:
            self._lost(error)
            return {}

    def keep_baseline(self, environment: str, resource: ResourceId, digest: str, spec: Spec) -> None:
        """As Store.keep_baseline; forgotten when it cannot be written."""
        try:
            if self._store:
                self._store.keep_baseline(environment, resource, digest, spec)
        except StoreError as error:
            self._lost(error)

    def drifts(self, environment: str) -> Mapping[ResourceId, datetime]:
        """As Store.drifts; empty when it cannot be read."""
        try:
            return self._store.drifts(environment) if self._store else {}
        except StoreError as error:
            self._lost(error)
            return {}

    def keep_drifts(self, environment: str, drifted: Iterable[ResourceId], now: datetime) -> None:
        """As Store.keep_drifts; forgotten when it cannot be written."""
        try:
            if self._store:
                self._store.keep_drifts(environment, drifted, now)
        except StoreError as error:
            self._lost(error)

    def close(self) -> None:
        """Close the database."""
        if self._store:
            self._store.close()
            self._store = None

    def _lost(self, error: StoreError) -> None:
        self._tell(f"{error}. Going on without it")
        self.close()
