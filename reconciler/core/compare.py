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
from reconciler.core.values import ABSENT, Json, Ref, Spec, resolve

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
        equal = tuple(path for path in self.embedded(resource) if self._is_live(resource, live, path))
        embedded = tuple(path for path in self.embedded(resource) if path not in equal)
        wanted = self._flat(*desired, equal)
        there = self._live(live, live.spec, embedded)

        def flat(side: tuple[Resource, Desired] | None) -> Flat | None:
            if side is None:
                return None
            same = side[0] is resource and side[1] is desired[1]  # as a rule what was applied is what is desired
            return wanted if same else self._flat(*side, equal)

        sides = Sides(
            desired=wanted,
            live=there,
            base=flat(base),
            applying=flat(applying),
            baseline=self._baseline(live, baseline, there),
            whole=tuple((path,) for path in embedded),
            untouched=untouched,
            skipped=(
                *resource.settings.ignore,
                *(item.path for item in self.kind.yields(live)),
                *self._given_names(resource),
                *(f"{path}.tags" for path in embedded),
            ),
        )
        return diff(sides)

    def _given_names(self, resource: Resource) -> tuple[str, ...]:
        """The name field where the name is ours to give: the object is found by its tags, and keeps its name."""
        name = self.kind.name_field
        return (name,) if name and (self.kind.suffixed or name not in resource.spec) else ()

    def embedded(self, resource: Resource) -> tuple[str, ...]:
        """The fields whose reference stands for content that is compared in its place."""
        return tuple(
            reference.path
            for reference in self.kind.references
            if isinstance(ref := resource.spec.get(reference.path), Ref)
            and self.kinds[ref.target.kind].content_addressed
        )

    def _is_live(self, resource: Resource, live: Live, path: str) -> bool:
        """Whether the content was found equal already: what the reference resolves to is what the object uses."""
        known = self.lookup(resource.spec[path])
        return known is not ABSENT and known == live.spec.get(path)

    def _flat(self, resource: Resource, desired: Desired, equal: tuple[str, ...]) -> Flat:
        """A side that git has; embedded content in its place, unless it is known to be equal."""
        spec = dict(resource.spec)
        for path in self.embedded(resource):
            content = None if path in equal else desired.resources.get(spec[path].target)
            if content is not None:
                spec[path] = full(self.kinds[content.id.kind], content)
        return normal(self.kind, resolve(named(self.kind, resource, spec), self.lookup))

    def _baseline(self, live: Live, baseline: Spec | None, there: Flat) -> Flat | None:
        if baseline is None:
            return None
        return there if baseline == live.spec else self._live(live, baseline, ())

    def _live(self, live: Live, spec: Spec, embedded: tuple[str, ...]) -> Flat:
        contents = {path: live.contents[path] for path in embedded if path in live.contents}
        return normal(self.kind, {**spec, **contents})


def full(kind: Kind, resource: Resource) -> Spec:
    """The spec with the name that AWS will see in its name field."""
    return named(kind, resource, resource.spec)


def named(kind: Kind, resource: Resource, spec: Spec) -> Spec:
    return {kind.name_field: kind.physical_name(resource), **spec} if kind.name_field else spec
