"""Sync windows: times in which nothing is written. Deny wins; a person's `--force` with a reason overrides.

The cron expressions are APScheduler's to understand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from reconciler.core.resource import Window


def denied(windows: Iterable[Window], now: datetime) -> str:
    """Why nothing may be written now, with the time when that ends; empty when no window is open."""
    ends = [end for window in windows if (end := _open_until(window, now))]
    if not ends:
        return ""
    return f"a sync window denies changes until {max(ends):%Y-%m-%d %H:%M %Z}"


def _open_until(window: Window, now: datetime) -> datetime | None:
    zone = ZoneInfo(window.timezone)
    trigger = CronTrigger.from_crontab(window.deny, timezone=zone)
    local = now.astimezone(zone)
    # A window that is open now began after (now - duration); a later start inside it makes it longer.
    start = trigger.get_next_fire_time(None, local - window.duration + timedelta(seconds=1))
    end: datetime | None = None
    while start is not None and start <= local:
        end = start + window.duration
        start = trigger.get_next_fire_time(start, start + timedelta(seconds=1))
    return end
