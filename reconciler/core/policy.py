"""What may be written, by the cause of a difference and the policy of the environment: one table.

| cause      | apply commits | self-heal off | denied or held  | manual        | a person's order |
|------------|---------------|---------------|-----------------|---------------|------------------|
| pending    | apply         | apply         | wait            | show          | apply            |
| drifted    | heal          | incident      | incident        | incident      | apply            |
| conflict   | apply, tell   | apply, tell   | wait, incident  | incident      | apply, tell      |
| removed    | apply         | apply         | wait            | show          | apply            |
| undeclared | incident      | incident      | incident        | incident      | incident         |
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from reconciler.core.difference import Cause, Difference
from reconciler.core.resource import Never, Sync


class Intent(enum.Enum):
    """Who asks for the pass."""

    ORDER = "order"  # a person: whatever the mode
    AUTO = "auto"  # the controller: as the environment's policy says


class Verdict(enum.Enum):
    """What becomes of one difference."""

    APPLY = "apply"
    WAIT = "wait"  # a hold or a window is in the way
    SHOW = "show"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    incident: bool  # whether people are told, whatever else is done
    why: str = ""
    after: timedelta | None = None  # it will be written then, if nothing happens before


def decide(difference: Difference, kind: str, sync: Sync, intent: Intent, stopped: str, age: timedelta) -> Decision:
    """The verdict on one difference of a resource of the kind.

    `stopped` is why nothing may be written now (a hold, a window), or empty; `age` is for how long the drift has been
    known.
    """
    applies = intent is Intent.ORDER or sync.mode == "auto"
    match difference.cause:
        case Cause.UNDECLARED:
            return Decision(Verdict.INCIDENT, sync.undeclared == "alert", "nobody declared this field")
        case Cause.PENDING | Cause.REMOVED:
            if not applies:
                return Decision(Verdict.SHOW, False, "the environment is in manual mode")
            return Decision(Verdict.WAIT, False, stopped) if stopped else Decision(Verdict.APPLY, False)
        case Cause.CONFLICT:
            if not applies:
                return Decision(Verdict.INCIDENT, True, "the environment is in manual mode")
            return Decision(Verdict.WAIT, True, stopped) if stopped else Decision(Verdict.APPLY, True)
        case Cause.DRIFTED:
            return _drift(difference, kind, sync, intent, stopped, age)
        case _:
            assert_never(difference.cause)


def _drift(difference: Difference, kind: str, sync: Sync, intent: Intent, stopped: str, age: timedelta) -> Decision:
    if any(covers(never, kind, difference) for never in sync.never):
        return Decision(Verdict.INCIDENT, True, "the environment says never to put this back")
    if stopped:
        return Decision(Verdict.INCIDENT, True, stopped)
    if intent is Intent.ORDER:
        return Decision(Verdict.APPLY, True)
    if sync.mode != "auto" or not sync.self_heal:
        return Decision(Verdict.INCIDENT, True, "self-heal is off")
    if age < sync.self_heal_after:
        left = sync.self_heal_after - age
        return Decision(Verdict.INCIDENT, True, f"will be put back in {int(left.total_seconds())} s", left)
    return Decision(Verdict.APPLY, True)


def covers(never: Never, kind: str, difference: Difference) -> bool:
    """Whether a `never` row of the environment is about this field."""
    if never.kind != kind:
        return False
    field = difference.field
    return not never.fields or any(field == name or field.startswith((name + ".", name + "[")) for name in never.fields)
