"""Bad input: a clear error, exit code 1, and not one call that changes anything; what runs, runs on.

Each line of "Bad input, as CVEs taught it" that touches git or YAML, against a synced environment: the error of the
engine for all of them, and the two commands as processes for those that end a process most easily.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.errors import ReconcilerError
from tests.e2e.rules_kit import AUTO, group, one_group, the_group
from tests.e2e.stage import CONTROLLER, Stage, environment

ROOT = Path(__file__).parents[2]
Spoil = Callable[[Stage], None]


def layers(*names: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        stage.write({"environments/test.yaml": environment().replace("[base]", f"[{', '.join(names)}]")})

    return spoil


def manifest(text: str) -> Spoil:
    return lambda stage: stage.write({"base/bad.yaml": text})


def spec(line: str) -> Spoil:
    return lambda stage: stage.write({"base/web.yaml": group(stage, more=f"  {line}\n")})


def policy(sync: str) -> Spoil:
    return lambda stage: stage.write({"environments/test.yaml": environment(sync)})


def link(name: str, target: str) -> Spoil:
    def spoil(stage: Stage) -> None:
        path = stage.root / name
        if path.exists():
            path.rename(stage.root / "elsewhere")
        path.symlink_to(target)

    return spoil


def submodule(stage: Stage) -> None:
    entry = f"160000,{stage.head},base/module"
    subprocess.run(["git", "-C", str(stage.root), "update-index", "--add", "--cacheinfo", entry], check=True)
    (stage.root / "base/module").mkdir()


def environments_elsewhere(stage: Stage) -> None:
    stage.write({"reconciler.yaml": "installation: acme\nenvironments: ../environments\n"})


def not_utf8(stage: Stage) -> None:
    (stage.root / "base/bad.yaml").write_bytes(b"kind: \xff\xfe\n")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"

BAD: dict[str, tuple[Spoil, str]] = {
    "a layer outside of the repository": (layers("../secrets"), r"\.\."),
    "a layer with an absolute path": (layers("/etc"), "/etc"),
    "a layer that climbs out on the way": (layers("base/../../x"), r"\.\."),
    "environments outside of the repository": (environments_elsewhere, r"\.\."),
    "a symlink as a file": (link("base/link.yaml", "/etc/passwd"), "symlink|symbolic"),
    "a symlink to a file of the repository": (link("base/link.yaml", "web.yaml"), "symlink|symbolic"),
    "a symlink as a folder": (link("base", "elsewhere"), "symlink|symbolic"),
    "a submodule": (submodule, "submodule"),
    "an LFS pointer": (manifest(LFS), "LFS"),
    "bytes that are no text": (not_utf8, "UTF-8"),
    "an alias bomb": (manifest(BOMB), "alias"),
    "deep nesting": (manifest("[" * 5000 + "]" * 5000), "nest|deep"),
    "a huge file": (manifest("# " + "x" * 11_000_000), "MB|MiB|bytes|large|big"),
    "a key that stands twice": (spec("port: 81"), "port.*twice|duplicate|more than once"),
    "a resource that stands twice": (lambda stage: stage.write({"base/again.yaml": group(stage)}), "TargetGroup/web"),
    "a tag that makes objects": (manifest("!!python/object/apply:os.system [true]\n"), "tag"),
    "no number": (spec("healthyThresholdCount: .nan"), "healthyThresholdCount"),
    "an overflow": (spec("healthyThresholdCount: 1e400"), "healthyThresholdCount"),
    "a negative duration": (policy("{mode: auto, timeout: -5m}"), "-5m"),
    "an endless duration": (policy("{mode: auto, timeout: 99999999999h}"), "timeout|99999999999h"),
    "a cron expression that is none": (policy('{mode: auto, windows: [{deny: "a b c", for: 1h}]}'), "a b c"),
    "a time zone that is none": (
        policy('{mode: auto, windows: [{deny: "0 1 * * *", for: 1h, timezone: ../../etc/passwd}]}'),
        "time ?zone",
    ),
    "an unknown kind": (
        manifest("apiVersion: reconciler/v1\nkind: Servce\nmetadata: {name: x}\nspec: {}\n"),
        "Service",
    ),
    "an unknown field": (spec("helthCheckPort: 80"), "healthCheckPort"),
    "an output-only field": (spec("targetGroupArn: arn:aws:x"), "targetGroupArn"),
    "a reference to nothing": (
        manifest(
            "apiVersion: reconciler/v1\nkind: ListenerRule\nmetadata: {name: r}\nspec:\n"
            "  listener: nowhere\n  priority: 1\n"
            "  conditions: [{field: path-pattern, pathPatternConfig: {values: [/]}}]\n"
            "  actions: [{type: forward, targetGroup: web}]\n"
        ),
        "nowhere",
    ),
    "a count of text": (spec("healthyThresholdCount: many"), "healthyThresholdCount"),
    "a document that is a list": (manifest("- a\n- b\n"), "bad.yaml:1"),
    "half a document": (manifest("kind: {\n"), "bad.yaml"),
    "a name of control characters": (
        manifest('apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: "a\\x1b[31m"}\nspec: {}\n'),
        "name",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_the_error_is_clear_and_nothing_is_asked_or_written(stage: Stage, name: str) -> None:
    spoil, said = BAD[name]
    one_group(stage, "{mode: auto, selfHeal: true, prune: true}")
    before = the_group(stage)
    spoil(stage)
    stage.commit(name)
    start = len(stage.aws.calls)
    with pytest.raises(ReconcilerError, match=f"(?is){said}") as error:
        stage.run(AUTO)
    assert stage.aws.calls[start:] == []
    assert the_group(stage) == before
    assert len(str(error.value)) < 20_000
    assert "\x1b" not in str(error.value)


def test_one_bad_manifest_among_good_ones_stops_the_environment_and_all_problems_are_told(stage: Stage) -> None:
    one_group(stage, "{mode: auto}")
    stage.write({"base/web.yaml": group(stage, "/b"), "base/x.yaml": "kind: X\n", "base/y.yaml": "- y\n"})
    stage.commit("one good, two bad")
    start = len(stage.aws.calls)
    with pytest.raises(ReconcilerError, match=r"base/x\.yaml:1(?s:.)*base/y\.yaml:1"):
        stage.run(AUTO)
    assert stage.aws.calls[start:] == []


def test_the_next_good_commit_is_applied(stage: Stage) -> None:
    one_group(stage)
    stage.write({"base/x.yaml": "kind: X\n"})
    stage.commit("bad")
    with pytest.raises(ReconcilerError):
        stage.run(AUTO)
    stage.write({"base/x.yaml": None, "base/web.yaml": group(stage, "/b")})
    stage.commit("good")
    stage.run(AUTO)
    assert the_group(stage)["HealthCheckPath"] == "/b"
    stage.assert_no_differences()


def command(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "AWS_ENDPOINT_URL": stage.aws.url,
        "AWS_ACCESS_KEY_ID": CONTROLLER,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "RECONCILER_HOME": str(stage.folder / "home"),
        "PYTHONPATH": str(ROOT),
    }
    program = [sys.executable, "-c", "from reconciler.cli import main; main()", *words, "--repo", str(stage.root)]
    return subprocess.run(program, env=variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "name",
    ["a layer outside of the repository", "a symlink as a file", "an alias bomb", "deep nesting", "no number"],
)
def test_the_commands_say_it_and_end_with_1(stage: Stage, name: str) -> None:
    spoil, said = BAD[name]
    one_group(stage)
    spoil(stage)
    stage.commit(name)
    start = len(stage.aws.calls)
    for words in (("plan",), ("sync",)):
        done = command(stage, *words)
        assert done.returncode == 1, done
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        assert any(word in done.stderr for word in said.replace("\\", "").split("|")), done.stderr
    assert [call for call in stage.aws.calls[start:] if call.mutating] == []


@pytest.mark.parametrize(
    "revision", ["--upload-pack=touch /tmp/x", "nowhere", "HEAD:base/web.yaml", "main..main", "-h"]
)
def test_a_revision_that_is_none_is_an_error_and_never_an_option(stage: Stage, revision: str) -> None:
    one_group(stage)
    start = len(stage.aws.calls)
    with pytest.raises(ReconcilerError):
        stage.engine.renderings.at(stage.engine.renderings.repository.commit(revision).id)
    assert stage.aws.calls[start:] == []


@pytest.mark.parametrize(
    "value", ["", "not a commit", "--help", "0" * 40, "HEAD", "main", "../../etc/passwd", "é" * 100]
)
def test_whatever_stands_in_the_tag_of_a_commit_is_data(stage: Stage, value: str) -> None:
    """Tags can be written by others: what is in them is never a revision, a path or an option."""
    one_group(stage)
    elb = stage.client("elbv2")
    arn = the_group(stage)["TargetGroupArn"]
    elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "reconciler:commit", "Value": value}])
    stage.write({"base/web.yaml": group(stage, "/b")})
    stage.commit("another path")
    stage.restart()
    report = stage.run(AUTO)
    assert {item.field for status in report.statuses.values() for item in status.differences} == {"healthCheckPath"}
    assert the_group(stage)["HealthCheckPath"] == "/a"  # who cannot tell leaves it, and says so
