"""Sync windows: when they open and end, in every time zone, on every odd Sunday."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reconciler.controller.windows import denied, open_until
from reconciler.core.resource import Window
from reconciler.manifests.cron import wrong_with

WEEKEND = Window("0 18 * * fri", timedelta(hours=62), "Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def is_open(window: Window, text: str) -> bool:
    assert wrong_with(window.deny) == ""
    return open_until(window, at(text)) is not None


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-20T17:59:59+01:00", False),
        ("2026-11-20T18:00:00+01:00", True),
        ("2026-11-22T12:00:00+01:00", True),
        ("2026-11-23T07:59:59+01:00", True),
        ("2026-11-23T08:00:00+01:00", False),
        ("2026-11-20T17:00:00+00:00", True),
        ("2026-11-25T12:00:00+01:00", False),
    ],
)
def test_a_weekend_is_denied_from_friday_evening_to_monday_morning(moment: str, opened: bool) -> None:
    assert is_open(WEEKEND, moment) is opened


def test_the_reason_says_when_it_ends_in_the_windows_own_zone() -> None:
    assert denied([WEEKEND], at("2026-11-21T00:00:00+00:00")) == (
        "a sync window denies changes until 2026-11-23 08:00 CET"
    )
    assert denied([WEEKEND], at("2026-11-25T00:00:00+00:00")) == ""
    assert denied([], at("2026-11-21T00:00:00+00:00")) == ""


@pytest.mark.parametrize(
    ("friday", "end"),
    [("2026-03-27", "2026-03-30T09:00:00+02:00"), ("2026-10-23", "2026-10-26T07:00:00+01:00")],
)
def test_a_duration_is_that_of_a_stopwatch_when_the_clocks_change(friday: str, end: str) -> None:
    saturday = at(f"{friday}T22:00:00+00:00")
    assert open_until(WEEKEND, saturday) == at(end)
    assert open_until(WEEKEND, at(end) - timedelta(seconds=1)) is not None
    assert open_until(WEEKEND, at(end)) is None


def test_an_hour_that_comes_twice_opens_the_window_twice() -> None:
    nightly = Window("30 2 * * *", timedelta(minutes=10), "Europe/Berlin")
    assert is_open(nightly, "2026-10-25T02:35:00+02:00")
    assert not is_open(nightly, "2026-10-25T02:45:00+02:00")
    assert is_open(nightly, "2026-10-25T02:35:00+01:00")


def test_a_start_in_the_hour_that_is_left_out_is_not_lost() -> None:
    nightly = Window("30 2 * * *", timedelta(minutes=10), "Europe/Berlin")
    assert is_open(nightly, "2026-03-29T01:35:00+00:00")


def test_overlapping_windows_end_with_the_last() -> None:
    day = Window("0 8 * * *", timedelta(hours=4))
    noon = Window("0 11 * * *", timedelta(hours=3), "UTC")
    assert denied([day, noon], at("2026-11-20T11:30:00+00:00")).endswith("until 2026-11-20 14:00 UTC")
    assert denied([noon, day], at("2026-11-20T10:30:00+00:00")).endswith("until 2026-11-20 12:00 UTC")


def test_a_window_that_starts_again_before_it_ends_lasts_longer() -> None:
    window = Window("0 * * * *", timedelta(minutes=90))
    assert open_until(window, at("2026-11-20T11:30:00+00:00")) == at("2026-11-20T12:30:00+00:00")


@pytest.mark.parametrize(
    ("expression", "inside", "outside"),
    [
        ("0 18 * * 5", "2026-11-20T18:30:00+00:00", "2026-11-21T18:30:00+00:00"),  # 5 is Friday
        ("0 18 * * 0", "2026-11-22T18:30:00+00:00", "2026-11-23T18:30:00+00:00"),  # 0 is Sunday,
        ("0 18 * * 7", "2026-11-22T18:30:00+00:00", "2026-11-23T18:30:00+00:00"),  # and so is 7
        ("0 18 * * sun-tue", "2026-11-22T18:30:00+00:00", "2026-11-25T18:30:00+00:00"),
        ("0 18 * * */2", "2026-11-24T18:30:00+00:00", "2026-11-25T18:30:00+00:00"),
        ("0 18 24 * fri", "2026-11-20T18:30:00+00:00", "2026-11-21T18:30:00+00:00"),  # either is enough
        ("0 18 24 * fri", "2026-11-24T18:30:00+00:00", "2026-11-21T18:30:00+00:00"),
        ("*/20 5 1,20 nov-dec *", "2026-11-20T05:59:00+00:00", "2026-10-20T05:30:00+00:00"),
        ("30/10 6 * 11 *", "2026-11-20T06:45:00+00:00", "2026-11-20T06:20:00+00:00"),
        ("0 18 * DEC FRI", "2026-12-04T18:30:00+00:00", "2026-11-20T18:30:00+00:00"),
    ],
)
def test_expressions_mean_what_cron_says(expression: str, inside: str, outside: str) -> None:
    window = Window(expression, timedelta(hours=1))
    assert is_open(window, inside)
    assert not is_open(window, outside)


def test_a_day_that_never_comes_denies_nothing() -> None:
    assert not is_open(Window("0 0 30 2 *", timedelta(hours=24)), "2026-03-01T00:00:00+00:00")


def test_a_long_window_that_starts_each_minute_is_found_at_once() -> None:
    before = time.process_time()
    now = at("2026-11-20T12:00:30+00:00")
    assert open_until(Window("* * * * *", timedelta(days=365)), now) == at("2027-11-20T12:00:00+00:00")
    assert time.process_time() - before < 2


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Chatham"])
def test_zones_with_odd_offsets_are_zones_too(zone: str) -> None:
    window = Window("0 12 * * *", timedelta(hours=1), zone)
    end = open_until(window, datetime(2026, 11, 20, 12, 30, tzinfo=ZoneInfo(zone)))
    assert end is not None
    assert (end.hour, end.minute) == (13, 0)
