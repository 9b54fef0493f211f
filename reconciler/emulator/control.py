"""The control endpoints under `/_emulator/`: another process drives the emulator with them.

POST tick {"seconds": 1, "steps": 1} · POST reset · POST faults {"operation": …, "kind": …, …} · DELETE faults ·
GET calls[?operation=glob] · GET clock · GET health · GET unimplemented · GET events. Answers are JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from reconciler.emulator.calls import matches
from reconciler.emulator.faults import Fault
from reconciler.emulator.wire import Answer

if TYPE_CHECKING:
    from reconciler.emulator.server import Emulator

__all__ = ["PREFIX", "control"]

PREFIX = "/_emulator/"


def control(emulator: Emulator, environ: dict[str, Any], body: bytes) -> Answer:
    """Serve one control request; bad input answers 400 with the reason."""
    order = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].removeprefix(PREFIX)}"
    query = parse_qs(environ.get("QUERY_STRING", ""))
    try:
        return _json(200, _obey(emulator, order, query, json.loads(body) if body else {}))
    except LookupError as error:
        return _json(404, {"error": str(error)})
    except (ValueError, TypeError, AttributeError) as error:
        return _json(400, {"error": str(error)})


def _obey(emulator: Emulator, order: str, query: dict[str, list[str]], given: dict[str, Any]) -> Any:
    answer: Any = {}
    match order:
        case "GET health":
            answer = {"status": "ok"}
        case "GET clock":
            answer = {"now": emulator.world.now()}
        case "POST tick":
            emulator.tick(float(given.get("seconds", 1.0)), int(given.get("steps", 1)))
            answer = {"now": emulator.world.now()}
        case "POST reset":
            emulator.reset()
            answer = {"now": emulator.world.now()}
        case "POST faults":
            emulator.faults.add(_fault(given))
        case "DELETE faults":
            emulator.faults.clear()
        case "GET calls":
            glob = query.get("operation", ["*"])[0]
            answer = [asdict(call) for call in emulator.calls if matches(glob, call.service, call.operation)]
        case "GET unimplemented":
            answer = emulator.unimplemented
        case "GET events":
            answer = [asdict(event) for event in list(emulator.world.events)]
        case _:
            raise LookupError(f"no control endpoint {order!r}")
    return answer


def _fault(given: dict[str, Any]) -> Fault:
    known = {field.name for field in fields(Fault)} - {"hook", "match"}
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}: it has {', '.join(sorted(known))}")
    return Fault(**given)


def _json(status: int, value: Any) -> Answer:
    def encode(thing: Any) -> str:
        return thing.isoformat() if isinstance(thing, datetime) else str(thing)

    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value, default=encode).encode())
