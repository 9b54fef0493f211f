"""Content and rollouts: registered once, followed to the end, and held back for good when they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.plan import Plan
from reconciler.core.resource import Settings, Sync
from reconciler.core.values import Ref, ResourceId

CONTENT = Ref(ResourceId("TaskDefinition", "web"), "arn")
WEB = ResourceId("Service", "web")

Deploy = Callable[..., str]


def held(plan: Plan) -> dict[str, str]:
    return {str(one.resource): one.reason for one in plan.held}


def steps(plan: Plan) -> list[str]:
    return [f"{call.operation} {action.resource}" for action in plan.actions for call in action.calls]


@pytest.fixture
def deploy(world: Any) -> Deploy:
    """Commits a service whose task runs an image."""

    def commit(image: str, settings: Settings | None = None, **spec: Any) -> str:
        content = world.resource("TaskDefinition/web", image=image, **spec.pop("content", {}))
        service = world.resource("Service/web", settings, taskDefinition=CONTENT, **spec)
        service = replace(service, embeds={"TaskDefinition/web": content.digest})
        made: str = world.commit(content, service)
        return made

    return commit


@pytest.fixture
def running(world: Any, deploy: Deploy) -> Any:
    """A world in which image a runs."""
    deploy("a", count=2)
    world.settle()
    world.made.clear()
    return world


def rolls(world: Any, rollout: str, **more: Any) -> None:
    world.change(world.of("Service/web"), facts={"rollout": rollout}, **more)


def test_content_is_registered_before_the_service_that_runs_it(world, deploy):
    deploy("a")
    assert steps(world.plan()) == ["Create TaskDefinition/web", "Create Service/web"]


def test_a_service_is_applied_only_when_its_rollout_succeeded(world, deploy):
    head = deploy("a")
    world.run(world.plan())
    assert (world.of("Service/web").applying, world.of("Service/web").tags.get("reconciler:commit")) == (head, None)
    rolls(world, "running")
    assert world.plan().actions == ()
    rolls(world, "succeeded")
    world.run(world.plan())
    assert (world.of("Service/web").applying, world.of("Service/web").tags["reconciler:commit"]) == (None, head)


def test_a_new_image_is_a_new_revision_and_one_marked_update(running, deploy):
    deploy("b", count=2)
    plan = running.plan()
    assert steps(plan) == ["Create TaskDefinition/web", "TagResource Service/web", "Set Service/web"]
    assert "starts a new deployment" in plan.actions[-1].notes
    running.settle()
    assert running.objects[running.of("Service/web").spec["taskDefinition"]].spec == {"image": "b"}


@pytest.mark.parametrize("killed", [0, 1, 2, 3])
def test_a_rollout_that_is_killed_on_its_way_registers_and_deploys_once(running, deploy, killed):
    deploy("b", count=2)
    running.run(running.plan(), limit=killed)
    running.settle()
    assert running.made.count("Create TaskDefinition/web") == 1
    assert running.made.count("Set Service/web") == 1
    assert running.of("Service/web").tags["reconciler:commit"] == running.head


def test_equal_content_that_was_registered_before_is_used_again(running, deploy):
    deploy("b", count=2)
    running.settle()
    deploy("a", count=2)
    running.settle()
    assert running.made.count("Create TaskDefinition/web") == 1


def test_content_that_nobody_uses_is_registered_because_git_asks_for_it(world):
    world.commit(world.resource("TaskDefinition/job", image="a"))
    assert steps(world.plan()) == ["Create TaskDefinition/job"]


def test_content_is_not_registered_while_its_service_may_not_be_written(running, deploy):
    deploy("b", count=2)
    plan = running.plan(denied="closed")
    assert plan.actions == ()
    assert held(plan) == {"Service/web": "closed", "TaskDefinition/web": "Service/web does not need it yet: closed"}


def test_a_change_that_starts_no_deployment_is_recorded_at_once(running, deploy):
    deploy("a", count=3)
    assert steps(running.plan()) == ["Set Service/web", "TagResource Service/web"]


def test_while_a_rollout_of_ours_is_under_way_nothing_else_is_written(running, deploy):
    deploy("b", count=2)
    running.run(running.plan())
    rolls(running, "running")
    running.set("Service/web", count=9)
    assert held(running.plan()) == {"Service/web": "a deployment of ours is under way: 1 of 2 tasks"}


def test_a_newer_commit_supersedes_a_rollout_under_way(running, deploy):
    deploy("b", count=2)
    running.run(running.plan())
    rolls(running, "running")
    deploy("c", count=2)
    assert steps(running.plan())[-1] == "Set Service/web"


def test_a_rollout_whose_deployment_is_not_listed_yet_is_waited_for(running, deploy):
    deploy("b", count=2)
    running.run(running.plan())
    running.change(running.of("Service/web"), facts={"rollout": "none", "health": "Progressing"})
    assert running.plan().actions == ()


# ------------------------------------------------------------------------------------------------------------ failures


@pytest.fixture
def broken(running: Any, deploy: Deploy) -> Any:
    """A world in which the rollout of image b failed and was quarantined."""
    deploy("b", count=2)
    running.run(running.plan())
    rolls(running, "failed")
    plan = running.plan()
    assert steps(plan) == ["StopServiceDeployment Service/web", "TagResource Service/web", "UntagResource Service/web"]
    running.run(plan)
    running.change(running.of("Service/web"), facts={})
    running.made.clear()
    return running


def test_a_failed_rollout_is_held_back_also_by_later_commits_of_the_same_content(broken, deploy):
    for wave in range(10):
        deploy("b", Settings(wave=wave), count=2)
        plan = broken.plan()
        assert plan.actions == ()
        assert held(plan)["Service/web"] == "in quarantine: the rollout of this content failed"


def test_other_content_leaves_the_quarantine_behind(broken, deploy):
    deploy("c", count=2)
    broken.settle()
    assert "reconciler:quarantine" not in broken.of("Service/web").tags
    assert broken.of("Service/web").tags["reconciler:commit"] == broken.head


def test_a_rollout_that_takes_longer_than_its_timeout_has_failed(running, deploy):
    deploy("b", Settings(timeout=timedelta(minutes=5)), count=2)
    running.run(running.plan())
    rolls(running, "running")
    running.now += timedelta(minutes=5)
    assert running.plan().actions == ()
    running.now += timedelta(seconds=1)
    assert running.plan().actions[0].why == "its rollout failed: it took longer than 5 min"


def test_a_failed_rollout_is_only_told_where_nothing_may_be_written(running, deploy):
    deploy("b", count=2)
    running.run(running.plan())
    rolls(running, "failed")
    plan = running.plan(denied="closed")
    assert plan.actions == ()
    assert held(plan)["Service/web"] == "its rollout failed: 1 of 2 tasks"


# --------------------------------------------------------------------------------------------------------------- drift


def test_a_count_that_a_scalable_target_owns_is_never_drift_nor_written(running, deploy):
    running.change(running.of("Service/web"), facts={"autoscaled": True})
    running.set("Service/web", count=7)
    deploy("a", count=3)
    assert [one for one in running.plan().actions if not one.silent] == []


def test_content_that_somebody_put_in_is_drift_field_by_field(running):
    other = running.put("TaskDefinition/hand", image="a", user="root")
    running.set("Service/web", taskDefinition=other.arn)
    judgement = running.planned().judgements[WEB]
    assert [(one.field, one.cause.value) for one in judgement.incidents] == [("taskDefinition.user", "drifted")]


def test_a_new_revision_puts_back_all_drift_of_the_content_and_says_so(running, deploy):
    other = running.put("TaskDefinition/hand", image="a", user="root")
    running.set("Service/web", taskDefinition=other.arn)
    deploy("b", count=2)
    action = running.plan().actions[-1]
    assert action.notes[0] == "the new revision is what git says as a whole, so it also puts back taskDefinition.user"
    running.settle()
    assert running.objects[running.of("Service/web").spec["taskDefinition"]].spec == {"image": "b"}


def test_drift_is_shown_but_not_put_back_in_manual_mode(running, deploy):
    running.sync = Sync()
    deploy("a", count=2)
    running.set("Service/web", count=5)
    planned = running.planned()
    assert planned.plan.actions == ()
    assert [one.field for one in planned.judgements[WEB].incidents] == ["count"]


def test_lost_content_is_not_registered_again_while_nobody_is_about_to_run_it(running):
    other = running.put("TaskDefinition/hand", image="a", user="root")
    del running.objects[running.of("Service/web").spec["taskDefinition"]]
    running.set("Service/web", taskDefinition=other.arn)
    plan = running.plan()
    assert (plan.actions, plan.held) == ((), ())


def test_while_a_failed_rollout_is_taken_back_the_pass_looks_again_and_no_wave_waits(broken):
    broken.change(broken.of("Service/web"), facts={"health": "Progressing"})
    planned = broken.planned()
    assert ResourceId("Service", "web") in planned.moving
    assert "in quarantine" in held(planned.plan)["Service/web"]


def test_content_is_not_registered_when_nobody_could_tell_whether_it_is_there(running, deploy):
    deploy("b")
    why = {"TaskDefinition": "access denied"}
    assert held(running.plan(unreadable=why))["TaskDefinition/web"] == "access denied"
