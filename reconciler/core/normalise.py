"""Documents in normal form: two that mean the same have the same leaves.

A document is flattened to its leaves by path, guided by the kind's table: members of keyed lists are found by their
key, sets are sorted, values that mean the same get one form, and what is empty is absent. Everything AWS-specific
stands in the table; this module knows no field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from reconciler.core.fields import Field, Node, Path
from reconciler.core.values import ABSENT, Json, Ref, Spec, Template, canonical


class Leaf(NamedTuple):  # a tuple, because a pass makes hundreds of thousands of them
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
        if not self.closed:
            return False
        return any(
            path[:length] in self.closed and path[: length + 1] not in self.members for length in range(len(path))
        )


def flatten(spec: Spec, table: Node) -> Flat:
    """The leaves of a document that has passed its kind's `prepare`."""
    flat = Flat()
    _structure(spec, table, (), flat)
    return flat


_SCALARS: Final = (str, int, bool, float)


def _structure(value: Spec, node: Node, path: Path, flat: Flat) -> None:
    leaves, known, other = flat.leaves, node.members, node.bare or node
    for name, member in value.items():
        if member is None:
            continue
        inner = known.get(name, other)  # as `node.at`
        row = inner.row
        default = ABSENT if row is None or row.default is ABSENT else _default(inner, value)
        if type(member) in _SCALARS:  # what `_value` would do, without its questions: nearly every member is one
            normal = row.normal(member) if row and row.normal else member
            leaves[*path, name] = Leaf(normal, member, default, row, inner.governing)
        else:
            _value(member, inner, (*path, name), default, flat)


def _value(value: Json, node: Node, path: Path, default: Json, flat: Flat) -> None:
    row = node.row
    if isinstance(value, dict):
        if row and row.open_map:
            _members({f"[{key}]": member for key, member in value.items()}, row, node.at("{}"), path, flat)
        else:
            _structure(value, node, path, flat)
    elif isinstance(value, list) and row and row.key:
        _members(member_steps(value, row, node), row, node.at("[]"), path, flat)
    elif value == []:
        empty = [] if default is ABSENT else default  # empty is absent, but whoever writes it means it
        flat.leaves[path] = Leaf(empty, value, empty, row, node.governing)
    else:
        flat.leaves[path] = Leaf(_whole(value, node), value, default, row, node.governing)


def _members(members: dict[str, Json], row: Field, node: Node, path: Path, flat: Flat) -> None:
    if row.complete:
        flat.closed.add(path)
    for step, member in members.items():
        inner = (*path, step)
        flat.members.add(inner)
        _value(member, node, inner, ABSENT, flat)


def member_steps(members: list[Json], row: Field, list_node: Node) -> dict[str, Json]:
    """The members of a keyed list by the step that names each in a path: `[app]`."""
    named: dict[str, Json] = {}
    inner = list_node.at("[]")
    keys = [(name, inner.at(name)) for name in row.key]
    for member in members:
        step = f"[{_member_key(member, keys)}]"
        while step in named:
            step = step[:-1] + "']"  # two of one key, which AWS refuses: still told apart
        named[step] = member
    return named


def _member_key(member: Json, keys: list[tuple[str, Node]]) -> str:
    """What tells a member of a keyed list apart: the values of the key's fields, defaults filled in."""
    if not isinstance(member, dict):
        return str(member)
    parts = []
    for name, node in keys:
        value = member.get(name)
        part = _default(node, member) if value is None else _whole(value, node)
        if part is not ABSENT:
            parts.append(str(part))
    return "/".join(parts)


def _whole(value: Json, node: Node) -> Json:
    """A value that is compared as one: a scalar, a set of values, or a list whose order counts."""
    row = node.row
    if isinstance(value, dict):
        return _whole_map(value, node)
    if isinstance(value, list):
        inner = node.at("[]")
        members = [_whole(member, inner) for member in value]
        if row is None or not (row.unordered or row.key):
            return members
        plain = all(type(member) is str for member in members)
        return sorted(members, key=None if plain else canonical)
    return row.normal(value) if row and row.normal and not isinstance(value, Ref | Template) else value


def _whole_map(value: Spec, node: Node) -> Spec:
    kept: dict[str, Any] = {}
    for name, member in value.items():
        inner = node.at("{}" if node.row and node.row.open_map else name)
        normal = _whole(member, inner)
        if normal not in (None, [], {}) and normal != _default(inner, value):
            kept[name] = normal
    return kept


def _default(node: Node, parent: Spec) -> Json:
    """What AWS takes for the field when nobody sets it, in the form that it compares in."""
    default = node.row.default if node.row else ABSENT
    if default is ABSENT:
        return ABSENT
    if callable(default):
        default = default(parent)
    return default if default is ABSENT else _whole(default, node)
