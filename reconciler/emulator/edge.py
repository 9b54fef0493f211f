"""The edge of the emulated AWS: everything that happens to one request, in order.

Understand it (`wire`), let the faults have their say, run it in moto under the world's lock, turn what moto cannot do
into a clean error, record the call, tell the observers (the trail). `transport` calls `Edge.answer` from its threads.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from reconciler.emulator.calls import Call, is_mutating
from reconciler.emulator.dispatch import UNIMPLEMENTED, Unimplemented, dispatch
from reconciler.emulator.faults import Fault, Faults, fault_answer
from reconciler.emulator.identity import principal_of
from reconciler.emulator.wire import Answer, Incoming, error_answer, parse, set_body
from reconciler.emulator.world import World, trim

__all__ = ["ConnectionDropped", "Edge"]

_POLL_SECONDS = 0.02  # real time between two looks into a queue that somebody polls
_LONGEST_POLL = 20.0  # SQS's own limit


class ConnectionDropped(Exception):  # noqa: N818 - an event on the wire, which the transport turns into a closed socket
    """A fault wants the client's connection gone."""


class Edge:
    """Answers requests. Thread-safe: at most one request is inside moto at a time."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self.calls: list[Call] = []
        self.unimplemented: list[str] = []
        self.observers: list[Callable[[Call, Answer], None]] = []

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        """Serve one request. Raises ConnectionDropped where a fault says so."""
        call = parse(environ, body, self._world.region)
        due = self._faults.due(call)
        refused = self._before(call, due)
        if refused is not None:
            return self._record(call, refused)
        answer = self._long_poll(call) if call.operation == "ReceiveMessage" else self._run(call)
        for fault in due:
            if fault.kind == "after" and fault.hook is not None:
                fault.hook(call)
        dropped = any(fault.kind == "drop_after" for fault in due)
        self._record(call, answer, dropped=dropped)
        if dropped:
            raise ConnectionDropped
        return answer

    def _before(self, call: Incoming, due: list[Fault]) -> Answer | None:
        for fault in due:
            match fault.kind:
                case "before" if fault.hook is not None:
                    fault.hook(call)
                case "delay":
                    self._world.advance(fault.seconds)
                case "drop_before":
                    self._record(call, Answer(0, {}, b"", "dropped"))
                    raise ConnectionDropped
                case _:
                    answer = fault_answer(fault, call)
                    if answer is not None:
                        return answer
        return None

    def _run(self, call: Incoming) -> Answer:
        with self._world.lock:
            try:
                answer = dispatch(call)
            except Unimplemented as reason:
                name = f"{call.service}:{call.operation or call.environ['PATH_INFO']}"
                self.unimplemented.append(f"{name}: {reason}")
                return error_answer(call, UNIMPLEMENTED, f"The emulator cannot do {name}. {reason}", 400)
            if answer.status >= 500:
                name = f"{call.service}:{call.operation}"
                self.unimplemented.append(f"{name}: moto answered {answer.status}: {answer.body[:500]!r}")
                return error_answer(call, UNIMPLEMENTED, f"The emulator broke in {name}.", 400)
            return answer

    def _long_poll(self, call: Incoming) -> Answer:
        """Receive from SQS without holding the lock while there is nothing: the sender needs it."""
        wait = min(float(call.parameters.get("WaitTimeSeconds") or 0), _LONGEST_POLL)
        body = _without_wait(call) if wait else call.body
        pristine = dict(call.environ)
        deadline = time.monotonic() + wait
        while True:
            call.environ = dict(pristine)
            set_body(call.environ, body)
            answer = self._run(call)
            empty = b'"Messages"' not in answer.body and b"<Message>" not in answer.body
            if answer.status >= 400 or not empty or time.monotonic() >= deadline:
                return answer
            time.sleep(_POLL_SECONDS)

    def _record(self, call: Incoming, answer: Answer, *, dropped: bool = False) -> Answer:
        with self._world.lock:
            who = principal_of(call.access_key)
            call.account = who.account
            record = Call(
                service=call.service,
                operation=call.operation,
                region=call.region,
                account=who.account,
                access_key=call.access_key,
                principal=who.arn,
                mutating=is_mutating(call.operation),
                outcome="dropped" if dropped else answer.code,
                status=answer.status,
                parameters=call.parameters,
                request_id=_request_id(answer) or self._world.uuid(),
                time=self._world.now(),
                user_agent=call.header("User-Agent"),
                source_ip=str(call.environ.get("REMOTE_ADDR", "")),
            )
            self.calls.append(record)
            trim(self.calls)
            if not _request_id(answer):
                answer.headers["x-amzn-RequestId"] = record.request_id
            for observe in self.observers:
                observe(record, answer)
        return answer


def _request_id(answer: Answer) -> str:
    return next((value for name, value in answer.headers.items() if name.lower() == "x-amzn-requestid"), "")


def _without_wait(call: Incoming) -> bytes:
    if call.header("X-Amz-Target"):
        return json.dumps({**call.parameters, "WaitTimeSeconds": 0}).encode()
    return re.sub(rb"WaitTimeSeconds=\d+", b"WaitTimeSeconds=0", call.body)
