"""AWS and the network fail at every write of a first sync: before the effect, or with the answer lost after it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.resource import users_of
from tests.e2e.deaths import ONCE, Reference, reference, verdicts
from tests.e2e.faults import Target, repeated, targets, tell
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PERSISTENT = {"throttle": 12, "500": 6, "html500": 6}
"""How many answers in a row: more than the gate repeats a call, so a pass fails and the next one has to recover."""


def first_sync(stage: Stage) -> tuple[Reference, list[Target]]:
    stage.begin_anew()
    wanted = reference(stage, lambda _stage: None)
    stage.begin_anew()
    stage.settle()
    return wanted, targets(stage.writes())


def survives(stage: Stage, wanted: Reference, target: Target, kind: Any, times: int) -> list[str]:
    stage.begin_anew()
    stage.aws.faults.add(target.fault(kind, times))
    try:
        stage.settle()
    except AssertionError as error:
        return [str(error)]
    finally:
        stage.aws.faults.clear()
    wrong = verdicts(stage, wanted, 0, repeated(stage, 0))
    hit = [call for call in stage.aws.calls if call.mutating and call.outcome != "ok"]
    return wrong if hit else ["the fault never fired", *wrong]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_lost_answer_at_each_write_of_the_shops_first_sync_makes_nothing_twice(shop: Stage, kind: str) -> None:
    wanted, points = first_sync(shop)
    failed = [f"{point}: {why}" for point in points for why in survives(shop, wanted, point, kind, 1)]
    tell(kind, len(points), failed)
    assert len(points) >= 20


@pytest.mark.parametrize("kind", sorted(PERSISTENT))
def test_a_failure_that_outlasts_the_repeats_of_each_write_is_made_good_by_later_passes(
    small: Stage, kind: str
) -> None:
    wanted, points = first_sync(small)
    failed = [f"{point}: {why}" for point in points for why in survives(small, wanted, point, kind, PERSISTENT[kind])]
    tell(kind, len(points), failed)
    assert len(points) >= 9


def test_a_refusal_of_every_second_write_stops_its_dependants_only_and_does_not_spin(shop: Stage) -> None:
    wanted, points = first_sync(shop)
    failed = [f"{point}: {why}" for point in points[::2] for why in refused(shop, wanted, point)]
    tell("access_denied", len(points[::2]), failed)


def refused(stage: Stage, wanted: Reference, target: Target) -> list[str]:
    """Deny the call for ever; then allow it."""
    stage.begin_anew()
    stage.aws.faults.add(target.fault("access_denied", times=None))
    try:
        report = stage.settle()
    except AssertionError as error:
        return [str(error)]
    wrong = []
    denied = [call for call in stage.aws.calls if call.mutating and call.outcome.startswith("AccessDenied")]
    if not 1 <= len(denied) <= 10:
        wrong.append(f"{len(denied)} attempts")
    if not report.failures:
        wrong.append("the last report does not tell the failure")
    culprit = next(iter({failure.action.rpartition(":")[0] for failure in report.failures}), "")
    for status in report.statuses.values():
        stopped = str(status.id) == culprit or culprit in _needs(stage, str(status.id))
        if not stopped and (status.sync.value != "Synced" or status.message):
            wrong.append(f"{culprit} also stopped {status.id}: {status.sync.value} {status.message}")
    stage.aws.faults.clear()
    stage.settle()
    return wrong + verdicts(stage, wanted, 0)


def _needs(stage: Stage, name: str) -> set[str]:
    """What a resource needs, through others: the references, what AWS implies, and earlier waves."""
    resources = {str(identity): resource for identity, resource in stage.desired().resources.items()}
    kinds, users = stage.engine.kinds, users_of(stage.desired().resources)
    found: set[str] = set()
    front = {name}
    while front:
        one = resources[front.pop()]
        edges = {str(ref.target) for ref in one.references}
        edges |= {str(other) for other in kinds[one.id.kind].after(one, users)}
        edges |= {key for key, other in resources.items() if other.settings.wave < one.settings.wave}
        front |= edges - found
        found |= edges
    return found


def test_the_operations_that_are_counted_cover_every_write_but_tags_and_attributes(shop: Stage) -> None:
    shop.settle()
    rest = {call.operation for call in shop.writes() if not call.operation.startswith(ONCE)}
    assert rest <= {"TagResource", "UntagResource", "AddTags", "RemoveTags", "ModifyTargetGroupAttributes"}
