"""Documents in normal form: two that mean the same have the same leaves.

A document is flattened to its leaves by path, guided by the kind's table: members of keyed lists are found by their
key, sets are sorted, values that mean the same get one form, and what is empty is absent. Everything AWS-specific
stands in the table; this module knows no field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.fields import Field, Node, Path
from reconciler.core.values import ABSENT, Json, Ref, Spec, Template, canonical


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: as it compares, as it was written, and what AWS would take for it if it were not there."""

    value: Json
    raw: Json
    default: Json
    row: Field | None  # the table's own row for it; None: no table knows the field
    governing: Field | None

    @property
    def is_default(self) -> bool:
        return self.default is not ABSENT and bool(self.value == self.default)


@dataclass(frozen=True, slots=True)
class Flat:
    """A document's leaves, and the places where it says that there is nothing else."""

    leaves: dict[Path, Leaf] = field(default_factory=dict)
    closed: set[Path] = field(default_factory=set)  # complete lists and maps: a member not named is declared absent
    members: set[Path] = field(default_factory=set)  # the members they have

    def closes(self, path: Path) -> bool:
        """Whether the document says that there is nothing at the path."""
        return any(
            path[:length] in self.closed and path[: length + 1] not in self.members for length in range(len(path))
        )


def flatten(spec: Spec, table: Node) -> Flat:
    """The leaves of a document that has passed its kind's `prepare`."""
    flat = Flat()
    _structure(spec, table, (), flat)
    return flat


def _structure(value: Spec, node: Node, path: Path, flat: Flat) -> None:
    for name, member in value.items():
        if member is None:
            continue
        inner = node.at(name)
        default = _default(inner.row, value)
        _value(member, inner, (*path, name), default, flat)


def _value(value: Json, node: Node, path: Path, default: Json, flat: Flat) -> None:
    row = node.row
    match value:
        case dict() if row and row.open_map:
            _members(((key, member, node.at("{}")) for key, member in value.items()), row, path, flat)
        case dict():
            _structure(value, node, path, flat)
        case list() if row and row.key:
            _members(((member_key(m, row, node), m, node.at("[]")) for m in value), row, path, flat)
        case list() if not value:
            flat.closed.add(path)
        case _:
            flat.leaves[path] = Leaf(_whole(value, node), value, default, row, node.governing)


def _members(members: Iterable[tuple[str, Json, Node]], row: Field, path: Path, flat: Flat) -> None:
    if row.complete:
        flat.closed.add(path)
    for key, member, node in members:
        inner = (*path, f"[{key}]")
        while inner in flat.members:
            inner = (*path, inner[-1][:-1] + "'" + "]")  # two of one key, which AWS refuses: still told apart
        flat.members.add(inner)
        _value(member, node, inner, ABSENT, flat)


def member_key(member: Json, row: Field, list_node: Node) -> str:
    """What tells a member of a keyed list apart: the values of the key's fields, defaults filled in."""
    if not isinstance(member, dict):
        return str(member)
    node = list_node.at("[]")
    parts = [member[name] if name in member else _default(node.at(name).row, member) for name in row.key]
    return "/".join(str(part) for part in parts if part is not ABSENT and part is not None)


def _whole(value: Json, node: Node) -> Json:
    """A value that is compared as one: a scalar, a set of values, or a list whose order counts."""
    row = node.row
    match value:
        case Ref() | Template():
            return value
        case list():
            inner = node.at("[]")
            members = [_whole(member, inner) for member in value]
            return sorted(members, key=canonical) if row and row.unordered else members
        case dict():
            kept: dict[str, Any] = {}
            for name, member in value.items():
                shape = node.at(name)
                normal = _whole(member, shape)
                if normal not in (None, [], {}) and normal != _default(shape.row, value):
                    kept[name] = normal
            return kept
        case _:
            return row.normal(value) if row and row.normal else value


def _default(row: Field | None, parent: Spec) -> Json:
    if row is None:
        return ABSENT
    return row.default(parent) if callable(row.default) else row.default
