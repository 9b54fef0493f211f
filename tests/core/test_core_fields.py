"""Tables of fields, normal forms, and what is written: the cases that a sentence explains better than a property."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from reconciler.core.diff import Sides, diff
from reconciler.core.difference import MASK, Cause, Difference, written
from reconciler.core.fields import Effect, Field, Node, Removal, Reset, steps, table
from reconciler.core.normalise import flatten
from reconciler.core.patch import aim, patched
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, Spec

PORTS = table(
    (
        Field("ports", key=("containerPort", "protocol")),
        Field("ports[].protocol", default="tcp", normal=str.lower),
        Field("ports[].hostPort", default=lambda port: port.get("containerPort", ABSENT), normal=int),
        Field("ports[].containerPort", normal=int),
    )
)


def same(table_: Node, one: Spec, other: Spec) -> bool:
    return not diff(Sides(flatten(one, table_), flatten(other, table_), base=None, whole=((),)))


def governing(node: Node, document: Spec) -> Field:
    (leaf,) = flatten(document, node).leaves.values()
    assert leaf.governing is not None
    return leaf.governing


# -------------------------------------------------------------------------------------------------------------- tables


def test_two_rows_for_one_field_are_a_mistake():
    with pytest.raises(ValueError, match=r"two rows for a\[\]\.b"):
        table((Field("a"), Field("a[].b"), Field("a[].b", default=1)))


def test_a_path_is_read_into_its_steps():
    assert steps("a[].b{}") == ["a", "[]", "b", "{}"]


def test_a_row_moved_under_another_document_keeps_the_rest():
    row = Field("image", secret=True)
    assert row.under("taskDefinition") == dataclasses.replace(row, path="taskDefinition.image")


def test_a_row_takes_effect_removal_secrecy_and_computation_from_the_structure_around_it():
    node = table(
        (Field("a", effect=Effect.DEPLOYMENT, removed=Removal.REFUSE, secret=True, computed=True), Field("a.b.c"))
    )
    row = governing(node, {"a": {"b": {"c": 1}}})
    assert (row.path, row.effect, row.removed, row.secret, row.computed) == (
        "a.b.c",
        Effect.DEPLOYMENT,
        Removal.REFUSE,
        True,
        True,
    )


def test_a_row_of_its_own_goes_before_the_structure_around_it():
    node = table((Field("a", effect=Effect.DEPLOYMENT, removed=Removal.KEEP), Field("a.b", removed=Removal.REPLACE)))
    row = governing(node, {"a": {"b": 1}})
    assert (row.effect, row.removed) == (Effect.DEPLOYMENT, Removal.REPLACE)


def test_a_field_without_a_row_is_governed_by_the_structure_around_it():
    node = table((Field("a", effect=Effect.REPLACE), Field("a.b.c")))
    assert governing(node, {"a": {"b": {"other": {"deep": 1}}}}).effect is Effect.REPLACE


def test_a_field_that_nothing_governs_is_changed_in_place_and_kept_when_dropped():
    difference = Difference(("new",), Cause.REMOVED, ABSENT, 1)
    assert (difference.effect, difference.removed, difference.secret) == (Effect.IN_PLACE, Removal.KEEP, False)


# ------------------------------------------------------------------------------------------------------- normal forms


def test_members_are_found_by_their_key_with_defaults_and_normal_forms():
    assert same(
        PORTS,
        {"ports": [{"containerPort": "80", "protocol": None}]},
        {"ports": [{"containerPort": 80, "protocol": "TCP"}]},
    )


def test_a_part_of_the_key_that_a_member_does_not_have_is_no_part_of_its_name():
    ports = table((Field("ports", key=("containerPort", "containerPortRange")),))
    leaves = flatten({"ports": [{"containerPort": 80}, {"containerPortRange": "90-99"}]}, ports).leaves
    assert list(leaves) == [("ports", "[80]", "containerPort"), ("ports", "[90-99]", "containerPortRange")]


def test_a_default_that_follows_another_field_is_compared_in_its_normal_form():
    assert same(PORTS, {"ports": [{"containerPort": "80"}]}, {"ports": [{"containerPort": 80, "hostPort": 80}]})


def test_two_members_of_one_key_are_still_told_apart():
    twice: Spec = {"ports": [{"containerPort": 80, "hostPort": 1}, {"containerPort": 80, "hostPort": 2}]}
    assert list(flatten(twice, PORTS).leaves) == [
        ("ports", "[80/tcp]", "containerPort"),
        ("ports", "[80/tcp]", "hostPort"),
        ("ports", "[80/tcp']", "containerPort"),
        ("ports", "[80/tcp']", "hostPort"),
    ]
    assert patched(twice, (), PORTS) == twice


def test_members_of_a_keyed_list_that_are_no_objects_are_their_own_key():
    assert list(flatten({"ports": ["a", Ref(ResourceId("Queue", "q"), "arn")]}, PORTS).leaves) == [
        ("ports", "[a]"),
        ("ports", "[${ref:Queue/q.arn}]"),
    ]


WHOLE_VALUES = table(
    (
        Field("hooks"),
        Field("hooks[].stages", unordered=True),
        Field("hooks[].timeout", default=1440),
        Field("hooks[].targets", key=("arn",)),
        Field("hooks[].details", open_map=True),
        Field("hooks[].details{}", normal=str.lower),
        Field("pairs", unordered=True),
        Field("pairs[].kind", normal=str.lower),
    )
)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"stages": ["a", "b"]}, {"stages": ["b", "a"]}, True),
        ({"targets": [{"arn": "x"}, {"arn": "y"}]}, {"targets": [{"arn": "y"}, {"arn": "x"}]}, True),
        ({"timeout": 1440, "stages": [], "arn": None}, {}, True),
        ({"details": {"k": "UP"}}, {"details": {"k": "up"}}, True),
        ({"details": {"k": ""}}, {"details": {}}, False),
        ({"timeout": 5}, {}, False),
    ],
)
def test_a_list_that_is_compared_whole_has_normal_forms_inside(one, other, equal):
    assert same(WHOLE_VALUES, {"hooks": [one]}, {"hooks": [other]}) is equal


def test_the_order_of_a_plain_list_counts():
    assert not same(WHOLE_VALUES, {"hooks": [{"a": 1}, {"a": 2}]}, {"hooks": [{"a": 2}, {"a": 1}]})


def test_a_set_of_objects_has_no_order():
    pair: list[Json] = [{"kind": "A", "v": 1}, {"kind": "b", "v": 2}]
    assert same(WHOLE_VALUES, {"pairs": pair}, {"pairs": [{"kind": "B", "v": 2}, {"kind": "a", "v": 1}]})


def test_a_reference_has_no_normal_form_before_it_is_known():
    ref = Ref(ResourceId("Queue", "q"), "name")
    assert (
        flatten({"ports": [{"containerPort": 1, "protocol": ref}]}, PORTS)
        .leaves["ports", "[1/${ref:Queue/q.name}]", "protocol"]
        .value
        == ref
    )


# ------------------------------------------------------------------------------------------------------ what is written


def rewrite(rows: tuple[Field, ...], desired: Spec, live: Spec, base: Spec | None = None) -> Spec:
    node = table(rows)
    sides = Sides(flatten(desired, node), flatten(live, node), flatten(desired if base is None else base, node))
    return patched(live, diff(sides), node)


def test_a_change_carries_its_neighbours_as_they_are_live():
    live: Spec = {"a": {"x": 1, "y": 2}, "b": [3]}
    assert rewrite((), {"a": {"x": 9}}, live) == {"a": {"x": 9, "y": 2}, "b": [3]}


def test_a_structure_that_is_not_there_is_made():
    assert rewrite((), {"a": {"b": {"c": 1}}}, {"a": "text"}) == {"a": {"b": {"c": 1}}}


def test_a_member_that_git_does_not_want_goes_with_the_defaults_that_aws_filled_in():
    live: Spec = {"ports": [{"containerPort": 80, "protocol": "tcp", "hostPort": 80, "name": "http"}]}
    rows = (Field("ports", key=("containerPort",)), Field("ports[].protocol", default="tcp"))
    assert rewrite(rows, {"ports": []}, live) == {"ports": []}


def test_a_new_member_and_a_new_key_are_added():
    rows = (Field("tags", key=("key",), complete=False), Field("labels", open_map=True))
    desired: Spec = {"tags": [{"key": "b", "value": "2"}], "labels": {"x": "1"}}
    assert rewrite(rows, desired, {"tags": [{"key": "a", "value": "1"}]}) == {
        "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
        "labels": {"x": "1"},
    }


def test_a_plain_list_declared_empty_is_written_as_an_empty_list():
    assert rewrite((), {"command": []}, {"command": ["sh"]}) == {"command": []}


def test_a_structure_with_nothing_left_in_it_is_left_out_but_an_emptied_map_says_so():
    rows = (Field("a", removed=Reset(ABSENT)), Field("labels", open_map=True))
    live: Spec = {"a": {"b": {"c": 1}}, "labels": {"x": "1"}}
    assert rewrite(rows, {"labels": {}}, live, live) == {"labels": {}}


def test_removing_under_a_value_of_another_shape_changes_nothing():
    difference = Difference(("a", "b", "c"), Cause.DRIFTED, ABSENT, 1)
    assert patched({"a": "text"}, [difference], table(())) == {"a": "text"}


RESETS: list[tuple[Field, Spec, Spec]] = [
    (Field("x", removed=Reset("LATEST")), {"x": "1.4"}, {"x": "LATEST"}),
    (Field("x", removed=Removal.KEEP), {"x": "1.4"}, {"x": "1.4"}),
    (Field("x", removed=Removal.REPLACE), {"x": "1.4"}, {}),
    (Field("x", key=("name",), removed=Reset([])), {"x": [{"name": "a", "v": 1}]}, {"x": []}),
    (Field("x", removed=Reset([])), {"x": ["a"]}, {"x": []}),
    (Field("x", removed=Reset({"on": False})), {"x": {"on": True, "to": "a"}}, {"x": {"on": False}}),
    (Field("x", removed=Reset({"on": {"now": 0}})), {"x": {"on": {"now": 1}}}, {"x": {"on": {"now": 0}}}),
    (Field("x", removed=Reset(False)), {"x": {"on": True, "also": True}}, {"x": {"on": False, "also": False}}),
]


@pytest.mark.parametrize(("row", "before", "after"), RESETS)
def test_a_dropped_field_is_written_by_its_own_rule(row, before, after):
    assert rewrite((row,), {}, before, before) == after


def test_a_row_inside_a_structure_takes_its_part_of_the_structures_reset():
    node = table((Field("x", removed=Reset({"y": {"z": 5}})), Field("x.y.z"), Field("x.w")))
    z = governing(node, {"x": {"y": {"z": 1}}})
    w = governing(node, {"x": {"w": 1}})
    assert (z.removed, w.removed) == (Reset(5), Reset(ABSENT))


def test_what_is_aimed_at_is_the_desired_value_unless_git_dropped_the_field():
    row = Field("x", removed=Removal.KEEP)
    assert aim(Difference(("x",), Cause.DRIFTED, 1, 2, row=row)) == 1
    assert aim(Difference(("x",), Cause.REMOVED, ABSENT, 2, row=row)) == 2


# ------------------------------------------------------------------------------------------------------ as a report


def difference_of(row: Field | None, **values: Any) -> Difference:
    return Difference(("env", "[A]", "value"), Cause.CONFLICT, values.get("desired", "s3cret"), "other", "base", row)


def test_a_difference_names_its_field_as_people_write_it():
    assert difference_of(None).field == "env[A].value"
    assert written(("[a]", "b", "c")) == "[a].b.c"


def test_values_of_secret_fields_are_masked_in_every_report():
    shown = difference_of(Field("env[].value", secret=True)).to_json()
    assert shown == {
        "field": "env[A].value",
        "cause": "conflict",
        "effect": "in place",
        "desired": MASK,
        "live": MASK,
        "base": MASK,
    }


def test_a_secret_that_is_not_there_is_not_masked_but_absent():
    assert "desired" not in difference_of(Field("env[].value", secret=True), desired=ABSENT).to_json()


def test_a_difference_is_shown_as_json_with_its_references_as_manifests_write_them():
    ref = Ref(ResourceId("Queue", "jobs"), "url")
    shown = difference_of(Field("env[].value", effect=Effect.NEW_TASKS), desired=ref).to_json()
    assert json.loads(json.dumps(shown)) == {
        "field": "env[A].value",
        "cause": "conflict",
        "effect": "new tasks only",
        "desired": {"ref": "Queue/jobs", "attribute": "url"},
        "live": "other",
        "base": "base",
    }


def test_a_value_that_is_not_there_is_shown_as_it_is():
    assert difference_of(Field("env[].value", secret=True)).shown(ABSENT) is ABSENT
