"""What the gate remembers of answers: in memory for one process, on disk between processes.

A cache may lose anything at any time; it must never answer with something else than what was put. It holds what the
read calls gave (task definitions above all), which may contain what people put into environment variables: files are
for their owner alone.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Protocol

from reconciler.core.values import Json

__all__ = ["Cache", "MemoryCache"]


class Cache(Protocol):
    """Answers by key. Keys carry account and region: the gate sees to it. Safe for threads."""

    def get(self, key: str) -> tuple[Json, datetime] | None:
        """What was put under the key last, as a value of its own, and when it was; None when nothing is known."""

    def put(self, key: str, value: Json, stored_at: datetime) -> None:
        """Remember pure JSON. Never fails for want of space or permission: a cache is only a help."""


class MemoryCache:
    """Remembers until the process ends, as JSON text, so that nobody changes what another one reads."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> tuple[Json, datetime] | None:
        found = self._texts.get(key)
        return (json.loads(found[0]), found[1]) if found else None

    def put(self, key: str, value: Json, stored_at: datetime) -> None:
        text = json.dumps(value)
        with self._lock:
            self._texts[key] = (text, stored_at)
