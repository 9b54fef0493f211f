"""Holds: a person's stop on a resource, written as a tag so that it needs neither git nor the controller.

The tag's value is `<until> <reason>`, as in `2026-11-20T18:30:00Z looking at the memory leak, anna`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MAX_HOLD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force. `until` is None when the tag names no end that can be read: it then lasts as long as the tag."""

    until: datetime | None
    reason: str

    def __str__(self) -> str:
        end = f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "with no end that can be read"
        return f"held {end}" + (f": {self.reason}" if self.reason else "")


def read_hold(value: str | None, now: datetime) -> Hold | None:
    """The hold that a tag's value asks for; None when there is none or it has ended."""
    if value is None:
        return None
    text, _, reason = value.strip().partition(" ")
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        return Hold(None, value.strip())
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return Hold(until.astimezone(UTC), reason.strip()) if now < until else None


def write_hold(until: datetime, reason: str) -> str:
    """The tag's value; characters that AWS does not take in tags become blanks."""
    kept = "".join(letter if letter.isalnum() or letter in " +-=._:/@" else " " for letter in reason)
    return f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {kept}".strip()[:256]
