"""Deleting: only what is ours and no longer in git, users first, and never more than the brakes allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.live import Live
from reconciler.core.plan import Plan
from reconciler.core.policy import Intent
from reconciler.core.pruning import deletions_digest
from reconciler.core.resource import Settings, Sync
from reconciler.core.values import Ref, ResourceId

GROUP = Ref(ResourceId("TargetGroup", "g"), "arn")


def held(plan: Plan) -> dict[str, str]:
    return {str(one.resource): one.reason for one in plan.held}


def names(plan: Plan) -> list[str]:
    return [action.id for action in plan.actions]


@pytest.fixture
def boxes(world: Any) -> Any:
    """Five boxes were made; git has only the first."""
    world.sync = Sync(mode="auto", prune=True, max_deletions=4)
    world.commit(*(world.resource(f"Box/{name}") for name in "abcde"))
    world.settle()
    world.commit(world.resource("Box/a"))
    return world


def policy(world: Any, **more: Any) -> None:
    world.sync = replace(world.sync, **more)
    world.commit(world.resource("Box/a"))


def test_what_git_no_longer_has_is_deleted(boxes):
    boxes.settle()
    assert [str(live.resource) for live in boxes.objects.values()] == ["Box/a"]


def test_without_prune_it_stays_and_is_named(boxes):
    policy(boxes, prune=False)
    plan = boxes.plan()
    assert plan.actions == ()
    assert set(held(plan).values()) == {"git no longer has it, and the environment does not prune"}


def test_what_is_not_ours_is_never_deleted(boxes):
    boxes.put("Box/stranger")
    boxes.put("Box/neighbour", {"reconciler:environment": "acme/test", "reconciler:resource": "Box/neighbour"})
    boxes.put("Box/copy", {"reconciler:environment": "acme/prod", "reconciler:resource": "Cluster/b"})
    boxes.settle()
    assert {live.natural for live in boxes.objects.values()} == {"a", "stranger", "neighbour", "copy"}


def test_more_deletions_than_the_environment_allows_wait_for_approval_of_just_these(boxes):
    policy(boxes, max_deletions=3)
    plan = boxes.plan()
    assert plan.actions == ()
    assert set(held(plan).values()) == {"the commit deletes 4 resources, and the environment allows 3"}
    digest = deletions_digest(plan.deletions)
    assert all(digest in one.next for one in plan.held)
    assert len(boxes.plan(approved=digest).actions) == 4
    assert boxes.plan(approved=deletions_digest(plan.deletions[1:])).actions == ()


def test_an_empty_commit_deletes_nothing_without_approval(world):
    world.commit(world.resource("Box/a"))
    world.settle()
    world.commit()
    plan = world.plan()
    assert held(plan)["Box/a"].startswith("the commit has no resources at all")
    assert names(world.plan(approved=deletions_digest(plan.deletions))) == ["Box/a:delete"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"unreadable": {"Cluster": "AccessDenied"}}, "only a pass that has seen everything deletes"),
        ({"denied": "closed"}, "closed"),
        ({"render": lambda _: None}, "nobody can tell whether it is protected"),
    ],
)
def test_nothing_is_deleted_when_something_could_not_be_seen_or_the_window_is_closed(boxes, more, reason):
    plan = boxes.plan(**more)
    assert plan.actions == ()
    assert len(plan.held) == 4
    assert all(reason in one.reason for one in plan.held)


def test_a_forced_order_deletes_in_a_closed_window(boxes):
    assert len(boxes.plan(denied="closed", forced="no room").actions) == 4


def test_in_manual_mode_only_a_person_deletes(boxes):
    policy(boxes, mode="manual")
    assert set(held(boxes.plan()).values()) == {"the environment is in manual mode"}
    assert len(boxes.plan(intent=Intent.ORDER).actions) == 4


def test_what_its_last_manifest_protected_is_never_deleted(world):
    world.commit(world.resource("Box/a", Settings(protect=True)), world.resource("Box/b"))
    world.settle()
    world.commit(world.resource("Box/b"))
    assert held(world.plan()) == {"Box/a": "its last manifest says protect: true"}


def test_what_is_held_is_not_deleted(boxes):
    live = boxes.of("Box/b")
    boxes.change(live, tags={**live.tags, "reconciler:hold": "tomorrow"})
    assert held(boxes.plan()) == {"Box/b": "held with no end that can be read: tomorrow"}


def test_two_objects_of_one_tag_are_not_deleted(boxes):
    boxes.put("Box/copy", dict(boxes.of("Box/b").tags))
    assert held(boxes.plan())["Box/b"].startswith("2 objects carry its tag")


def test_content_is_never_deleted(world):
    world.commit(world.resource("TaskDefinition/job", image="a"), world.resource("Box/a"))
    world.settle()
    world.commit(world.resource("Box/a"))
    assert world.plan().empty


def test_users_go_before_what_they_use_and_a_service_is_waited_for(world):
    rule = world.resource("ListenerRule/r", actions=[{"targetGroupArn": GROUP}])
    service = world.resource("Service/s", loadBalancers=[{"targetGroupArn": GROUP}])
    box = world.resource("Box/a")
    world.commit(world.resource("TargetGroup/g"), rule, service, box)
    world.settle()
    world.commit(box)
    plan = world.plan()
    assert sorted(names(plan)) == ["ListenerRule/r:delete", "Service/s:delete"]
    assert held(plan) == {"TargetGroup/g": "deleted after Service/s is gone"}
    live: Live = world.of("Service/s")
    world.run(plan)
    world.objects[live.arn] = replace(live, facts={"leaving": True})
    assert held(world.plan()) == {
        "Service/s": "it is draining, and gone in a moment",
        "TargetGroup/g": "deleted after Service/s is gone",
    }
    del world.objects[live.arn]
    assert names(world.plan()) == ["TargetGroup/g:delete"]


def test_deletions_come_after_everything_that_is_made(world):
    world.commit(world.resource("Box/a"))
    world.settle()
    world.commit(world.resource("Box/b"))
    plan = world.plan()
    assert names(plan) == ["Box/b:create", "Box/a:delete"]
    assert plan.actions[1].after == ("Box/b:create",)


def test_what_a_newer_commit_made_is_not_deleted_by_an_older_one(boxes):
    for live in list(boxes.objects.values()):
        boxes.change(live, tags={**live.tags, "reconciler:commit": "f" * 40})
    plan = boxes.plan()
    assert names(plan) == []
    assert set(held(plan).values()) == {"commit ffffffffff, which it has, is no ancestor of this one"}


def test_what_a_hold_delays_counts_among_the_deletions_of_a_commit(boxes):
    boxes.sync = replace(boxes.sync, max_deletions=3)
    boxes.commit(boxes.resource("Box/a"))
    for name in ("b", "c"):
        live = boxes.of(f"Box/{name}")
        boxes.change(live, tags={**live.tags, "reconciler:hold": "2026-11-20T13:00:00Z looking"})
    plan = boxes.plan()
    assert names(plan) == []
    assert held(plan)["Box/d"] == "the commit deletes 4 resources, and the environment allows 3"
