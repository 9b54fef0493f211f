"""Tags as the AWS services write them: ours, the manifest's, and everybody else's.

Ours begin with `reconciler:` and are the memory of the controller. The manifest's stand in its spec. Tags that nobody
declared are left alone, and those of AWS itself (`aws:`) are nobody's to touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Call
from reconciler.core.fields import Field, Reset
from reconciler.core.kind import Change, Creation
from reconciler.core.live import TAG_PREFIX
from reconciler.core.values import ABSENT, Json, Spec

TAGS_FIELD = Field(
    "tags", key=("key",), complete=False, removed=Reset(ABSENT), source="tags that nobody declared are left alone"
)

Tags = list[dict[str, Json]]
AWS_PREFIX = "aws:"
MAX_VALUE = 256  # characters, for ECS and ELB tags alike


def tags_by_key(tags: Iterable[Mapping[str, Json]]) -> dict[str, str]:
    """`[{key, value}]` as a dictionary; a tag without a value has the empty one."""
    return {str(tag["key"]): str(tag.get("value") or "") for tag in tags}


def as_list(tags: Mapping[str, Json]) -> Tags:
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def own_tags(tags: Mapping[str, str]) -> Spec:
    """The spec's `tags` member for a live object: what is neither ours nor AWS's."""
    kept = {key: value for key, value in tags.items() if not key.startswith((TAG_PREFIX, AWS_PREFIX))}
    return {"tags": as_list(kept)} if kept else {}


def with_tags(creation: Creation) -> Tags:
    """The manifest's tags and ours, for a create call."""
    declared = {tag["key"]: tag.get("value", "") for tag in creation.spec.get("tags", [])}
    return as_list(declared | dict(creation.tags))


def tag_call(service: str, arn: Json, tags: Mapping[str, str]) -> Call:
    """Sets tags; making it twice leaves the same state."""
    match service:
        case "ecs":
            return Call("ecs", "TagResource", {"resourceArn": arn, "tags": as_list(tags)})
        case "elbv2":
            return Call("elbv2", "AddTags", {"resourceArns": [arn], "tags": as_list(tags)})
        case _:
            raise ValueError(f"no tagging calls are known for {service}")


def untag_call(service: str, arn: Json, keys: Iterable[str]) -> Call:
    """Removes tags, whether they are there or not."""
    match service:
        case "ecs":
            return Call("ecs", "UntagResource", {"resourceArn": arn, "tagKeys": sorted(keys)})
        case "elbv2":
            return Call("elbv2", "RemoveTags", {"resourceArns": [arn], "tagKeys": sorted(keys)})
        case _:
            raise ValueError(f"no tagging calls are known for {service}")


def tag_changes(change: Change, service: str) -> tuple[Call, ...]:
    """The calls that bring the manifest's own tags to what the change asks for."""
    if "tags" not in change.changed():
        return ()
    live = tags_by_key(change.live.spec.get("tags", []))
    wanted = tags_by_key(change.spec.get("tags", []))
    calls: list[Call] = []
    if new := {key: value for key, value in wanted.items() if live.get(key) != value}:
        calls.append(tag_call(service, change.live.arn, new))
    if gone := live.keys() - wanted.keys():
        calls.append(untag_call(service, change.live.arn, gone))
    return tuple(calls)
