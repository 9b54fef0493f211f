"""Who moved: every cell of the cause logic, one sentence each (DESIGN.md §3)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.diff import Sides, diff
from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Field, Removal, Reset, table
from reconciler.core.normalise import flatten
from reconciler.core.values import ABSENT, Spec

TABLE = table(
    (
        Field("count"),
        Field("grace", default=0, removed=Reset(0)),
        Field("version", computed=True),
        Field("flag", removed=Reset("off")),
        Field("command"),
        Field("environment", key=("name",)),
        Field("labels", open_map=True),
        Field("tags", key=("key",), complete=False),
        Field("content.image"),
        Field("content.user"),
        Field("content.cpu", default=0),
        Field("content.revision", computed=True),
        Field("content.labels", open_map=True),
    )
)


def found(desired: Spec, live: Spec, base: Spec | None, **others: Any) -> tuple[Difference, ...]:
    flats: dict[str, Any] = {
        side: flatten(others.pop(side), TABLE) for side in ("applying", "baseline") & others.keys()
    }
    known = None if base is None else flatten(base, TABLE)
    return diff(Sides(flatten(desired, TABLE), flatten(live, TABLE), known, **others, **flats))


def causes(desired: Spec, live: Spec, base: Spec | None, **others: Any) -> dict[str, str]:
    return {difference.field: difference.cause.value for difference in found(desired, live, base, **others)}


# ----------------------------------------------------------------------------------------------------- a declared field


def test_what_git_changed_is_pending():
    assert causes({"count": 3}, {"count": 2}, {"count": 2}) == {"count": "pending"}


def test_what_aws_changed_is_drifted():
    assert causes({"count": 2}, {"count": 5}, {"count": 2}) == {"count": "drifted"}


def test_what_both_changed_differently_is_a_conflict():
    assert causes({"count": 3}, {"count": 5}, {"count": 2}) == {"count": "conflict"}


def test_what_both_changed_to_the_same_is_in_sync():
    assert causes({"count": 3}, {"count": 3}, {"count": 2}) == {}


def test_a_field_that_git_declares_for_the_first_time_is_pending():
    assert causes({"count": 3}, {"count": 5}, {}) == {"count": "pending"}


def test_a_field_that_somebody_took_away_is_drifted():
    (difference,) = found({"count": 2}, {}, {"count": 2})
    assert (difference.cause, difference.live, difference.base) == (Cause.DRIFTED, ABSENT, 2)


def test_a_declared_default_that_aws_does_not_answer_is_in_sync():
    assert causes({"grace": 0}, {}, {}) == {}


def test_a_declared_value_that_aws_has_at_its_default_is_pending_when_base_had_the_default():
    assert causes({"grace": 30}, {}, {"grace": 0}) == {"grace": "pending"}


def test_without_a_base_every_difference_counts_as_drifted():
    assert causes({"count": 3, "command": ["a"]}, {"count": 2}, None) == {"count": "drifted", "command": "drifted"}


# ------------------------------------------------------------------------------------------- a change that is under way


def test_a_value_that_an_unfinished_change_wrote_is_pending_when_git_moved_on():
    assert causes({"count": 4}, {"count": 3}, {"count": 2}, applying={"count": 3}) == {"count": "pending"}


def test_a_value_that_is_neither_base_nor_being_applied_is_a_conflict():
    assert causes({"count": 4}, {"count": 9}, {"count": 2}, applying={"count": 3}) == {"count": "conflict"}


def test_a_value_that_is_being_applied_is_never_drifted_even_without_a_base():
    assert causes({"count": 4}, {"count": 3}, None, applying={"count": 3}) == {"count": "pending"}


def test_going_back_to_base_from_an_unfinished_change_is_pending_not_drifted():
    assert causes({"count": 2}, {"count": 3}, {"count": 2}, applying={"count": 3}) == {"count": "pending"}


def test_what_only_an_unfinished_change_declared_and_wrote_is_removed_when_git_drops_it():
    assert causes({}, {"flag": "on"}, {}, applying={"flag": "on"}) == {"flag": "removed"}


def test_what_an_unfinished_change_declared_but_never_reached_is_left_alone():
    assert causes({}, {"flag": "theirs"}, {}, applying={"flag": "on"}) == {}


# -------------------------------------------------------------------------------------------------- a field git dropped


def test_a_field_that_git_dropped_is_removed():
    (difference,) = found({}, {"count": 2}, {"count": 2})
    assert (difference.cause, difference.removed) == (Cause.REMOVED, Removal.KEEP)


def test_a_dropped_field_that_somebody_changed_meanwhile_is_removed_all_the_same():
    assert causes({}, {"count": 5}, {"count": 2}) == {"count": "removed"}


@pytest.mark.parametrize("live", [{}, {"grace": 0}])
def test_a_dropped_field_that_is_back_at_its_default_is_no_difference(live):
    assert causes({}, live, {"grace": 30}) == {}


def test_a_dropped_field_that_already_has_its_reset_value_is_no_difference():
    assert causes({}, {"flag": "off"}, {"flag": "on"}) == {}


# ---------------------------------------------------------------------------------------------- a field nobody declared


def test_an_undeclared_field_is_no_difference_without_a_baseline():
    assert causes({}, {"count": 5}, {}) == {}


def test_an_undeclared_field_that_left_its_baseline_is_undeclared_drift():
    (difference,) = found({}, {"count": 5}, {}, baseline={"count": 2})
    assert (difference.cause, difference.live, difference.base) == (Cause.UNDECLARED, 5, 2)


def test_an_undeclared_field_that_is_new_since_the_baseline_is_undeclared_drift():
    assert causes({}, {"count": 5}, None, baseline={}) == {"count": "undeclared"}


@pytest.mark.parametrize("live", [{}, {"grace": 0}])
def test_an_undeclared_field_that_went_from_its_baseline_to_the_default_is_undeclared_drift(live):
    assert causes({}, live, {}, baseline={"grace": 30}) == {"grace": "undeclared"}


@pytest.mark.parametrize(("live", "baseline"), [({"grace": 0}, {}), ({}, {"grace": 0}), ({"grace": 9}, {"grace": 9})])
def test_an_undeclared_field_that_means_what_it_meant_in_the_baseline_is_no_difference(live, baseline):
    assert causes({}, live, {}, baseline=baseline) == {}


def test_a_computed_field_is_no_difference_while_nobody_declares_it():
    assert causes({}, {"version": "1.4.0"}, {}, baseline={"version": "1.3.0"}) == {}


def test_a_computed_field_that_is_declared_is_compared_like_any_other():
    assert causes({"version": "1.4.0"}, {"version": "1.3.0"}, {"version": "1.4.0"}) == {"version": "drifted"}


def test_a_field_that_no_table_knows_is_no_difference_while_nobody_declares_it():
    assert causes({}, {"novelty": {"a": 1}}, {}, baseline={"novelty": {"a": 2}}) == {}


def test_a_field_that_no_table_knows_is_compared_when_it_is_declared():
    assert causes({"novelty": {"a": 1}}, {"novelty": {"a": 2}}, {"novelty": {"a": 1}}) == {"novelty.a": "drifted"}


def test_a_dropped_field_is_not_undeclared_though_the_baseline_is_older_than_the_change():
    assert causes({}, {}, {"grace": 30}, baseline={"grace": 30}) == {}


# -------------------------------------------------------------------------------------------- members of lists and maps

ONE = {"environment": [{"name": "A", "value": "1"}]}
TWO = {"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
B_CHANGED = {"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "9"}]}


def test_a_member_that_somebody_added_to_a_declared_list_is_drifted():
    assert causes(ONE, TWO, ONE) == {"environment[B].name": "drifted", "environment[B].value": "drifted"}


def test_a_member_that_git_took_out_is_pending():
    assert causes(ONE, TWO, TWO) == {"environment[B].name": "pending", "environment[B].value": "pending"}


def test_a_member_that_git_took_out_and_somebody_changed_is_a_conflict():
    assert causes(ONE, B_CHANGED, TWO)["environment[B].value"] == "conflict"


def test_a_member_in_a_list_that_git_declares_for_the_first_time_is_pending():
    assert causes(ONE, TWO, {}) == {"environment[B].name": "pending", "environment[B].value": "pending"}


def test_a_list_declared_empty_says_that_no_member_may_be_there():
    assert causes({"environment": []}, ONE, {"environment": []})["environment[A].name"] == "drifted"


def test_a_plain_list_declared_empty_is_a_declaration_too():
    (difference,) = found({"command": []}, {"command": ["sh"]}, {"command": ["sh"]})
    assert (difference.cause, difference.desired) == (Cause.PENDING, [])


def test_a_key_that_somebody_added_to_a_declared_map_is_drifted():
    assert causes({"labels": {"a": "1"}}, {"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1"}}) == {
        "labels[b]": "drifted"
    }


def test_tags_that_nobody_declared_are_left_alone():
    live = {"tags": [{"key": "team", "value": "shop"}, {"key": "cost", "value": "7"}]}
    desired = {"tags": [{"key": "team", "value": "shop"}]}
    assert causes(desired, live, desired, baseline=desired) == {}


# ------------------------------------------------------------------------------------------- content written as a whole

WHOLE: dict[str, Any] = {"whole": (("content",),)}


def content(**members: Any) -> Spec:
    return {"content": {"image": "a", **members}}


def test_content_declares_absent_what_it_does_not_declare():
    assert causes(content(), content(user="root"), content(), **WHOLE) == {"content.user": "drifted"}


def test_what_git_drops_from_content_is_pending():
    assert causes(content(), content(user="root"), content(user="root"), **WHOLE) == {"content.user": "pending"}


def test_a_label_in_content_that_declares_no_labels_is_drifted():
    assert causes(content(), content(labels={"x": "1"}), content(), **WHOLE) == {"content.labels[x]": "drifted"}


@pytest.mark.parametrize("echo", [{"cpu": 0}, {"revision": 7}, {"novelty": 1}, {"labels": {}}])
def test_defaults_computed_and_unknown_fields_of_content_are_no_difference(echo):
    assert causes(content(), content(**echo), content(), **WHOLE) == {}


def test_what_git_had_in_content_goes_even_if_no_table_knows_it():
    assert causes(content(), content(novelty=1), content(novelty=1), **WHOLE) == {"content.novelty": "pending"}


def test_what_somebody_took_out_of_content_that_git_dropped_too_is_in_sync():
    assert causes(content(), content(), content(user="root"), **WHOLE) == {}


def test_a_baseline_says_nothing_about_content():
    assert causes(content(), content(), content(), baseline=content(user="root"), **WHOLE) == {}


def test_outside_of_content_the_usual_rules_go_on():
    assert causes(content(), content() | {"count": 5}, content(), **WHOLE) == {}


# ---------------------------------------------------------------------------------- what nothing of ours was applied to


def test_an_object_that_was_never_ours_has_pending_differences_and_no_removals():
    live = flatten({"count": 5, "flag": "on", "content": {"image": "b", "user": "root"}}, TABLE)
    sides = Sides(flatten({"count": 3, **content()}, TABLE), live, base=None, untouched=True, whole=(("content",),))
    assert {d.field: d.cause for d in diff(sides)} == dict.fromkeys(
        ("count", "content.image", "content.user"), Cause.PENDING
    )


# ------------------------------------------------------------------------------------------------------- ignored fields


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ((), {"count", "environment[A].value", "environment[B].value"}),
        (("count",), {"environment[A].value", "environment[B].value"}),
        (("environment[A].value",), {"count", "environment[B].value"}),
        (("environment[].value",), {"count"}),
        (("environment",), {"count"}),
        (("environment[B]", "count"), {"environment[A].value"}),
        (("cou", "environment[].value.more", "value"), {"count", "environment[A].value", "environment[B].value"}),
    ],
)
def test_ignored_fields_are_not_compared_nor_is_what_stands_in_them(ignored, left):
    live = {"count": 5, "environment": [{"name": name, "value": "x"} for name in "AB"]}
    assert set(causes({"count": 2, **TWO}, live, TWO, skipped=ignored)) == left


def test_differences_come_in_the_order_of_the_desired_document_then_of_the_live_one():
    desired, live = {"command": ["a"], "count": 1}, {"flag": "on", "count": 2, "command": ["b"]}
    assert list(causes(desired, live, {"flag": "on"})) == ["command", "count", "flag"]
