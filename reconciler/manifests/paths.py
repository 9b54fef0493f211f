"""The reference rows of a kind as a tree that is walked beside a spec.

`references` and `layers` use it: which member names another resource, and which shorter member may stand for it
(`targetGroup` for `targetGroupArn`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from reconciler.core.fields import steps
from reconciler.core.kind import Kind, Reference

_SUFFIX = re.compile(r"(?<=[a-z0-9])(Arn|Id|Name)(s?)$")


@dataclass(slots=True)
class Place:
    """What is known of one place in a spec. `rows` has more than one entry where several kinds may stand."""

    rows: list[Reference] = field(default_factory=list)
    members: dict[str, Place] = field(default_factory=dict)  # `[]` and `{}` for those of lists and maps
    sugar: dict[str, str] = field(default_factory=dict)  # short member → the member that it stands for

    def at(self, step: str) -> Place:
        return self.members.get(step, NOTHING)


NOTHING = Place()


def short_name(member: str) -> str | None:
    """The member without its suffix: `targetGroupArn` → `targetGroup`, `subnetIds` → `subnets`; None without one."""
    short = _SUFFIX.sub(r"\2", member)
    return short if short != member else None


@cache
def _tree(rows: tuple[Reference, ...]) -> Place:
    root = Place()
    for row in rows:
        _insert(root, row, steps(row.path))
    return root


def _insert(root: Place, row: Reference, path: Sequence[str]) -> None:
    place, member, owner = root, "", root
    for step in path:
        if step not in {"[]", "{}"}:
            member, owner = step, place
        place = place.members.setdefault(step, Place())
    place.rows.append(row)
    short = short_name(member)
    if short and not row.native:
        owner.sugar[short] = member


def reference_tree(kind: Kind) -> Place:
    """The reference rows of a kind, compiled once."""
    return _tree(kind.references)


def inlined(kind: Kind) -> Mapping[str, Reference]:
    """The top-level members in which the other resource's spec may stand itself, by member."""
    return {row.path: row for row in kind.references if row.inline and "." not in row.path and "[" not in row.path}
