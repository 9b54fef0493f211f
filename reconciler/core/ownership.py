"""Whose objects are they: what AWS answered, sorted by what the tags prove.

Owned is what carries this environment's tags for a resource of its own kind. Everything else is only watched: never
changed, never deleted. Two objects that claim to be one resource are nobody's until a person decides, but for the pair
that a replacement makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.core.kind import Kind
from reconciler.core.live import TAG_REPLACES, Live
from reconciler.core.names import physical_name
from reconciler.core.resource import Resource
from reconciler.core.values import ResourceId


@dataclass
class Claims:
    """The objects of one observation by what they are to this environment. Filled kind by kind while reading."""

    owned: dict[ResourceId, Live] = field(default_factory=dict)
    others: list[Live] = field(default_factory=list)
    retiring: dict[ResourceId, Live] = field(default_factory=dict)  # the old one of a pair that a replacement made
    adoptable: dict[ResourceId, Live] = field(default_factory=dict)
    renamed: dict[ResourceId, ResourceId] = field(default_factory=dict)  # new identity → the one its tags still have
    refused: dict[ResourceId, str] = field(default_factory=dict)  # resource → why it may not be written


def claim(
    claims: Claims, kind: Kind, desired: Mapping[ResourceId, Resource], lives: Iterable[Live], environment: str
) -> None:
    """Sort the objects of one kind into the claims."""
    by_resource: dict[ResourceId, list[Live]] = {}
    for live in lives:
        identity = live.resource
        if identity and (live.stands_for or live.environment == environment):
            by_resource.setdefault(identity, []).append(live)
        else:
            claims.others.append(live)
    _follow_renames(claims, desired, by_resource)
    suffixed = desired.items() if kind.suffixed else ()
    given = {one: physical_name(kind, resource, environment, resource.spec) for one, resource in suffixed}
    for identity, found in by_resource.items():
        _settle(claims, identity, found, given.get(identity, ""))
    unclaimed = {live.natural: live for live in claims.others if live.kind == kind.name}
    for identity, resource in desired.items():
        names = (kind.natural(resource), given.get(identity, ""))
        other = next((unclaimed[name] for name in names if name in unclaimed), None)
        if identity not in by_resource and other:
            _meet(claims, resource, other)


def _follow_renames(
    claims: Claims, desired: Mapping[ResourceId, Resource], by_resource: dict[ResourceId, list[Live]]
) -> None:
    for identity, resource in desired.items():
        before = ResourceId(identity.kind, resource.previous_name) if resource.previous_name else None
        if before and before in by_resource and identity not in by_resource and before not in desired:
            by_resource[identity] = by_resource.pop(before)
            claims.renamed[identity] = before


def _settle(claims: Claims, identity: ResourceId, found: list[Live], given: str) -> None:
    """`given` is the name that the object would be made with now: of a pair, who has it is the one that git wants.

    That is the successor, but when git goes back to what is being replaced: then the roles change.
    """
    match found:
        case [live]:
            claims.owned[identity] = live
        case [one, other] if _replaces(one, other) or _replaces(other, one):
            successor = one if _replaces(one, other) else other
            wanted = next((live for live in found if live.natural == given), successor)
            claims.owned[identity], claims.retiring[identity] = wanted, other if wanted is one else one
        case _:
            arns = ", ".join(sorted(live.arn for live in found))
            # None of them is owned, so no reference leads to one: what uses the resource waits for a person too.
            claims.refused[identity] = (
                f"{len(found)} objects carry its tag reconciler:resource={identity} ({arns}); "
                "remove the tag from those that are copies"
            )


def _replaces(one: Live, other: Live) -> bool:
    return one.tags.get(TAG_REPLACES) == other.natural


def _meet(claims: Claims, resource: Resource, other: Live) -> None:
    if other.environment:
        claims.refused[resource.id] = f"{other.arn} belongs to {other.environment} and stays there"
    elif resource.settings.adopt:
        claims.adoptable[resource.id] = other
    else:
        claims.refused[resource.id] = (
            f"{other.arn} is there already and not ours; `reconciler adopt {resource.id}` or "
            "`reconcile: {adopt: true}` takes it over, another name leaves it alone"
        )
