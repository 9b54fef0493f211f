"""The table of DESIGN §3, cell by cell: what is written for each cause under each policy, what is left and said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from reconciler.core.hold import write_hold
from reconciler.core.policy import Intent
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import AUTO, WEB, by_hand, causes, during, group, names, one_group, status, tag, the_group
from tests.e2e.stage import Stage, environment

DECLARED = "  healthyThresholdCount: 3\n"


def pending(stage: Stage) -> None:
    stage.write({"base/web.yaml": group(stage, "/b", DECLARED)})


def drifted(stage: Stage) -> None:
    by_hand(stage, HealthCheckPath="/hand")


def conflict(stage: Stage) -> None:
    pending(stage)
    drifted(stage)


def removed(stage: Stage) -> None:
    stage.write({"base/web.yaml": group(stage, "/a")})


def undeclared(stage: Stage) -> None:
    by_hand(stage, UnhealthyThresholdCount=7)


@dataclass(frozen=True)
class Cause:
    """How it comes about; the field; what AWS has before anything is written, and what git wants."""

    make: Callable[[Stage], None]
    field: str
    member: str
    before: object
    after: object

    @property
    def name(self) -> str:
        return self.make.__name__


CAUSES = {
    cause.name: cause
    for cause in (
        Cause(pending, "healthCheckPath", "HealthCheckPath", "/a", "/b"),
        Cause(drifted, "healthCheckPath", "HealthCheckPath", "/hand", "/a"),
        Cause(conflict, "healthCheckPath", "HealthCheckPath", "/hand", "/b"),
        Cause(removed, "healthyThresholdCount", "HealthyThresholdCount", 3, 5),
        Cause(undeclared, "unhealthyThresholdCount", "UnhealthyThresholdCount", 7, 7),
    )
}

OFF, HEALS, LATER = "{mode: auto}", "{mode: auto, selfHeal: true}", "{mode: auto, selfHeal: {after: 15m}}"
MANUAL = "{mode: manual, selfHeal: true}"
DENIED = Order(Intent.AUTO, denied="a sync window denies changes until Monday")
PERSON = Order(Intent.ORDER)
HELD = "held until"

WRITES, LEAVES = True, False
TABLE = [
    # cause, policy, order, hold?, what happens, what the report says
    ("pending", OFF, AUTO, False, WRITES, ""),
    ("pending", HEALS, AUTO, False, WRITES, ""),
    ("pending", LATER, AUTO, False, WRITES, ""),
    ("pending", HEALS, DENIED, False, LEAVES, "until Monday"),
    ("pending", HEALS, AUTO, True, LEAVES, HELD),
    ("pending", MANUAL, AUTO, False, LEAVES, "manual mode"),
    ("pending", MANUAL, PERSON, False, WRITES, ""),
    ("pending", MANUAL, PERSON, True, LEAVES, HELD),
    ("drifted", OFF, AUTO, False, LEAVES, "self-heal is off"),
    ("drifted", HEALS, AUTO, False, WRITES, ""),
    ("drifted", LATER, AUTO, False, LEAVES, "will be put back in 900 s"),
    ("drifted", HEALS, DENIED, False, LEAVES, "until Monday"),
    ("drifted", HEALS, AUTO, True, LEAVES, HELD),
    ("drifted", MANUAL, AUTO, False, LEAVES, "self-heal is off"),
    ("drifted", MANUAL, PERSON, False, WRITES, ""),
    ("drifted", OFF, PERSON, False, WRITES, ""),
    ("conflict", OFF, AUTO, False, WRITES, ""),
    ("conflict", HEALS, AUTO, False, WRITES, ""),
    ("conflict", LATER, AUTO, False, WRITES, ""),
    ("conflict", HEALS, DENIED, False, LEAVES, "until Monday"),
    ("conflict", HEALS, AUTO, True, LEAVES, HELD),
    ("conflict", MANUAL, AUTO, False, LEAVES, "manual mode"),
    ("conflict", MANUAL, PERSON, False, WRITES, ""),
    ("removed", OFF, AUTO, False, WRITES, ""),
    ("removed", HEALS, AUTO, False, WRITES, ""),
    ("removed", LATER, AUTO, False, WRITES, ""),
    ("removed", HEALS, DENIED, False, LEAVES, "until Monday"),
    ("removed", HEALS, AUTO, True, LEAVES, HELD),
    ("removed", MANUAL, AUTO, False, LEAVES, "manual mode"),
    ("removed", MANUAL, PERSON, False, WRITES, ""),
    ("undeclared", OFF, AUTO, False, LEAVES, "nobody declared this field"),
    ("undeclared", HEALS, AUTO, False, LEAVES, "nobody declared this field"),
    ("undeclared", LATER, AUTO, False, LEAVES, "nobody declared this field"),
    ("undeclared", HEALS, DENIED, False, LEAVES, "nobody declared this field"),
    ("undeclared", HEALS, AUTO, True, LEAVES, "nobody declared this field"),
    ("undeclared", MANUAL, AUTO, False, LEAVES, "nobody declared this field"),
    ("undeclared", MANUAL, PERSON, False, LEAVES, "nobody declared this field"),
]


def _title(row: tuple[object, ...]) -> str:
    name, policy, order, hold, written, _ = row
    asked = "a person's order" if order is PERSON else "a window" if order is DENIED else "a pass"
    return f"{name}, {policy}, {asked}{', on hold' if hold else ''} → {'written' if written else 'left'}"


@pytest.mark.parametrize("row", TABLE, ids=_title)
def test_what_is_written_for_a_cause_under_a_policy(stage: Stage, row: tuple[str, str, Order, bool, bool, str]) -> None:
    name, policy, order, hold, written, said = row
    cause = CAUSES[name]
    one_group(stage, policy, DECLARED)
    cause.make(stage)
    stage.commit("whatever git has to say")
    if hold:
        until = stage.aws.world.now() + timedelta(hours=1)
        tag(stage, the_group(stage)["TargetGroupArn"], hold=write_hold(until, "looking"))
    report, writes = during(stage, order)
    assert causes(report, WEB) == {cause.field: name}
    assert the_group(stage)[cause.member] == (cause.after if written else cause.before)
    assert names(writes) == (["ModifyTargetGroup"] if written else [])
    if not written:
        assert writes == []
        told = [status(report, WEB).message, *(item.reason for item in report.plan.held)]
        assert any(said in text for text in told), told


def test_put_back_after_its_delay_and_not_before(stage: Stage) -> None:
    one_group(stage, LATER)
    drifted(stage)
    report, writes = during(stage)
    assert (writes, report.look_again) == ([], timedelta(minutes=15))
    stage.tick(14 * 60)
    report, writes = during(stage)
    assert (writes, report.look_again) == ([], timedelta(minutes=1))
    stage.tick(60)
    _, writes = during(stage)
    assert names(writes) == ["ModifyTargetGroup"]
    assert the_group(stage)["HealthCheckPath"] == "/a"


def test_drift_that_reverts_itself_is_over_without_a_write(stage: Stage) -> None:
    one_group(stage, LATER)
    drifted(stage)
    during(stage)
    by_hand(stage, HealthCheckPath="/a")
    stage.tick(20 * 60)
    report, writes = during(stage)
    assert (causes(report, WEB), writes) == ({}, [])
    drifted(stage)
    assert during(stage)[1] == []  # its delay begins anew


@pytest.mark.parametrize(
    ("never", "written"),
    [
        ("{kind: TargetGroup}", False),
        ("{kind: TargetGroup, fields: [healthCheckPath]}", False),
        ("{kind: TargetGroup, fields: [matcher]}", True),
        ("{kind: Listener}", True),
    ],
)
def test_what_the_environment_never_puts_back_is_told_and_left(stage: Stage, never: str, written: bool) -> None:
    one_group(stage, f"{{mode: auto, selfHeal: true, never: [{never}]}}")
    drifted(stage)
    report, writes = during(stage)
    assert causes(report, WEB) == {"healthCheckPath": "drifted"}
    assert bool(names(writes)) is written
    if not written:
        assert status(report, WEB).message == "the environment says never to put this back"


def test_undeclared_drift_can_be_ignored(stage: Stage) -> None:
    one_group(stage, "{mode: auto, undeclared: ignore}")
    undeclared(stage)
    report, writes = during(stage)
    assert (status(report, WEB).message, writes) == ("", [])


def test_without_a_baseline_one_is_taken_in_silence(stage: Stage) -> None:
    one_group(stage)
    undeclared(stage)
    stage.restart()  # with the process goes the baseline
    report, writes = during(stage)
    assert (causes(report, WEB), writes) == ({}, [])
    by_hand(stage, UnhealthyThresholdCount=4)
    report, _ = during(stage)
    assert causes(report, WEB) == {"unhealthyThresholdCount": "undeclared"}


def test_a_pending_change_is_written_without_the_drift_beside_it(stage: Stage) -> None:
    """UpdateService and its like carry whole members: the neighbours that nobody approved stay as they are live."""
    one_group(stage, OFF, DECLARED)
    by_hand(stage, HealthyThresholdCount=9)
    pending(stage)
    stage.commit("a new path")
    report, _ = during(stage)
    assert causes(report, WEB) == {"healthCheckPath": "pending", "healthyThresholdCount": "drifted"}
    assert the_group(stage)["HealthCheckPath"] == "/b"
    assert the_group(stage)["HealthyThresholdCount"] == 9
    report, writes = during(stage)
    assert (causes(report, WEB), names(writes)) == ({"healthyThresholdCount": "drifted"}, [])


def test_a_removed_field_that_is_kept_stays_and_the_plan_warns(small: Stage) -> None:
    """desiredCount is one: people and autoscalers change it."""
    small.settle()
    small.edit("base/service.yaml", ("  desiredCount: 2\n", ""))
    small.commit("the count is nobody's business")
    report, writes = during(small)
    assert names(writes) == []
    assert causes(report, "Service/web") == {"desiredCount": "removed"}
    assert "Service/web: git dropped desiredCount; its live value stays" in report.plan.notes
    assert small.settle(order=AUTO).sync.value == "Synced"  # what stays by rule is told once
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=4)
    report, writes = during(small)
    assert (causes(report, "Service/web"), writes) == ({}, [])


def test_the_policy_itself_comes_from_the_commit(stage: Stage) -> None:
    one_group(stage, MANUAL)
    drifted(stage)
    assert during(stage)[1] == []
    stage.write({"environments/test.yaml": environment(HEALS)})
    stage.commit("heal from now on")
    assert names(during(stage)[1]) == ["ModifyTargetGroup"]
