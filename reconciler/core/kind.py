"""What an AWS kind is: data first, then a few small functions.

Each file in `reconciler.kinds` makes one `Kind`. The engine, the schemas, the documentation and the contract tests
read it; adding a kind is adding such a file and its test data.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from reconciler.core.call import Call, Reader
from reconciler.core.difference import Difference
from reconciler.core.fields import Effect, Field, Node, table
from reconciler.core.live import Health, HealthState, Live, Lives, Rollout, RolloutState
from reconciler.core.resource import Resource, Users
from reconciler.core.values import Json, ResourceId, Spec


class Ownership(enum.Enum):
    """How AWS can tell that an object is ours."""

    TAG = "tag"
    PARENT = "parent"  # it takes no tags: it is ours as a part of what is ours
    NAME = "name"


class Replacement(enum.Enum):
    """What changing a create-only field takes."""

    NEW_FIRST = "new first"  # a second object takes over while the first still serves; see core/replacement.py
    DELETE_FIRST = "delete first"  # the name or port is taken: needs a person's allowReplace


@dataclass(frozen=True, slots=True)
class Input:
    """An operation whose input members are fields of the manifest."""

    operation: str
    omit: tuple[str, ...] = ()  # members that the controller fills itself, such as clientToken
    only: tuple[str, ...] = ()  # none: all members but the omitted


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names another resource.

    In a manifest the field without its Arn, Id or Name suffix takes a manifest's name (`targetGroup: web` for
    `targetGroupArn`). A `native` field keeps its own name and takes either: a bare name is the manifest's if there is
    one, else literal.
    """

    path: str  # loadBalancers[].targetGroupArn
    kind: str
    attribute: str = "arn"
    native: bool = False
    inline: bool = False  # the other resource's spec may stand here itself


@dataclass(frozen=True, slots=True)
class Permissions:
    """IAM actions, by what they are for."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    delete: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a kind may know when it reads: everything read before it, and what is desired of it."""

    reader: Reader
    desired: Mapping[ResourceId, Resource]  # of this kind; references resolved as far as `lives` knows their targets
    lives: Lives
    environment: str  # installation/environment
    now: datetime


@dataclass(frozen=True, slots=True)
class Creation:
    """An object to be made. `spec` holds `Ref` leaves for what does not exist yet."""

    resource: ResourceId
    name: str  # physical
    spec: Spec
    tags: Mapping[str, str]  # ours; the manifest's own stand in the spec
    token: str  # 32 hex digits, for client tokens


@dataclass(frozen=True, slots=True)
class Change:
    """An object to be changed: `spec` is what it shall be in full, `differences` what is written now."""

    resource: ResourceId
    live: Live
    spec: Spec
    differences: tuple[Difference, ...]

    def changed(self) -> tuple[str, ...]:
        """The top-level members that the differences touch, in order."""
        return tuple(dict.fromkeys(difference.path[0] for difference in self.differences))

    def members(self) -> Spec:
        """Those members with the value they shall have; a removed one is left out."""
        return {name: self.spec[name] for name in self.changed() if name in self.spec}


@dataclass(frozen=True, slots=True)
class Yielded:
    """A field that something else in AWS owns at present: neither compared nor written."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a spec that the schema cannot say: `path` as in containerDefinitions[0].cpu."""

    path: str
    message: str


def _nothing(*_: object) -> tuple[()]:
    return ()


def _unchanged(spec: Spec) -> Spec:
    return spec


def _no_rollout(_live: Live, _desired_content: Json) -> Rollout:
    return Rollout(RolloutState.NONE)


def _there(_live: Live) -> Health:
    return Health(HealthState.HEALTHY)


@dataclass(frozen=True)
class Kind:
    """One AWS kind."""

    name: str
    summary: str  # one sentence for the documentation
    service: str  # botocore's name of its service, which also says how its tags are written
    inputs: tuple[Input, ...]
    fields: tuple[Field, ...]
    permissions: Permissions
    read: Callable[[ReadRequest], Iterable[Live]]
    """Every object that carries the environment's tag, and every other whose natural key a desired resource has."""
    create: Callable[[Creation], tuple[Call, ...]]
    update: Callable[[Change], tuple[Call, ...]]
    delete: Callable[[Live], tuple[Call, ...]]
    natural: Callable[[Resource], str]
    """The key that `Live.natural` has for the same object; empty while a reference in it is not known."""
    name_field: str | None = None  # the spec's member that names the object in AWS; default: metadata.name
    references: tuple[Reference, ...] = ()
    reads_after: tuple[str, ...] = ()  # kinds whose objects its own reading needs
    attributes: tuple[str, ...] = ("arn",)  # what references to it may ask for
    ownership: Ownership = Ownership.TAG
    replacement: Replacement = Replacement.DELETE_FIRST
    content_addressed: bool = False  # immutable content that others run: diffed where it is used
    rolls_out: bool = False  # a change may start a rollout, which ends in a later pass
    suffixed: bool = False  # its physical name carries a suffix made from its create-only fields
    schema: Mapping[str, Json] = field(default_factory=dict)
    """JSON Schema merged over the generated one, e.g. {"properties": {"containerDefinitions": {"maxItems": 10}}}."""
    check: Callable[[Spec], Iterable[Fault]] = _nothing
    prepare: Callable[[Spec], Spec] = _unchanged
    """Brings a spec into a form that the table can compare where one field decides over another; both sides pass it."""
    after: Callable[[Resource, Users], Iterable[ResourceId]] = _nothing
    """Edges that AWS implies beyond the references: this resource is made after those, and deleted before them."""
    together: Callable[[Call], str] = lambda _call: ""
    """Calls with the same answer must reach AWS as one (two rules that swap priorities); empty: it stands alone."""
    yields: Callable[[Live], Iterable[Yielded]] = _nothing
    health: Callable[[Live], Health] = _there
    rollout: Callable[[Live, Json], Rollout] = _no_rollout
    """How the rollout of the given content stands (the spec in full, embedded content resolved)."""
    abort: Callable[[Live, Rollout], tuple[Call, ...]] = _nothing
    """Ends a failed rollout so that the previous revision serves."""

    @cached_property
    def table(self) -> Node:
        return table(self.fields)

    def physical_name(self, resource: Resource) -> str:
        """The API's name field, else `metadata.name`."""
        named = resource.spec.get(self.name_field) if self.name_field else None
        return named if isinstance(named, str) else resource.id.name

    def create_only(self) -> tuple[Field, ...]:
        """The rows whose change takes a replacement."""
        return tuple(row for row in self.fields if row.effect is Effect.REPLACE)
