"""Fixtures of the commands' tests: a shell that runs them in this process, a repository, and the emulated AWS.

Nothing is mocked but time: between two passes the emulated AWS's clock is put forward instead of waiting.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.cli.context import Workspace
from tests.e2e.corner import corner
from tests.e2e.stage import CONTROLLER, Stage


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """`shell("plan", "--output", "json")`: in the repository's folder, as the controller's account."""

    def __init__(self, stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage = stage
        self._capsys = capsys
        self._patch = monkeypatch

    def __call__(self, *words: str) -> Said:
        self._patch.setattr(sys, "argv", ["reconciler", *words])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.err
        return Said(int(left.value.code or 0), printed.out, printed.err)

    def settled(self) -> Said:
        """The result of a sync that waits, and must go well."""
        said = self("sync", "--wait")
        assert said.code == 0, said
        return said


@pytest.fixture
def stage(emulator: Any, tmp_path: Path) -> Iterator[Stage]:
    """A repository with the corner shop, committed; nothing is applied yet."""
    made = Stage(emulator, tmp_path)
    made.write(corner(made))
    made.commit("the corner shop")
    yield made
    made.close()
    emulator.faults.clear()


@pytest.fixture
def shell(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands in the repository; their state is kept beside it."""
    for name, value in environment(stage, tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "RECONCILER_REPO", "RECONCILER_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Workspace, "pause", lambda _work, _seconds: stage.aws.tick(5))
    monkeypatch.chdir(stage.root)
    return Shell(stage, capsys, monkeypatch)


def environment(stage: Stage, folder: Path) -> dict[str, str]:
    """The variables that point a command to the emulated AWS."""
    return {
        "AWS_ENDPOINT_URL": stage.aws.url,
        "AWS_ACCESS_KEY_ID": CONTROLLER,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "RECONCILER_HOME": str(folder / "home"),
    }
