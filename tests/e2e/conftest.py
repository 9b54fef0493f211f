"""Fixtures of the end-to-end tests: an empty stage on the emulated AWS, and two repositories to begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.corner import corner
from tests.e2e.stage import CONTROLLER, HOSTS, Stage


@pytest.fixture
def stage(emulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage with an empty repository. When the test ends, nothing was asked that the emulator cannot do."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CONTROLLER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    made = Stage(emulator, tmp_path)
    yield made
    made.close()
    emulator.faults.clear()
    assert emulator.unimplemented == []


@pytest.fixture
def shop(stage: Stage) -> Stage:
    """A stage with `examples/shop` as production has it, committed, on EC2; nothing is applied yet."""
    stage.use_example("shop", "production")
    stage.hosts = HOSTS
    stage.commit("the shop")
    return stage


@pytest.fixture
def small(stage: Stage) -> Stage:
    """A stage with the corner shop (`corner.py`), committed; nothing is applied yet."""
    stage.write(corner(stage))
    stage.commit("the corner shop")
    return stage
