"""Observation: every kind reads what is live, in the order that their reading needs, and ownership is settled.

A kind that cannot be read is Unknown, with everything that is read after it: an AWS error never looks like an absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from graphlib import TopologicalSorter

from reconciler.core.call import Reader
from reconciler.core.errors import AwsError, WrongAccountError
from reconciler.core.kind import Kind, ReadRequest
from reconciler.core.live import Lives
from reconciler.core.ownership import Claims, claim
from reconciler.core.resource import Desired, Resource
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, resolve


@dataclass
class Observation:
    """What AWS answered, by what it is to this environment."""

    claims: Claims = field(default_factory=Claims)
    unreadable: dict[str, str] = field(default_factory=dict)  # kind → why


def observe(desired: Desired, kinds: Mapping[str, Kind], reader: Reader, now: datetime) -> Observation:
    """Read every kind. Raises WrongAccountError for credentials of elsewhere; other errors make kinds Unknown."""
    seen = Observation()
    by_kind: dict[str, dict[ResourceId, Resource]] = {name: {} for name in kinds}
    for identity, resource in desired.resources.items():
        by_kind[identity.kind][identity] = resource
    for name in reading_order(kinds):
        kind = kinds[name]
        if unread := next((other for other in kind.reads_after if other in seen.unreadable), None):
            seen.unreadable[name] = f"{unread} could not be read: {seen.unreadable[unread]}"
            continue
        resolved = {identity: _resolved(resource, desired, seen) for identity, resource in by_kind[name].items()}
        lives = Lives(seen.claims.owned, seen.claims.others)
        request = ReadRequest(reader, resolved, lives, desired.environment.tag, now)
        try:
            found = list(kind.read(request))
        except WrongAccountError:
            raise
        except AwsError as error:
            seen.unreadable[name] = str(error)
            continue
        claim(seen.claims, kind, resolved, found, desired.environment.tag)
    return seen


def reading_order(kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """The kinds, each after those that its reading needs; the same order every time."""
    sorter = TopologicalSorter({name: sorted(kinds[name].reads_after) for name in sorted(kinds)})
    return tuple(sorter.static_order())


def _resolved(resource: Resource, desired: Desired, seen: Observation) -> Resource:
    def lookup(ref: Ref) -> Json:
        live = seen.claims.owned.get(ref.target) or seen.claims.adoptable.get(ref.target)
        known = ABSENT if live is None else live.attributes.get(ref.attribute, ABSENT)
        return known if ref.environment in (None, desired.environment.name) else ABSENT

    if not resource.references:
        return resource
    return replace(resource, spec=resolve(resource.spec, lookup))
