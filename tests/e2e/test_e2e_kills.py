"""A real process dies by SIGKILL or `os._exit` in the middle of its writes; another finishes the work.

`test_e2e_crashes` enumerates every point in one process; here a few prove that nothing of it rests on Python's own
unwinding: no `finally`, no handler runs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import controller_process
from tests.e2e.deaths import Point, reference, verdicts
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
POINTS = (
    Point("Cluster/shop:create ecs:CreateCluster", 1, "before"),
    Point("TargetGroup/web:create elbv2:CreateTargetGroup", 1, "after"),
    Point("TaskDefinition/web:create ecs:RegisterTaskDefinition", 1, "after"),
    Point("Service/web:create ecs:CreateService", 1, "before"),
    Point("Service/web:create ecs:CreateService", 1, "after"),
)


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_a_process_that_is_killed_in_a_first_sync_leaves_what_the_next_one_finishes(small: Stage, how: str) -> None:
    wanted = reference(small, lambda _stage: None)
    assert set(POINTS) <= set(wanted.points)
    failed = []
    for point in POINTS:
        small.begin_anew()
        died = run_until(small, point, how)
        assert died == (-signal.SIGKILL if how == "kill" else controller_process.EXITED), f"{point}: {died}"
        small.settle()
        failed += [f"{point}: {why}" for why in verdicts(small, wanted, 0)]
    assert failed == [], "\n".join(failed)


def run_until(stage: Stage, point: Point, how: str) -> int:
    """Run a controller in a process of its own until it dies. Returns how it ended."""
    given = {
        "url": stage.aws.url,
        "repository": str(stage.root),
        "mirrors": str(stage.folder / "mirrors"),
        "point": [point.label, point.nth, point.when],
        "how": how,
    }
    command = [sys.executable, "-m", "tests.e2e.controller_process", json.dumps(given)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode
