"""Paging, as the list operations of ECS do it: `maxResults` of 1 to 100, an opaque `nextToken`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from reconciler.emulator.ecs.errors import invalid
from reconciler.emulator.ecs.model import Json

__all__ = ["page"]


def page(items: Sequence[object], params: Json, member: str, default: int = 100) -> Json:
    """Return one page of `items` as `{member: [...], nextToken?}`.

    Raises InvalidParameterException for a token that ECS never gave, or a page size out of range.
    """
    size = params.get("maxResults", default)
    if not 1 <= size <= 100:
        raise invalid("maxResults should be between 1 and 100.")
    start = _offset(params.get("nextToken"))
    answer: Json = {member: list(items[start : start + size])}
    if start + size < len(items):
        answer["nextToken"] = base64.b64encode(f"offset:{start + size}".encode()).decode()
    return answer


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, value = base64.b64decode(token, validate=True).decode().partition(":")
        if kind == "offset":
            return int(value)
    except (binascii.Error, ValueError) as problem:
        raise invalid("Invalid token.") from problem
    raise invalid("Invalid token.")
