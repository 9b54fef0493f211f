"""What holds for every table and every document that fits it.

A `Shape` is a made-up kind: from one come a table, documents that fit it, the same documents in another order, and the
same documents padded with all that AWS would fill in.
"""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.diff import Sides, diff
from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Field, Node, Removal, Reset, table
from reconciler.core.normalise import flatten
from reconciler.core.patch import patched
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, Spec, Template, canonical, digest_of

properties = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.sampled_from(["", "a", "B", "b/c", "é", "x]'"])
NUMBERS = st.integers(-1, 3)
LEAVES = st.one_of(
    WORDS,
    NUMBERS,
    st.booleans(),
    st.builds(Ref, st.builds(ResourceId, st.just("Queue"), WORDS), st.just("arn")),
    st.builds(lambda word: Template(("http://", Ref(ResourceId("LoadBalancer", word), "dnsName"))), WORDS),
)


@dataclass(frozen=True)
class Shape:
    """A field of a made-up kind: `form` says which sort of value it has, `inner` what stands inside."""

    form: str  # scalar | word (its case means nothing) | ordered | unordered | keyed | map | object
    inner: dict[str, Shape] = field(default_factory=dict)
    default: Json | str = ABSENT
    follows: str = ""  # the sibling whose value is the default
    known: bool = True
    complete: bool = True

    def rows(self, path: str) -> list[Field]:
        default = (lambda parent: parent.get(self.follows, ABSENT)) if self.follows else self.default
        own = Field(
            path,
            key=("id", "port") if self.form == "keyed" else (),
            unordered=self.form == "unordered",
            open_map=self.form == "map",
            complete=self.complete,
            default=default,
            normal=(lambda word: word.lower() if isinstance(word, str) else word) if self.form == "word" else None,
            removed=self.removal(),
        )
        place = path + {"keyed": "[].", "ordered": "[].", "unordered": "[].", "object": "."}.get(self.form, "")
        below = [row for name, shape in self.inner.items() for row in shape.rows(place + name)]
        return [own, *below] if self.known else below

    def removal(self) -> Reset | None:
        """How the field is reset; None: as the structure around it."""
        empty: dict[str, Json] = {"object": {}, "map": {}, "keyed": [], "ordered": [], "unordered": []}
        value = empty.get(self.form, self.default)
        return None if value is ABSENT else Reset(value)


def table_of(shape: Shape) -> Node:
    return table(row for name, inner in shape.inner.items() for row in inner.rows(name))


@st.composite
def objects(draw: st.DrawFn, depth: int = 2, *, follows: bool = True) -> Shape:
    forms = ["scalar", "scalar", "word", "map", "ordered", "unordered"] + ["object", "keyed"] * (depth > 0) * 2
    inner: dict[str, Shape] = {}
    for name in draw(st.sets(st.sampled_from("uvwxyz"), min_size=1, max_size=4).map(sorted)):
        form = draw(st.sampled_from(forms))
        scalar = form in ("scalar", "word")
        leader = next((n for n, shape in inner.items() if shape.form == "scalar" and not shape.follows), "")
        follower = bool(scalar and follows and leader and draw(st.booleans()))
        nested = form in ("object", "keyed") or (form in ("ordered", "unordered") and depth > 0 and draw(st.booleans()))
        members = draw(objects(depth - 1, follows=follows)).inner if nested else {}
        if form == "keyed":
            members = {**members, "id": Shape("word"), "port": Shape("scalar", default=0)}
        inner[name] = Shape(
            form,
            members,
            default=draw(WORDS | st.just(ABSENT)) if scalar and not follower else ABSENT,
            follows=leader if follower else "",
            known=not scalar or draw(st.integers(0, 4)) > 0,
            complete=draw(st.booleans()),
        )
    return Shape("object", inner)


@st.composite
def documents(draw: st.DrawFn, shape: Shape) -> Any:
    """A value that fits the shape."""
    match shape.form:
        case "object":
            chosen = draw(st.sets(st.sampled_from(sorted(shape.inner)))) if shape.inner else set()
            return {name: draw(st.none() | documents(shape.inner[name])) for name in sorted(chosen)}
        case "keyed":
            keys = draw(st.lists(st.tuples(WORDS, NUMBERS), max_size=3, unique_by=lambda key: (key[0].lower(), key[1])))
            rest = Shape("object", {name: inner for name, inner in shape.inner.items() if name not in ("id", "port")})
            named = [{**draw(documents(rest)), "id": word, "port": port} for word, port in keys]
            return [{k: v for k, v in member.items() if k != "port" or v or draw(st.booleans())} for member in named]
        case "map":
            return draw(st.dictionaries(WORDS, LEAVES, max_size=3))
        case "ordered" | "unordered":
            member = documents(Shape("object", shape.inner)) if shape.inner else LEAVES
            return draw(st.lists(member, max_size=3))
        case "word":
            return draw(WORDS)
        case _:
            return draw(LEAVES)


def reordered(value: Json, shape: Shape, chance: random.Random) -> Json:
    """The same document, with all in another order whose order means nothing."""
    if isinstance(value, dict):
        names = chance.sample(list(value), len(value))
        return {name: reordered(value[name], shape.inner.get(name, Shape("scalar")), chance) for name in names}
    if isinstance(value, list):
        members = [reordered(member, Shape("object", shape.inner), chance) for member in value]
        return members if shape.form == "ordered" else chance.sample(members, len(members))
    mixes = shape.form == "word" and shape.known and isinstance(value, str) and value.isascii()
    return value.swapcase() if mixes else value


def padded(value: Json, shape: Shape) -> Json:
    """The same document as AWS may echo it: what nobody declared is there with its default, or empty."""
    if shape.form in ("keyed", "ordered", "unordered") and shape.inner:
        return [padded(member, Shape("object", shape.inner)) for member in value or ()]
    if shape.form != "object":
        return ([] if shape.form in ("keyed", "ordered", "unordered") else {}) if value is None else value
    full = dict(value or {})
    for name, inner in shape.inner.items():
        if inner.form not in ("scalar", "word"):
            full[name] = padded(full.get(name), inner)
        elif full.get(name) is None and inner.known and inner.default is not ABSENT:
            full[name] = inner.default
    for name, inner in shape.inner.items():
        if full.get(name) is None and inner.known and inner.follows and full.get(inner.follows) is not None:
            full[name] = full[inner.follows]
    return full


def compared(shape: Shape, desired: Spec, live: Spec, **others: Any) -> tuple[Difference, ...]:
    """`diff` on documents; `base`, `applying` and `baseline` may be given as documents too."""
    node = table_of(shape)
    flats: dict[str, Any] = {
        side: flatten(others.pop(side), node)
        for side in ("base", "applying", "baseline")
        if others.get(side) is not None
    }
    return diff(Sides(flatten(desired, node), flatten(live, node), **{"base": None, **others, **flats}))


WHOLE = st.sampled_from([(), ((),)])


@given(st.data())
@properties
def test_a_document_never_differs_from_itself_whatever_was_applied_before(data):
    shape = data.draw(objects())
    document = data.draw(documents(shape))
    base, applying = data.draw(st.none() | documents(shape)), data.draw(st.none() | documents(shape))
    baseline = data.draw(st.sampled_from([None, document]))
    found = compared(shape, document, document, base=base, applying=applying, baseline=baseline, whole=data.draw(WHOLE))
    assert found == ()


@given(st.data(), st.randoms(use_true_random=False))
@properties
def test_the_order_of_maps_sets_and_keyed_lists_never_matters(data, chance):
    shape = data.draw(objects())
    desired, live, base = (data.draw(documents(shape)) for _ in range(3))
    mixed = [reordered(document, shape, chance) for document in (desired, live, base)]

    def found(desired: Spec, live: Spec, base: Spec) -> set[tuple[Any, Cause]]:
        return {(d.path, d.cause) for d in compared(shape, desired, live, base=base, baseline=base)}

    assert compared(shape, desired, mixed[0], base=base, whole=data.draw(WHOLE)) == ()
    assert found(desired, live, base) == found(*mixed)


@given(st.data())
@properties
def test_a_live_document_padded_with_every_default_has_no_difference(data):
    shape = data.draw(objects())
    document = data.draw(documents(shape))
    base = data.draw(st.sampled_from([None, document]))
    live = padded(document, shape)
    assert compared(shape, document, live, base=base, baseline=base, whole=data.draw(WHOLE)) == ()


@given(st.data())
@properties
def test_writing_the_differences_leaves_none_but_what_git_never_said(data):
    shape = data.draw(objects(follows=False))
    desired, live = data.draw(documents(shape)), data.draw(documents(shape))
    others = {"base": data.draw(st.none() | documents(shape)), "whole": data.draw(WHOLE)}
    written = patched(live, compared(shape, desired, live, **others), table_of(shape))
    left = compared(shape, desired, written, **others)
    assert all(d.cause is Cause.REMOVED and d.removed is Removal.KEEP for d in left)


@given(st.data())
@properties
def test_defaults_that_follow_another_field_need_one_more_pass_at_most(data):
    shape = data.draw(objects())
    desired, live = data.draw(documents(shape)), data.draw(documents(shape))
    others = {"base": data.draw(st.none() | documents(shape)), "whole": data.draw(WHOLE)}
    for _ in range(2):
        live = patched(live, compared(shape, desired, live, **others), table_of(shape))
    left = compared(shape, desired, live, **others)
    assert all(d.cause is Cause.REMOVED and d.removed is Removal.KEEP for d in left)


@given(st.data())
@properties
def test_patching_leaves_its_arguments_alone(data):
    shape = data.draw(objects())
    desired, live = data.draw(documents(shape)), data.draw(documents(shape))
    differences = compared(shape, desired, live)
    before = copy.deepcopy((desired, live))
    patched(live, differences, table_of(shape))
    assert (desired, live) == before


@given(st.data())
@properties
def test_each_difference_has_a_path_of_its_own_and_names_what_differs(data):
    shape = data.draw(objects())
    sides = {side: data.draw(documents(shape)) for side in ("desired", "live", "base", "applying", "baseline")}
    found = compared(shape, **sides, whole=data.draw(WHOLE))
    assert len({difference.path for difference in found}) == len(found)
    assert all(d.desired != d.live for d in found if d.cause in (Cause.PENDING, Cause.DRIFTED, Cause.CONFLICT))


@given(st.data())
@properties
def test_flattening_twice_gives_the_same_leaves_in_the_same_order(data):
    shape = data.draw(objects())
    document = data.draw(documents(shape))
    once, again = (flatten(copy.deepcopy(document), table_of(shape)) for _ in range(2))
    assert [(p, leaf.value) for p, leaf in once.leaves.items()] == [(p, leaf.value) for p, leaf in again.leaves.items()]
    assert (once.closed, once.members) == (again.closed, again.members)


@given(st.data(), st.randoms(use_true_random=False))
@properties
def test_canonical_text_and_digest_do_not_depend_on_the_order_of_keys(data, chance):
    shape = data.draw(objects())
    document = data.draw(documents(shape))
    names = chance.sample(list(document), len(document))
    other = {name: document[name] for name in names}
    assert canonical(other) == canonical(document)
    assert digest_of(other) == digest_of(document)
