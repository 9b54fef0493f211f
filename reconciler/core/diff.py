"""The three-way diff: desired, live and base in, differences with their cause out.

Base is what we last applied in full. Without it nobody can tell who moved, so every difference counts as drifted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.difference import Cause, Difference, written
from reconciler.core.fields import Path
from reconciler.core.normalise import Flat, Leaf
from reconciler.core.values import ABSENT


@dataclass(frozen=True, slots=True)
class Sides:
    """One resource from every side, in normal form."""

    desired: Flat
    live: Flat
    base: Flat | None  # None: unknown
    applying: Flat | None = None  # the rendering of the commit whose change is under way
    baseline: Flat | None = None  # what AWS answered after our last apply; None: never looked
    whole: tuple[Path, ...] = ()  # content that is written as one: what it does not declare, it declares absent
    skipped: tuple[str, ...] = ()  # fields that are neither compared nor written


def diff(sides: Sides) -> tuple[Difference, ...]:
    """Every field that is not what it should be, in the order of the documents."""
    paths = dict.fromkeys([*sides.desired.leaves, *sides.live.leaves, *(sides.base.leaves if sides.base else ())])
    found = (_judge(path, sides) for path in paths if not _skipped(path, sides.skipped))
    return tuple(difference for difference in found if difference is not None)


def _judge(path: Path, sides: Sides) -> Difference | None:
    desired, live = sides.desired.leaves.get(path), sides.live.leaves.get(path)
    if desired is not None or _declared_absent(path, live, sides):
        return None if _same(desired, live) else _difference(path, _mover(path, desired, live, sides), sides)
    if live is None or live.is_default:
        return None
    base = sides.base.leaves.get(path) if sides.base else None
    if base is not None:
        return _difference(path, Cause.REMOVED, sides)
    return _difference(path, Cause.UNDECLARED, sides) if _left_its_baseline(path, live, sides) else None


def _declared_absent(path: Path, live: Leaf | None, sides: Sides) -> bool:
    if sides.desired.closes(path):
        return True
    if not any(path[: len(prefix)] == prefix for prefix in sides.whole):
        return False
    # In content that is written whole, whatever a table knows and AWS does not compute was put there by somebody.
    return live is None or (live.row is not None and not live.row.computed)


def _mover(path: Path, desired: Leaf | None, live: Leaf | None, sides: Sides) -> Cause:
    if sides.base is None:
        return Cause.DRIFTED
    base = sides.base.leaves.get(path)
    in_base = base is not None or sides.base.closes(path) or any(path[: len(p)] == p for p in sides.whole)
    if not in_base or _same(base, live):
        return Cause.PENDING
    if sides.applying is not None and _same(sides.applying.leaves.get(path), live):
        return Cause.PENDING
    return Cause.DRIFTED if _same(base, desired) else Cause.CONFLICT


def _left_its_baseline(path: Path, live: Leaf, sides: Sides) -> bool:
    if sides.baseline is None or live.row is None or live.row.computed:
        return False
    return not _same(sides.baseline.leaves.get(path), live)


def _same(one: Leaf | None, other: Leaf | None) -> bool:
    """Whether two leaves mean the same to AWS; a missing one means the default."""
    if one is None:
        return other is None or other.is_default
    if other is None:
        return one.is_default
    return bool(one.value == other.value)


def _difference(path: Path, cause: Cause, sides: Sides) -> Difference:
    desired, live = sides.desired.leaves.get(path), sides.live.leaves.get(path)
    base = sides.base.leaves.get(path) if sides.base else None
    if base is None and cause is Cause.UNDECLARED and sides.baseline is not None:
        base = sides.baseline.leaves.get(path)
    known = desired or live or base
    return Difference(
        path=path,
        cause=cause,
        desired=desired.raw if desired else ABSENT,
        live=live.raw if live else ABSENT,
        base=base.raw if base else ABSENT,
        row=known.governing if known else None,
    )


_MEMBER = re.compile(r"\[[^\]]*\]")


def _skipped(path: Path, skipped: Iterable[str]) -> bool:
    if not skipped:
        return False
    field = written(path)
    pattern = _MEMBER.sub("[]", field)
    return any(
        text == name or text.startswith((name + ".", name + "[")) for name in skipped for text in (field, pattern)
    )
