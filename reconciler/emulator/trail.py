"""CloudTrail: who did what. One record per mutating management call, on the event bus and in LookupEvents.

`server` registers `Trail.observe` with the edge; `lookup` answers LookupEvents from here. A record becomes visible
`delay` virtual seconds after the call: on AWS seconds on the bus and minutes in LookupEvents; here the same for both.
Source: "CloudTrail record contents" and "CloudTrail userIdentity element" in the user guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore import parsers

from reconciler.emulator.calls import Call
from reconciler.emulator.dispatch import UNIMPLEMENTED
from reconciler.emulator.identity import Principal, principal_of
from reconciler.emulator.wire import Answer, model_of, operation_model
from reconciler.emulator.world import World, trim

__all__ = ["Record", "Trail", "install"]

# Data events: a trail records them only when told to, and LookupEvents never does.
_DATA = {
    "sqs": {"SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility"},
    "s3": {"PutObject", "DeleteObject", "DeleteObjects", "CopyObject", "UploadPart"},
    "dynamodb": {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"},
    "logs": {"PutLogEvents"},
    "cloudwatch": {"PutMetricData"},
    "events": {"PutEvents"},
    "sns": {"Publish", "PublishBatch"},
    "lambda": {"Invoke"},
}
_SOURCES = {"cloudwatch": "monitoring", "application-autoscaling": "autoscaling"}
_GLOBAL = {"iam", "sts", "cloudfront", "route53"}


@dataclass(frozen=True, slots=True)
class Record:
    """One visible record: CloudTrail's own JSON, and what LookupEvents filters by."""

    account: str
    region: str
    time: datetime
    user_name: str
    resources: tuple[str, ...]
    content: dict[str, Any]


class Trail:
    """The records of the world, oldest first. One per emulator."""

    current: Trail | None = None

    def __init__(self, world: World, delay: float = 0.0) -> None:
        self._world = world
        self.delay = delay
        self.records: list[Record] = []

    def observe(self, call: Call, answer: Answer) -> None:
        """Record a call, if it is one that CloudTrail records."""
        if not call.mutating or not answer.status or answer.code == UNIMPLEMENTED or not call.operation:
            return
        if call.operation in _DATA.get(call.service, ()):
            return
        record = self._record(call, answer)
        self._world.later(self.delay, lambda: self._publish(record))

    def reset(self) -> None:
        """Forget all records. The delay stays."""
        self.records.clear()

    def _publish(self, record: Record) -> None:
        self.records.append(record)
        trim(self.records)
        source = str(record.content["eventSource"]).removesuffix(".amazonaws.com")
        self._world.emit(
            f"aws.{source}", "AWS API Call via CloudTrail", record.content, (), record.account, record.region
        )

    def _record(self, call: Call, answer: Answer) -> Record:
        who = principal_of(call.access_key)
        region = "us-east-1" if call.service in _GLOBAL else call.region
        response = _response(call, answer)
        parameters = _camel(call.parameters)
        content: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": _identity(who, call.time),
            "eventTime": call.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{_source(call.service)}.amazonaws.com",
            "eventName": call.operation,
            "awsRegion": region,
            "sourceIPAddress": call.source_ip,
            "userAgent": call.user_agent,
            "requestParameters": parameters or None,
            "responseElements": None,
            "requestID": call.request_id,
            "eventID": self._world.uuid(),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": call.account,
            "eventCategory": "Management",
        }
        if answer.status < 400:
            content["responseElements"] = _camel(response) or None
        else:
            content["errorCode"] = answer.code
            content["errorMessage"] = str(response.get("Message") or response.get("message") or "")
        name = who.user_name or (who.arn.rsplit("/", 1)[1] if who.kind == "AssumedRole" else "root")
        named = dict.fromkeys([*_names(call.parameters), *(_names(response) if answer.status < 400 else ())])
        return Record(call.account, region, call.time, name, tuple(named), content)


def _source(service: str) -> str:
    if service in _SOURCES:
        return _SOURCES[service]
    model = model_of(service)
    return str(model.metadata.get("endpointPrefix", service)) if model is not None else service


def _identity(who: Principal, now: datetime) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": who.kind,
        "principalId": who.principal_id,
        "arn": who.arn,
        "accountId": who.account,
        "accessKeyId": who.access_key,
    }
    if who.user_name:
        identity["userName"] = who.user_name
    if who.kind == "AssumedRole":
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": who.principal_id.split(":")[0],
                "arn": who.role_arn,
                "accountId": who.account,
                "userName": who.role_arn.rsplit("/", 1)[-1],
            },
            "attributes": {"creationDate": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"},
        }
    return identity


def _response(call: Call, answer: Answer) -> dict[str, Any]:
    """Return what the client will read in the answer, with the API's member names."""
    if answer.body.startswith(b"{"):  # not by the content type: moto's is not always right
        try:
            body: dict[str, Any] = json.loads(answer.body)
        except ValueError:
            return {}
        return body
    operation = operation_model(call.service, call.operation)
    if operation is None or not answer.body.startswith(b"<"):
        return {}
    metadata = operation.service_model.metadata
    spoken = metadata.get("protocols", [metadata["protocol"]])
    parser = parsers.create_parser(next((xml for xml in ("ec2", "rest-xml") if xml in spoken), "query"))
    shape = operation.output_shape if answer.status < 400 else None
    try:
        parsed = parser.parse({"status_code": answer.status, "headers": answer.headers, "body": answer.body}, shape)
    except parsers.ResponseParserError:
        return {}
    if answer.status >= 400:
        return dict(parsed.get("Error", {}))
    return {key: value for key, value in parsed.items() if key != "ResponseMetadata"}


def _camel(value: Any) -> Any:
    """Return JSON with lower-case first letters in its member names, as CloudTrail writes every service's calls."""
    match value:
        case dict():
            return {str(key)[:1].lower() + str(key)[1:]: _camel(member) for key, member in value.items()}
        case list():
            return [_camel(member) for member in value]
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case bytes():
            return "HIDDEN_DUE_TO_SECURITY_REASONS"
        case _:
            return value


def _names(value: Any, depth: int = 3) -> Iterator[str]:
    """Yield names and ARNs in a request or an answer, and the last part of each ARN: what ResourceName may ask for."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        if isinstance(member, str):
            if member.startswith("arn:"):
                yield member
                yield member.rsplit("/", 1)[-1]
            elif str(key).lower().endswith(("name", "cluster", "service", "family", "resourceid", "taskdefinition")):
                yield member
        elif depth and isinstance(member, dict | list):
            yield from _names(member, depth - 1)


def install(trail: Trail) -> None:
    """Make this the trail that LookupEvents answers from."""
    Trail.current = trail
