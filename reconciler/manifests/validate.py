"""Manifests against their schemas: every error at once, each at its line.

`load` checks each resource after its variables and references are in place; `installation` checks environments.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.errors import Problem
from reconciler.core.kind import Kind
from reconciler.core.live import TAG_PREFIX
from reconciler.manifests.document import Map, Steps, mark_at, problem_at, steps_of
from reconciler.manifests.messages import explain
from reconciler.manifests.schemas import Checker

API_VERSION = "reconciler/v1"


def check_value(value: Map, checker: Checker, prefix: Steps = ()) -> Iterator[Problem]:
    """What the schema says of a value; `prefix` is its path in its document."""
    seen: set[tuple[Steps, str]] = set()
    for error in checker.errors(value):
        for finding in explain(error, lambda steps: mark_at(value, steps).text):
            if (finding.steps, finding.message) not in seen:
                seen.add((finding.steps, finding.message))
                yield problem_at(value, finding.steps, finding.message, prefix=prefix, key=finding.key)


def check_document(document: Map, envelope: Checker, spec: Checker) -> Iterator[Problem]:
    """A whole document, its spec included."""
    yield from check_value(document, envelope)
    if isinstance(document.get("spec"), Map):
        yield from check_value(document["spec"], spec, ("spec",))


def check_kind(kind: Kind, value: Map, prefix: Steps = ()) -> Iterator[Problem]:
    """What only the kind itself can say of a spec that its schema accepts."""
    for fault in kind.check(value):
        yield problem_at(value, steps_of(fault.path), fault.message, prefix=prefix)
    tags = value.get("tags")
    for index, tag in enumerate(tags if isinstance(tags, list) else ()):
        key = str(tag.get("key", "")) if isinstance(tag, dict) else ""
        if key.startswith((TAG_PREFIX, "aws:")):
            message = f"tags that begin with {key.partition(':')[0]}: are not a manifest's to set"
            yield problem_at(value, ("tags", index, "key"), message, prefix=prefix)
