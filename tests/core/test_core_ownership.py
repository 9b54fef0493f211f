"""Whose objects are they, and what of them git never said: adoption, claims, undeclared drift."""

from __future__ import annotations

import pytest

from reconciler.core.plan import Plan
from reconciler.core.resource import Settings, Sync
from reconciler.core.values import Ref, ResourceId

BOX = ResourceId("Box", "a")


def held(plan: Plan) -> dict[str, str]:
    return {str(one.resource): one.reason for one in plan.held}


def test_what_is_there_already_is_left_alone_unless_it_is_adopted(world):
    world.put("Box/a", colour="red", note="theirs")
    world.commit(world.resource("Box/a", colour="red"))
    assert "reconciler adopt Box/a" in held(world.plan())["Box/a"]
    world.commit(world.resource("Box/a", Settings(adopt=True), colour="red"))
    plan = world.plan()
    assert [call.operation for action in plan.actions for call in action.calls] == ["TagResource"]
    world.settle()
    assert world.of("Box/a").spec == {"colour": "red", "note": "theirs"}
    assert set(world.made) == {"TagResource Box/a"}


def test_what_differs_on_adoption_is_changed_by_the_pass_after_it(world):
    world.put("Box/a", colour="pink", note="theirs")
    world.commit(world.resource("Box/a", Settings(adopt=True), colour="red"))
    plan = world.plan()
    assert [call.operation for action in plan.actions for call in action.calls] == ["TagResource"]
    world.settle()
    assert world.of("Box/a").spec == {"colour": "red", "note": "theirs"}


def test_nothing_is_adopted_in_manual_mode(world):
    world.sync = Sync()
    world.put("Box/a")
    world.commit(world.resource("Box/a", Settings(adopt=True)))
    assert held(world.plan()) == {"Box/a": "the environment is in manual mode"}


def test_what_another_environment_owns_stays_there(world):
    live = world.put("Box/a", {"reconciler:environment": "acme/test", "reconciler:resource": "Box/a"})
    world.commit(world.resource("Box/a", Settings(adopt=True)))
    assert held(world.plan()) == {"Box/a": f"{live.arn} belongs to acme/test and stays there"}


def test_two_objects_that_claim_to_be_one_are_both_left_alone(world):
    tags = {"reconciler:environment": "acme/prod", "reconciler:resource": "Box/a"}
    world.put("Box/a", tags, colour="pink")
    world.put("Box/b", tags, colour="pink")
    world.commit(world.resource("Box/a", colour="red"))
    plan = world.plan()
    assert plan.actions == ()
    assert held(plan)["Box/a"].startswith("2 objects carry its tag")


# ---------------------------------------------------------------------------------------------------- undeclared drift


@pytest.mark.parametrize(("undeclared", "told"), [("alert", ["note"]), ("ignore", [])])
def test_a_field_that_nobody_declared_is_told_when_it_leaves_its_baseline_and_never_written(world, undeclared, told):
    world.sync = Sync(mode="auto", self_heal=True, undeclared=undeclared)
    world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    baseline = world.of("Box/a").spec
    world.set("Box/a", note="by hand")
    planned = world.planned(baselines={BOX: baseline})
    assert planned.plan.actions == ()
    assert [one.field for one in planned.judgements[BOX].incidents] == told


def test_an_object_that_is_what_it_was_after_our_last_apply_has_no_undeclared_drift(world):
    world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    world.set("Box/a", note="by hand")
    planned = world.planned(baselines={BOX: dict(world.of("Box/a").spec)})
    assert planned.judgements[BOX].differences == ()


@pytest.mark.parametrize("copy_first", [True, False])
def test_nothing_leads_to_an_object_whose_tags_somebody_copied(world, copy_first):
    world.commit(world.resource("Box/outer"), world.resource("Box/user", inside=Ref(ResourceId("Box", "outer"), "arn")))
    world.settle()
    original = world.of("Box/outer")
    copy = world.put("Box/copy", original.tags, note="somebody else's")
    if copy_first:
        world.objects = {copy.arn: copy} | {arn: live for arn, live in world.objects.items() if arn != copy.arn}
    plan = world.plan()
    assert plan.actions == ()
    assert "2 objects carry its tag" in held(plan)["Box/outer"]
    assert "it needs Box/outer: 2 objects carry its tag" in held(plan)["Box/user"]
