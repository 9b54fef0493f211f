"""Deaths of the controller, enumerated: at every write of a recorded run, before it is sent and after its effect.

A suite names a `prepare` (what AWS has at the start) and calls `at_every_write`. The reference run is made once; then,
for each of its writes, AWS is emptied and prepared again, the process dies there, another one starts with nothing in
memory, and must reach the same end (E) with the same counts of what must not happen twice (C), and rest (F).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.aws.gate import Gate
from reconciler.core.call import Answer, Call
from reconciler.core.plan import Action
from reconciler.engine.passes import AwsGate
from tests.e2e.end_state import difference
from tests.e2e.stage import Stage

Prepare = Callable[[Stage], None]
ONCE: Final = ("Create", "Register", "Delete", "Update", "Stop")
"""Operations that happen as often as in the reference run; tags and attributes may be set again to the same values."""

__all__ = ["ONCE", "Killed", "Point", "Reference", "Script", "at_every_write", "reference", "verdicts"]


class Killed(BaseException):
    """The end of the process: nothing catches it, as nothing catches SIGKILL."""


@dataclass(frozen=True)
class Point:
    """The nth time that a write of this label is made; `before` it is sent, or `after` it took effect."""

    label: str  # the action and the call: Service/web:create ecs:CreateService
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{self.when} {self.label}" + (f" #{self.nth}" if self.nth > 1 else "")


@dataclass
class Script:
    """Labels each write with its action, and dies at the point given: every thread, as a process does.

    Writes go one at a time, so that no other one is half way when the process dies.
    """

    point: Point | None = None
    die: Callable[[], None] | None = None  # what really ends this process, where the test runs in another
    writes: list[tuple[str, int]] = field(default_factory=list)
    dead: bool = False
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.local = field(default_factory=threading.local)

    def started(self, action: Action) -> None:
        """Engine's `on_action`: called in the thread that makes the action's calls."""
        self._thread.action = action.id

    def wrap(self, gate: Gate) -> AwsGate:
        return _Mortal(gate, self)

    def write(self, gate: Gate, call: Call) -> Answer:
        label = f"{self._thread.action} {call.name}"
        with self._lock:
            self._live_on(None)
            self._seen[label] += 1
            here = (label, self._seen[label])
            self.writes.append(here)
            self._live_on(Point(*here, "before"))
            answer = gate.write(call)
            self._live_on(Point(*here, "after"))
            return answer

    def _live_on(self, now: Point | None) -> None:
        if self.dead or (now is not None and now == self.point):
            self.dead = True
            if self.die:
                self.die()
            raise Killed(str(self.point))

    @property
    def points(self) -> Iterator[Point]:
        for label, nth in self.writes:
            yield Point(label, nth, "before")
            yield Point(label, nth, "after")


class _Mortal:
    """The gate, with the script between it and the executor."""

    def __init__(self, gate: Gate, script: Script) -> None:
        self._gate, self._script = gate, script

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    def write(self, call: Call) -> Answer:
        return self._script.write(self._gate, call)


@dataclass(frozen=True)
class Reference:
    """A run without faults: what is compared with."""

    state: Any
    counts: Counter[tuple[str, str]]
    points: tuple[Point, ...]


def play(stage: Stage, script: Script) -> None:
    """Settle with a fresh controller whose writes go through the script."""
    stage.wrap, stage.on_action = script.wrap, script.started
    stage.restart()
    try:
        stage.settle()
    finally:
        stage.wrap, stage.on_action = (lambda gate: gate), (lambda _action: None)
        stage.restart()


def reference(stage: Stage, prepare: Prepare) -> Reference:
    """Make the run that every other is compared with."""
    prepare(stage)
    since, script = len(stage.aws.calls), Script()
    play(stage, script)
    found = Reference(stage.state(), stage.counts(*ONCE, since=since), tuple(script.points))
    stage.assert_fixpoint()
    assert found.points, "the reference run writes nothing"
    return found


def verdicts(
    stage: Stage,
    wanted: Reference,
    since: int,
    repeats: Counter[tuple[str, str]] | None = None,
) -> list[str]:
    """What is wrong after the controller has settled: E, C (but for harmless repeats) and F; empty when nothing is."""
    wrong = difference(wanted.state, stage.state())
    made = stage.counts(*ONCE, since=since) - (repeats or Counter())
    wrong += [
        f"{made[key]} times {' '.join(key)}, not {wanted.counts[key]}"
        for key in sorted(made.keys() | wanted.counts.keys())
        if made[key] != wanted.counts[key]
    ]
    stage.restart()
    try:
        stage.assert_fixpoint()
    except AssertionError as error:
        wrong.append(str(error))
    return wrong


def at_every_write(stage: Stage, prepare: Prepare, among: Callable[[Point], bool] = lambda _point: True) -> int:
    """Run the suite; returns at how many points. Raises AssertionError with every point that failed."""
    wanted = reference(stage, prepare)
    points = [point for point in wanted.points if among(point)]
    failed: list[str] = []
    for point in points:
        stage.begin_anew()
        prepare(stage)
        since = len(stage.aws.calls)
        failed += [f"{point}: {why}" for why in _death(stage, wanted, point, since)]
    bad = {line.partition(": ")[0] for line in failed}
    print(f"{len(points)} points, {len(points) - len(bad)} passed")  # noqa: T201  # the record of an enumeration
    assert failed == [], "\n".join(failed)
    return len(points)


def _death(stage: Stage, wanted: Reference, point: Point, since: int) -> list[str]:
    try:
        play(stage, Script(point))
    except Killed:
        pass
    else:
        return ["it never came to that"]
    stage.tick()
    try:
        stage.settle()
    except AssertionError as error:
        return [str(error)]
    return verdicts(stage, wanted, since)
