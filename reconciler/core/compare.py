"""One resource against AWS: the documents of every side are brought to one form and compared.

References are resolved as far as AWS knows their targets, embedded content (a service's task definition) is put in its
place on every side, and a field that something else owns at present is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.core.content import normal
from reconciler.core.diff import Sides, diff
from reconciler.core.difference import Difference
from reconciler.core.kind import Kind
from reconciler.core.live import Live
from reconciler.core.normalise import Flat
from reconciler.core.resource import Desired, Resource
from reconciler.core.values import Json, Ref, Spec, resolve

Lookup = Callable[[Ref], Json]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared with what. `base` and `applying` are this resource at those commits, with their own contents."""

    kind: Kind
    kinds: Mapping[str, Kind]
    lookup: Lookup  # an attribute of a resource that AWS has; ABSENT otherwise

    def differences(
        self,
        desired: tuple[Resource, Desired],
        live: Live,
        base: tuple[Resource, Desired] | None,
        applying: tuple[Resource, Desired] | None = None,
        baseline: Spec | None = None,
        *,
        untouched: bool = False,
    ) -> tuple[Difference, ...]:
        """The differences of one resource; `untouched` means that nothing of ours was ever applied to it."""
        resource, _ = desired
        wanted = self._flat(*desired)
        embedded = self.embedded(resource)
        sides = Sides(
            desired=wanted,
            live=self._live(live, live.spec, embedded),
            base=self._flat(*base) if base else None,
            applying=self._flat(*applying) if applying else None,
            baseline=self._live(live, baseline, ()) if baseline is not None else None,
            whole=tuple((path,) for path in embedded),
            untouched=untouched,
            skipped=(
                *resource.settings.ignore,
                *(item.path for item in self.kind.yields(live)),
                *((self.kind.name_field,) if self.kind.name_field and self.kind.suffixed else ()),
                *(f"{path}.tags" for path in embedded),
            ),
        )
        return diff(sides)

    def embedded(self, resource: Resource) -> tuple[str, ...]:
        """The fields whose reference stands for content that is compared in its place."""
        return tuple(
            reference.path
            for reference in self.kind.references
            if isinstance(ref := resource.spec.get(reference.path), Ref)
            and self.kinds[ref.target.kind].content_addressed
        )

    def _flat(self, resource: Resource, desired: Desired) -> Flat:
        spec = dict(resource.spec)
        for path in self.embedded(resource):
            content = desired.resources.get(spec[path].target)
            if content is not None:
                spec[path] = full(self.kinds[content.id.kind], content)
        return normal(self.kind, resolve(named(self.kind, resource, spec), self.lookup))

    def _live(self, live: Live, spec: Spec, embedded: tuple[str, ...]) -> Flat:
        contents = {path: live.contents[path] for path in embedded if path in live.contents}
        return normal(self.kind, {**spec, **contents})


def full(kind: Kind, resource: Resource) -> Spec:
    """The spec with the name that AWS will see in its name field."""
    return named(kind, resource, resource.spec)


def named(kind: Kind, resource: Resource, spec: Spec) -> Spec:
    return {kind.name_field: kind.physical_name(resource), **spec} if kind.name_field else spec
