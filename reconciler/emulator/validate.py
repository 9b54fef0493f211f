"""What AWS's front end refuses before a service sees it: missing members, values outside an enum, a range or a length.

moto checks little of this. Used by `elbv2` for every operation (and usable for any service); driven by the botocore
model, so it knows what the loaded botocore knows. botocore itself checks required members and minimum lengths on the
client's side only, and never enums.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["problems"]


def problems(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield what is wrong with `value` as an instance of a botocore shape, in the words that AWS uses."""
    match shape.type_name:
        case "structure":
            for name in shape.required_members:
                if name not in value:
                    yield f"Value at '{_member(path, name)}' failed to satisfy constraint: Member must not be null"
            for name, member in value.items():
                if name in shape.members:
                    yield from problems(shape.members[name], member, _member(path, name))
        case "list":
            for number, member in enumerate(value, 1):
                yield from problems(shape.member, member, f"{path}.{number}.member")
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long":
            yield from _range(shape, value, path)
        case _:
            return


def _member(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield _failed(value, path, f"satisfy enum value set: [{', '.join(enum)}]")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        yield _failed(value, path, f"have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        yield _failed(value, path, f"have length less than or equal to {high}")
    pattern = shape.metadata.get("pattern")
    if pattern is not None and "\\p" not in pattern and not re.search(pattern, value):  # Python's re has no \p{L}
        yield _failed(value, path, f"satisfy regular expression pattern: {pattern}")


def _range(shape: Any, value: Any, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _failed(value, path, f"have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _failed(value, path, f"have value less than or equal to {high}")


def _failed(value: Any, path: str, must: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {must}"
