"""What ECS accepts as tags. Used by every operation that takes them.

Source: Amazon ECS developer guide, "Tag restrictions": at most 50 on a resource, keys of 1 to 128 characters, values of
at most 256, the prefix `aws:` reserved.
"""

from __future__ import annotations

from reconciler.emulator.ecs.errors import invalid
from reconciler.emulator.ecs.model import Json

__all__ = ["checked_tags", "merged_tags"]


def checked_tags(tags: list[Json] | None) -> list[Json]:
    """Return the tags with every `value` present. Raises InvalidParameterException for what ECS refuses."""
    clean = [{"key": tag.get("key", ""), "value": tag.get("value", "")} for tag in tags or ()]
    keys = [tag["key"] for tag in clean]
    for tag in clean:
        if tag["key"].lower().startswith("aws:"):
            raise invalid("Tag keys and values cannot start with the reserved prefix 'aws:'.")
        if not 1 <= len(tag["key"]) <= 128 or len(tag["value"]) > 256:
            raise invalid("Tag keys must have 1 to 128 characters, tag values at most 256.")
    if len(set(keys)) != len(keys):
        raise invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if len(keys) > 50:
        raise invalid("The maximum number of tags on a resource is 50.")
    return clean


def merged_tags(old: list[Json] | None, new: list[Json] | None) -> list[Json]:
    """Return `old` with `new` set over it, in a stable order. Raises like `checked_tags`, also for more than 50."""
    merged = {tag["key"]: tag for tag in old or ()}
    merged.update({tag["key"]: tag for tag in checked_tags(new)})
    if len(merged) > 50:
        raise invalid("The maximum number of tags on a resource is 50.")
    return list(merged.values())
