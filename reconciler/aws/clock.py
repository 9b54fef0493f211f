"""Time as the gate sees it: a function that is passed in, so that tests and the emulator can drive it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

__all__ = ["Clock", "Sleep", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]
"""Answers the present moment, aware and in UTC. May jump; nothing here relies on it being monotonic."""

Sleep: TypeAlias = Callable[[float], None]
"""Waits for a number of seconds; `time.sleep` in a real process."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)
