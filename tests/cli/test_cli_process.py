"""Commands as processes: what they import, colours, pipes, terminals, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import environment
from tests.e2e.stage import Stage

COMMAND = [sys.executable, "-c", "from reconciler.cli import main; main()"]
SLOW = {"boto3", "botocore", "sqlalchemy", "git", "jsonschema", "apscheduler", "moto", "flask"}


@pytest.fixture
def variables(stage: Stage, tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **environment(stage, tmp_path), "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}


def test_help_and_version_import_nothing_slow() -> None:
    code = (
        "import sys; from reconciler.cli.app import app, register; register()\n"
        "for words in (['--version'], ['--help'], ['plan', '--help'], ['destroy', '--help']):\n"
        "    app(words, standalone_mode=False)\n"
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not SLOW.intersection(name for name in SLOW if f"'{name}'" in said.stderr)


def in_a_terminal(words: list[str], folder: Path, variables: Mapping[str, str], columns: int = 80) -> str:
    """What a command prints when stdout and stderr are a terminal."""
    mine, its = pty.openpty()
    its_variables = {**variables, "COLUMNS": str(columns)}
    with subprocess.Popen([*COMMAND, *words], cwd=folder, env=its_variables, stdin=its, stdout=its, stderr=its):
        os.close(its)
        text = b""
        with contextlib.suppress(OSError):  # the end, on Linux
            while part := os.read(mine, 65536):
                text += part
    os.close(mine)
    return text.decode()


def test_a_terminal_has_colours_unless_no_color_is_set(stage: Stage, variables: dict[str, str]) -> None:
    assert "\x1b[1;32m+ Cluster/shop" in in_a_terminal(["plan"], stage.root, variables)
    plain = in_a_terminal(["plan"], stage.root, {**variables, "NO_COLOR": "1"})
    assert "Cluster/shop" in plain
    assert "\x1b[1;32m" not in plain
    assert "[32m" not in plain


def test_a_pipe_has_no_colours_and_no_blanks_at_line_ends(stage: Stage, variables: dict[str, str]) -> None:
    said = subprocess.run(
        [*COMMAND, "status"], cwd=stage.root, env=variables, capture_output=True, text=True, check=False
    )
    assert said.returncode == 2
    assert said.stderr == ""
    assert "\x1b" not in said.stdout
    assert all(line == line.rstrip() for line in said.stdout.splitlines())


def test_a_reader_that_has_read_enough_is_no_error(stage: Stage, variables: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        said = subprocess.run(
            [*COMMAND, "schema"], env=variables, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (said.returncode, said.stderr) == (1, "")


def test_ctrl_c_while_waiting_ends_with_130_and_a_sentence(stage: Stage, variables: dict[str, str]) -> None:
    command = [*COMMAND, "wait", "--timeout", "10m"]
    with subprocess.Popen(command, cwd=stage.root, env=variables, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        first = waiting.stderr.readline()  # it has looked once, and pauses
        waiting.send_signal(signal.SIGINT)
        rest = waiting.stderr.read()
    assert "OutOfSync, Missing" in first
    assert waiting.returncode == 130
    assert "interrupted: what was sent to AWS goes on there" in rest
    assert "Traceback" not in rest
