"""One field that is not what git says, and why: the unit of every plan, report and alert."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from reconciler.core.fields import Effect, Field, Path, Removal, Reset, steps
from reconciler.core.masking import MASK, masked
from reconciler.core.values import ABSENT, Json, plain

__all__ = ["MASK", "Cause", "Difference", "written"]


class Cause(enum.Enum):
    """Who moved: git, AWS, both, or nobody that ever said anything about the field."""

    PENDING = "pending"  # git changed it
    DRIFTED = "drifted"  # AWS changed it
    CONFLICT = "conflict"  # both did, each in its own way
    REMOVED = "removed"  # git had it and no longer has it
    UNDECLARED = "undeclared"  # git never had it, but it is no longer what it was after our last apply


@dataclass(frozen=True, slots=True)
class Difference:
    """One field with its cause. Values are as a person wrote or AWS answered them; ABSENT where there is none."""

    path: Path
    cause: Cause
    desired: Json
    live: Json
    base: Json = ABSENT
    row: Field | None = None  # the table's row that governs the field

    @property
    def effect(self) -> Effect:
        return (self.row.effect if self.row else None) or Effect.IN_PLACE

    @property
    def removed(self) -> Removal | Reset:
        rule = self.row.removed if self.row else None
        if self.row and isinstance(rule, Reset):
            return rule.within(self.path[len(steps(self.row.path)) :])
        return rule or Removal.KEEP

    @property
    def secret(self) -> bool:
        return bool(self.row and self.row.secret)

    @property
    def field(self) -> str:
        """The path as people write it: `containerDefinitions[app].image`."""
        return written(self.path)

    def shown(self, value: Json) -> Json:
        """One of its values as people may see it: secrets masked, by the table's word, by name and by shape."""
        if value is ABSENT:
            return value
        return MASK if self.secret else masked(value, self.path)

    def to_json(self) -> dict[str, Json]:
        """Values that may be secrets are masked."""
        shown = {
            side: plain(self.shown(value))
            for side, value in (("desired", self.desired), ("live", self.live), ("base", self.base))
            if value is not ABSENT
        }
        return {"field": self.field, "cause": self.cause.value, "effect": self.effect.value, **shown}


def written(path: Path) -> str:
    return "".join(step if step.startswith("[") or not index else f".{step}" for index, step in enumerate(path))
