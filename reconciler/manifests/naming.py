"""What two manifests call an object in AWS: names that are too long, and two manifests for one object.

`load` asks it last. AWS would refuse the name in the middle of an apply, and two manifests for one object would undo
each other's work for ever; both can be seen here, before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.core.errors import Problem
from reconciler.core.kind import Kind
from reconciler.core.resource import Resource
from reconciler.core.values import Json, Ref, ResourceId, Template
from reconciler.manifests.document import problem_at
from reconciler.manifests.drafts import Draft


def name_problem(draft: Draft, schema: Json) -> Problem | None:
    """The problem of a manifest whose own name becomes a physical name that is too long for AWS."""
    field = draft.kind.name_field
    if field is None or field in draft.spec:
        return None
    most = schema.get("properties", {}).get(field, {}).get("maxLength")
    if most is None or len(draft.id.name) <= most:
        return None
    message = (
        f"the name goes to AWS, where a {draft.kind.name} has at most {most} characters: shorten it, or set {field}"
    )
    if draft.document is None:
        return draft.problem((), message)
    return problem_at(draft.document, ("metadata", "name"), message)


def twin_problems(
    resources: Mapping[ResourceId, Resource], drafts: Mapping[ResourceId, Draft], report: Callable[[Problem], None]
) -> None:
    """Report every second manifest for one object. Content may be shared: kinds that are only content are left out."""
    owners: dict[tuple[str, str], ResourceId] = {}
    for identity, resource in resources.items():
        draft = drafts[identity]
        key = _natural(draft.kind, resource)
        if draft.kind.content_addressed or not key:
            continue
        first = owners.setdefault((identity.kind, key), identity)
        if first != identity:
            message = f"{first} ({drafts[first].origins[-1]}) and {identity} are one object in AWS: {key}"
            report(draft.problem((), message))


def _natural(kind: Kind, resource: Resource) -> str:
    """The natural key with references by their names: one reference always stands for one value."""
    spec = {name: str(value) if isinstance(value, Ref | Template) else value for name, value in resource.spec.items()}
    return kind.natural(replace(resource, spec=spec))
