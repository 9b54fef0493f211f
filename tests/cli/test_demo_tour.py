"""The demo as a person or a CI job starts it: in a process of its own, with nothing between it and its parts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.demo.shop import Shop

CLAIMS: Final = (
    "14 resources were made",
    "every task of api and web is a healthy target",
    "a second pass finds nothing to do and writes nothing",
    "api, web and worker run 1.5.0; old tasks went one after the other",
    "at no moment had api or web fewer healthy targets",
    "web, which is in wave 1, waited until api and worker were done",
    "search runs with 2 tasks",
    "the load balancer sends /search/* there",
    "api, web and worker were not touched",
    "all 4 mistakes are told at once, each with file, line and column",
    "AWS was not touched: 0 mutating calls",
    "after the revert the repository is valid again",
    "the drift is told field by field",
    "both were put back: 3 tasks, LOG_LEVEL=info",
    "no new revision was needed",
    "it was deployed once, and crashed",
    "it is in quarantine: 5 more passes",
    "the next commit has fixed it: web runs 1.6.1",
)
FAULTY: Final = """\
import sys
from reconciler.cli import main
from reconciler.cli.demo.nobody import nobody

with nobody():
    from reconciler.emulator.faults import Fault
    from reconciler.emulator.server import Emulator

start = Emulator.start

def start_with_fault(self):
    start(self)
    self.faults.add(Fault({operation!r}, "access_denied", times=None))
    return self

Emulator.start = start_with_fault
sys.argv = ["reconciler", "demo", "--exit"]
main()
"""
SIZES: Final = "overlays/production/sizes.yaml"
SHORT: Final = """\
from reconciler.cli import main
from reconciler.cli.demo.nobody import nobody

with nobody():
    from reconciler.cli.demo import play

play.STEPS = play.STEPS[:1]
main()
"""


@dataclass(frozen=True)
class Ran:
    """A demo that has ended, and what it has left in its temporary folder."""

    code: int
    text: str
    errors: str
    left: list[str]


Run = Callable[[Sequence[str]], Ran]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """A machine whose own git and AWS configuration would spoil the demo if it were used."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    for folder in (home / ".aws", home / ".config" / "git", home / "hooks", temporary):
        folder.mkdir(parents=True)
    (home / ".gitconfig").write_text(f"[commit]\n\tgpgSign = true\n[core]\n\thooksPath = {home / 'hooks'}\n")
    hook = home / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / ".aws" / "config").write_text("[profile somebody]\nregion = us-west-2\n")
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "VIRTUAL_ENV")}
    spoiling = {"AWS_PROFILE": "nobody", "GIT_DIR": str(tmp_path / "elsewhere"), "HTTP_PROXY": "http://127.0.0.1:9"}
    return kept | spoiling | {"HOME": str(home), "TMPDIR": str(temporary)}


@pytest.fixture
def run(surroundings: dict[str, str], tmp_path: Path) -> Run:
    def start(arguments: Sequence[str]) -> Ran:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, env=surroundings, capture_output=True, text=True, timeout=240, cwd=tmp_path, check=False
        )
        left = [path.name for path in (tmp_path / "tmp").iterdir()]
        return Ran(done.returncode, done.stdout, done.stderr, left)

    return start


DEMO: Final = ("-c", "from reconciler.cli import main; main()", "demo")


@pytest.mark.slow
def test_the_tour_makes_every_claim_in_order_leaves_with_zero_and_leaves_nothing_behind(run: Run, tmp_path: Path):
    ran = run([*DEMO, "--exit"])
    assert ran.code == 0, ran.text[-2000:] + ran.errors
    places = [ran.text.find(f"✓ {claim}") for claim in CLAIMS]
    assert -1 not in places, CLAIMS[places.index(-1)]
    assert places == sorted(places)
    assert f"all {len(CLAIMS)} claims were verified" in ran.text
    assert ran.left == []
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == [".aws", ".config", ".gitconfig", "hooks"]
    # what a person must have seen on the way
    assert "base/api.yaml:44:3: spec.desiredCuont" in ran.text
    assert "desiredCount  1 → 3  drifted" in ran.text
    assert "environment[LOG_LEVEL].value  debug → info  drifted" in ran.text
    assert "1 of 3 new, 1 starting, 2 old" in ran.text
    # a pipe gets plain lines
    assert "\x1b" not in ran.text
    assert "\r" not in ran.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "shown", "not_shown"),
    [
        ("ecs:CreateService", "1 of 6", "14 resources"),
        ("ecs:UpdateService", "✓ 14 resources", "web run 1.5.0"),
    ],
)
def test_a_step_that_cannot_happen_ends_the_tour_with_one_and_says_which(
    run: Run, operation: str, shown: str, not_shown: str
):
    ran = run(["-c", FAULTY.format(operation=operation)])
    assert ran.code == 1
    assert shown in ran.text
    assert not_shown not in ran.text
    assert "of the tour" in ran.errors
    assert "did not happen" in ran.errors
    assert "not authorized" in ran.errors
    assert ran.left == []


def test_a_folder_with_content_is_refused_and_not_touched(run: Run, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    ran = run([*DEMO, "--exit", "--directory", str(mine)])
    assert ran.code == 1
    assert "is not empty" in ran.errors
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    assert ran.left == []


def test_without_the_emulators_packages_one_sentence_says_what_to_install(run: Run):
    without = "import sys; sys.modules['moto'] = None; from reconciler.cli import main; main()"
    ran = run(["-c", without, "demo"])
    assert ran.code == 1
    assert "pip install 'reconciler[demo]'" in ran.errors
    assert "Traceback" not in ran.errors


def test_a_port_that_is_taken_is_told_in_one_sentence(run: Run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run([*DEMO, "--exit", "--port", str(taken.getsockname()[1])])
    assert ran.code == 1
    assert "cannot be listened on" in ran.errors
    assert "Traceback" not in ran.errors
    assert ran.left == []


@pytest.mark.slow
def test_when_it_is_ended_in_the_middle_it_keeps_only_the_folder_that_was_named(
    surroundings: dict[str, str], tmp_path: Path
):
    kept = tmp_path / "kept"
    command = [sys.executable, *DEMO, "--pause", "60", "--directory", str(kept)]
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        _read_until(demo, "1 of 6")
        demo.send_signal(signal.SIGTERM)
        _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "Traceback" not in errors
    assert list((tmp_path / "tmp").iterdir()) == []
    assert (kept / "reconciler.yaml").is_file()


@pytest.mark.slow
def test_after_the_tour_it_follows_the_repository_until_it_is_ended_with_zero(
    surroundings: dict[str, str], tmp_path: Path
):
    shop = Shop(tmp_path / "shop")
    options = ["--pause", "0", "--speed", "10000", "--directory", str(shop.folder)]
    command = [sys.executable, "-c", SHORT, "demo", *options]
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        _read_until(demo, "Ctrl-C ends the demo")
        shop.edit(SIZES, "desiredCount: 2", "desiredCount: two")
        shop.commit("A slip of the pen")
        said = _read_until(demo, "Invalid: nothing is written")
        assert f"{SIZES}:20:22" in said
        shop.edit(SIZES, "desiredCount: two", "desiredCount: 3")
        shop.commit("Three workers")
        said = _read_until(demo, "At rest: Synced and Healthy")
        assert "desiredCount  2 → 3  pending" in said
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0, errors
    assert list((tmp_path / "tmp").iterdir()) == []


def _read_until(demo: subprocess.Popen[str], words: str) -> str:
    """What the demo prints up to the line with these words."""
    assert demo.stdout is not None
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"it ended without {words!r}: {''.join(lines)[-2000:]}")
