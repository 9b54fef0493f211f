"""The three-way diff: desired, live and base in, differences with their cause out.

Base is what we last applied in full. Without it nobody can tell who moved, so every difference counts as drifted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Path, Reset
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
    untouched: bool = False  # nothing of ours was ever applied in full: whatever differs, git is the one that moves it
    skipped: tuple[str, ...] = ()  # fields that are neither compared nor written


def diff(sides: Sides) -> tuple[Difference, ...]:
    """Every field that is not what it should be, in the order of the documents."""
    documents = (sides.desired, sides.live, sides.base, sides.baseline)
    distinct = {id(document): document.leaves for document in documents if document}
    paths = dict.fromkeys(path for leaves in distinct.values() for path in leaves)
    suspects = _suspects(paths, sides)
    skipped = [_pattern(name) for name in sides.skipped] if suspects else []
    found = (_judge(path, sides) for path in suspects if not any(_matches(path, pattern) for pattern in skipped))
    return tuple(difference for difference in found if difference is not None)


def _suspects(paths: Iterable[Path], sides: Sides) -> list[Path]:
    """The paths that may differ: all but those that `_judge` would plainly pass, which nearly all are in nearly every
    resource of nearly every pass.
    """
    desired, live = sides.desired.leaves, sides.live.leaves
    steady = sides.baseline is None or sides.baseline is sides.live
    found = []
    for path in paths:
        wanted, there = desired.get(path), live.get(path)
        if wanted is None:
            same = steady and (there is None or there.is_default)
        else:
            same = there is not None and wanted.value == there.value
        if not same:
            found.append(path)
    return found


def _judge(path: Path, sides: Sides) -> Difference | None:
    desired, live = sides.desired.leaves.get(path), sides.live.leaves.get(path)
    if desired is not None or _declared_absent(path, live, sides):
        return None if _same(desired, live) else _difference(path, _mover(path, desired, live, sides), sides)
    if _was_declared(path, live, sides):
        return None if live is None or live.is_default else _removed(path, sides)
    return _difference(path, Cause.UNDECLARED, sides) if _left_its_baseline(path, live, sides) else None


def _declared_absent(path: Path, live: Leaf | None, sides: Sides) -> bool:
    if sides.desired.closes(path):
        return True
    if live is None or not _in_whole(path, sides):
        return False
    # In content that is written whole, whatever a table knows and AWS does not compute was put there by somebody; of
    # what no table knows, only what git itself had.
    return not live.row.computed if live.row else _was_declared(path, live, sides)


def _was_declared(path: Path, live: Leaf | None, sides: Sides) -> bool:
    """Whether git had the field: when it was last applied, or in a change that has got as far as this field."""
    if sides.base is not None and path in sides.base.leaves:
        return True
    return sides.applying is not None and path in sides.applying.leaves and _same(sides.applying.leaves[path], live)


def _mover(path: Path, desired: Leaf | None, live: Leaf | None, sides: Sides) -> Cause:
    if sides.untouched or (sides.applying is not None and _same(sides.applying.leaves.get(path), live)):
        return Cause.PENDING
    if sides.base is None:
        return Cause.DRIFTED
    base = sides.base.leaves.get(path)
    in_base = base is not None or sides.base.closes(path) or _in_whole(path, sides)
    if not in_base or _same(base, live):
        return Cause.PENDING
    return Cause.DRIFTED if _same(base, desired) else Cause.CONFLICT


def _left_its_baseline(path: Path, live: Leaf | None, sides: Sides) -> bool:
    if sides.baseline is None or _in_whole(path, sides):
        return False
    baseline = sides.baseline.leaves.get(path)
    known = live or baseline
    return bool(known and known.row and not known.row.computed and not _same(baseline, live))


def _same(one: Leaf | None, other: Leaf | None) -> bool:
    """Whether two leaves mean the same to AWS; a missing one means the default."""
    if one is None:
        return other is None or other.is_default
    if other is None:
        return one.is_default
    return bool(one.value == other.value)


def _removed(path: Path, sides: Sides) -> Difference | None:
    difference = _difference(path, Cause.REMOVED, sides)
    match difference.removed:
        case Reset(value) if value == difference.live:
            return None  # as if it had never been set
        case _:
            return difference


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


_STEP = re.compile(r"\[[^\]]*\]|[^.\[]+")


def _pattern(name: str) -> Path:
    """A field as people write it, `containerDefinitions[].image`, as steps; `[]` is any member."""
    return tuple(_STEP.findall(name))


def _matches(path: Path, pattern: Path) -> bool:
    """Whether the path is what the pattern names, or stands inside it."""
    return len(path) >= len(pattern) and all(
        step == wanted or (wanted == "[]" and step.startswith("[")) for step, wanted in zip(path, pattern, strict=False)
    )


def _in_whole(path: Path, sides: Sides) -> bool:
    return bool(sides.whole) and any(path[: len(prefix)] == prefix for prefix in sides.whole)
