"""A resource on its way from merged YAML to `Desired`, and the parts of it that are written inline.

`load` makes a draft of each merged document and `hoist` takes inline resources out of it: a Service's task definition
becomes a resource of its own, with the Service's name, before anything is resolved, so that others can refer to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.errors import Problem
from reconciler.core.kind import Kind
from reconciler.core.resource import Origin, Settings
from reconciler.core.values import Ref, ResourceId
from reconciler.manifests.document import Map, Steps, problem_at
from reconciler.manifests.layers import Layered
from reconciler.manifests.paths import inlined


@dataclass(slots=True)
class Draft:
    """One resource. Its spec is changed in place until it is resolved."""

    id: ResourceId
    kind: Kind
    spec: Map
    origins: tuple[Origin, ...]
    document: Map | None = None  # None for what was written inline: its envelope is that of `part_of`
    prefix: Steps = ("spec",)  # where the spec stands in its document
    part_of: ResourceId | None = None
    refs: list[tuple[Steps, Ref]] = field(default_factory=list)  # every reference and where it stands

    def problem(self, steps: Steps, message: str, *, key: bool = False) -> Problem:
        return problem_at(self.spec, steps, message, prefix=self.prefix, key=key)


def drafts_of(
    resources: Iterable[Layered], kinds: Mapping[str, Kind], report: Callable[[Problem], None]
) -> list[Draft]:
    """A draft of each merged document that has a spec to work on."""
    made: list[Draft] = []
    for resource in resources:
        document = resource.document
        spec = document.get("spec")
        if spec is None:
            spec = Map(document.mark)
            document.put("spec", spec, document.mark)
        if not isinstance(spec, Map):
            report(problem_at(document, ("spec",), "a map is wanted: the fields of the resource"))
            continue
        made.append(Draft(resource.id, kinds[resource.id.kind], spec, tuple(resource.origins), document))
    return made


def hoist(
    drafts: Iterable[Draft],
    kinds: Mapping[str, Kind],
    known: Mapping[ResourceId, Draft],
    report: Callable[[Problem], None],
) -> Iterator[Draft]:
    """The resources that are written inline in others, taken out of them; a reference stays in their place."""
    for draft in drafts:
        for member, row in inlined(draft.kind).items():
            spec = draft.spec.get(member)
            if not isinstance(spec, Map) or "ref" in spec or row.kind not in kinds:
                continue
            identity = ResourceId(row.kind, draft.id.name)
            draft.spec[member] = Ref(identity, row.attribute)
            if identity in known:
                other = known[identity].origins[-1]
                message = (
                    f"written here, this would be {identity}, which {other} is already: name that one, or rename it"
                )
                report(draft.problem((member,), message))
                continue
            yield Draft(identity, kinds[row.kind], spec, draft.origins, None, (*draft.prefix, member), draft.id)


def settings_of_part(settings: Settings, prefix: Steps) -> Settings:
    """The settings for what is written inline: those of its owner, with the field paths that lie in it."""
    inside = f"{prefix[-1]}."
    ignore = tuple(path.removeprefix(inside) for path in settings.ignore if path.startswith(inside))
    return replace(settings, ignore=ignore, allow_replace=None)
