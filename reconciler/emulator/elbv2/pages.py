"""Pages of a Describe answer: PageSize and Marker in, NextMarker out. Used by every describing operation here."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from reconciler.emulator.elbv2.errors import validation

__all__ = ["page"]

_LARGEST = 400


def page(parameters: dict[str, Any], items: list[Any], key: str) -> dict[str, Any]:
    """Return `{key: items of this page, "NextMarker": …}`. Raises ValidationError for a size or marker out of range."""
    size = parameters.get("PageSize", _LARGEST)
    if not 1 <= size <= _LARGEST:
        raise validation(f"Page size '{size}' must be between 1 and {_LARGEST}")
    marker = parameters.get("Marker")
    start = _offset(marker) if marker else 0
    answer: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        answer["NextMarker"] = base64.b64encode(f"offset:{start + size}".encode()).decode()
    return answer


def _offset(marker: str) -> int:
    try:
        return int(base64.b64decode(marker, validate=True).decode().removeprefix("offset:"))
    except (ValueError, binascii.Error) as error:
        raise validation(f"Invalid marker '{marker}'") from error
