"""Whether two contents are the same to AWS: what decides that nothing has to be registered."""

from __future__ import annotations

from reconciler.core.diff import Sides, diff
from reconciler.core.kind import Kind
from reconciler.core.normalise import Flat, flatten
from reconciler.core.values import Spec


def normal(kind: Kind, spec: Spec) -> Flat:
    """A spec of the kind in normal form."""
    return flatten(kind.prepare(spec), kind.table)


def same_content(kind: Kind, wanted: Spec, live: Spec) -> bool:
    """Whether immutable content is equal; tags are no part of it, since they can be changed afterwards."""
    sides = Sides(normal(kind, wanted), normal(kind, live), base=None, whole=((),), skipped=("tags",))
    return not diff(sides)
