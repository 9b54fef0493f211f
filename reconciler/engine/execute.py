"""The executor: the actions of a plan, independent branches side by side, each call through the gate.

References are resolved from what is live and from the answers of calls made before. A failure stops what depends on it
and nothing else. Whatever dies here, the next pass finds what is missing by looking at AWS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler.core.call import Answer, Call
from reconciler.core.errors import AwsError, NotFoundError, PlanError, ReconcilerError, Retry
from reconciler.core.plan import Action, Plan, Verb
from reconciler.core.report import Failure
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, references, resolve

WORKERS = 8
_TAKE_AWAY = (Verb.DELETE, Verb.REPLACE)
_CHANGE = (Verb.UPDATE, Verb.STAMP, Verb.ADOPT, Verb.QUARANTINE)


class Writer(Protocol):
    """What the executor needs of the gate."""

    def write(self, call: Call) -> Answer:
        """Make the change. Raises AwsError."""


@dataclass
class Outcome:
    """What became of the actions, by id."""

    applied: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class _Known:
    """The attributes that references may ask for: what was live, and what the calls have answered since."""

    def __init__(self, lookup: Callable[[Ref], Json]) -> None:
        self._lookup = lookup
        self._made: dict[tuple[ResourceId, str], Json] = {}
        self._lock = threading.Lock()

    def capture(self, resource: ResourceId, call: Call, answer: Answer) -> None:
        found = {name: _at(answer, path) for name, path in call.captures.items()}
        with self._lock:
            self._made |= {(resource, name): value for name, value in found.items() if value is not ABSENT}

    def __call__(self, ref: Ref) -> Json:
        with self._lock:
            made = self._made.get((ref.target, ref.attribute), ABSENT)
        return self._lookup(ref) if made is ABSENT else made


def execute(plan: Plan, writer: Writer, lookup: Callable[[Ref], Json], progress: Callable[[Action], None]) -> Outcome:
    """Apply the plan. `progress` is called when an action starts, in the thread that makes its calls."""
    outcome, known = Outcome(), _Known(lookup)
    left: dict[str, Action] = {action.id: action for action in plan.actions}
    done: set[str] = set()
    running: dict[Future[None], Action] = {}
    with ThreadPoolExecutor(WORKERS, "apply") as pool:
        try:
            while left or running:
                for action in [one for one in left.values() if done.issuperset(one.after)]:
                    del left[action.id]
                    running[pool.submit(_apply, action, writer, known, progress)] = action
                if not running:
                    break
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    action = running.pop(future)
                    if failure := _failure(action, future):
                        outcome.failures.append(failure)
                    else:
                        done.add(action.id)
                        outcome.applied.append(action.id)
        finally:
            pool.shutdown(cancel_futures=True)
    outcome.skipped += left
    return outcome


def _apply(action: Action, writer: Writer, known: _Known, progress: Callable[[Action], None]) -> None:
    progress(action)
    for call in action.calls:
        params = resolve(dict(call.params), known)
        if missing := next(references(params), None):
            raise PlanError(f"{call.name} needs {missing}, which no call before it has given")
        try:
            known.capture(action.resource, call, writer.write(replace(call, params=params)))
        except NotFoundError:
            if action.verb not in _TAKE_AWAY:
                raise  # else it is gone, as it shall be: by somebody else, or by a call of ours whose answer was lost


def _failure(action: Action, future: Future[None]) -> Failure | None:
    """The failure of an action; what is no error of ours or AWS's (a kill, a bug) is raised."""
    error = future.exception()
    match error:
        case None:
            return None
        case NotFoundError() if action.verb in _CHANGE:
            return Failure(action.id, f"{error} Deleted meanwhile: it is looked at again.", Retry.OBSERVE.value)
        case AwsError() | ReconcilerError():
            return Failure(action.id, str(error), error.retry.value)
        case _:
            raise error


def _at(answer: Mapping[str, Json], path: str) -> Json:
    value: Json = answer
    for step in path.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return ABSENT
    return value
