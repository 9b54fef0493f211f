"""The locks: one version of everything, each with hashes, and nothing of the machine that they were made on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools.lock import DEV, LOCKS, foreign_lines, pip_environment

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> dict[str, str]:
    return {canonical(package): version for package, version, _ in PIN.findall(text_of(name))}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_its_hashes_or_a_comment(name):
    rest = PIN.sub("", text_of(name))
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []
    assert pins(name)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_folder(name):
    assert foreign_lines(text_of(name)) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_package_has_the_version_of_the_development_lock_everywhere(name):
    everything = pins(DEV)
    assert {p: v for p, v in pins(name).items() if p in everything and everything[p] != v} == {}


def test_every_declared_dependency_is_locked():
    project = tomllib.loads(text_of("pyproject.toml"))
    runtime = project["project"]["dependencies"]
    demo = project["project"]["optional-dependencies"]["demo"]
    dev = project["dependency-groups"]["dev"]
    for declared, lock in ((runtime, "requirements.lock"), (demo, "requirements-demo.lock"), (dev, DEV)):
        names = {canonical(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in declared}
        assert names - pins(lock).keys() == set()


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example/simple",
        "--extra-index-url file:///srv/packages",
        "--find-links /srv/wheels",
        "thing @ file:///srv/thing.whl",
        "    # via -r /home/somebody/dev.in",
    ],
)
def test_a_line_that_names_a_place_is_found(line):
    assert foreign_lines(f"boto3==1.0\n{line}\n    # via reconciler (pyproject.toml)") == [line]


def test_the_resolver_is_given_no_other_source_than_the_public_index():
    machine = {"PIP_INDEX_URL": "x", "PIP_FIND_LINKS": "x", "PIP_CONFIG_FILE": "x", "PIP_CERT": "ca.pem", "HOME": "h"}
    given = pip_environment(machine)
    assert given["PIP_CERT"] == "ca.pem"
    assert given["HOME"] == "h"
    assert given["PIP_CONFIG_FILE"] != "x"
    assert not {"PIP_INDEX_URL", "PIP_FIND_LINKS"} & given.keys()
