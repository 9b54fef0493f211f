"""A plan: actions as a graph, each a list of exact API calls, each with its reasons."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from reconciler.core.call import Call
from reconciler.core.difference import Difference
from reconciler.core.errors import PlanError
from reconciler.core.fields import Effect
from reconciler.core.live import TAG_PREFIX
from reconciler.core.masking import masked_text
from reconciler.core.values import Json, ResourceId, digest_of, plain


class Verb(enum.Enum):
    """What an action does to its resource."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    REPLACE = "replace"  # deletes it, so that a later pass makes it anew
    QUARANTINE = "quarantine"  # ends a failed rollout and holds its content back
    STAMP = "stamp"  # records that what git says is what runs: tags only
    DELETE = "delete"
    TAG = "tag"  # a person's mark: hold, release, disown


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan. Its calls are made in order; it starts when every action in `after` has succeeded."""

    resource: ResourceId
    verb: Verb
    calls: tuple[Call, ...]
    why: str
    differences: tuple[Difference, ...] = ()
    after: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what the calls carry along, what they cost

    @property
    def id(self) -> str:
        return f"{self.resource}:{self.verb.value}"

    @property
    def effect(self) -> Effect:
        """The costliest effect of its differences."""
        order = [Effect.IN_PLACE, Effect.NEW_TASKS, Effect.DEPLOYMENT, Effect.REPLACE]
        return max((item.effect for item in self.differences), key=order.index, default=Effect.IN_PLACE)

    @property
    def silent(self) -> bool:
        """Whether it only records; such an action is no difference to a person."""
        return self.verb is Verb.STAMP

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "resource": str(self.resource),
            "verb": self.verb.value,
            "why": self.why,
            "effect": self.effect.value,
            "differences": [difference.to_json() for difference in self.differences],
            "calls": [call.to_json() for call in self.calls],
            "after": list(self.after),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Held:
    """What a pass leaves alone although it is not what git says: why, and what a person can do."""

    resource: ResourceId
    reason: str
    next: str = ""
    differences: tuple[Difference, ...] = ()
    blocked: bool = False  # it needs a person or another commit; not only time

    def to_json(self) -> dict[str, Json]:
        return {
            "resource": str(self.resource),
            "reason": masked_text(self.reason),
            "next": self.next,
            "blocked": self.blocked,
            "differences": [difference.to_json() for difference in self.differences],
        }


@dataclass(frozen=True)
class Plan:
    """Actions in an order that respects `after`, and what is held back."""

    environment: str
    commit: str
    actions: tuple[Action, ...] = ()
    held: tuple[Held, ...] = ()
    notes: tuple[str, ...] = ()
    deletions: tuple[ResourceId, ...] = field(default=())  # wanted, whether the brakes let them pass or not

    @property
    def digest(self) -> str:
        """Names what the plan does: equal for the same steps at another commit or time."""
        steps = [[action.id, [_content(call) for call in action.calls]] for action in self.actions if not action.silent]
        return digest_of({"steps": steps, "deletions": sorted(map(str, self.deletions))}, version="p1")

    @property
    def empty(self) -> bool:
        """Whether a person would say that there is nothing to do."""
        return all(action.silent for action in self.actions) and not self.held

    def to_json(self) -> dict[str, Json]:
        return {
            "environment": self.environment,
            "commit": self.commit,
            "digest": self.digest,
            "actions": [action.to_json() for action in self.actions],
            "held": [held.to_json() for held in self.held],
            "notes": list(self.notes),
        }


_VOLATILE = ("clientToken",)


def _content(call: Call) -> Json:
    """A call without what differs from commit to commit though it does the same."""
    params = {name: value for name, value in call.params.items() if name not in _VOLATILE}
    if isinstance(tags := params.get("tags"), list):
        params["tags"] = [tag for tag in tags if not str(tag.get("key", "")).startswith(TAG_PREFIX)]
    return [call.name, plain(params)]


def ordered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions sorted so that each stands after those it waits for; edges to actions not in the plan are dropped.

    Raises PlanError with the cycle when there is one.
    """
    by_id: Mapping[str, Action] = {action.id: action for action in actions}
    sorter = TopologicalSorter({key: [edge for edge in item.after if edge in by_id] for key, item in by_id.items()})
    try:
        order = tuple(sorter.static_order())
    except CycleError as error:
        raise PlanError("the plan goes in a circle: " + " → ".join(error.args[1])) from error
    return tuple(
        Action(
            item.resource,
            item.verb,
            item.calls,
            item.why,
            item.differences,
            tuple(edge for edge in dict.fromkeys(item.after) if edge in by_id),
            item.notes,
        )
        for item in (by_id[key] for key in order)
    )
