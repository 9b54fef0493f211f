"""What an object shall be: its live document with some differences put right, and the rest left as it is.

AWS calls replace whole members, so what is written always carries its neighbours with it; this makes sure that the
neighbours are the live ones unless their own differences are written too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Node, Path, Removal, Reset
from reconciler.core.normalise import member_steps
from reconciler.core.values import ABSENT, Json, Spec


def patched(live: Spec, differences: Iterable[Difference], table: Node) -> Spec:
    """The live document with the differences written into it; the argument is not changed."""
    tree = _tree(live, table)
    for difference in differences:
        value = aim(difference)
        if value is ABSENT:
            _remove(tree, difference.path, table)
        else:
            _put(tree, difference.path, value)
    result: Spec = _document(tree, table)
    return result


def aim(difference: Difference) -> Json:
    """The value that the field shall have; ABSENT to leave it out."""
    if difference.cause is not Cause.REMOVED:
        return difference.desired
    rule = difference.removed
    if isinstance(rule, Reset):
        return rule.value
    return difference.live if rule is Removal.KEEP else ABSENT


def _tree(value: Json, node: Node) -> Json:
    """The document with keyed lists and open maps as dictionaries from `[key]` to member."""
    row = node.row
    match value:
        case dict() if row and row.open_map:
            return {f"[{key}]": _tree(member, node.at("{}")) for key, member in value.items()}
        case dict():
            return {name: _tree(member, node.at(name)) for name, member in value.items()}
        case list() if row and row.key:
            return {step: _tree(member, node.at("[]")) for step, member in member_steps(value, row, node).items()}
        case _:
            return value


def _document(tree: Json, node: Node) -> Json:
    row = node.row
    if not isinstance(tree, dict):
        return tree
    if row and row.open_map:
        return {key[1:-1]: _document(member, node.at("{}")) for key, member in tree.items()}
    if row and row.key:
        return [_document(member, node.at("[]")) for member in tree.values() if member != {}]
    return {name: _document(member, node.at(name)) for name, member in tree.items()}


def _put(tree: dict[str, Any], path: Path, value: Json) -> None:
    for step in path[:-1]:
        inner = tree.get(step)
        if not isinstance(inner, dict):
            inner = tree[step] = {}
        tree = inner
    tree[path[-1]] = value


def _remove(tree: dict[str, Any], path: Path, node: Node) -> None:
    """Leave a field out, and a structure with nothing left in it; an empty list or map stays, since it says so."""
    step, rest = path[0], path[1:]
    inner = tree.get(step)
    if not rest:
        tree.pop(step, None)
    elif isinstance(inner, dict):
        row = node.row
        below = node.at(step if not step.startswith("[") else ("{}" if row and row.open_map else "[]"))
        _remove(inner, rest, below)
        lost_its_key = row is not None and len(rest) == 1 and rest[0] in row.key
        plural = below.row is not None and bool(below.row.key or below.row.open_map)
        if lost_its_key or not (inner or plural):
            del tree[step]  # without its key a member is no member: its defaults go with it
