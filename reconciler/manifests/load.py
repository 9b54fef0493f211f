"""Manifests at a commit → `Desired`: the whole way, with every mistake reported in one go.

The engine's first stage, and all of `reconciler validate` and `render`. The same source gives the same value wherever
it is rendered: nothing here reads a clock, the network or the machine's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.core.kind import Kind
from reconciler.core.resource import Desired, Environment, Resource
from reconciler.core.values import Json, ResourceId
from reconciler.manifests.document import Map, problem_at
from reconciler.manifests.drafts import Draft, drafts_of, hoist, settings_of_part
from reconciler.manifests.envelope import Envelope, read_envelope
from reconciler.manifests.graph import cycle_problem, edges_of, order, wave_problems
from reconciler.manifests.installation import Installation, installation
from reconciler.manifests.layers import merge_layers
from reconciler.manifests.naming import name_problem, twin_problems
from reconciler.manifests.paths import inlined
from reconciler.manifests.references import Resolver, Scope
from reconciler.manifests.schemas import Schemas, committed
from reconciler.manifests.source import Source
from reconciler.manifests.validate import check_kind, check_value, is_secret, wrong_path


def load(
    source: Source, kinds: Mapping[str, Kind], environment: str | None, *, schemas: Schemas | None = None
) -> Desired:
    """The desired state of one environment; without a name, of the only one.

    Raises InvalidManifestsError with every problem, in the order of files and lines.
    """
    schemas = schemas or committed()
    found = installation(source, schemas)
    return render(source, kinds, found, found.environment(environment), schemas=schemas)


def render(
    source: Source,
    kinds: Mapping[str, Kind],
    found: Installation,
    environment: Environment,
    *,
    schemas: Schemas | None = None,
) -> Desired:
    """The same for an environment whose installation was read already."""
    work = _Rendering(kinds, schemas or committed(), environment)
    resources = work.resources(source, found)
    if work.problems:
        raise InvalidManifestsError(tuple(dict.fromkeys(work.problems)))
    return Desired(environment, source.commit, resources, tuple(sorted(set(work.warnings))))


class _Rendering:
    """The stages for one environment, sharing what they found wrong."""

    def __init__(self, kinds: Mapping[str, Kind], schemas: Schemas, environment: Environment) -> None:
        self._kinds = kinds
        self._schemas = schemas
        self._environment = environment
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    def resources(self, source: Source, found: Installation) -> dict[ResourceId, Resource]:
        layers = merge_layers(source, self._environment, self._kinds, self.problems.append)
        written = drafts_of(layers.resources.values(), self._kinds, self.problems.append)
        drafts = {draft.id: draft for draft in sorted(written, key=lambda draft: draft.id)}
        parts = list(hoist(drafts.values(), self._kinds, drafts, self.problems.append))
        drafts = dict(sorted((drafts | {part.id: part for part in parts}).items()))
        known = layers.known | drafts.keys()
        scope = Scope(self._environment, found.names(), self._kinds, known, layers.complete)
        resolver = Resolver(scope, self.problems.append, self.warnings.append)
        envelopes = {draft.id: self._envelope(draft, resolver) for draft in drafts.values()}
        for draft in drafts.values():
            self._check(draft, resolver)
        sequence, cycles = order(edges_of(drafts))
        self.problems += [cycle_problem(cycle, drafts) for cycle in cycles]
        if self.problems:
            return {}
        resources = self._build(drafts, envelopes, sequence)
        wave_problems(resources, drafts, self.problems.append)
        twin_problems(resources, drafts, self.problems.append)
        return resources

    def _envelope(self, draft: Draft, resolver: Resolver) -> Envelope | None:
        """The envelope of a draft that has a document; None for parts, and where it has mistakes."""
        document = draft.document
        if document is None:
            return None
        checker = self._schemas.envelope(draft.id.kind)
        before = len(self.problems)
        outside = {name: member for name, member in checker.schema["properties"].items() if name != "spec"}
        document["spec"] = None  # it is resolved and checked by itself
        resolver.texts(draft, document, {"properties": outside})
        self.problems += check_value(document, checker)
        document["spec"] = draft.spec
        if len(self.problems) > before:
            return None
        envelope = read_envelope(document, self.problems.append)
        self._check_ignored(draft, document, envelope)
        return envelope

    def _check_ignored(self, draft: Draft, document: Map, envelope: Envelope) -> None:
        """A field path with a slip in it would ignore nothing, and nobody would notice."""
        schema = self._schemas.spec(draft.id.kind).schema
        inline = {
            member: self._schemas.spec(row.kind).schema
            for member, row in inlined(draft.kind).items()
            if row.kind in self._kinds
        }
        for index, path in enumerate(envelope.settings.ignore):
            if reason := wrong_path(path, schema, inline):
                self.problems.append(problem_at(document, ("reconcile", "ignore", index), reason))

    def _check(self, draft: Draft, resolver: Resolver) -> None:
        checker = self._schemas.spec(draft.id.kind)
        resolver.resolve(draft, checker.schema)
        if problem := name_problem(draft, checker.schema):
            self.problems.append(problem)
        found = list(check_value(draft.spec, checker, draft.prefix, partial(is_secret, draft.kind)))
        self.problems += found or check_kind(draft.kind, draft.spec, draft.prefix)

    def _build(
        self,
        drafts: Mapping[ResourceId, Draft],
        envelopes: Mapping[ResourceId, Envelope | None],
        sequence: list[ResourceId],
    ) -> dict[ResourceId, Resource]:
        """The resources, each after those it refers to, so that their digests are known."""
        made: dict[ResourceId, Resource] = {}
        for identity in sequence:
            draft = drafts[identity]
            envelope = envelopes[draft.part_of or identity]
            if envelope is None:  # an envelope with mistakes has put them among the problems
                raise AssertionError(f"{identity} has no envelope and no problem")
            part = draft.part_of is not None
            made[identity] = Resource(
                id=identity,
                spec=_plain(draft.spec),
                settings=settings_of_part(envelope.settings, draft.prefix) if part else envelope.settings,
                labels=envelope.labels,
                previous_name=envelope.previous_name,
                origins=draft.origins,
                part_of=draft.part_of,
                embeds={
                    str(ref.target): made[ref.target].digest
                    for _, ref in draft.refs
                    if self._kinds[ref.target.kind].content_addressed
                },
            )
        return dict(sorted(made.items()))


def _plain(value: Json) -> Json:
    """The value without its places."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
