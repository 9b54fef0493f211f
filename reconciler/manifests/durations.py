"""Times as people write them: `90s`, `15m`, `62h`, `1h30m`, `2d`.

`envelope` and `installation` read timeouts, delays and windows with it. A duration is a positive number of seconds
below a year: what is negative, not a number, or overflows is refused here, before it can stop a loop.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

PATTERN: Final = r"^(\d{1,9}[dhms])+$"
HOW: Final = "a duration is written 90s, 15m, 62h or 1h30m"
LONGEST: Final = timedelta(days=366)

_WHOLE: Final = re.compile(PATTERN)
_PART: Final = re.compile(r"(\d+)([dhms])")
_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def read_duration(text: str) -> timedelta:
    """The duration. Raises ValueError with a message for a person."""
    if len(text) > 40 or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a duration: {HOW}")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text} is longer than a year")
    return timedelta(seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """The reverse: `1h30m`; `0s` for nothing."""
    left, text = int(duration.total_seconds()), ""
    for unit, seconds in _UNITS.items():
        count, left = divmod(left, seconds)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
