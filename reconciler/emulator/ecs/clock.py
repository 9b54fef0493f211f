"""The time and the identifiers that the emulated ECS uses, both drawn from the world.

Between ticks the time is the world's. During a tick that covers many seconds, the driver steps through them and every
step sees its own time here, so that a task's timestamps are right however coarse the ticks are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from reconciler.emulator.world import World

__all__ = ["hex_id", "now", "number", "stepping", "uuid"]

_step: list[datetime] = []


def now() -> datetime:
    """Return the virtual time, aware, in UTC."""
    return _step[-1] if _step else World.current().now()


@contextmanager
def stepping(at: datetime) -> Iterator[None]:
    """Make `now()` return `at` inside the block."""
    _step.append(at)
    try:
        yield
    finally:
        _step.pop()


def uuid() -> str:
    """Return a UUID drawn from the world's seed."""
    return World.current().uuid()


def hex_id() -> str:
    """Return 32 hexadecimal digits, the form of a task's id."""
    return uuid().replace("-", "")


def number() -> str:
    """Return 19 decimal digits, the form of a deployment's and a revision's id."""
    return str(World.current().random.randrange(10**18, 10**19))
