"""A broken revision is deployed once: failed, held by its digest whatever else happens, and superseded by a fix."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest

from reconciler.core.live import HealthState
from reconciler.core.values import ResourceId
from reconciler.engine import marks
from tests.e2e.rules_kit import AUTO, during, held, image, names, status, tags_of, the_service, verbs
from tests.e2e.stage import Stage, summary

WEB = "Service/web"
BREAKER = "  deploymentConfiguration: {deploymentCircuitBreaker: {enable: true, rollback: true}}\n"


def deployments(stage: Stage, start: int = 0) -> int:
    """How often the controller has deployed the service since."""
    return names(stage.writes(start)).count("UpdateService")


def registered(stage: Stage) -> int:
    return len(stage.client("ecs").list_task_definitions()["taskDefinitionArns"])


def release(stage: Stage, name: str = WEB) -> None:
    marks.release(stage.engine, stage.desired(), [ResourceId.parse(name)])


def deploy(stage: Stage, tag: str) -> None:
    """Commit another image, and settle."""
    stage.edit("base/service.yaml", (f"web:{in_git(stage)}", f"web:{tag}"))
    stage.commit(f"image {tag}")
    stage.settle(order=AUTO)


def in_git(stage: Stage) -> str:
    text = (stage.root / "base/service.yaml").read_text()
    return text.split("registry.example/web:")[1].split()[0]


@pytest.fixture
def broken(small: Stage) -> Stage:
    """The corner shop after a rollout of an image that crashes: taken back, in quarantine."""
    small.settle()
    deploy(small, "crash")
    return small


def test_a_broken_image_is_deployed_once_and_the_previous_revision_runs_on(broken: Stage) -> None:
    assert deployments(broken) == 1
    assert image(broken) == "1"
    assert (
        tags_of(broken, the_service(broken)["serviceArn"])["reconciler:quarantine"]
        == broken.desired().resources[ResourceId.parse(WEB)].digest
    )
    report = broken.run(AUTO)
    state = status(report, WEB)
    assert (state.sync.value, state.health.state, state.quarantined) == ("OutOfSync", HealthState.DEGRADED, True)
    assert "in quarantine" in state.message
    assert "reconciler release Service/web" in state.next
    assert report.settled
    broken.assert_fixpoint()


def test_a_quarantined_image_stays_held_through_ten_commits_a_lost_store_and_another_clone(broken: Stage) -> None:
    start, revisions = len(broken.aws.calls), registered(broken)
    for number in range(10):
        broken.write({"base/notes.yaml": None} if number % 2 else {"base/notes.yaml": cluster(f"c{number}")})
        broken.commit(f"unrelated {number}")
        report = broken.run(AUTO)
        assert "in quarantine" in held(report)[WEB], summary(report)
        broken.tick()
    broken.restart()  # what was in memory is gone, and so is the store
    shutil.rmtree(broken.folder / "mirrors", ignore_errors=True)
    broken.run(AUTO)
    clone = broken.folder / "clone"
    subprocess.run(["git", "clone", "-q", str(broken.root), str(clone)], check=True)
    broken.restart()
    broken.root = clone
    for _ in range(3):
        report = broken.run(AUTO)
        assert "in quarantine" in held(report)[WEB]
        broken.tick()
    assert deployments(broken, start) == 0
    assert registered(broken) == revisions
    assert image(broken) == "1"


def cluster(name: str) -> str:
    return f"apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec: {{}}\n"


def test_not_even_a_persons_order_deploys_what_is_in_quarantine(broken: Stage) -> None:
    start = len(broken.aws.calls)
    report = broken.run()
    assert broken.writes(start) == []
    assert WEB in held(report)


def test_release_tries_once_more_and_no_more_than_that(broken: Stage) -> None:
    start, revisions = len(broken.aws.calls), registered(broken)
    release(broken)
    broken.settle(order=AUTO)
    assert deployments(broken, start) == 1
    assert registered(broken) == revisions  # the broken revision is there already
    assert image(broken) == "1"
    assert "in quarantine" in held(broken.run(AUTO))[WEB]


def test_a_fix_supersedes_the_quarantine(broken: Stage) -> None:
    deploy(broken, "3")
    assert image(broken) == "3"
    assert "reconciler:quarantine" not in tags_of(broken, the_service(broken)["serviceArn"])
    broken.assert_no_differences()


def test_going_back_to_the_image_that_runs_needs_no_deployment_and_the_bad_one_stays_held(broken: Stage) -> None:
    start = len(broken.aws.calls)
    deploy(broken, "1")
    assert deployments(broken, start) == 0
    broken.assert_no_differences()
    deploy(broken, "crash")
    assert deployments(broken, start) == 0
    assert "in quarantine" in held(broken.run(AUTO))[WEB]


def test_a_fix_that_is_pushed_during_the_failing_rollout_takes_over_at_once(small: Stage) -> None:
    small.settle()
    small.edit("base/service.yaml", ("web:1", "web:crash"))
    small.commit("broken")
    small.run(AUTO)
    small.tick()
    small.edit("base/service.yaml", ("web:crash", "web:3"))
    small.commit("the fix, in time")
    report = small.run(AUTO)
    assert f"{WEB}:update" in verbs(report)
    small.settle(order=AUTO)
    assert image(small) == "3"
    assert "reconciler:quarantine" not in tags_of(small, the_service(small)["serviceArn"])
    small.assert_no_differences()


def test_other_resources_go_on_while_one_is_in_quarantine(broken: Stage) -> None:
    broken.edit("base/web.yaml", ("priority: 10", "priority: 20"))
    broken.commit("another priority")
    report, writes = during(broken)
    assert names(writes) == ["SetRulePriorities"]
    assert status(report, "ListenerRule/web").sync.value == "OutOfSync"  # as it was found; the next pass says Synced
    assert status(broken.run(AUTO), "ListenerRule/web").sync.value == "Synced"


def test_a_failed_service_is_degraded_and_never_called_synced(broken: Stage) -> None:
    for _ in range(3):
        report = broken.run(AUTO)
        assert report.sync.value == "OutOfSync"
        assert report.health.state is HealthState.DEGRADED
        broken.tick()


@pytest.mark.parametrize("tag", ["crash", "unhealthy"])
def test_a_rollout_without_circuit_breaker_that_does_not_succeed_is_stopped_and_taken_back(
    small: Stage, tag: str
) -> None:
    small.edit("base/service.yaml", (BREAKER, ""))
    small.commit("no circuit breaker")
    small.settle()
    start = len(small.aws.calls)
    small.edit("base/service.yaml", ("web:1", f"web:{tag}"))
    small.commit(tag)
    for _ in range(60):
        report = small.run(AUTO)
        if report.settled:
            break
        small.tick(30)
    assert deployments(small, start) == 1
    assert names(small.writes(start)).count("StopServiceDeployment") == 1
    assert image(small) == "1"
    assert "in quarantine" in held(small.run(AUTO))[WEB]
    small.assert_fixpoint()


def test_a_rollout_that_takes_longer_than_its_timeout_has_failed(small: Stage) -> None:
    small.edit(
        "base/service.yaml",
        (BREAKER, "  deploymentConfiguration: {minimumHealthyPercent: 100, maximumPercent: 149}\n"),
        ("metadata: {name: web}", "metadata: {name: web}\nreconcile: {timeout: 2m}"),
    )
    small.commit("no room to roll out, and a short timeout")
    small.settle()
    small.edit("base/service.yaml", ("web:1", "web:2"))
    small.commit("an image that cannot be rolled out")
    small.run(AUTO)
    small.tick(115)
    report = small.run(AUTO)
    assert (report.plan.actions, status(report, WEB).operation.value) == ((), "Running")
    small.tick(10)
    report = small.run(AUTO)
    [action] = report.plan.actions
    assert (action.id, action.why) == (f"{WEB}:quarantine", "its rollout failed: it took longer than 2 min")
    small.settle(order=AUTO)
    assert image(small) == "1"
    small.assert_fixpoint()


def test_a_service_whose_first_deployment_fails_stays_and_is_told_and_a_fix_repairs_it(small: Stage) -> None:
    small.edit("base/service.yaml", ("web:1", "web:crash"))
    small.commit("broken from the start")
    small.settle(order=AUTO)
    report = small.run(AUTO)
    assert status(report, WEB).quarantined
    assert status(report, WEB).health.state is HealthState.DEGRADED
    assert names(small.writes()).count("CreateService") == 1
    assert deployments(small) == 0
    small.assert_fixpoint()
    deploy(small, "2")
    assert image(small) == "2"
    assert names(small.writes()).count("CreateService") == 1
    small.assert_no_differences()


def test_a_rollback_that_aws_reports_as_successful_is_a_failure_of_the_commit(small: Stage) -> None:
    small.settle()
    small.edit("base/service.yaml", ("web:1", "web:crash"))
    small.commit("broken")
    small.run(AUTO)
    small.tick(1)
    ecs = small.client("ecs")
    for _ in range(200):  # nobody looks until AWS has rolled back and is content again
        small.tick(1)
        [newest] = ecs.list_service_deployments(service="web", cluster="shop")["serviceDeployments"][:1]
        if newest["status"] == "ROLLBACK_SUCCESSFUL":
            break
    assert newest["status"] == "ROLLBACK_SUCCESSFUL"
    report = small.run(AUTO)
    assert verbs(report) == [f"{WEB}:quarantine"]
    assert status(report, WEB).health.state is HealthState.DEGRADED
    assert image(small) == "1"


def test_a_flapping_task_of_a_service_that_is_deployed_is_no_reason_to_deploy(small: Stage) -> None:
    small.settle()
    ecs = small.client("ecs")
    start = len(small.aws.calls)
    for _ in range(3):
        [task, *_] = ecs.list_tasks(cluster="shop")["taskArns"]
        ecs.stop_task(cluster="shop", task=task)
        report = small.run(AUTO)
        assert report.plan.actions == ()
        small.tick(timedelta(seconds=20).total_seconds())
    assert small.writes(start) == []
