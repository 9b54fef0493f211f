"""Variables put in and references made out, in one walk over each spec beside its schema and its reference rows.

`load` resolves every draft with one `Resolver`. The schema is needed on the way: it says which type a variable has at
its place, and whether a map with `ref` in it is a reference or somebody's labels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.core.errors import Problem
from reconciler.core.kind import Kind, Reference
from reconciler.core.resource import Environment
from reconciler.core.values import Json, Ref, ResourceId, Template
from reconciler.manifests.document import Items, Map, Steps
from reconciler.manifests.drafts import Draft
from reconciler.manifests.paths import NOTHING, Place, reference_tree
from reconciler.manifests.suggest import did_you_mean, listed
from reconciler.manifests.variables import TextError, expand, read_reference

_MEMBERS: Final = ("ref", "attribute", "environment")
_ANYTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Scope:
    """What references and variables may name."""

    environment: Environment
    environments: Collection[str]  # of the installation
    kinds: Mapping[str, Kind]
    known: Collection[ResourceId]
    complete: bool  # False: a file could not be read, so that nobody can say what is missing


class Resolver:
    """Resolves drafts in place. What is wrong is reported, and a reference is left where it can be."""

    def __init__(self, scope: Scope, report: Callable[[Problem], None], warn: Callable[[str], None]) -> None:
        self._scope = scope
        self._report = report
        self._warn = warn
        self._names: dict[str, list[str]] = {}
        for identity in scope.known:
            self._names.setdefault(identity.kind, []).append(identity.name)

    def resolve(self, draft: Draft, schema: Json) -> None:
        """Everything in the draft's spec; `schema` is the strict schema of it."""
        self._map(draft, draft.spec, schema, reference_tree(draft.kind), ())

    def texts(self, draft: Draft, value: Map, schema: Json) -> None:
        """The variables in a part of the envelope, where no reference can stand."""
        inner = Draft(draft.id, draft.kind, value, draft.origins, prefix=())
        self._map(inner, value, schema, NOTHING, ())
        for steps, _ in inner.refs:
            self._report(inner.problem(steps, "a reference cannot stand here, only in the spec"))

    def _map(self, draft: Draft, value: Map, schema: Json, place: Place, steps: Steps) -> None:
        properties = schema.get("properties", _ANYTHING)
        for short in place.sugar.keys() & value.keys() - properties.keys():
            self._short(draft, value, short, place, steps)
        others = schema.get("additionalProperties")
        others = others if isinstance(others, dict) else _ANYTHING
        for key, member in value.items():
            if type(member) is str and "${" not in member and not place.members:
                continue  # most of what there is
            inner = properties.get(key, others)
            below = place.at(key) if key in place.members else place.at("{}")
            resolved = self._value(draft, member, inner, below, (*steps, key))
            if resolved is not member:
                value[key] = resolved

    def _value(self, draft: Draft, value: Json, schema: Json, place: Place, steps: Steps) -> Json:
        if isinstance(value, str):
            return self._text(draft, value, schema, place, steps)
        if isinstance(value, Map):
            if "ref" in value and schema.get("type") != "object":
                return self._object(draft, value, place, steps)
            self._map(draft, value, schema, place, steps)
        elif isinstance(value, Items):
            inner, below = schema.get("items", _ANYTHING), place.at("[]")
            for index, member in enumerate(value):
                value[index] = self._value(draft, member, inner, below, (*steps, index))
        elif isinstance(value, Ref):  # in the place of an inline resource, or of a short name
            return self._checked(draft, value, place, steps)
        return value

    def _text(self, draft: Draft, text: str, schema: Json, place: Place, steps: Steps) -> Json:
        value: Json = text
        if "${" in text:
            value = self._expanded(draft, text, schema.get("type"), steps)
        if isinstance(value, Ref):
            return self._checked(draft, value, place, steps)
        if isinstance(value, Template):
            parts = [
                part if isinstance(part, str) else self._checked(draft, part, NOTHING, steps) for part in value.parts
            ]
            return Template(tuple(parts))
        if isinstance(value, str):
            native = [row for row in place.rows if row.native]
            if native:
                return self._native(draft, value, native, steps)
        return value

    def _expanded(self, draft: Draft, text: str, wanted: object, steps: Steps) -> Json:
        try:
            return expand(text, self._scope.environment.variables, wanted if isinstance(wanted, str) else None)
        except TextError as error:
            self._report(draft.problem(steps, str(error)))
            return _stand_in(wanted)

    def _native(self, draft: Draft, name: str, rows: list[Reference], steps: Steps) -> Json:
        for row in rows:
            identity = ResourceId(row.kind, name)
            if identity in self._scope.known:
                return self._checked(draft, Ref(identity, row.attribute), NOTHING, steps)
        if not name.startswith("arn:"):
            kinds = " or ".join(row.kind for row in rows)
            near = did_you_mean(name, [other for row in rows for other in self._names.get(row.kind, ())])
            place = draft.problem(steps, "")
            self._warn(
                f"{place.path}:{place.line}: {draft.id}: {place.field}: {name} is taken literally, "
                f"for there is no manifest {kinds} of that name{near}"
            )
        return name

    def _short(self, draft: Draft, value: Map, short: str, place: Place, steps: Steps) -> None:
        name = place.sugar[short]
        if name in value:
            message = f"{short} stands for {name}: only one of them can be given"
            self._report(draft.problem((*steps, short), message, key=True))
            value.drop(short)
            return
        below = place.at(name)
        if isinstance(value[short], Items):
            items, rows = value[short], below.at("[]").rows
            for index, member in enumerate(items):
                items[index] = self._named(draft, member, rows, (*steps, short, index))
        else:
            value[short] = self._named(draft, value[short], below.rows, (*steps, short))
        value.rename(short, name)

    def _named(self, draft: Draft, value: Json, rows: list[Reference], steps: Steps) -> Json:
        """What a short member holds: a manifest's name, or a reference in full. References are checked by the walk."""
        kinds = " or ".join(row.kind for row in rows)
        if isinstance(value, str) and "${" in value:
            value = self._expanded(draft, value, "string", steps)
        if isinstance(value, Map | Ref) or not rows:
            return value
        if not isinstance(value, str):
            self._report(draft.problem(steps, f"the name of a {kinds} manifest is wanted"))
            return ""
        for row in rows:
            if ResourceId(row.kind, value) in self._scope.known:
                return Ref(ResourceId(row.kind, value), row.attribute)
        if self._scope.complete:
            names = [name for row in rows for name in self._names.get(row.kind, ())]
            message = f"there is no manifest {kinds}/{value[:60]}{did_you_mean(value, names)}"
            self._report(draft.problem(steps, message))
        return ""

    def _object(self, draft: Draft, value: Map, place: Place, steps: Steps) -> Json:
        texts: dict[str, str] = {}
        for key, member in value.items():
            if key not in _MEMBERS:
                message = f"a reference has no field {key}: it has {listed(_MEMBERS)}"
                self._report(draft.problem((*steps, key), message, key=True))
                continue
            text = self._expanded(draft, member, "string", (*steps, key)) if isinstance(member, str) else member
            if not isinstance(text, str):
                self._report(draft.problem((*steps, key), "text is wanted"))
                return ""
            texts[key] = text
        try:
            ref = read_reference(texts["ref"])
        except TextError as error:
            self._report(draft.problem((*steps, "ref"), str(error)))
            return ""
        attribute = texts.get("attribute", ref.attribute)
        return self._checked(draft, Ref(ref.target, attribute, texts.get("environment")), place, steps)

    def _checked(self, draft: Draft, ref: Ref, place: Place, steps: Steps) -> Ref:
        """The reference in full, its mistakes reported."""
        kind = self._scope.kinds.get(ref.target.kind)
        if kind is None:
            message = f"there is no kind {ref.target.kind}{did_you_mean(ref.target.kind, self._scope.kinds)}"
            self._report(draft.problem(steps, message))
            return ref
        rows = [row for row in place.rows if row.kind == kind.name]
        attribute = ref.attribute or (rows[0].attribute if rows else kind.attributes[0])
        if attribute not in kind.attributes:
            message = f"{kind.name} has no attribute {attribute}, only {listed(kind.attributes)}"
            self._report(draft.problem(steps, message + did_you_mean(attribute, kind.attributes)))
        other = None if ref.environment == self._scope.environment.name else ref.environment
        made = Ref(ref.target, attribute, other)
        if other is not None and other not in self._scope.environments:
            message = f"there is no environment {other}{did_you_mean(other, self._scope.environments)}"
            self._report(draft.problem(steps, message))
        elif other is None and ref.target not in self._scope.known and self._scope.complete:
            near = did_you_mean(ref.target.name, self._names.get(kind.name, ()))
            self._report(draft.problem(steps, f"there is no manifest {ref.target}{near}"))
        elif other is None:
            draft.refs.append((steps, made))
        return made


def _stand_in(wanted: object) -> Json:
    """A value of the wanted type, so that one mistake is reported once. The manifests are refused anyway."""
    return {"integer": 1, "number": 1, "boolean": True}.get(str(wanted), "")
