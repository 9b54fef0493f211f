"""The tag protocol: how an object remembers what was last applied to it, whatever dies in between.

`commit` and `digest` say what was last applied in full. A change that takes more than one call, or starts a rollout,
first sets `applying`; only when every call has succeeded and the rollout has too do `commit` and `digest` move and
`applying` goes. ARCHITECTURE.md has the states and transitions as a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.core.call import Call
from reconciler.core.kind import Kind
from reconciler.core.live import (
    TAG_APPLYING,
    TAG_COMMIT,
    TAG_DIGEST,
    TAG_ENVIRONMENT,
    TAG_QUARANTINE,
    TAG_REPLACES,
    TAG_RESOURCE,
)
from reconciler.core.resource import Resource
from reconciler.core.tags import tag_call, untag_call
from reconciler.core.values import Json


def owner(environment: str, resource: Resource) -> dict[str, str]:
    """The tags that say whose an object is."""
    return {TAG_ENVIRONMENT: environment, TAG_RESOURCE: str(resource.id)}


def applied(commit: str, resource: Resource) -> dict[str, str]:
    """The tags that say that a commit was applied in full."""
    return {TAG_COMMIT: commit, TAG_DIGEST: resource.digest}


def applying(commit: str, now: datetime) -> dict[str, str]:
    """The tag of a change under way: its commit, and since when, so that older deployments are told apart from its."""
    return {TAG_APPLYING: f"{commit} {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}


def begin(kind: Kind, arn: Json, commit: str, now: datetime, tags: Mapping[str, str]) -> tuple[Call, ...]:
    """Marks the change, and lifts the quarantine of content that it replaces."""
    lift = (untag_call(kind.service, arn, [TAG_QUARANTINE]),) if TAG_QUARANTINE in tags else ()
    return (tag_call(kind.service, arn, applying(commit, now)), *lift)


def finish(
    kind: Kind, arn: Json, resource: Resource, commit: str, environment: str, tags: Mapping[str, str]
) -> tuple[Call, ...]:
    """Records success: first what was applied, then that nothing is under way any more.

    Killed between the two, the next pass finds the right commit and a stale mark, and removes the mark.
    """
    wanted = applied(commit, resource) | owner(environment, resource)
    stamp = (
        (tag_call(kind.service, arn, wanted),) if any(tags.get(key) != value for key, value in wanted.items()) else ()
    )
    over = [key for key in (TAG_APPLYING, TAG_QUARANTINE, TAG_REPLACES) if key in tags]
    return (*stamp, *((untag_call(kind.service, arn, over),) if over else ()))


def quarantine(kind: Kind, arn: Json, digest: str) -> tuple[Call, ...]:
    """Holds a digest back: the mark first, so that a kill in between cannot lose it."""
    return (
        tag_call(kind.service, arn, {TAG_QUARANTINE: digest}),
        untag_call(kind.service, arn, [TAG_APPLYING]),
    )
