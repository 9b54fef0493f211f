"""Whether a text is a cron expression of five fields; what it means is the controller's affair.

`installation` checks windows with it, so that a wrong expression is an error at its line, not a deny window that never
comes.
"""

from __future__ import annotations

import re
from typing import Final

_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART: Final = re.compile(r"(?:\*|([a-z0-9]{1,3})(?:-([a-z0-9]{1,3}))?)(?:/([0-9]{1,2}))?")


def wrong_with(expression: str) -> str:
    """What is wrong with a cron expression; empty when nothing is."""
    fields = expression.split()
    if len(expression) > 200 or len(fields) != len(_FIELDS):
        return f"{expression[:40]!r} is not a cron expression: it has five fields, as in `0 18 * * fri`"
    for text, (name, least, most) in zip(fields, _FIELDS, strict=True):
        for part in text.lower().split(","):
            if not _fits(part, name, least, most):
                return f"{part!r} is not a {name} of a cron expression ({least} to {most}, *, a-b, */n)"
    return ""


def _fits(part: str, name: str, least: int, most: int) -> bool:
    found = _PART.fullmatch(part)
    if not found:
        return False
    start, end, step = found.groups()
    numbers = [_number(word, name) for word in (start, end) if word is not None]
    ordered = len(numbers) < 2 or numbers[0] <= numbers[1]
    return all(least <= number <= most for number in numbers) and ordered and step != "0"


def _number(word: str, name: str) -> int:
    names = {"month": _MONTHS, "weekday": _DAYS}.get(name, ())
    if word in names:
        return names.index(word) + (name == "month")
    return int(word) if word.isdigit() else -1
