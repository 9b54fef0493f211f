"""Faults of AWS and the network, enumerated over the writes and reads of a recorded run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.emulator.faults import Fault
from tests.e2e.end_state import about
from tests.e2e.stage import CONTROLLER, Stage

IDEMPOTENT: Final = ("ecs:CreateCluster", "ecs:CreateService")
"""A second one with the same name or client token answers with the first one's object (ECS API reference)."""
SAME_SETTINGS: Final = ("elbv2:CreateLoadBalancer", "elbv2:CreateTargetGroup", "elbv2:CreateListener")
"""The same for equal settings: "this operation is idempotent" (ELB API reference). The gate does not count on it."""


@dataclass(frozen=True)
class Target:
    """The nth call of an operation about something."""

    operation: str
    about: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.operation} {self.about}" + (f" #{self.nth}" if self.nth > 1 else "")

    def fault(self, kind: Any, times: int | None = 1, **more: Any) -> Fault:
        """The fault that fires there, `times` calls in a row (None: for ever)."""

        def match(call: Any) -> bool:
            return call.access_key == CONTROLLER and about(call.parameters) == self.about

        return Fault(self.operation, kind, nth=self.nth, times=times, match=match, **more)


def targets(calls: Iterable[Any]) -> list[Target]:
    """Every call of a record, each as what a fault can be aimed at."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for call in calls:
        key = (call.name, about(call.parameters))
        seen[key] += 1
        found.append(Target(*key, seen[key]))
    return found


def repeated(stage: Stage, since: int, operations: Sequence[str] = IDEMPOTENT) -> Counter[tuple[str, str]]:
    """Idempotent creates that were sent again: they make nothing, and are taken off the counts."""
    same = Counter(
        (call.name, about(call.parameters), str(call.parameters.get("clientToken") or sorted(call.parameters.items())))
        for call in stage.writes(since)
        if call.name in operations
    )
    extra: Counter[tuple[str, str]] = Counter()
    for (name, what, _settings), count in same.items():
        extra[name, what] += count - 1
    return +extra


def tell(name: str, points: int, failed: list[str]) -> None:
    """Print what the suite did, and raise with every point that failed."""
    bad = {line.partition(": ")[0] for line in failed}
    print(f"{name}: {points} points, {points - len(bad)} passed")  # noqa: T201  # the record of an enumeration
    assert failed == [], "\n".join(failed)
