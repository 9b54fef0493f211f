"""The network fails in the middle of changes: answers of writes are lost, reads fail while a change is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.emulator.faults import Fault
from tests.e2e.deaths import reference, verdicts
from tests.e2e.faults import repeated, targets, tell
from tests.e2e.stage import CONTROLLER, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SERVICE, WEB = "base/service.yaml", "base/web.yaml"


def new_image(stage: Stage) -> None:
    stage.edit(SERVICE, ("web:1", "web:2"))


def broken_image(stage: Stage) -> None:
    stage.edit(SERVICE, ("web:1", "web:crash"))


def another_port(stage: Stage) -> None:
    stage.edit(WEB, ("port: 80,", "port: 8080,"))


def removal(stage: Stage) -> None:
    stage.write({SERVICE: None, WEB: None})


CHANGES = (new_image, broken_image, another_port, removal)


def from_first(stage: Stage) -> None:
    """AWS as the first commit has it, and the second one to be applied."""
    stage.checkout("first")
    stage.settle()
    stage.checkout("main")


def change(stage: Stage, edit: Callable[[Stage], None]) -> None:
    stage.checkout("main", "-B", "first")
    stage.checkout("main")
    edit(stage)
    stage.commit(edit.__name__)


@pytest.mark.parametrize("edit", CHANGES)
def test_a_lost_answer_at_each_write_of_a_change_makes_nothing_twice(
    small: Stage, edit: Callable[[Stage], None]
) -> None:
    change(small, edit)
    wanted = reference(small, from_first)
    small.begin_anew()
    from_first(small)
    since = len(small.aws.calls)
    small.settle()
    points = targets(small.writes(since))
    failed = []
    for point in points:
        small.begin_anew()
        from_first(small)
        since = len(small.aws.calls)
        small.aws.faults.add(point.fault("drop_after"))
        try:
            small.settle()
        except AssertionError as error:
            failed.append(f"{point}: {error}")
            continue
        finally:
            small.aws.faults.clear()
        failed += [f"{point}: {why}" for why in verdicts(small, wanted, since, again(small, since))]
    tell(f"drop_after, {edit.__name__}", len(points), failed)


def again(stage: Stage, since: int) -> Any:
    """What may be sent again because it leaves the same state."""
    again = ("ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService", "elbv2:DeleteTargetGroup")
    return repeated(stage, since, again)


@pytest.mark.parametrize("operation", ["ecs:DescribeServices", "elbv2:DescribeRules", "elbv2:DescribeTargetHealth"])
def test_a_read_that_fails_in_every_fourth_pass_of_a_replacement_only_delays_it(small: Stage, operation: str) -> None:
    change(small, another_port)
    wanted = reference(small, from_first)
    small.begin_anew()
    from_first(small)
    since = len(small.aws.calls)
    small.settle()
    calls = [call for call in small.aws.calls[since:] if call.name == operation and call.access_key == CONTROLLER]
    failed = []
    chosen = range(1, len(calls) + 1, 4)
    for nth in chosen:
        small.begin_anew()
        from_first(small)
        since = len(small.aws.calls)
        small.aws.faults.add(
            Fault(operation, "500", nth=nth, times=6, match=lambda call: call.access_key == CONTROLLER)
        )
        small.settle()
        small.aws.faults.clear()
        failed += [f"{nth}: {why}" for why in verdicts(small, wanted, since)]
    tell(f"{operation} in a replacement", len(chosen), failed)
