"""What may be written: the table of DESIGN.md §3 cell by cell, and a person's holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.difference import Cause, Difference
from reconciler.core.hold import Hold, read_hold, write_hold
from reconciler.core.policy import Decision, Intent, Verdict, covers, decide
from reconciler.core.resource import Never, Sync

HEAL = Sync(mode="auto", self_heal=True)
AUTO = Sync(mode="auto")
MANUAL = Sync()
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def decision(cause: Cause, sync: Sync = AUTO, intent: Intent = Intent.AUTO, **more: Any) -> Decision:
    difference = Difference(("containerDefinitions", "[app]", "image"), cause, 1, 2)
    age = more.get("age", timedelta(0))
    return decide(difference, more.get("kind", "Service"), sync, intent, more.get("stopped", ""), age)


A, W, S, I = Verdict.APPLY, Verdict.WAIT, Verdict.SHOW, Verdict.INCIDENT  # noqa: E741  (the columns of the table)


@pytest.mark.parametrize(
    ("cause", "heal", "auto", "stopped", "manual", "order"),
    [
        (Cause.PENDING, (A, False), (A, False), (W, False), (S, False), (A, False)),
        (Cause.DRIFTED, (A, True), (I, True), (I, True), (I, True), (A, True)),
        (Cause.CONFLICT, (A, True), (A, True), (W, True), (I, True), (A, True)),
        (Cause.REMOVED, (A, False), (A, False), (W, False), (S, False), (A, False)),
        (Cause.UNDECLARED, (I, True), (I, True), (I, True), (I, True), (I, True)),
    ],
)
def test_the_cause_and_the_mode_say_what_is_written_and_who_is_told(cause, heal, auto, stopped, manual, order):
    decisions = [
        decision(cause, HEAL),
        decision(cause, AUTO),
        decision(cause, HEAL, stopped="held until noon"),
        decision(cause, MANUAL),
        decision(cause, MANUAL, Intent.ORDER),
    ]
    assert [(one.verdict, one.incident) for one in decisions] == [heal, auto, stopped, manual, order]


@pytest.mark.parametrize("cause", [Cause.PENDING, Cause.REMOVED, Cause.CONFLICT, Cause.DRIFTED])
def test_what_waits_says_what_it_waits_for(cause):
    assert decision(cause, HEAL, stopped="held until noon").why == "held until noon"


@pytest.mark.parametrize("cause", list(Cause))
def test_what_is_not_written_in_manual_mode_says_why(cause):
    assert decision(cause, MANUAL).why


def test_undeclared_drift_alerts_nobody_where_the_environment_ignores_it():
    assert decision(Cause.UNDECLARED, Sync(undeclared="ignore")) == Decision(I, False, "nobody declared this field")


@pytest.mark.parametrize(("age", "verdict", "why"), [(14, I, "will be put back in 60 s"), (15, A, "")])
def test_drift_is_put_back_after_the_delay_that_the_alert_announces(age, verdict, why):
    sync = Sync(mode="auto", self_heal=True, self_heal_after=timedelta(minutes=15))
    after = timedelta(minutes=15 - age) or None
    assert decision(Cause.DRIFTED, sync, age=timedelta(minutes=age)) == Decision(verdict, True, why, after)


def test_a_person_need_not_wait_for_the_delay_of_self_heal():
    sync = Sync(mode="auto", self_heal=True, self_heal_after=timedelta(minutes=15))
    assert decision(Cause.DRIFTED, sync, Intent.ORDER).verdict is A


@pytest.mark.parametrize("intent", [Intent.AUTO, Intent.ORDER])
def test_what_the_environment_never_puts_back_stays_even_when_a_person_orders_a_sync(intent):
    sync = Sync(mode="auto", self_heal=True, never=(Never("Service"),))
    assert decision(Cause.DRIFTED, sync, intent).verdict is I
    assert decision(Cause.PENDING, sync, intent).verdict is A


@pytest.mark.parametrize(
    ("never", "covered"),
    [
        (Never("Service"), True),
        (Never("Cluster"), False),
        (Never("Service", ("containerDefinitions",)), True),
        (Never("Service", ("containerDefinitions[app]",)), True),
        (Never("Service", ("containerDefinitions[app].image",)), True),
        (Never("Service", ("desiredCount", "container")), False),
        (Never("Cluster", ("containerDefinitions",)), False),
    ],
)
def test_never_names_a_kind_a_field_or_what_stands_around_it(never, covered):
    difference = Difference(("containerDefinitions", "[app]", "image"), Cause.DRIFTED, 1, 2)
    assert covers(never, "Service", difference) is covered


# --------------------------------------------------------------------------------------------------------------- holds


def test_without_the_tag_nothing_is_held():
    assert read_hold(None, NOW) is None


def test_a_hold_lasts_until_its_end():
    value = "2026-11-20T12:30:00Z looking at the leak, anna"
    until = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    assert read_hold(value, NOW) == Hold(until, "looking at the leak, anna")
    assert read_hold(value, until) is None


def test_an_end_without_a_zone_is_meant_in_utc():
    assert read_hold("2026-11-20T12:30:00", NOW) == Hold(datetime(2026, 11, 20, 12, 30, tzinfo=UTC), "")


def test_a_hold_whose_end_nobody_can_read_lasts_as_long_as_the_tag():
    assert read_hold(" please do not touch ", NOW) == Hold(None, "please do not touch")
    assert read_hold("", NOW) == Hold(None, "")


def test_a_hold_says_how_long_it_lasts_and_why():
    assert str(Hold(NOW, "a leak")) == "held until 2026-11-20 12:00 UTC: a leak"
    assert str(Hold(None, "")) == "held with no end that can be read"


def test_what_is_written_as_a_hold_is_read_as_the_same_hold():
    value = write_hold(NOW, "a leak, (anna)\n#7")
    assert value == "2026-11-20T12:00:00Z a leak   anna   7"
    assert read_hold(value, NOW - timedelta(hours=1)) == Hold(NOW, "a leak   anna   7")


def test_a_holds_tag_is_no_longer_than_aws_takes():
    assert len(write_hold(NOW, "x" * 500)) == 256
