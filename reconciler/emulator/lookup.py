"""LookupEvents of CloudTrail, which moto lacks: the records of `trail`, newest first, filtered and in pages.

Installed by `server`. Source: API reference of LookupEvents (one attribute per call, 50 results a page).
"""

from __future__ import annotations

import json
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse

from reconciler.emulator.errors import AwsError
from reconciler.emulator.trail import Record, Trail

__all__ = ["install"]

_MOST_RESULTS = 50


def _lookup(response: Any) -> str:
    trail = Trail.current
    given: dict[str, Any] = json.loads(response.body or "{}")
    size = given.get("MaxResults", _MOST_RESULTS)
    if not 1 <= size <= _MOST_RESULTS:
        raise AwsError("InvalidMaxResultsException", f"MaxResults must be between 1 and {_MOST_RESULTS}")
    start, end = given.get("StartTime"), given.get("EndTime")
    if start is not None and end is not None and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must not be later than the end time")
    filters = given.get("LookupAttributes", [])
    if len(filters) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can specify one lookup attribute at most")
    token = given.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The token is not valid")
    found = [
        record
        for record in reversed(trail.records if trail is not None else [])
        if (record.account, record.region) == (response.current_account, response.region)
        and (start is None or record.time.timestamp() >= start)
        and (end is None or record.time.timestamp() <= end)
        and all(_matches(record, one["AttributeKey"], one["AttributeValue"]) for one in filters)
    ]
    first = int(token)
    answer: dict[str, Any] = {"Events": [_event(record) for record in found[first : first + size]]}
    if first + size < len(found):
        answer["NextToken"] = str(first + size)
    return json.dumps(answer)


def _matches(record: Record, key: str, value: str) -> bool:
    content = record.content
    match key:
        case "EventId":
            return bool(content["eventID"] == value)
        case "EventName":
            return bool(content["eventName"] == value)
        case "EventSource":
            return bool(content["eventSource"] == value)
        case "AccessKeyId":
            return bool(content["userIdentity"]["accessKeyId"] == value)
        case "Username":
            return record.user_name == value
        case "ResourceName":
            return value in record.resources
        case "ReadOnly":
            return value == "false"  # only calls that change something are recorded
        case _:
            raise AwsError("InvalidLookupAttributesException", f"The attribute '{key}' cannot be looked up")


def _event(record: Record) -> dict[str, Any]:
    content = record.content
    return {
        "EventId": content["eventID"],
        "EventName": content["eventName"],
        "ReadOnly": "false",
        "AccessKeyId": content["userIdentity"]["accessKeyId"],
        "EventTime": record.time.timestamp(),
        "EventSource": content["eventSource"],
        "Username": record.user_name,
        "Resources": [{"ResourceName": name} for name in record.resources],
        "CloudTrailEvent": json.dumps(content),
    }


def install() -> None:
    """Patch moto. Twice is once."""
    response: Any = CloudTrailResponse
    response.lookup_events = _lookup
