"""Commits as desired states: a commit renders the same for ever, so it is rendered once.

A pass asks for its own commit, and for those that the tags of live objects name (their base). Renderings are kept in
memory, and on disk by what they are made from: a commit that touches nothing of an environment costs it nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from reconciler.core.errors import InvalidManifestsError, ReconcilerError
from reconciler.core.kind import Kind
from reconciler.core.resource import Desired
from reconciler.core.values import Json, digest_of
from reconciler.git import Repository, SourceFile, manifest_files
from reconciler.manifests import serial
from reconciler.manifests.installation import Installation, installation
from reconciler.manifests.load import render
from reconciler.manifests.schemas import Schemas, committed


class RenderCache(Protocol):
    """Where renderings are kept: `reconciler.aws.cache.Cache` is one."""

    def get(self, key: str) -> tuple[Json, datetime] | None: ...

    def put(self, key: str, value: Json, stored_at: datetime) -> None: ...


@dataclass(frozen=True)
class CommitSource:
    """The files of one commit, read from git's objects."""

    repository: Repository
    commit: str

    def files(self, folder: str) -> Sequence[SourceFile]:
        return manifest_files(self.repository, self.commit, folder)

    def read(self, path: str) -> bytes | None:
        return self.repository.read_path(self.commit, path)


@dataclass
class Renderings:
    """Renders the environment of one repository at any commit."""

    repository: Repository
    kinds: Mapping[str, Kind]
    environment: str | None = None  # None: the only one that there is
    cache: RenderCache | None = None
    version: str = "0"  # of the program: another version may render differently
    _made: dict[str, Desired | None] = field(default_factory=dict)
    _schemas: Schemas | None = None

    def at(self, commit: str) -> Desired:
        """The desired state of a commit that is there. Raises InvalidManifestsError with every problem."""
        known = self._made.get(commit)
        if known is not None:
            return known
        source = CommitSource(self.repository, commit)
        self._schemas = self._schemas or committed()
        found = installation(source, self._schemas)
        desired = self._cached(source, found) if self.cache else self._render(source, found)
        self._made[commit] = desired
        self.environment = desired.environment.name
        return desired

    def base(self, commit: str) -> Desired | None:
        """The same for a commit that a tag names: None when it cannot be had, or does not validate any more."""
        if commit not in self._made:
            try:
                self._made[commit] = self.at(commit) if self.repository.obtain(commit) else None
            except (InvalidManifestsError, ReconcilerError):
                self._made[commit] = None
        return self._made[commit]

    def _render(self, source: CommitSource, found: Installation) -> Desired:
        return render(source, self.kinds, found, found.environment(self.environment), schemas=self._schemas)

    def _cached(self, source: CommitSource, found: Installation) -> Desired:
        if self.cache is None:
            raise AssertionError("asked only where there is a cache")
        environment = found.environment(self.environment)
        trees = [self.repository.tree_id(source.commit, layer) for layer in environment.layers]
        named = [repr(environment), found.names(), trees, self.version, serial.VERSION, sorted(self.kinds)]
        key = f"rendering/{digest_of(named)}"
        if kept := self.cache.get(key):
            try:
                return replace(serial.from_json(kept[0]), commit=source.commit)
            except (serial.UnknownVersionError, KeyError, TypeError):
                pass  # written by another version: render again
        desired = self._render(source, found)
        self.cache.put(key, serial.to_json(desired), self.repository.commit(source.commit).time)
        return desired
