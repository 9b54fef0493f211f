"""What a commit asks for: environments, resources, and the policy that governs them.

`Desired` is the first value of a pass. It is made by `reconciler.manifests`, is the same for the same commit wherever
it is rendered, and needs no AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from reconciler.core.values import Ref, ResourceId, Spec, digest_of, references

DEFAULT_TIMEOUT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a manifest stands in the repository; line and column count from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The `reconcile:` part of a manifest."""

    wave: int = 0
    adopt: bool = False
    protect: bool = False
    timeout: timedelta | None = None  # None: the environment's
    ignore: tuple[str, ...] = ()  # field paths that are neither compared nor written
    allow_replace: str | None = None  # the digest of the plan that a person allowed


@dataclass(frozen=True)
class Resource:
    """One desired resource: the content of its manifest after layers and variables, references still symbolic."""

    id: ResourceId
    spec: Spec
    settings: Settings = Settings()
    labels: Mapping[str, str] = field(default_factory=dict)
    previous_name: str | None = None
    origins: tuple[Origin, ...] = ()  # one for each layer that has a part in it
    part_of: ResourceId | None = None  # the resource in whose manifest it was written inline
    embeds: Mapping[str, str] = field(default_factory=dict)  # Kind/name → digest of content that its references embed

    @cached_property
    def digest(self) -> str:
        """Names the rendered content: spec and name, without the settings, so that a new wave touches nothing.

        A reference to content (a task definition) brings that content's digest with it.
        """
        return digest_of({"id": str(self.id), "spec": self.spec, "embeds": dict(self.embeds)})

    @cached_property
    def references(self) -> tuple[Ref, ...]:
        return tuple(dict.fromkeys(references(self.spec)))


Users = Mapping[ResourceId, tuple[ResourceId, ...]]
"""For each resource those that refer to it."""


def users_of(resources: Mapping[ResourceId, Resource]) -> Users:
    """The references of all resources, turned round; each user once, in the order of the resources."""
    users: dict[ResourceId, list[ResourceId]] = {}
    for identity, resource in resources.items():
        for target in dict.fromkeys(ref.target for ref in resource.references):
            users.setdefault(target, []).append(identity)
    return {target: tuple(found) for target, found in users.items()}


@dataclass(frozen=True, slots=True)
class Never:
    """A part of an environment that is watched, but never put back."""

    kind: str
    fields: tuple[str, ...] = ()  # none: the whole resource


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which nothing is written: from each start that the cron expression names, for so long."""

    deny: str  # five cron fields
    duration: timedelta
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Sync:
    """The policy of an environment; the defaults write nothing by themselves."""

    mode: str = "manual"  # auto | manual
    self_heal: bool = False
    self_heal_after: timedelta = timedelta(0)
    undeclared: str = "alert"  # alert | ignore
    prune: bool = False
    max_deletions: int = 3
    timeout: timedelta = DEFAULT_TIMEOUT
    never: tuple[Never, ...] = ()
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """One account and region, and the layers that describe it."""

    name: str
    installation: str
    account: str
    region: str
    layers: tuple[str, ...]
    variables: Mapping[str, object] = field(default_factory=dict)
    sync: Sync = Sync()
    origin: Origin = Origin("reconciler.yaml", 1)

    @property
    def tag(self) -> str:
        """The value of the tag `reconciler:environment`."""
        return f"{self.installation}/{self.name}"


@dataclass(frozen=True)
class Desired:
    """The resources of one commit in one environment, rendered and checked."""

    environment: Environment
    commit: str
    resources: Mapping[ResourceId, Resource]
    warnings: tuple[str, ...] = ()  # such as a bare name that was taken literally because no manifest has it

    @cached_property
    def digest(self) -> str:
        return digest_of({str(identity): resource.digest for identity, resource in self.resources.items()})
