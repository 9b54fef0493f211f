"""What AWS answers, as values: one `Live` for each object, its health, and how far its rollout is."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.values import ABSENT, Json, ResourceId, Spec

TAG_ENVIRONMENT = "reconciler:environment"  # installation/environment
TAG_RESOURCE = "reconciler:resource"  # Kind/name
TAG_COMMIT = "reconciler:commit"  # the commit that was last applied in full
TAG_DIGEST = "reconciler:digest"  # of the resource as that commit renders it
TAG_APPLYING = "reconciler:applying"  # <commit> <since>: a change that is under way
TAG_REPLACES = "reconciler:replaces"  # the physical name of the object that this one takes over from
TAG_HOLD = "reconciler:hold"  # <until> <reason>
TAG_QUARANTINE = "reconciler:quarantine"  # the digest whose rollout failed
TAG_PREFIX = "reconciler:"


class HealthState(enum.Enum):
    """From best to worst; an aggregate is the worst of its parts."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Health:
    """A state and the sentence that explains it: `2 of 3 tasks running`."""

    state: HealthState
    reason: str = ""

    @staticmethod
    def worst(parts: Iterable[Health]) -> Health:
        """The worst part, as it stands; Healthy when there are none."""
        order = list(HealthState)
        return max(parts, key=lambda part: order.index(part.state), default=Health(HealthState.HEALTHY))


class RolloutState(enum.Enum):
    """Where a rollout of ours stands."""

    NONE = "none"  # nothing is under way, and the newest deployment is not one that has to be judged
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rollout:
    """A service's deployment as the user sees it, tracked by its ARN."""

    state: RolloutState
    deployment: str = ""
    reason: str = ""
    started: datetime | None = None
    rolling_back: bool = False  # AWS is putting the previous revision back by itself


@dataclass(frozen=True)
class Live:
    """One object as AWS describes it.

    `spec` has the members that the kind's manifests have, in their vocabulary, references as physical values.
    `attributes` is what references to it may ask for. `facts` is whatever else its kind needs: counts, deployments.
    """

    kind: str
    arn: str
    natural: str  # what makes it unique without tags: cluster/name, load balancer:port; matches `Kind.natural`
    spec: Spec
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Json] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)
    contents: Mapping[str, Spec] = field(default_factory=dict)  # what a reference embeds, by its path
    stands_for: ResourceId | None = None  # the resource that it is told to be by its content, not by tags

    @property
    def environment(self) -> str | None:
        """The environment that its tags name as owner, `installation/environment`."""
        return self.tags.get(TAG_ENVIRONMENT)

    @property
    def resource(self) -> ResourceId | None:
        """The resource that its tags name, if that is one of its own kind: a copied tag proves nothing."""
        if self.stands_for:
            return self.stands_for
        kind, slash, name = self.tags.get(TAG_RESOURCE, "").partition("/")
        return ResourceId(kind, name) if slash and name and kind == self.kind else None

    @property
    def applying(self) -> str | None:
        """The commit of the change that is under way."""
        return self.tags.get(TAG_APPLYING, "").partition(" ")[0] or None

    @property
    def applying_since(self) -> datetime | None:
        since = self.tags.get(TAG_APPLYING, "").partition(" ")[2]
        try:
            return datetime.fromisoformat(since) if since else None
        except ValueError:
            return None  # somebody edited the tag: the change is under way all the same


class Lives:
    """The objects of one observation, found by resource, by ARN, or by kind."""

    def __init__(self, owned: Mapping[ResourceId, Live] | None = None, others: Iterable[Live] = ()) -> None:
        self.owned: dict[ResourceId, Live] = dict(owned or {})
        self.others: list[Live] = list(others)  # candidates that are not ours: for adoption, and to see conflicts

    def get(self, identity: ResourceId) -> Live | None:
        return self.owned.get(identity)

    def of_kind(self, kind: str) -> Iterator[Live]:
        """Every object of a kind, ours first."""
        yield from (live for identity, live in self.owned.items() if identity.kind == kind)
        yield from (live for live in self.others if live.kind == kind)

    def attribute(self, identity: ResourceId, name: str) -> Json:
        """The attribute that a reference asks for; ABSENT while the object is not there or does not tell it."""
        live = self.owned.get(identity)
        return ABSENT if live is None else live.attributes.get(name, ABSENT)
