"""What the clock does to the emulated ECS: it walks through the time that has passed, and lets everything happen.

Registered by `install` as a tick listener of the world. A tick of many seconds is walked in steps of one second while
anything changes, and skips ahead to the next thing that is due while nothing does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.emulator.ecs import clock
from reconciler.emulator.ecs.lifecycle import advance
from reconciler.emulator.ecs.scheduler import restless, step
from reconciler.emulator.ecs.site import Site, sites

__all__ = ["forget", "on_tick"]

_STEP = timedelta(seconds=1)
_MOST_STEPS = 3600
"""A tick of days walks in longer steps, so that a crash loop under it ends too."""
_last: list[datetime] = []


def on_tick(now: datetime) -> None:
    """Bring every account and region up to `now`."""
    since = _last[-1] if _last else _beginning(now)
    pace = max(_STEP, (now - since) / _MOST_STEPS)
    at = min(since + _STEP, now)
    _last[:] = [now]
    while True:
        with clock.stepping(at):
            busy = [_step_site(site) for site in sites()]
        if at >= now:
            return
        at = min(now, at + pace if any(busy) else _next_due(at + _STEP, now))


def forget() -> None:
    """Forget when the last tick was: the world begins anew."""
    _last.clear()


def _beginning(now: datetime) -> datetime:
    """Return when the first thing happened, for the first tick of all."""
    born = [service.created_at for site in sites() for service in site.services()]
    return min([*born, *(task.created_at for site in sites() for task in site.live_tasks), now])


def _step_site(site: Site) -> bool:
    changed = False
    for task in list(site.live_tasks):
        changed = advance(site, task) or changed
    for service in list(site.services()):
        changed = step(site, service) or restless(service) or changed
    return changed


def _next_due(earliest: datetime, latest: datetime) -> datetime:
    due = [task.next_at for site in sites() for task in site.live_tasks if task.next_at is not None]
    return max(earliest, min([*due, latest]))
