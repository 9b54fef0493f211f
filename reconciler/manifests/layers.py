"""Layers: the same resource in a later folder is merged over the earlier one.

`load` calls `merge_layers`. Maps merge, lists whose members a kind's table tells apart merge by that key, other lists
are replaced, `null` removes, and `$patch: delete | replace` works on a document, a map, or a keyed member. There is no
templating: what a layer does can be read off the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.core.fields import Node
from reconciler.core.kind import Kind
from reconciler.core.resource import Environment, Origin
from reconciler.core.values import ABSENT, Json, ResourceId
from reconciler.manifests.document import Items, Map, Mark, mark_at, parse, problem_at
from reconciler.manifests.envelope import identify
from reconciler.manifests.paths import NOTHING, Place, reference_tree
from reconciler.manifests.source import Source

PATCH: Final = "$patch"
_PATCHES: Final = ("delete", "replace")
NEW: Final = -1  # the place of a member that no earlier layer has
BARE: Final = Node(None, None, {})
Report = Callable[[Problem], None]


@dataclass(slots=True)
class Layered:
    """One resource with all its layers merged."""

    id: ResourceId
    document: Map
    origins: list[Origin]


@dataclass(slots=True)
class Layers:
    """What the layer folders of an environment hold."""

    resources: dict[ResourceId, Layered] = field(default_factory=dict)
    known: set[ResourceId] = field(default_factory=set)  # every name that was seen, in documents with mistakes too
    complete: bool = True  # False: a file could not be read, so that what is missing may stand there


def merge_layers(source: Source, environment: Environment, kinds: Mapping[str, Kind], report: Report) -> Layers:
    """Read every layer of an environment and merge them in order."""
    layers = Layers()
    for layer in environment.layers:
        seen: dict[ResourceId, Map] = {}
        for document in _documents(source, layer, layers, report):
            identity = identify(document, kinds, report)
            if identity is None:
                continue
            layers.known.add(identity)
            if identity in seen:
                first = seen[identity].mark
                message = f"{identity} stands twice in the layer {layer}; the first is {first.path}:{first.line}"
                report(problem_at(document, ("metadata", "name"), message))
                continue
            seen[identity] = document
            _add(layers, identity, document, kinds[identity.kind], report)
    return layers


def _documents(source: Source, layer: str, layers: Layers, report: Report) -> Iterable[Map]:
    try:
        files = source.files(layer)
    except InvalidManifestsError as error:
        layers.complete = False
        for problem in error.problems:
            report(problem)
        return
    for file in files:
        parsed = parse(file.path, file.content)
        for problem in parsed.problems:
            layers.complete = False
            report(problem)
        yield from parsed.documents


def _add(layers: Layers, identity: ResourceId, document: Map, kind: Kind, report: Report) -> None:
    earlier = layers.resources.get(identity)
    mark = document.mark
    origin = Origin(mark.path, mark.line, mark.column)
    patch = document.get(PATCH)
    if patch is not None and patch not in _PATCHES:
        report(_bad_patch(document))
        return
    if patch is not None and earlier is None:
        message = f"there is no {identity} in an earlier layer to {patch}"
        report(problem_at(document, (PATCH,), message))
        return
    if patch == "delete":
        del layers.resources[identity]
        layers.known.discard(identity)
        return
    before = earlier.document if earlier and patch is None else None
    merged = _Merge(report, kind).documents(before, document)
    origins = [*earlier.origins, origin] if earlier and patch is None else [origin]
    layers.resources[identity] = Layered(identity, merged, origins)


def merge_specs(earlier: Map, later: Map, kind: Kind, report: Report) -> Map:
    """The spec of a later layer over that of an earlier one."""
    return _Merge(report, kind).maps(earlier, later, kind.table, reference_tree(kind))


@dataclass(slots=True)
class _Merge:
    """Merging two documents of one kind. Neither is changed."""

    report: Report
    kind: Kind

    def documents(self, earlier: Map | None, later: Map) -> Map:
        made = self.maps(earlier, later, Node(None, None, {"spec": self.kind.table}, BARE), _under_spec(self.kind))
        made.mark = later.mark
        return made

    def maps(self, earlier: Map | None, later: Map, node: Node, place: Place) -> Map:
        patch = later.get(PATCH)
        if patch is not None and patch not in _PATCHES:
            self.report(_bad_patch(later))
        made = Map(later.mark)
        if earlier is not None and patch != "replace" and not (_is_reference(earlier) or _is_reference(later)):
            for key, value in earlier.items():
                made.put(key, value, earlier.marks[key])
        for key, value in later.items():
            if key == PATCH:
                continue
            if value is None or (isinstance(value, Map) and value.get(PATCH) == "delete"):
                made.drop(key)
                continue
            self._drop_other_form(made, key, later, place)
            step = key if key in node.members or "{}" not in node.members else "{}"
            merged = self._value(made.get(key), value, node.at(step), place.at(key))
            made.put(key, merged, later.marks[key])
        return made

    def _drop_other_form(self, made: Map, key: str, later: Map, place: Place) -> None:
        """A later layer may write `targetGroup` over `targetGroupArn`, and the other way round."""
        for short, name in place.sugar.items():
            other = {short: name, name: short}.get(key)
            if other is not None and other not in later:
                made.drop(other)

    def _value(self, earlier: Json, later: Json, node: Node, place: Place) -> Json:
        if isinstance(later, Map):
            return self.maps(earlier if isinstance(earlier, Map) else None, later, node, place)
        if isinstance(later, Items):
            keys = node.row.key if node.row else ()
            if keys and isinstance(earlier, Items):
                return self._keyed(earlier, later, node.at("[]"), place.at("[]"), keys)
            return self._list(later, node.at("[]"), place.at("[]"))
        return later

    def _list(self, later: Items, node: Node, place: Place) -> Items:
        made = Items(later.mark)
        for value, mark in zip(later, later.marks, strict=True):
            if not (isinstance(value, Map) and value.get(PATCH) == "delete"):
                made.put(self._value(None, value, node, place), mark)
        return made

    def _keyed(self, earlier: Items, later: Items, node: Node, place: Place, keys: tuple[str, ...]) -> Items:
        made = Items(later.mark)
        for value, mark in zip(earlier, earlier.marks, strict=True):
            made.put(value, mark)
        places: dict[object, int] = {}
        for index, value in enumerate(made):
            places.setdefault(_key_of(value, keys, node, place), index)
        places.pop(None, None)  # members without a key are like no other
        replaced: set[object] = set()
        deleted: set[int] = set()
        for value, mark in zip(later, later.marks, strict=True):
            key = _key_of(value, keys, node, place)
            index = places.get(key, NEW)
            if isinstance(value, Map) and value.get(PATCH) == "delete":
                deleted |= {index} - {NEW}
            elif index == NEW:
                made.put(self._value(None, value, node, place), mark)
            elif key in replaced:
                self._report_twice(mark, keys)
            else:
                replaced.add(key)
                made[index], made.marks[index] = self._value(made[index], value, node, place), mark
        if not deleted:
            return made
        kept = Items(made.mark)
        for index, (value, mark) in enumerate(zip(made, made.marks, strict=True)):
            if index not in deleted:
                kept.put(value, mark)
        return kept

    def _report_twice(self, mark: Mark, keys: tuple[str, ...]) -> None:
        message = f"two members of this list have the same {', '.join(keys)}: which one is merged is not clear"
        self.report(Problem(mark.path, mark.line, mark.column, "", message))


def _key_of(member: Json, keys: tuple[str, ...], node: Node, place: Place) -> tuple[object, ...] | None:
    """What tells a member of a keyed list apart; None when nothing of it is there."""
    if not isinstance(member, Map):
        return None
    found: list[object] = []
    for key in keys:
        shorts = [short for short, name in place.sugar.items() if name == key]
        value = next((member[name] for name in (key, *shorts) if name in member), ABSENT)
        row = node.at(key).row
        if value is ABSENT and row and not callable(row.default):
            value = row.default
        found.append(str(value) if isinstance(value, Map | Items) else value)
    given = {*keys, *(short for short, name in place.sugar.items() if name in keys)} & member.keys()
    return tuple(found) if given else None


def _is_reference(value: Map) -> bool:
    """A reference is one value: half of another one must not stay in it."""
    return isinstance(value.get("ref"), str) and value.keys() <= {"ref", "attribute", "environment"}


def _under_spec(kind: Kind) -> Place:
    tree = reference_tree(kind)
    return NOTHING if tree is NOTHING else Place(members={"spec": tree})


def _bad_patch(document: Map) -> Problem:
    mark = mark_at(document, (PATCH,))
    return Problem(mark.path, mark.line, mark.column, PATCH, "only delete and replace can stand here")
