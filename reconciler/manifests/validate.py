"""Manifests against their schemas: every error at once, each at its line.

`load` checks each resource after its variables and references are in place; `installation` checks environments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reconciler.core.errors import Problem
from reconciler.core.kind import Kind
from reconciler.core.live import TAG_PREFIX
from reconciler.core.values import Json
from reconciler.manifests.document import Map, Steps, mark_at, problem_at, steps_of
from reconciler.manifests.messages import explain
from reconciler.manifests.schemas import Checker
from reconciler.manifests.secrecy import may_be_secret
from reconciler.manifests.suggest import did_you_mean

API_VERSION: Final = "reconciler/v1"
_STEP: Final = re.compile(r"\[[^\]]*\]|[^.\[]+")  # as the comparison of fields reads paths


def check_value(
    value: Map, checker: Checker, prefix: Steps = (), secret: Callable[[Steps], bool] = lambda _: False
) -> Iterator[Problem]:
    """What the schema says of a value; `prefix` is its path in its document, `secret` hides values from messages."""
    seen: set[tuple[Steps, str]] = set()
    for error in checker.errors(value):
        for finding in explain(error, lambda steps: mark_at(value, steps).text):
            hidden = not finding.key and (secret(finding.steps) or may_be_secret((*prefix, *finding.steps)))
            message = finding.unsaid if hidden and finding.unsaid else finding.message
            if (finding.steps, message) not in seen:
                seen.add((finding.steps, message))
                yield problem_at(value, finding.steps, message, prefix=prefix, key=finding.key)


def is_secret(kind: Kind, steps: Steps) -> bool:
    """Whether the kind's table says that the values of a field may be secrets."""
    node = kind.table
    for step in steps:
        node = node.at("[]" if isinstance(step, int) else step)
    return bool(node.governing and node.governing.secret)


def wrong_path(text: str, schema: Json, inline: Mapping[str, Json]) -> str:
    """Why a field path such as `containerDefinitions[app].image` names nothing; empty when it names a field.

    `inline` has the schemas of what may stand inline in a member.
    """
    for index, step in enumerate(_STEP.findall(text)):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties")
        if step.startswith("["):
            following = schema.get("items")
        elif index == 0 and step in inline:
            following = inline[step]
        else:
            following = known.get(step, others)
        if not isinstance(following, dict):
            return f"there is no field {step} in {text}{did_you_mean(step, known)}"
        schema = following
    return ""


def check_document(document: Map, envelope: Checker, spec: Checker) -> Iterator[Problem]:
    """A whole document, its spec included."""
    yield from check_value(document, envelope)
    if isinstance(document.get("spec"), Map):
        yield from check_value(document["spec"], spec, ("spec",))
    elif "spec" in document:
        yield problem_at(document, ("spec",), "a map is wanted")


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
