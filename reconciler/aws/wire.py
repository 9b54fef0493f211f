"""What happens to an answer between the socket and botocore's parser.

`install` puts it on a botocore session or client (called by `session`). Three things that botocore leaves to chance:

- An answer must be whole. botocore reads a body that is no JSON, or only the first half of one, as an empty answer;
  to a reconciler an empty list of services means "create them all". Here it is an error of the connection.
- DescribeServices answers carry up to 100 events a service, most of the bytes and nearly all of the timestamps. Nobody
  reads them in a pass, so they are cut out of the text before it is parsed (`keeping_events` turns that off).
- Timestamps are parsed straight into aware UTC values: botocore's general parser is some twenty times slower.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import HTTPClientError
from botocore.utils import parse_timestamp

from reconciler.aws.models import Untyped

__all__ = ["BrokenAnswerError", "check_answer", "fast_timestamp", "keeping_events", "trim_events", "without_events"]


_XML_ROOT: Final = re.compile(rb"<\w+Response[\s>/]")


class BrokenAnswerError(HTTPClientError):  # type: ignore[misc]  # botocore has no types
    """The answer of a call that AWS accepted is cut short, or is not in the protocol of the API."""

    fmt = "The answer is not whole: {error}"


def fast_timestamp(value: float | str) -> datetime:
    """A timestamp of any AWS protocol, seconds since 1970 or ISO 8601 or RFC 822, as an aware UTC value."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = parse_timestamp(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def check_answer(operation_model: Untyped, response_dict: dict[str, Any], **_: Untyped) -> None:
    """A `before-parse` handler: raises BrokenAnswerError for a successful answer that is not whole.

    Errors (status 300 and above) are left to botocore, which knows a proxy's HTML when it sees it there.
    """
    if response_dict["status_code"] >= 300 or operation_model.has_streaming_output:
        return
    body: bytes = response_dict["body"]
    length = response_dict["headers"].get("content-length")
    encoding = response_dict["headers"].get("content-encoding", "identity")
    if length is not None and encoding == "identity" and int(length) != len(body):
        raise BrokenAnswerError(error=f"{len(body)} of {length} bytes arrived")
    protocol = operation_model.service_model.resolved_protocol
    if protocol in ("query", "ec2"):
        if not _XML_ROOT.search(body, 0, 1000):
            raise BrokenAnswerError(error="it is not XML of this API")
    elif "json" in protocol and not _payload(operation_model):
        text = body.strip()
        if not text and operation_model.name.startswith(("Describe", "List", "Get")):
            raise BrokenAnswerError(error="it is empty")
        if text and not (text.startswith(b"{") and text.endswith(b"}")):
            raise BrokenAnswerError(error="it is not JSON")


def _payload(operation_model: Untyped) -> bool:
    """Whether the body is one member as it is (a function's output), and not the API's own JSON."""
    shape = operation_model.output_shape
    return shape is not None and "payload" in shape.serialization


def without_events(body: bytes) -> bytes:
    """A DescribeServices answer in which no service has events; raises ValueError for what is no JSON.

    Measured: to read the JSON and write the rest takes half the time of a regular expression that skips the events.
    """
    answer = json.loads(body)
    services = answer.get("services")
    if not services:
        return body
    for service in services:
        service.pop("events", None)
    return json.dumps(answer, separators=(",", ":")).encode()


_local: Final = threading.local()


@contextmanager
def keeping_events() -> Iterator[None]:
    """Within this, in this thread, DescribeServices answers keep their events."""
    _local.events = True
    try:
        yield
    finally:
        _local.events = False


def trim_events(response_dict: dict[str, Any], **_: Untyped) -> None:
    """A `before-parse.ecs.DescribeServices` handler; comes after `check_answer`, because it changes the length."""
    is_json = response_dict["body"][:1] == b"{"
    if is_json and response_dict["status_code"] < 300 and not getattr(_local, "events", False):
        try:
            response_dict["body"] = without_events(response_dict["body"])
        except ValueError as error:
            raise BrokenAnswerError(error="it is not JSON") from error
