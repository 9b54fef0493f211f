"""The wheel: what is installed from it works without a checkout beside it."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_carries_every_schema_and_every_example(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "schemas", "examples"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = tracked.stdout.split()
    assert "examples/shop/reconciler.yaml" in paths
    assert {f"reconciler/{path}" for path in paths} <= set(wheel.namelist())


def test_the_wheel_has_nothing_outside_the_package(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"reconciler"}


def test_the_wheel_brings_the_command_and_the_licence(wheel):
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    parsed = configparser.ConfigParser()
    parsed.read_string(wheel.read(entry_points).decode())
    assert parsed["console_scripts"]["reconciler"] == "reconciler.cli:main"
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
