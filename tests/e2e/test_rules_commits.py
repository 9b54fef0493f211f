"""Base and commits: what the tags remember, what a rewritten history does, and which commit may write to what."""

from __future__ import annotations

import subprocess

import pytest

from reconciler.core.policy import Intent
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import (
    AUTO,
    WEB,
    by_hand,
    causes,
    during,
    group,
    held,
    image,
    names,
    one_group,
    status,
    tag,
    tags_of,
    the_group,
    verbs,
)
from tests.e2e.stage import Stage, environment

HEAL = "{mode: auto, selfHeal: true}"
WORKER = """\
apiVersion: reconciler/v1
kind: Service
metadata: {name: worker}
spec:
  cluster: shop
  desiredCount: 2
  launchType: FARGATE
  networkConfiguration: {awsvpcConfiguration: {subnets: [SUBNET]}}
  taskDefinition:
    cpu: "256"
    memory: "512"
    networkMode: awsvpc
    requiresCompatibilities: [FARGATE]
    containerDefinitions: [{name: app, image: "registry.example/worker:1"}]
"""


def the_tags(stage: Stage) -> dict[str, str]:
    return tags_of(stage, the_group(stage)["TargetGroupArn"])


def amend(stage: Stage, *, forget: bool) -> None:
    """Rewrite the last commit, as a rebase does; with `forget` nobody has the old one any more."""
    git = ["git", "-C", str(stage.root)]
    subprocess.run([*git, "commit", "-q", "--amend", "--allow-empty", "-m", "rewritten"], check=True)
    if forget:
        subprocess.run([*git, "reflog", "expire", "--expire=now", "--all"], check=True)
        subprocess.run([*git, "gc", "-q", "--prune=now"], check=True)
    stage.restart()


def test_the_base_is_the_commit_of_the_objects_own_tag_however_many_commits_lie_between(stage: Stage) -> None:
    one_group(stage, "{mode: manual}")
    applied = stage.head
    for path in ("/b", "/c", "/d"):
        stage.write({"base/web.yaml": group(stage, path)})
        stage.commit(path)
        report, writes = during(stage)
        assert (causes(report, WEB), writes) == ({"healthCheckPath": "pending"}, [])
        assert status(report, WEB).differences[0].base == "/a"
    stage.run()
    assert the_group(stage)["HealthCheckPath"] == "/d"
    assert applied != the_tags(stage)["reconciler:commit"] == stage.head


def test_a_commit_that_does_not_change_a_resource_makes_no_write_at_all(stage: Stage) -> None:
    one_group(stage)
    before = the_tags(stage)
    stage.write({"README.md": "words\n"})
    stage.commit("words")
    assert during(stage)[1] == []
    stage.write({"environments/test.yaml": environment(HEAL)})
    stage.commit("another policy")
    assert during(stage)[1] == []
    stage.write({"base/api.yaml": group(stage, name="api")})
    stage.commit("another resource")
    report, _ = during(stage)
    assert verbs(report) == ["TargetGroup/api:create"]
    [web] = stage.client("elbv2").describe_target_groups(Names=[the_names(stage, "web")])["TargetGroups"]
    assert tags_of(stage, web["TargetGroupArn"]) == before


def the_names(stage: Stage, prefix: str) -> str:
    found = stage.client("elbv2").describe_target_groups()["TargetGroups"]
    return next(str(one["TargetGroupName"]) for one in found if one["TargetGroupName"].startswith(prefix))


def test_settings_of_a_manifest_are_no_change_of_its_resource(stage: Stage) -> None:
    one_group(stage)
    stage.edit("base/web.yaml", ("spec:\n", "reconcile: {wave: 3, protect: true}\nspec:\n"))
    stage.commit("another wave")
    assert during(stage)[1] == []


def test_live_that_is_already_what_git_says_is_restamped_in_silence(stage: Stage) -> None:
    one_group(stage, "{mode: auto}")
    by_hand(stage, HealthCheckPath="/b")
    stage.write({"base/web.yaml": group(stage, "/b")})
    stage.commit("git follows")
    report, writes = during(stage)
    assert report.plan.empty
    assert report.sync.value == "Synced"
    assert [call.operation for call in writes] == ["AddTags"]
    assert the_tags(stage)["reconciler:commit"] == stage.head
    assert during(stage)[1] == []


@pytest.mark.parametrize("forget", [True, False], ids=["gone from the repository", "only off the branch"])
def test_a_base_that_was_rebased_away_is_unknown_and_the_report_says_so(stage: Stage, forget: bool) -> None:
    one_group(stage)
    lost = stage.head[:10]
    stage.write({"base/web.yaml": group(stage, "/b")})
    stage._git("add", "-A")
    amend(stage, forget=forget)
    report, writes = during(stage)
    assert causes(report, WEB) == {"healthCheckPath": "drifted"}
    assert writes == []
    assert lost in status(report, WEB).message
    assert "--commit" in status(report, WEB).next
    report, writes = during(stage, Order(Intent.ORDER, named_commit=True))  # a person acknowledges the force push
    assert names(writes) == ["ModifyTargetGroup"]
    [action] = report.plan.actions
    assert any("causes are guesses" in note and lost in note for note in action.notes)
    assert during(stage)[1] == []


def test_a_digest_that_the_commit_does_not_render_to_makes_the_base_unknown(stage: Stage) -> None:
    one_group(stage)
    tag(stage, the_group(stage)["TargetGroupArn"], digest="v1:0123456789abcdef")
    stage.write({"base/web.yaml": group(stage, "/b")})
    stage.commit("another path")
    report, writes = during(stage)
    assert causes(report, WEB) == {"healthCheckPath": "drifted"}
    assert writes == []
    assert "but v1:0123456789abcdef was applied" in status(report, WEB).message


def test_an_older_commit_writes_nothing_unless_a_person_names_it(stage: Stage) -> None:
    one_group(stage)
    older = stage.head
    stage.write({"base/web.yaml": group(stage, "/b")})
    newer = stage.commit("a newer one")
    stage.run()
    stage.checkout(older)
    for order in (AUTO, Order(Intent.ORDER)):
        report, writes = during(stage, order)
        assert writes == []
        assert f"commit {newer[:10]}, which it has, is no ancestor of this one" in held(report)[WEB]
    report, writes = during(stage, Order(Intent.ORDER, named_commit=True))
    assert names(writes) == ["ModifyTargetGroup"]
    assert the_group(stage)["HealthCheckPath"] == "/a"


def test_an_older_commit_deletes_nothing_of_a_newer_one_unless_a_person_names_it(stage: Stage) -> None:
    one_group(stage, "{mode: auto, prune: true}")
    older = stage.head
    stage.write({"base/api.yaml": group(stage, name="api")})
    newer = stage.commit("a second group")
    stage.run()
    desired = stage.engine.renderings.at(older)
    before = len(stage.aws.calls)
    report = stage.engine.run(desired, AUTO)
    assert stage.writes(before) == []
    assert f"commit {newer[:10]}, which it has, is no ancestor" in held(report)["TargetGroup/api"]
    stage.engine.run(desired, Order(Intent.ORDER, named_commit=True))
    assert names(stage.writes(before)) == ["DeleteTargetGroup"]


@pytest.fixture
def two(small: Stage) -> Stage:
    """The corner shop with a second service, both on their first revision."""
    small.write({"base/worker.yaml": WORKER.replace("SUBNET", small.subnets[0])})
    small.commit("a worker")
    small.settle()
    return small


def test_a_newer_commit_supersedes_the_rollout_of_what_it_changes_and_interrupts_no_other(two: Stage) -> None:
    start = len(two.aws.calls)
    two.edit("base/service.yaml", ("web:1", "web:2"))
    two.edit("base/worker.yaml", ("worker:1", "worker:2"))
    two.commit("two rollouts")
    two.run()
    two.tick()
    two.edit("base/service.yaml", ("web:2", "web:3"))
    two.commit("the web again")
    report = two.run()
    assert verbs(report) == ["TaskDefinition/web:create", "Service/web:update"]
    two.settle()
    assert image(two) == "3"
    updates = [call.parameters["service"] for call in two.writes(start) if call.operation == "UpdateService"]
    assert sorted(updates) == ["web", "web", "worker"]
    two.assert_no_differences()


def test_a_commit_that_leaves_a_rollout_alone_does_not_touch_its_service(two: Stage) -> None:
    two.edit("base/service.yaml", ("web:1", "web:2"))
    two.commit("a rollout")
    two.run()
    two.tick()
    two.write({"README.md": "words\n"})
    two.commit("words")
    report, writes = during(two)
    assert writes == []
    assert status(report, "Service/web").operation.value == "Running"
    two.settle()
    two.assert_no_differences()


def test_a_revert_of_a_bad_commit_leads_back_to_the_state_before_it(small: Stage) -> None:
    small.settle()
    before = small.state()
    small.edit("base/service.yaml", ("value: info", "value: debug"), ("desiredCount: 2", "desiredCount: 3"))
    small.edit("base/web.yaml", ("priority: 10", "priority: 20"))
    small.commit("a bad one")
    small.settle()
    small._git("revert", "--no-edit", "HEAD")
    small.settle()
    small.tick(600)  # what drained is gone
    after = small.state()
    assert without_marks(after) == without_marks(before)
    small.assert_no_differences()


def without_marks(state: dict[str, object]) -> object:
    """The state without revisions (one more was registered) and without our tags (the commit is another)."""

    def walk(value: object) -> object:
        if isinstance(value, dict):
            return {key: walk(member) for key, member in value.items() if key not in ("tags", "Tags")}
        return [walk(member) for member in value] if isinstance(value, list) else value

    return walk({key: value for key, value in state.items() if key != "revisions"})


def test_skipped_commits_end_where_the_last_one_alone_would(stage: Stage) -> None:
    one_group(stage)
    for number in range(4):
        stage.write({"base/web.yaml": group(stage, f"/{number}", f"  healthyThresholdCount: {number + 2}\n")})
        stage.commit(f"commit {number}")
    _, writes = during(stage)
    assert names(writes) == ["ModifyTargetGroup"]
    stage.assert_no_differences()
