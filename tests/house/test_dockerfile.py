"""The image: the rules that its Dockerfile keeps, and its steps carried out without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
UNREACHABLE = ("NewConnectionError", "NameResolutionError", "Failed to establish a new connection", "Could not connect")


def words(instructions: Iterable[Any], name: str) -> list[list[str]]:
    return [instruction.words() for instruction in instructions if instruction.name == name]


def environment(instructions: Iterable[Any]) -> dict[str, str]:
    return dict(word.split("=", 1) for line in words(instructions, "ENV") for word in line)


def test_every_base_image_names_a_version(stages):
    own = {stage.name for stage in stages}
    outside = [stage.image for stage in stages if stage.image not in own]
    assert outside
    for image in outside:
        assert re.search(r":\d+\.\d+", image), image


def test_the_image_is_built_in_stages_and_takes_only_the_environment_from_the_first(final):
    assert words(final, "COPY") == [["--from=build", "/opt/reconciler", "/opt/reconciler"]]
    assert not words(final, "ADD")


def test_the_image_runs_as_an_unprivileged_user_with_a_fixed_number(final):
    ((user,),) = words(final, "USER")
    uid, gid = (int(number) for number in user.split(":"))
    assert min(uid, gid) >= 10000
    run = " ".join(instruction.text for instruction in final if instruction.name == "RUN")
    assert f"--uid {uid}" in run
    assert f"--gid {gid}" in run


def test_everything_that_is_written_goes_to_the_volume(final):
    ((volume,),) = words(final, "VOLUME")
    variables = environment(final)
    assert {variables[name] for name in ("HOME", "TMPDIR", "RECONCILER_HOME")} == {volume}
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_image_has_a_health_check_and_an_entry_point_without_a_shell(final):
    assert len(words(final, "HEALTHCHECK")) == 1
    assert words(final, "ENTRYPOINT") == [["reconciler"]]


def test_the_image_says_where_it_comes_from(final):
    labels = {word.split("=", 1)[0] for line in words(final, "LABEL") for word in line}
    wanted = {"title", "description", "licenses", "version", "revision"}
    assert labels == {f"org.opencontainers.image.{name}" for name in wanted}


def test_no_secret_is_given_to_the_build(stages):
    for stage in stages:
        for instruction in stage.instructions:
            if instruction.name in ("ARG", "ENV"):
                assert not re.search(r"(?i)secret|password|token|api_?key|credential", instruction.text)


def test_third_party_code_is_installed_by_hash_or_from_what_was_just_built(stages):
    installs = [
        command.strip()
        for stage in stages
        for run in stage.all("RUN")
        for command in run.text.split("&&")
        if "pip install" in command
    ]
    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or "--no-index" in command


def test_the_builder_is_sent_all_that_is_copied_and_nothing_else(stages):
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source.removeprefix("./")
        for stage in stages
        for line in words(stage.instructions, "COPY")
        if not line[0].startswith("--from")
        for source in line[:-1]
    }
    assert sent == copied
    assert all((ROOT / path).exists() for path in copied)


# ------------------------------------------------------------------------------------------- the steps, carried out


def as_user(uid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}


@dataclass(frozen=True)
class Engine:
    """As much of a container engine as our Dockerfile needs: `/opt`, `/src` and `/var` lie in a scratch folder."""

    folder: Path
    python: str
    uid: int | None  # the number that the container's program runs as; None: nobody but root can change it

    def path(self, text: str) -> str:
        return re.sub(r"(?<![\w.-])/(opt|src|var)\b", lambda found: f"{self.folder}/{found[1]}", text)

    def copy(self, sources: list[str]) -> None:
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        for source in sources:
            origin, target = ROOT / source, self.folder / "src" / source
            if origin.is_dir():
                shutil.copytree(origin, target, ignore=ignore)
            else:
                shutil.copy(origin, target)

    def build(self, command: str) -> None:
        shims = self.folder / "bin"
        shims.mkdir(exist_ok=True)
        if not (shims / "python").exists():
            (shims / "python").write_text(f'#!/bin/sh\nexec {self.python} "$@"\n', encoding="utf-8")
            (shims / "python").chmod(0o755)
        variables = os.environ | {"PATH": f"{shims}:{os.environ['PATH']}"}
        done = self._shell(self.path(command), cwd=self.folder / "src", env=variables)
        if any(sign in done.stderr for sign in UNREACHABLE):
            pytest.skip("the image's dependencies come from the package index, which is out of reach")
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        given = {name: self.path(value).replace("$PATH", os.environ["PATH"]) for name, value in variables.items()}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            cwd=given["HOME"],
            env=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **as_user(self.uid),
        )
        return done

    @staticmethod
    def _shell(command: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300
        )


def interpreter(uid: int | None) -> str:
    """A Python that is new enough, and that the image's user may run: root's own may lie in a closed home."""
    check = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            done = subprocess.run([candidate, "-c", check], cwd="/", capture_output=True, check=False, **as_user(uid))
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    pytest.skip("no Python here can be run by another user than root")


@pytest.fixture(scope="module")
def container(stages, final) -> Iterator[Engine]:
    """The image, built: its steps carried out as they are written, then closed against writing."""
    uid = int(words(final, "USER")[0][0].split(":")[0]) if os.geteuid() == 0 else None
    engine = Engine(Path(tempfile.mkdtemp(prefix="reconciler-image-")), interpreter(uid), uid)
    try:
        engine.folder.chmod(0o755)
        (engine.folder / "src").mkdir()
        state = engine.folder / "var/lib/reconciler"
        state.mkdir(parents=True)
        if uid is not None:
            os.chown(state, uid, uid)
        (build,) = [stage for stage in stages if stage.name == "build"]
        for instruction in build.instructions:
            if instruction.name == "COPY":
                engine.copy([source.removeprefix("./") for source in instruction.words()[:-1]])
            elif instruction.name == "RUN":
                engine.build(instruction.text)
        subprocess.run(["chmod", "-R", "a-w,a+rX", str(engine.folder / "opt")], check=True)
        yield engine
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(engine.folder)], check=False)
        shutil.rmtree(engine.folder)


@pytest.mark.slow
@pytest.mark.xdist_group("image")
def test_the_built_program_runs_unprivileged_on_a_read_only_tree(container, final):
    done = container.run(["reconciler", "--version"], environment(final))
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout
    touched = container.run(["touch", f"{container.folder}/opt/reconciler/here"], environment(final))
    assert touched.returncode != 0


@pytest.mark.slow
@pytest.mark.xdist_group("image")
def test_the_built_program_validates_the_examples_with_the_schemas_that_it_carries(container, final):
    repository = container.folder / "src/examples/quickstart"
    program = (
        "import pathlib, reconciler, sys; from reconciler.kinds import KINDS; "
        "from reconciler.manifests.load import load; from reconciler.manifests.source import FolderSource; "
        "print(len(load(FolderSource(pathlib.Path(sys.argv[1])), KINDS, None).resources), reconciler.__file__)"
    )
    done = container.run(["python", "-c", program, str(repository)], environment(final))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"6 {container.folder}/opt/reconciler/")


@pytest.mark.slow
@pytest.mark.xdist_group("image")
def test_the_health_check_passes_and_fails_when_the_volume_cannot_be_written(container, final):
    (line,) = [instruction.text for instruction in final if instruction.name == "HEALTHCHECK"]
    command = json.loads(line.partition("CMD ")[2])
    well = container.run(command, environment(final))
    assert well.returncode == 0, well.stderr
    unwritable = environment(final) | {"RECONCILER_HOME": "/opt/reconciler"}
    assert container.run(command, unwritable).returncode != 0


@pytest.mark.slow
@pytest.mark.xdist_group("image")
def test_neither_pip_nor_the_build_tools_are_left_in_the_image(container):
    installed = {path.name for path in (container.folder / "opt/reconciler").glob("lib/python*/site-packages/*")}
    assert "reconciler" in installed
    assert not installed & {"pip", "hatchling", "moto", "pytest"}
