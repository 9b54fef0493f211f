"""From a commit to calls, and from calls to what git says: the planner on a made-up AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.errors import PlanError
from reconciler.core.fields import Effect
from reconciler.core.plan import Plan
from reconciler.core.policy import Intent
from reconciler.core.resource import Settings, Sync
from reconciler.core.values import Ref, ResourceId

BOX = Ref(ResourceId("Box", "outer"), "arn")
CONTENT = Ref(ResourceId("TaskDefinition", "web"), "arn")


def held(plan: Plan) -> dict[str, str]:
    return {str(one.resource): one.reason for one in plan.held}


def verbs(plan: Plan) -> list[str]:
    return [action.id for action in plan.actions]


# ------------------------------------------------------------------------------------------------------ making things


def test_what_git_has_and_aws_does_not_is_made_in_the_order_of_its_references(world):
    world.commit(world.resource("Box/inner", inside=BOX, colour="red"), world.resource("Box/outer"))
    plan = world.plan()
    assert verbs(plan) == ["Box/outer:create", "Box/inner:create"]
    assert plan.actions[1].after == ("Box/outer:create",)
    world.run(plan)
    assert world.of("Box/inner").spec == {"inside": world.of("Box/outer").arn, "colour": "red"}
    assert world.plan().empty


def test_an_object_that_takes_two_calls_is_marked_until_the_second_succeeded(world):
    world.commit(world.resource("Box/a", attributes={"x": "1"}))
    world.run(world.plan(), limit=1)
    assert world.of("Box/a").applying == world.head
    world.settle()
    assert world.of("Box/a").applying is None
    assert world.of("Box/a").tags["reconciler:commit"] == world.head
    assert world.made.count("Create Box/a") == 1


def test_the_edges_that_a_kind_implies_are_kept(world):
    world.commit(world.resource("Box/a", after="z"), world.resource("Box/z"))
    assert verbs(world.plan()) == ["Box/z:create", "Box/a:create"]


def test_references_in_a_circle_are_refused(world):
    inner = Ref(ResourceId("Box", "inner"), "arn")
    world.commit(world.resource("Box/inner", inside=BOX), world.resource("Box/outer", inside=inner))
    with pytest.raises(PlanError, match="circle"):
        world.plan()


@pytest.mark.parametrize(("environment", "made"), [("prod", True), ("shared", False)])
def test_a_reference_into_another_environment_is_not_found_in_this_one(world, environment, made):
    outer = world.resource("Box/outer")
    world.commit(outer)
    world.settle()
    world.commit(outer, world.resource("Box/inner", inside=replace(BOX, environment=environment)))
    assert ("Box/inner:create" in verbs(world.plan())) is made


def test_a_resource_whose_reference_leads_nowhere_is_held_with_all_that_needs_it(world):
    world.commit(
        world.resource("Box/inner", inside=BOX),
        world.resource("Box/outer", inside=Ref(ResourceId("Box", "gone"), "arn")),
        world.resource("Box/other"),
    )
    plan = world.plan()
    assert verbs(plan) == ["Box/other:create"]
    assert held(plan) == {
        "Box/outer": "it needs Box/gone",
        "Box/inner": "it needs Box/outer: it needs Box/gone",
    }


# ---------------------------------------------------------------------------------------------------- changing things


def test_a_change_of_git_is_written_and_recorded(world):
    world.commit(world.resource("Box/a", colour="red", note="x"))
    world.settle()
    world.set("Box/a", note="y")
    world.commit(world.resource("Box/a", colour="blue", note="x"))
    plan = world.plan()
    assert [(action.why, action.effect) for action in plan.actions] == [("1 field pending", Effect.IN_PLACE)]
    world.run(plan)
    assert world.of("Box/a").spec == {"colour": "blue", "note": "y"}  # drift is not put back without self-heal
    assert world.of("Box/a").tags["reconciler:commit"] == world.head


def test_a_commit_that_changes_nothing_of_a_resource_does_not_touch_it(world):
    world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    before = world.of("Box/a")
    world.commit(world.resource("Box/a", Settings(wave=2), colour="red"))
    assert world.plan().actions == ()
    assert world.of("Box/a") == before


def test_drift_is_put_back_where_the_policy_says_so(world):
    world.sync = Sync(mode="auto", self_heal=True, self_heal_after=timedelta(minutes=5))
    world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    world.set("Box/a", colour="pink")
    assert world.plan().actions == ()
    plan = world.plan(drift_ages={ResourceId("Box", "a"): timedelta(minutes=6)})
    assert [action.why for action in plan.actions] == ["1 field drifted"]


def test_a_dropped_field_is_reset_by_its_rule_and_one_without_a_rule_stays_with_a_note(world):
    world.commit(world.resource("Box/a", colour="red", note="x"))
    world.settle()
    world.commit(world.resource("Box/a"))
    plan = world.plan()
    assert plan.notes == ("Box/a: git dropped note; its live value stays",)
    world.settle()
    assert world.of("Box/a").spec == {"colour": "white", "note": "x"}


def test_a_dropped_field_that_aws_cannot_be_without_is_refused(world):
    world.commit(world.resource("Box/a", lid="on"))
    world.settle()
    world.commit(world.resource("Box/a"))
    assert held(world.plan()) == {"Box/a": "git dropped lid, which AWS cannot be without"}


def test_an_interrupted_change_of_two_calls_is_finished_by_the_next_pass(world):
    world.commit(world.resource("Box/a", colour="red", note="x"))
    world.settle()
    world.commit(world.resource("Box/a", colour="blue", note="y"))
    calls = sum(len(action.calls) for action in world.plan().actions)
    for killed in range(1, calls + 1):
        other = replace(world, objects=dict(world.objects), made=[])
        other.run(other.plan(), limit=killed)
        other.settle()
        assert other.of("Box/a").spec == {"colour": "blue", "note": "y"}
        assert other.of("Box/a").applying is None
        assert other.of("Box/a").tags["reconciler:commit"] == other.head


def test_tags_that_are_behind_are_refreshed_in_silence(world):
    world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    world.set("Box/a", colour="blue")
    world.commit(world.resource("Box/a", colour="blue"))
    plan = world.plan()
    assert (verbs(plan), plan.empty) == (["Box/a:stamp"], True)
    assert world.plan(intent=Intent.AUTO, denied="closed").actions == ()


def test_a_renamed_resource_is_not_made_anew(world):
    world.commit(world.resource("Box/old", colour="red"))
    world.settle()
    world.commit(world.resource("Box/new", previous="old", colour="red"))
    world.settle()
    assert [str(live.resource) for live in world.objects.values()] == ["Box/new"]
    assert world.made.count("Create Box/new") == 0


# ------------------------------------------------------------------------------------------------- what must not happen


@pytest.mark.parametrize(
    ("sync", "more", "reason"),
    [
        (Sync(), {}, "the environment is in manual mode"),
        (Sync(mode="auto"), {"denied": "closed over the weekend"}, "closed over the weekend"),
        (Sync(mode="auto"), {"unreadable": {"Box": "AccessDenied"}}, "AccessDenied"),
    ],
)
def test_nothing_is_made_or_changed_against_the_policy(world, sync, more, reason):
    world.sync = sync
    world.commit(world.resource("Box/a", colour="red"))
    assert held(world.plan(**more)) == {"Box/a": reason}
    world.run(world.plan(intent=Intent.ORDER))
    world.commit(world.resource("Box/a", colour="blue"))
    plan = world.plan(**more)
    assert (plan.actions, held(plan)) == ((), {"Box/a": reason})


def test_a_forced_order_goes_against_windows(world):
    world.commit(world.resource("Box/a"))
    assert verbs(world.plan(denied="closed", forced="the site is down")) == ["Box/a:create"]


def test_a_hold_on_the_object_or_its_cluster_stops_writes_until_it_ends(world):
    cluster = Ref(ResourceId("Cluster", "shop"), "arn")
    world.commit(world.resource("Cluster/shop"), world.resource("Service/web", cluster=cluster, count=1))
    world.settle()
    live = world.of("Cluster/shop")
    world.change(live, tags={**live.tags, "reconciler:hold": "2026-11-20T13:00:00Z a leak"})
    world.commit(world.resource("Cluster/shop"), world.resource("Service/web", cluster=cluster, count=2))
    assert held(world.plan()) == {"Service/web": "held until 2026-11-20 13:00 UTC: a leak"}
    world.now += timedelta(hours=1)
    assert verbs(world.plan()) == ["Service/web:update"]


def test_a_commit_older_than_what_runs_writes_nothing_unless_it_was_named(world):
    old = world.commit(world.resource("Box/a", colour="red"))
    world.commit(world.resource("Box/a", colour="blue"))
    world.settle()
    world.head = old
    plan = world.plan(is_ancestor=lambda commit: commit == old)
    assert "is no ancestor of this one" in held(plan)["Box/a"]
    assert verbs(world.plan(is_ancestor=lambda commit: commit == old, named_commit=True)) == ["Box/a:update"]


def test_without_a_base_every_difference_is_drift_and_the_plan_says_why(world):
    gone = world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    world.sync = Sync(mode="auto", self_heal=True)
    world.commit(world.resource("Box/a", colour="blue"))
    plan = world.plan(render=lambda _: None)
    assert plan.actions[0].why == "1 field drifted"
    assert plan.actions[0].notes == (
        f"the causes are guesses: commit {gone[:10]}, which was applied last, cannot be had or does not have it",
    )


def test_a_base_that_renders_to_another_digest_is_no_base(world):
    first = world.commit(world.resource("Box/a", colour="red"))
    world.settle()
    world.sync = Sync(mode="auto", self_heal=True)
    world.commit(world.resource("Box/a", colour="green"), name=first)
    world.commit(world.resource("Box/a", colour="blue"))
    (note,) = world.plan().actions[0].notes
    assert "renders to v1:" in note


def test_an_object_that_is_being_deleted_is_waited_for(world):
    world.commit(world.resource("Box/a"))
    world.settle()
    world.change(world.of("Box/a"), facts={"leaving": True})
    assert held(world.plan()) == {"Box/a": "an object of its name is being deleted"}


# --------------------------------------------------------------------------------------------------------------- waves


def test_a_later_wave_waits_for_what_the_earlier_one_changes(world):
    world.commit(world.resource("Box/a"), world.resource("Box/b", Settings(wave=1)))
    plan = world.plan()
    assert verbs(plan) == ["Box/a:create"]
    assert held(plan) == {"Box/b": "its wave 1 waits for wave 0"}
    world.run(plan)
    live = world.change(world.of("Box/a"), facts={"health": "Progressing"})
    assert verbs(world.plan()) == []
    world.change(live, facts={})
    assert verbs(world.plan()) == ["Box/b:create"]


def test_recording_what_is_so_already_waits_for_no_wave(world):
    world.commit(world.resource("Box/a"), world.resource("Box/b", Settings(wave=1), colour="red"))
    world.settle()
    world.set("Box/b", colour="blue")
    world.commit(world.resource("Box/a", note="x"), world.resource("Box/b", Settings(wave=1), colour="blue"))
    assert sorted(verbs(world.plan())) == ["Box/a:update", "Box/b:stamp"]


# ----------------------------------------------------------------------------------------------------------- replacing


def test_what_must_be_deleted_first_needs_a_persons_permission_for_just_that(world):
    world.commit(world.resource("Box/a", size=1), world.resource("Box/b", colour="red"))
    world.settle()
    world.commit(world.resource("Box/a", size=2), world.resource("Box/b", colour="blue"))
    plan = world.plan()
    (blocked,) = plan.held
    assert verbs(plan) == ["Box/b:update"]
    assert blocked.blocked
    digest = blocked.next.partition("allowReplace: ")[2].partition("}")[0]
    world.commit(
        world.resource("Box/a", Settings(allow_replace=digest), size=2), world.resource("Box/b", colour="blue")
    )
    world.settle()
    assert world.of("Box/a").spec == {"size": 2}
    assert world.made.count("Delete Box/a") == 1
