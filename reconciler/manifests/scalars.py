"""What a plain scalar means, and what to tell a person when YAML means something else than they do.

The composer in `document` calls `read` for each scalar without quotes. It exists because YAML 1.1 reads `no`, `1.20`
and `0755` as something that nobody wrote: spellings that are harmless in one place and wrong in another keep their
text, so that the error can show it; spellings that hardly anybody means are refused at once.

Readings: https://yaml.org/type/ (bool, int, float, merge, null). Timestamps stay text: AWS takes none from a manifest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

_FIRST: Final = frozenset("-+.0123456789~nNtTfFyYoO")
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("~", "null", "Null", "NULL", ""), None),
    **{form: True for word in ("yes", "on", "true") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("no", "off", "false") for form in (word, word.title(), word.upper())},
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+][0-9]+")
_OCTAL: Final = re.compile(r"[-+]?0[0-7_]+|0o[0-7]+")
_OTHER_BASE: Final = re.compile(r"[-+]?0[bB][01_]+|[-+]?0x[0-9a-fA-F_]+")
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_GROUPED: Final = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MARK: Final = re.compile(r"[-+]?[0-9]+[eE][0-9]+")
_LARGEST: Final = 2**63


class AmbiguousScalarError(ValueError):
    """A spelling that YAML reads in a way that its writer hardly meant; the message says what to write instead."""


def read(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar. Raises AmbiguousScalarError."""
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    _refuse(text)
    return text


def key_reading(text: str) -> str:
    """What YAML makes of a key without quotes, when it is not text; empty when it is."""
    try:
        value = read(text)
    except AmbiguousScalarError:
        return "a number"
    match value:
        case str():
            return ""
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case _:
            return "a number"


def _integer(text: str) -> int:
    if len(text) > 20 or not -_LARGEST <= int(text) < _LARGEST:
        raise AmbiguousScalarError(f"the number {text[:24]} is too large for 64 bits: quote it if it is text")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise AmbiguousScalarError(f"the number {text[:24]} is too large: quote it if it is text")
    return value


def _refuse(text: str) -> None:
    if _NOT_FINITE.fullmatch(text):
        raise AmbiguousScalarError(f"{text} is not a number that AWS takes: quote it if it is text")
    for pattern, reading in (
        (_OCTAL, "an octal number"),
        (_OTHER_BASE, "a hexadecimal or binary number"),
        (_BASE_60, "a number to the base 60"),
        (_GROUPED, "a number with _ between its digits"),
    ):
        if len(text) < 100 and pattern.fullmatch(text):
            raise AmbiguousScalarError(f'YAML reads {text} as {reading}: write "{text}" in quotes, or a plain number')


def why_not_text(value: object, text: str | None) -> str:
    """The sentence for a value that stands where text is wanted: what YAML made of it, and how to write it."""
    written = text if text is not None else str(value)
    match value:
        case bool():
            reading = f"YAML reads {written} as {'true' if value else 'false'}"
        case int():
            reading = f"YAML reads {written} as a number"
        case float():
            reading = f"YAML reads {written} as the number {value:g}"
        case _:
            reading = f"YAML reads {written or 'nothing'} as null"
    return f'text is wanted, and {reading}: write "{written}" in quotes'


def why_not_number(text: str) -> str:
    """The addition for text that stands where a number is wanted; empty when there is nothing to add."""
    if _MARK.fullmatch(text):
        return f", and YAML reads {text} as text: write {float(text):g}" if len(text) < 8 else ""
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return f": write {text} without quotes"
    return ""
