"""Tags of load balancers, listeners, rules and target groups. The limits are those of the ELB API reference."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.elbv2.errors import ElbError, not_found, validation
from reconciler.emulator.elbv2.state import Record, Store, kind_of

__all__ = ["OPERATIONS", "checked", "put"]

_MOST_TAGS = 50
_MOST_DESCRIBED = 20


def checked(tags: list[dict[str, Any]]) -> dict[str, str]:
    """Return tags as a map. Raises DuplicateTagKeys, TooManyTags, or ValidationError for the reserved prefix."""
    found: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key in found:
            raise ElbError("DuplicateTagKeys", f"Tag key '{key}' was specified more than once")
        if key.lower().startswith("aws:"):
            raise validation("System tags cannot be added/updated by requester")
        found[key] = tag.get("Value", "")
    if len(found) > _MOST_TAGS:
        raise ElbError("TooManyTags", f"The maximum number of tags has been reached: {_MOST_TAGS}")
    return found


def put(record: Record, tags: dict[str, str]) -> None:
    """Add or replace tags. Raises TooManyTags."""
    merged = {**record.tags, **tags}
    if len(merged) > _MOST_TAGS:
        raise ElbError("TooManyTags", f"The maximum number of tags has been reached: {_MOST_TAGS}")
    record.tags = merged
    record.ever_tagged = record.ever_tagged or bool(tags)


def _record(store: Store, arn: str) -> Record:
    kind = kind_of(arn)
    if not kind:
        raise validation(f"'{arn}' is not a valid resource ARN")
    record = store.table(kind).get(arn)
    if record is None:
        raise not_found(kind, arn)
    return record


def _add_tags(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    tags = checked(parameters["Tags"])
    for record in [_record(store, arn) for arn in parameters["ResourceArns"]]:
        put(record, tags)
    return {}


def _remove_tags(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    for record in [_record(store, arn) for arn in parameters["ResourceArns"]]:
        record.tags = {key: value for key, value in record.tags.items() if key not in parameters["TagKeys"]}
    return {}


def _describe_tags(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arns = parameters["ResourceArns"]
    if len(arns) > _MOST_DESCRIBED:
        raise validation(f"Cannot have more than {_MOST_DESCRIBED} resources described")
    records = {arn: _record(store, arn) for arn in arns}
    return {
        "TagDescriptions": [
            {"ResourceArn": arn, "Tags": [{"Key": key, "Value": value} for key, value in record.tags.items()]}
            for arn, record in records.items()
        ]
    }


OPERATIONS = {"add_tags": _add_tags, "remove_tags": _remove_tags, "describe_tags": _describe_tags}
