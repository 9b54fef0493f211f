"""EventBridge delivery: what the world emits, and what PutEvents sends, reaches the targets of the rules that match.

moto builds the message without `account`, needs a package for it that is not part of it, ignores a rule's state, and
sends to queues of the rule's own account only. Here: SQS queues and event buses of any account and region, and log
groups; targets of other sorts are skipped. Matching is moto's. Installed by `server`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.events.models import Rule, events_backends
from moto.logs.models import logs_backends
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from reconciler.emulator.world import Event, World

__all__ = ["deliver", "install"]

_PLACEHOLDER = re.compile(r"<([\w.-]+)>")


def deliver(event: Event) -> None:
    """Send an event to the targets of the matching rules of its account's and region's default bus."""
    if event.account not in events_backends or event.region not in events_backends[event.account].keys():  # noqa: SIM118 - moto's `in` is true for regions that nobody has used
        return
    message = {
        "version": "0",
        "id": event.id,
        "detail-type": event.detail_type,
        "source": event.source,
        "account": event.account,
        "time": _timestamp(event.time),
        "region": event.region,
        "resources": list(event.resources),
        "detail": event.detail,
    }
    _put(message, event.account, event.region, "default")


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _put(message: dict[str, Any], account: str, region: str, bus_name: str) -> None:
    bus = events_backends[account][region].event_buses.get(bus_name)
    for rule in list(bus.rules.values()) if bus is not None else ():
        _send(rule, message)


def _send(rule: Any, original: dict[str, Any], transform_input: bool = True) -> None:  # noqa: ARG001 - takes the place of a method of moto's
    message = {key: value for key, value in original.items() if key != "ingestion-time"}
    if isinstance(message.get("time"), int | float):
        message["time"] = _timestamp(datetime.fromtimestamp(message["time"], UTC))
    message["version"] = "0"
    if (
        rule.state == "DISABLED"
        or not rule.event_pattern.get_pattern()
        or not rule.event_pattern.matches_event(message)
    ):
        return
    for target in rule.targets:
        _, _, service, region, account, resource = target["Arn"].split(":", 5)
        body = _input(target, message)
        try:
            _send_to(service, account, region, resource, body, message, target)
        except (HTTPException, ServiceException, KeyError):
            continue  # a queue or a log group that is gone loses its events, and nobody is told


def _send_to(
    service: str, account: str, region: str, resource: str, body: str, message: dict[str, Any], target: dict[str, Any]
) -> None:
    match service, re.split("[:/]", resource, maxsplit=1)[0]:
        case "sqs", _:
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            once = message["id"] if group else None
            queues = sqs_backends[account][region]
            queues.send_message(queue_name=resource, message_body=body, group_id=group, deduplication_id=once)
        case "events", "event-bus":
            if message["account"] == account and message["region"] == region:
                return  # AWS sends no event around in circles
            _put(message, account, region, resource.split("/", 1)[1])
        case "logs", "log-group":
            group = resource.split(":", 1)[1].removesuffix(":*")
            world = World.current()
            logs = logs_backends[account][region]
            stream = world.uuid()
            logs.create_log_stream(group, stream)
            logs.put_log_events(group, stream, [{"timestamp": int(world.now().timestamp() * 1000), "message": body}])
        case _:
            return


def _input(target: dict[str, Any], message: dict[str, Any]) -> str:
    """Return what a target is sent: its constant, a part of the event, a template filled in, or the event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_part(message, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if transformer is None:
        return json.dumps(message)
    values = {name: _part(message, path) for name, path in transformer.get("InputPathsMap", {}).items()}

    def fill(found: re.Match[str]) -> str:
        value = values.get(found.group(1), "")
        return value if isinstance(value, str) else json.dumps(value)

    return _PLACEHOLDER.sub(fill, transformer["InputTemplate"])


def _part(message: Any, path: str) -> Any:
    for step in re.findall(r"[^.$\[\]]+", path):
        if isinstance(message, list):
            message = message[int(step)] if step.isdigit() and int(step) < len(message) else None
        else:
            message = message.get(step) if isinstance(message, dict) else None
    return message


def install(world: World) -> None:
    """Patch moto, and listen to the world. Twice is once."""
    rule: Any = Rule
    rule.send_to_targets = _send
    world.on_event(deliver)
