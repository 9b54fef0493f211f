"""`emulator`: what it says when it cannot start. That it serves is for the emulator's own tests."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


def run(*words: str) -> tuple[int, str]:
    """A process of its own: only one emulator runs in each, and the tests' is in this one."""
    command = [sys.executable, "-c", "from reconciler.cli import main; main()", *words]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return said.returncode, said.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "65536"], "--port 65536: a port is between 0 and 65535"),
        (["--port", "-1"], "--port -1: a port is between 0 and 65535"),
        (["--speed", "0"], "--speed 0: virtual time runs forward, so it must be more than 0"),
        (["--speed", "-2"], "--speed -2: virtual time"),
        (["--speed", "nan"], "--speed nan: virtual time"),
    ],
)
def test_numbers_that_no_emulator_can_have_are_refused_in_a_sentence(words: list[str], message: str) -> None:
    code, err = run("emulator", *words)
    assert code == 1
    assert message in err
    assert "Traceback" not in err


def test_a_port_that_another_has_is_refused_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, err = run("emulator", "--port", str(port))
    assert code == 1
    assert f"cannot listen on port {port}: Address already in use. Take another with --port" in err
    assert "Traceback" not in err
