"""Sync windows: times in which nothing is written. Deny wins; a person's `--force` with a reason overrides.

A window begins whenever its cron expression says, in its time zone, and lasts for its duration as a stopwatch counts
it: 62 h from Friday 18:00 end on Monday at 8:00, or at 7:00 or 9:00 when the clocks changed that weekend.

Expressions mean what cron says: 0 and 7 are Sunday, and with both a day of the month and a weekday either of them is
enough. APScheduler, which finds the times, counts weekdays from Monday and wants both; so it gets numbers spelled out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from reconciler.core.resource import Window

_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS: Final = "sun mon tue wed thu fri sat".split()
_SECOND: Final = timedelta(seconds=1)
_LEFT_OUT: Final = timedelta(hours=3)  # more than clocks are ever put forward: a start in there is found from before it


def denied(windows: Iterable[Window], now: datetime) -> str:
    """Why nothing may be written now, with the time when that ends; empty when no window is open.

    `now` is aware. The windows' expressions have passed `reconciler.manifests.cron`.
    """
    ends = [end for window in windows if (end := open_until(window, now))]
    if not ends:
        return ""
    return f"a sync window denies changes until {max(ends):%Y-%m-%d %H:%M %Z}"


def open_until(window: Window, now: datetime) -> datetime | None:
    """When the window that is open now ends, in its time zone; None when it is closed. Its end is no part of it."""
    zone = ZoneInfo(window.timezone)
    starts = [start for one in _triggers(window.deny, zone) if (start := _last_start(one, now, window.duration))]
    if not starts:
        return None
    return (max(starts) + window.duration).astimezone(zone)


def _last_start(trigger: CronTrigger, now: datetime, duration: timedelta) -> datetime | None:
    """The last start that is neither in the future nor so long ago that the window has ended; in UTC."""
    moment = now.astimezone(UTC)
    back = timedelta(minutes=1)  # looked for near first: an expression may fire each minute, a window last a year
    while (start := _next(trigger, moment - back - _LEFT_OUT)) is None or start > moment:
        if back >= duration:
            return None
        back *= 2
    while (later := _next(trigger, start + _SECOND)) is not None and later <= moment:
        start = later
    return start if start > moment - duration else None


def _next(trigger: CronTrigger, moment: datetime) -> datetime | None:
    """The first start at the moment or after it; moments in UTC, where each comes once."""
    found = trigger.get_next_fire_time(None, moment.astimezone(trigger.timezone))
    return None if found is None else found.astimezone(UTC)


def _triggers(expression: str, zone: ZoneInfo) -> list[CronTrigger]:
    minute, hour, day, month, weekday = expression.lower().split()
    fields = {
        "minute": _numbers(minute, 0, 59),
        "hour": _numbers(hour, 0, 23),
        "month": _numbers(month, 1, 12, _MONTHS),
        "timezone": zone,
    }
    days = {"day": _numbers(day, 1, 31)}
    weekdays = {"day_of_week": ",".join({_DAYS[int(one) % 7]: "" for one in _numbers(weekday, 0, 7, _DAYS).split(",")})}
    if day.startswith("*") or weekday.startswith("*"):
        return [CronTrigger(**fields, **days, **weekdays)]
    return [CronTrigger(**fields, **days), CronTrigger(**fields, **weekdays)]


def _numbers(field: str, least: int, most: int, names: list[str] | None = None) -> str:
    """A field's values, each written out: `*/20` of minutes is `0,20,40`."""
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            start, end = least, most - (names is _DAYS)  # 7 is Sunday a second time
        else:
            start = _number(first, names, least)
            end = _number(last, names, least) if last else most if step else start
        values |= set(range(start, end + 1, int(step or 1)))
    return ",".join(map(str, sorted(values)))


def _number(word: str, names: list[str] | None, least: int) -> int:
    return names.index(word) + least if names and word in names else int(word)
