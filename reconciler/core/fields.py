"""What is known of a kind's fields, as rows of a table.

A kind's table is the only place that knows which list is a set, what AWS fills in, which unit means the same, what a
change costs, and what happens to a field that git no longer has. A field that no row names is compared as it stands
when declared, and is never drift when it is not.

A row names its field by a path: `containerDefinitions[].portMappings[].hostPort`, where `[]` is any member of a list
and `{}` any value of a map.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from reconciler.core.values import ABSENT, Json, Spec

Path: TypeAlias = tuple[str, ...]
"""A field of one document in normal form; members of a keyed list are named by their key."""


class Effect(enum.Enum):
    """What a change of the field costs."""

    IN_PLACE = "in place"
    DEPLOYMENT = "new deployment"
    NEW_TASKS = "new tasks only"
    REPLACE = "replacement"


class Removal(enum.Enum):
    """What happens when git no longer has a field that it had."""

    KEEP = "keep"  # the live value stays; the plan warns
    REPLACE = "replace"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Reset:
    """Removing the field writes this value, which for AWS means 'as if it had never been set'."""

    value: Json

    def within(self, inner: Iterable[str]) -> Reset:
        """What it means for a field inside the structure that it was written for.

        Of an object that field takes its part, in a list there is none; any other value is meant for every field.
        """
        value = self.value
        for step in inner:
            if isinstance(value, dict):
                value = value.get(step, ABSENT)
            elif isinstance(value, list):
                value = ABSENT
        return Reset(value)


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a kind's table."""

    path: str
    key: tuple[str, ...] = ()  # the list is a set of objects that these members tell apart
    unordered: bool = False  # the list is a set of whole values
    complete: bool = True  # a keyed list or map that is declared is declared whole; False: only the members named
    open_map: bool = False  # a map whose keys are the user's own, such as dockerLabels
    default: Json | Callable[[Spec], Json] = ABSENT  # AWS's value for it when nobody sets it; called with its parent
    normal: Callable[[Json], Json] | None = None  # one form for values that mean the same
    computed: bool = False  # AWS fills it in: ignored when undeclared
    removed: Removal | Reset | None = None  # None: as the row of the structure it stands in, at the top KEEP
    effect: Effect | None = None  # None: likewise, at the top IN_PLACE
    secret: bool = False  # its values are masked wherever they are shown
    source: str = ""  # where the fact comes from

    def under(self, prefix: str) -> Field:
        """The same row for a document that stands inside another."""
        return replace(self, path=f"{prefix}.{self.path}")


@dataclass(frozen=True, slots=True)
class Node:
    """The rows of a table as a tree, so that a document is walked once."""

    row: Field | None  # what the table says of just this place
    governing: Field | None  # the row that says what a change here costs: its own, or that of a structure around it
    members: Mapping[str, Node]
    bare: Node | None = None  # the node of members that the table has no row for; None: this one itself is bare

    def at(self, step: str) -> Node:
        """The node of a member; where the table has no row for it, a bare one that this place governs."""
        return self.members.get(step) or self.bare or self


_STEP_LIST = "[]"
_STEP_MAP = "{}"


def table(rows: Iterable[Field]) -> Node:
    """Compile rows to a tree; two rows with one path are a mistake in the kind: ValueError."""
    root: dict[str, Any] = {}
    for row in rows:
        level = root
        for step in steps(row.path):
            level = level.setdefault(step, {})
        if "" in level:
            raise ValueError(f"two rows for {row.path}")
        level[""] = row
    return _freeze(root, None)


def steps(path: str) -> list[str]:
    """`a[].b{}` → `a`, `[]`, `b`, `{}`."""
    return path.replace(_STEP_LIST, "." + _STEP_LIST).replace(_STEP_MAP, "." + _STEP_MAP).split(".")


def _freeze(level: Mapping[str, Any], around: Field | None) -> Node:
    row = _inherit(level.get(""), around)
    governing = row or around
    inner_levels = {step: inner for step, inner in level.items() if step}
    if row and row.complete:
        _imply(row, inner_levels)
    members = {step: _freeze(inner, governing) for step, inner in inner_levels.items()}
    return Node(row, governing, members, Node(None, governing, {}))


def _imply(row: Field, levels: dict[str, Any]) -> None:
    """Who knows a list's keys, or a map, knows its members: they need no rows of their own to be drift."""
    if row.open_map:
        levels[_STEP_MAP] = {"": Field(f"{row.path}{_STEP_MAP}"), **levels.get(_STEP_MAP, {})}
    if row.key:
        member = dict(levels.get(_STEP_LIST, {}))
        for name in row.key:
            member[name] = {"": Field(f"{row.path}{_STEP_LIST}.{name}"), **member.get(name, {})}
        levels[_STEP_LIST] = member


def _inherit(row: Field | None, around: Field | None) -> Field | None:
    if row is None or around is None:
        return row
    removed = around.removed
    if isinstance(removed, Reset):
        removed = removed.within(steps(row.path)[len(steps(around.path)) :])
    return replace(
        row,
        removed=row.removed if row.removed is not None else removed,
        effect=row.effect if row.effect is not None else around.effect,
        secret=row.secret or around.secret,
        computed=row.computed or around.computed,
    )
