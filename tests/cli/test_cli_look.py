"""`plan`, `status`, `drift`: what they show, in every form, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reconciler.emulator.faults import Fault
from tests.cli.conftest import Shell


def test_a_plan_of_what_is_not_there_creates_it_and_ends_with_2(shell: Shell) -> None:
    said = shell("plan", "--output", "json")
    assert said.code == 2
    verbs = {action["resource"]: action["verb"] for action in said.json["actions"]}
    assert verbs["Service/web"] == "create"
    assert set(said.json) == {"environment", "commit", "digest", "actions", "held", "notes", *said.json}
    assert said.json["commit"] == shell.stage.head
    assert shell.stage.aws.mutations() == []


def test_after_a_sync_every_command_that_looks_ends_with_0(shell: Shell) -> None:
    shell.settled()
    plan, status, drift = shell("plan"), shell("status"), shell("drift")
    assert (plan.code, status.code, drift.code) == (0, 0, 0)
    assert "Nothing to do: what git says is what runs." in plan.out
    assert "Synced, ● Healthy; 7 resources" in status.out
    assert drift.out == "No drift.\n"


def test_a_task_definition_inside_a_service_is_shown_only_on_request(shell: Shell) -> None:
    shell.settled()
    assert "TaskDefinition/web" not in shell("status").out
    lines = shell("status", "--all").out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names.index("TaskDefinition/web") == names.index("Service/web") + 1


def change_by_hand(shell: Shell) -> None:
    shell.stage.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    shell.stage.tick(30)


def test_what_somebody_changed_is_drift_field_by_field_in_every_form(shell: Shell) -> None:
    shell.settled()
    change_by_hand(shell)
    table = shell("drift")
    assert table.code == 2
    assert "desiredCount  1 → 2  drifted" in table.out
    assert "| `Service/web` | `desiredCount` | `1` | `2` | drifted |" in shell("drift", "-o", "markdown").out
    for said in (shell("drift", "-o", "json").json, yaml.safe_load(shell("drift", "-o", "yaml").out)):
        (difference,) = said[0]["differences"]
        assert (difference["field"], difference["cause"], difference["live"]) == ("desiredCount", "drifted", 1)
    assert "| `Service/web` | OutOfSync |" in shell("status", "--output", "markdown").out


def test_a_plan_shows_what_a_sync_puts_back_and_in_verbose_what_it_sends(shell: Shell) -> None:
    shell.settled()
    change_by_hand(shell)
    said = shell("plan", "--verbose")
    assert said.code == 2
    assert "~ Service/web  1 field drifted" in said.out
    assert "desiredCount: 2" in said.out
    assert "| `~` | `Service/web` | `desiredCount` | `1` | `2` | drifted |" in shell("plan", "-o", "markdown").out


def test_drift_that_is_never_put_back_is_left_alone_in_the_plan_and_counts(shell: Shell) -> None:
    never = "mode: auto, never: [{kind: Service, fields: [desiredCount]}]"
    shell.stage.edit("environments/test.yaml", ("mode: auto", never))
    shell.stage.commit("never the count")
    shell.settled()
    change_by_hand(shell)
    said = shell("plan")
    assert said.code == 2
    assert "Left alone:" in said.out
    assert "! Service/web  the environment says never to put this back" in said.out
    assert "nothing to write; 1 left alone" in said.out
    assert "**Left alone**" in shell("plan", "-o", "markdown").out
    assert shell("sync").code == 2


def test_what_cannot_be_read_is_unknown_and_an_error(shell: Shell) -> None:
    shell.settled()
    refusal = Fault("ecs:DescribeServices", "error", times=None, code="AccessDeniedException", message="no", status=400)
    shell.stage.aws.faults.add(refusal)
    said = shell("status", "--output", "json")
    assert said.code == 1
    assert {one["sync"] for one in said.json["resources"] if one["resource"] == "Service/web"} == {"Unknown"}
    assert said.err.startswith("unknown: ecs:DescribeServices")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--repo", "/nowhere/at/all"], "error: /nowhere/at/all does not exist: give the path of a clone, or a URL"),
        (["--repo", "http://example.com/x"], "is not encrypted"),
        (["--commit", "nope"], "has no branch, tag or commit 'nope'"),
        (["--environment", "prd"], "there is no environment prd; there are: test"),
        (["--profile", "nope"], "there is no AWS profile 'nope'"),
        (["--output", "xml"], "'xml' is not one of"),
        (["--nonsense"], "No such option: --nonsense"),
    ],
)
def test_bad_input_is_one_clear_message_and_exit_code_1(shell: Shell, words: list[str], message: str) -> None:
    said = shell("plan", *words)
    assert said.code == 1
    assert said.out == ""
    assert message in said.err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "no connection: check the region, the network and AWS_ENDPOINT_URL"),
        ("AWS_ENDPOINT_URL", "nonsense", "there is no such endpoint"),
        ("AWS_ACCESS_KEY_ID", "", "credentials"),
    ],
)
def test_an_aws_that_cannot_be_used_is_an_error(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setattr("reconciler.aws.gate.time.sleep", lambda _seconds: None, raising=False)
    said = shell("status")
    assert said.code == 1
    assert message in said.err


def test_credentials_of_another_account_read_nothing(shell: Shell) -> None:
    shell.stage.edit("environments/test.yaml", ("123456789012", "210987654321"))
    shell.stage.commit("another account")
    said = shell("plan")
    assert said.code == 1
    assert "210987654321" in said.err
    assert shell.stage.aws.count("ecs:*") == 0


def test_a_store_that_is_damaged_costs_a_warning_and_no_more(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "store.sqlite").write_bytes(b"no database" * 100)
    said = shell("sync", "--wait")
    assert said.code == 0
    assert said.err.count("warning: the store") == 1
    assert "Going on without it" in said.err


@pytest.mark.parametrize("what", ["home", "home/cache"])
def test_a_folder_that_cannot_be_used_costs_a_warning_and_no_more(shell: Shell, tmp_path: Path, what: str) -> None:
    (tmp_path / what).parent.mkdir(exist_ok=True)
    (tmp_path / what).write_text("a file")
    said = shell("plan")
    assert said.code == 2
    assert "warning: " in said.err
    assert "Going on without" in said.err


def test_an_invalid_commit_is_refused_with_its_places_and_reads_nothing(shell: Shell) -> None:
    shell.stage.edit("base/service.yaml", ("desiredCount: 2", "desiredCuont: two"))
    shell.stage.commit("a slip")
    said = shell("plan", "--output", "json")
    assert (said.code, said.out) == (1, "")
    assert "base/service.yaml:6" in said.err
    assert "nothing was read from AWS or written to it" in said.err
    assert shell.stage.aws.count("sts:*") == 0
