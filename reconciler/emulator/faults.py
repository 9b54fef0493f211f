"""Faults at the edge: what a network and a busy AWS do to a client, by operation, counted or seeded.

Tests add them through `Emulator.faults` (other processes: `POST /_emulator/faults`); `edge` asks here before and after
each call. A fault never reaches into moto: it happens before the effect, or after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from reconciler.emulator.calls import matches
from reconciler.emulator.wire import Answer, Incoming, error_answer

__all__ = ["Fault", "FaultKind", "Faults", "fault_answer"]

FaultKind = Literal[
    "throttle",  # 400 ThrottlingException (JSON) or Throttling (query)
    "500",  # InternalFailure, in the protocol of the call
    "503",  # ServiceUnavailable, in the protocol of the call
    "html500",  # what a broken load balancer answers: HTML, no AWS error at all
    "access_denied",
    "error",  # `code`, `message`, `status` of your own, before the effect
    "delay",  # `seconds` of virtual time pass, then the call goes on
    "drop_before",  # the connection goes away, nothing happened
    "drop_after",  # it happened, but nobody will ever tell the client
    "before",  # `hook(call)` runs before the effect, outside the lock: it may call the emulator itself
    "after",  # `hook(call)` runs after the effect
]

_HTML = b"<!doctype html>\n<html lang=en>\n<title>500</title>\n<h1>Internal Server Error</h1>\n<p>No XML, no JSON."


@dataclass(frozen=True, slots=True)
class Fault:
    """When and what. It fires on the matching calls number nth, nth+1, … (`times` of them; None: for ever).

    `operation` is a glob over `service:Operation`. With `probability`, each call within that range fires by the seeded
    dice. `match` narrows by the understood request (its `parameters`, `account`, `region`).
    """

    operation: str
    kind: FaultKind
    nth: int = 1
    times: int | None = 1
    probability: float | None = None
    seconds: float = 0.0
    code: str = ""
    message: str = ""
    status: int | None = None
    hook: Callable[[Incoming], object] | None = None
    match: Callable[[Incoming], bool] | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no fault of kind {self.kind!r}: use one of {', '.join(get_args(FaultKind))}")


class Faults:
    """The faults in force. Thread-safe."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._lock = threading.Lock()
        self._faults: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force; its count starts now."""
        with self._lock:
            self._faults.append((fault, [0]))

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def due(self, call: Incoming) -> list[Fault]:
        """Count this call, and return the faults that fire on it, in the order in which they were added."""
        if not self._faults:
            return []
        with self._lock:
            return [fault for fault, seen in self._faults if self._fires(fault, seen, call)]

    def _fires(self, fault: Fault, seen: list[int], call: Incoming) -> bool:
        if not matches(fault.operation, call.service, call.operation):
            return False
        if fault.match is not None and not fault.match(call):
            return False
        seen[0] += 1
        if seen[0] < fault.nth or (fault.times is not None and seen[0] >= fault.nth + fault.times):
            return False
        return fault.probability is None or self._random.random() < fault.probability


def fault_answer(fault: Fault, call: Incoming) -> Answer | None:
    """Return the answer that a fault gives in place of the effect; None for those that only delay, drop or hook."""
    query = call.service in {"elbv2", "elb", "iam", "sts", "ec2", "autoscaling", "cloudformation", "rds", "sns"}
    match fault.kind:
        case "throttle":
            code = fault.code or ("Throttling" if query else "ThrottlingException")
            return error_answer(call, code, fault.message or "Rate exceeded", fault.status or 400)
        case "500":
            code = fault.code or ("InternalFailure" if query else "ServerException")
            return error_answer(call, code, fault.message or "Service Unavailable. Please try again later.", 500)
        case "503":
            return error_answer(call, fault.code or "ServiceUnavailable", fault.message or "Service unavailable", 503)
        case "html500":
            return Answer(500, {"Content-Type": "text/html"}, _HTML, "html500")
        case "access_denied":
            code = fault.code or ("AccessDenied" if query else "AccessDeniedException")
            text = fault.message or f"User is not authorized to perform: {call.signing_name}:{call.operation}"
            return error_answer(call, code, text, fault.status or (403 if query else 400))
        case "error":
            return error_answer(call, fault.code or "InternalFailure", fault.message, fault.status)
        case _:
            return None
