"""`sync`, `wait`, `hold`, `release`: a person's order, what stops it, and its end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell


def scale(shell: Shell, count: int) -> str:
    shell.stage.edit("base/service.yaml", ("desiredCount: 2", f"desiredCount: {count}"))
    return shell.stage.commit(f"{count} tasks")


def desired_count(shell: Shell) -> int:
    found = shell.stage.client("ecs").describe_services(cluster="shop", services=["web"])
    return int(found["services"][0]["desiredCount"])


def test_a_dry_run_shows_the_plan_and_writes_nothing(shell: Shell) -> None:
    dry, plan = shell("sync", "--dry-run", "--output", "json"), shell("plan", "--output", "json")
    assert (dry.code, dry.json["digest"]) == (2, plan.json["digest"])
    assert shell.stage.aws.mutations() == []


def test_a_sync_that_waits_ends_healthy_with_json_alone_on_stdout(shell: Shell) -> None:
    said = shell("sync", "--wait", "--output", "json")
    assert said.code == 0
    assert (said.json["sync"], said.json["health"]) == ("Synced", "Healthy")
    assert "Plan p1:" in said.err
    assert "Service/web: Synced, Healthy  2 of 2 tasks running" in said.err


def test_a_sync_without_waiting_says_what_it_did_and_how_to_go_on(shell: Shell) -> None:
    said = shell("sync")
    assert said.code == 0
    assert "✓ Service/web  created: git has it and AWS does not" in said.out
    assert "`reconciler wait` watches it" in said.out
    shell.stage.tick(60)
    assert shell("sync").code == 0  # records what has ended
    assert shell("sync").out == "Nothing to do: what git says is what runs.\n"


def test_a_person_syncs_an_environment_that_is_in_manual_mode(shell: Shell) -> None:
    shell.stage.edit("environments/test.yaml", ("mode: auto", "mode: manual"))
    shell.stage.commit("by hand")
    shell.settled()
    assert desired_count(shell) == 2


def test_a_hold_stops_a_sync_until_it_is_forced_with_a_reason(shell: Shell) -> None:
    shell.settled()
    held = shell("hold", "Service/web", "--for", "30m", "--reason", "looking at it")
    assert (held.code, held.out.startswith("Held for 30m: Service/web.")) == (0, True)
    scale(shell, 3)
    stopped = shell("sync")
    assert (stopped.code, desired_count(shell)) == (2, 2)
    assert "looking at it" in stopped.out
    assert "held until" in shell("status").out
    assert shell("sync", "--force", "--reason", "the night shift agreed").code == 0
    assert desired_count(shell) == 3


def test_a_hold_on_the_cluster_holds_what_is_in_it_and_release_ends_it(shell: Shell) -> None:
    shell.settled()
    assert shell("hold", "Cluster/shop", "--reason", "maintenance").code == 0
    scale(shell, 3)
    assert (shell("sync").code, desired_count(shell)) == (2, 2)
    assert shell("release", "Cluster/shop").out == "Released Cluster/shop.\n"
    assert (shell("sync").code, desired_count(shell)) == (0, 3)
    assert shell("release", "Cluster/shop").out == "Nothing was held or in quarantine.\n"


def test_a_sync_window_stops_a_sync_until_it_is_forced(shell: Shell) -> None:
    window = 'mode: auto, windows: [{deny: "* * * * *", for: 1h}]'
    shell.stage.edit("environments/test.yaml", ("mode: auto", window))
    shell.stage.commit("never now")
    stopped = shell("sync")
    assert stopped.code == 2
    assert "a sync window denies changes until" in stopped.out
    assert shell.stage.aws.mutations() == []
    assert shell("sync", "--force", "--reason", "the bank holiday is over").code == 0


def test_an_older_commit_is_applied_when_it_is_named(shell: Shell) -> None:
    first = shell.stage.head
    scale(shell, 3)
    shell.settled()
    assert shell("plan", "--commit", first).code == 2
    assert shell("sync", "--commit", first, "--wait").code == 0
    assert desired_count(shell) == 2


@pytest.mark.parametrize("bare", [False, True])
def test_a_repository_may_be_a_url_or_bare(shell: Shell, tmp_path: Path, bare: bool) -> None:
    copy = tmp_path / "copy.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(shell.stage.root), str(copy)], check=True)
    said = shell("plan", "--repo", str(copy) if bare else f"file://{copy}", "--output", "json")
    assert (said.code, said.json["commit"]) == (2, shell.stage.head)


def test_a_url_is_fetched_each_time(shell: Shell) -> None:
    url = f"file://{shell.stage.root}"
    assert shell("validate", "--repo", url).code == 0
    new = scale(shell, 3)
    assert shell("plan", "--repo", url, "--output", "json").json["commit"] == new


def test_wait_writes_nothing_and_says_why_it_gave_up(shell: Shell) -> None:
    said = shell("wait", "--timeout", "1s")
    assert said.code == 1
    assert "not there after 1s: acme/test at " in said.err
    assert shell.stage.aws.mutations() == []


def test_wait_ends_when_what_it_waits_for_has_come(shell: Shell) -> None:
    assert shell("sync").code == 0
    assert shell("wait", "--for", "health", "--timeout", "60").code == 0
    assert shell("sync").code == 0
    assert shell("wait").code == 0


def test_a_write_that_aws_refuses_is_an_error_that_names_the_call(shell: Shell) -> None:
    shell.stage.edit("base/service.yaml", ("subnets: [", "subnets: [subnet-00000000000000000, "))
    shell.stage.commit("a subnet that is not there")
    said = shell("sync")
    assert said.code == 1
    assert "✗ Service/web  ecs:CreateService failed" in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sync", "--force"], "say why with --reason"),
        (["sync", "--reason", "x"], "--reason is what --force asks for"),
        (["sync", "--timeout", "soon"], "--timeout: 'soon' is not a duration"),
        (["sync", "--wait", "--timeout", "0"], "--timeout: 0 is no time at all"),
        (["wait", "--for", "luck"], "--for takes sync, health or sync,health, not luck"),
        (["hold", "Service/web"], "a hold needs a reason"),
        (["hold", "--reason", "x"], "say what to hold, as in Service/web"),
        (["hold", "web", "--reason", "x"], "'web' is not of the form Kind/name"),
        (["hold", "Service/web", "--for", "25h", "--reason", "x"], "at most 24 h"),
        (["hold", "Service/web", "--for", "-1h", "--reason", "x"], "is not a duration"),
        (["hold", "Service/wbe", "--reason", "x"], "is nothing that acme/test owns in AWS"),
        (["hold", "Servce/web", "--reason", "x"], "there is no kind Servce: did you mean Service?"),
        (["hold", "TaskDefinition/web", "--reason", "x"], "name the resource that runs it"),
        (["release"], "say what to release"),
    ],
)
def test_orders_that_make_no_sense_are_refused_before_anything_is_written(
    shell: Shell, words: list[str], message: str
) -> None:
    said = shell(*words)
    assert (said.code, said.out) == (1, "")
    assert message in said.err
    assert shell.stage.aws.mutations() == []
