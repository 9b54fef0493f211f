"""Every read fails, once or for ever: nothing is written on the strength of it, and nothing is called drift."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.errors import AwsError
from reconciler.core.report import ResourceStatus, SyncState
from tests.e2e.deaths import Reference, reference, verdicts
from tests.e2e.faults import Target, targets, tell
from tests.e2e.stage import CONTROLLER, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def reads(stage: Stage) -> list[Target]:
    """The reads of one pass of a fresh controller, each operation and parameter once."""
    stage.restart()
    since = len(stage.aws.calls)
    stage.run()
    calls = [call for call in stage.aws.calls[since:] if not call.mutating and call.service != "sts"]
    return [target for target in targets(calls) if target.nth == 1]


def unreadable(stage: Stage, target: Target, kind: Any) -> list[str]:
    """One pass of a fresh controller while the read fails; another when it does not."""
    since = len(stage.aws.calls)
    stage.restart()
    stage.aws.faults.add(target.fault(kind, times=None))
    report = stage.run()
    stage.aws.faults.clear()
    wrong = [f"wrote {call.name}" for call in stage.aws.calls[since:] if call.mutating]
    wrong += [f"called {item.id} {item.sync.value}" for item in report.statuses.values() if lies(item)]
    if report.sync is not SyncState.UNKNOWN:
        wrong.append(f"the pass says {report.sync.value}")
    if report.settled:
        wrong.append("nothing would look again")
    after = stage.run()
    if after.sync is not SyncState.SYNCED:
        wrong.append(f"{after.sync.value} after it")
    return wrong


def lies(status: ResourceStatus) -> bool:
    return status.sync is SyncState.OUT_OF_SYNC or bool(status.differences)


@pytest.mark.parametrize("kind", ["access_denied", "500", "html500"])
def test_a_read_that_fails_for_ever_makes_its_kinds_unknown_and_writes_nothing(shop: Stage, kind: str) -> None:
    shop.settle()
    points = reads(shop)
    failed = [f"{point}: {why}" for point in points for why in unreadable(shop, point, kind)]
    tell(f"reads, {kind}", len(points), failed)
    assert len(points) >= 15


@pytest.mark.parametrize("kind", ["throttle", "drop_before", "500"])
def test_a_read_that_fails_once_is_made_again_in_the_same_pass(small: Stage, kind: Any) -> None:
    small.settle()
    failed = []
    points = reads(small)
    for point in points:
        small.restart()
        small.aws.faults.add(point.fault(kind))
        report = small.run()
        small.aws.faults.clear()
        if report.sync is not SyncState.SYNCED or report.plan.actions:
            failed.append(f"{point}: {report.sync.value}")
    tell(f"reads, {kind} once", len(points), failed)


def test_a_read_that_fails_for_a_while_in_a_first_sync_makes_nothing_twice(small: Stage) -> None:
    wanted = reference(small, lambda _stage: None)
    points = [target for target in every_read(small) if target.nth <= 2]
    failed = [f"{point}: {why}" for point in points for why in recovers(small, wanted, point)]
    tell("reads of a first sync", len(points), failed)
    assert len(points) >= 20


def every_read(stage: Stage) -> list[Target]:
    stage.begin_anew()
    stage.settle()
    ours = [call for call in stage.aws.calls if call.access_key == CONTROLLER and call.service != "sts"]
    return targets(call for call in ours if not call.mutating)


def recovers(stage: Stage, wanted: Reference, target: Target) -> list[str]:
    stage.begin_anew()
    stage.aws.faults.add(target.fault("500", times=6))
    try:
        stage.settle()
    except AssertionError as error:
        return [str(error)]
    finally:
        stage.aws.faults.clear()
    return verdicts(stage, wanted, 0)


def test_no_failing_read_lets_a_pass_delete(small: Stage) -> None:
    small.settle()
    points = reads(small)
    small.write({"base/service.yaml": None, "base/web.yaml": None})
    small.commit("no more web")
    failed = []
    for point in points:
        small.restart()
        before = len(small.aws.calls)
        small.aws.faults.add(point.fault("500", times=None))
        small.run()
        small.aws.faults.clear()
        if any(call.mutating for call in small.aws.calls[before:]) and hit(small, before):
            failed.append(f"{point}: wrote")
    tell("reads before deletions", len(points), failed)
    small.settle()
    assert small.client("ecs").list_services(cluster="shop")["serviceArns"] == []


def hit(stage: Stage, since: int) -> bool:
    """Whether a read failed: what is not read any more cannot."""
    return any(call.outcome != "ok" for call in stage.aws.calls[since:])


def test_credentials_that_cannot_be_verified_stop_the_pass_before_the_first_read(small: Stage) -> None:
    small.aws.faults.add(Target("sts:GetCallerIdentity", "").fault("access_denied", times=None))
    with pytest.raises(AwsError):
        small.run()
    assert [call.name for call in small.aws.calls if call.access_key == CONTROLLER] == ["sts:GetCallerIdentity"]
