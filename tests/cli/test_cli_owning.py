"""`adopt`, `disown`, `approve`, `destroy`: what is ours, and what may go."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell


def tag_keys(shell: Shell) -> set[str]:
    ecs = shell.stage.client("ecs")
    (service,) = ecs.describe_services(cluster="shop", services=["web"], include=["TAGS"])["services"]
    return {tag["key"] for tag in service.get("tags", [])}


def test_what_is_disowned_is_untouched_and_can_be_adopted_again_by_tags_alone(shell: Shell) -> None:
    shell.settled()
    said = shell("disown", "Service/web")
    assert (said.code, said.out) == (0, "Disowned Service/web: not ours any more, and unchanged.\n")
    assert not any(key.startswith("reconciler:") for key in tag_keys(shell))
    before = len(shell.stage.aws.mutations())
    adopted = shell("adopt", "Service/web")
    assert (adopted.code, adopted.out) == (0, "Adopted Service/web.\n")
    assert "reconciler:resource" in tag_keys(shell)
    assert {call.operation for call in shell.stage.aws.mutations()[before:]} == {"TagResource"}
    again = shell("adopt", "Service/web")
    assert (again.code, again.out) == (0, "Nothing was adopted.\n")
    assert "Service/web: ours already" in again.err


def test_what_is_not_there_cannot_be_adopted(shell: Shell) -> None:
    said = shell("adopt", "Service/web")
    assert said.code == 2
    assert "Service/web: " in said.err


def test_everything_that_is_there_is_adopted_with_all(shell: Shell) -> None:
    shell.settled()
    assert shell("disown", "Service/web", "Cluster/shop").code == 0
    assert shell("adopt", "--all").out == "Adopted Cluster/shop, Service/web.\n"
    again = shell("adopt", "--all")
    assert (again.code, again.out) == (0, "Nothing was adopted.\n")
    assert "Cluster/shop: ours already" in again.err


def test_nothing_is_adopted_where_nothing_is(shell: Shell) -> None:
    said = shell("adopt", "--all")
    assert (said.code, said.out) == (2, "Nothing was adopted.\n")
    assert "Cluster/shop: not there in AWS" in said.err


@pytest.mark.parametrize("words", [["Service/web"], ["--all"]])
def test_a_window_says_why_nothing_was_adopted(shell: Shell, words: list[str]) -> None:
    shell.settled()
    assert shell("disown", "Service/web").code == 0
    shell.stage.edit("environments/test.yaml", ("mode: auto", 'mode: auto, windows: [{deny: "* * * * *", for: 1h}]'))
    shell.stage.commit("never now")
    said = shell("adopt", *words)
    assert (said.code, said.out) == (2, "Nothing was adopted.\n")
    assert "Service/web: a sync window denies changes until" in said.err
    assert not any(key.startswith("reconciler:") for key in tag_keys(shell))


def test_what_another_environment_keeps_is_named_beside_what_was_adopted(shell: Shell) -> None:
    shell.settled()
    assert shell("disown", "Service/web", "Cluster/shop").code == 0
    ecs = shell.stage.client("ecs")
    (service,) = ecs.describe_services(cluster="shop", services=["web"])["services"]
    ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": "reconciler:environment", "value": "acme/live"}])
    said = shell("adopt", "--all")
    assert (said.code, said.out) == (2, "Adopted Cluster/shop.\n")
    assert "Service/web: " in said.err
    assert "belongs to acme/live and stays there" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["adopt"], "say what to adopt"),
        (["adopt", "--all", "Service/web"], "say what to adopt"),
        (["adopt", "Service/wbe"], "git has no manifest for Service/wbe"),
        (["disown"], "say what to disown"),
        (["disown", "Service/web"], "is nothing that acme/test owns"),
        (["approve", "d1:0"], "there is nothing to approve"),
    ],
)
def test_bad_orders_are_refused(shell: Shell, words: list[str], message: str) -> None:
    said = shell(*words)
    assert (said.code, said.out) == (1, "")
    assert message in said.err
    assert shell.stage.aws.mutations() == []


def test_deletions_beyond_the_limit_need_their_digest_approved(shell: Shell) -> None:
    shell.stage.edit("environments/test.yaml", ("maxDeletions: 10", "maxDeletions: 1"))
    shell.stage.commit("one at most")
    shell.settled()
    shell.stage.write({"base/web.yaml": None, "base/service.yaml": None})
    shell.stage.commit("no service any more")
    stopped = shell("sync")
    assert stopped.code == 2
    digest = next(word for word in stopped.out.replace("`", " ").split() if word.startswith("d1:"))
    other = shell("approve", "d1:0000000000000000")
    assert other.code == 1
    assert f"reconciler approve {digest}" in other.err
    assert shell("approve", digest, "--wait").code == 0
    assert {one["resource"] for one in shell("status", "-o", "json").json["resources"]} == {
        "Cluster/shop",
        "Listener/http",
        "LoadBalancer/shop",
    }


def test_destroy_needs_the_name_and_then_leaves_nothing(shell: Shell) -> None:
    shell.settled()
    before = len(shell.stage.aws.mutations())
    assert "say so with --confirm test" in shell("destroy").err
    assert "the environment is test, not prod" in shell("destroy", "--confirm", "prod").err
    assert len(shell.stage.aws.mutations()) == before
    said = shell("destroy", "--confirm", "test")
    assert said.code == 0
    assert "Nothing is left of acme/test." in said.out
    assert shell.stage.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.parametrize(("typed", "code"), [("test\n", 0), ("prod\n", 1), ("\n", 1)])
def test_destroy_asks_for_the_name_in_a_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    asked: list[str] = []

    def answer(question: str, **_: object) -> str:
        asked.append(question)
        return typed.strip()

    monkeypatch.setattr("reconciler.cli.commands.owning.in_terminal", lambda: True)
    monkeypatch.setattr("typer.prompt", answer)
    said = shell("destroy")
    assert said.code == code
    assert asked == ["Type the environment's name to go on"]
    assert "This deletes everything that test owns in account 123456789012" in said.err
