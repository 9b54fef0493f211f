"""What the gate tells of each call: for the log, the metrics, `--output json`, and the tests that count calls."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

__all__ = ["CallKind", "Outcome", "TraceRecord"]


class CallKind(enum.Enum):
    """What a call is for; decided by the gate's method, not by its name."""

    READ = "read"
    WRITE = "write"


class Outcome(enum.Enum):
    """How one attempt ended."""

    OK = "ok"
    ERROR = "error"  # AWS refused or was not reached: nothing happened
    UNKNOWN = "unknown"  # the answer was lost: it may have taken effect
    NOT_SENT = "not sent"  # a dry run


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One attempt of one call. Parameters are not in it: they may hold secrets."""

    service: str
    operation: str
    kind: CallKind
    started: datetime
    duration: float  # seconds, by the gate's clock; without what was waited for the rate limit
    attempt: int  # from 1
    outcome: Outcome
    request_id: str = ""
    error_code: str = ""

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"
