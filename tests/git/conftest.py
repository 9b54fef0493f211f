"""Real git repositories, made in tmp_path with the git program, and a way to see which git processes are started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.git import Repository, open_repository

Opener = Callable[..., Repository]


@dataclass
class Clone:
    """A repository with a work tree (or a bare one), as a person would use it."""

    folder: Path

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def git(self, *arguments: str, content: bytes | None = None, **environment: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=content, capture_output=True, check=False,
            env={**os.environ, **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, path: str | bytes, content: str | bytes = "") -> None:
        file = os.path.join(os.fsencode(self.folder), os.fsencode(path))  # noqa: PTH118 - pathlib takes no byte names
        os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120 - likewise
        with open(file, "wb") as stream:  # noqa: PTH123 - likewise
            stream.write(content if isinstance(content, bytes) else content.encode())

    def link(self, path: str, target: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def commit(self, message: str = "Change something", *, at: int = 1_700_000_000) -> str:
        date = f"{at} +0200"
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
        return self.git("rev-parse", "HEAD")

    def save(self, path: str, content: str = "", message: str = "Change something", *, at: int = 1_700_000_000) -> str:
        self.write(path, content)
        return self.commit(message, at=at)


@pytest.fixture(autouse=True)
def _own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's nor the user's configuration takes part; tests add to the file when they need to."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "SSH_"))]:
        monkeypatch.delenv(name)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[user]\n\tname = Ada\n\temail = ada@shop.example\n[init]\n\tdefaultBranch = main\n"
        '[protocol "file"]\n\tallow = always\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def new_clone(tmp_path: Path) -> Callable[..., Clone]:
    def make(name: str = "shop", *options: str) -> Clone:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        clone = Clone(folder)
        clone.git("init", "-q", *options)
        return clone

    return make


@pytest.fixture
def shop(new_clone: Callable[..., Clone]) -> Clone:
    """An empty repository with a work tree."""
    return new_clone("shop")


@pytest.fixture
def remote(shop: Clone, tmp_path: Path) -> Clone:
    """A bare repository that `shop` pushes to as origin, with one commit on main."""
    folder = tmp_path / "remote.git"
    shop.git("init", "-q", "--bare", str(folder))
    shop.git("remote", "add", "origin", str(folder))
    shop.save("base/web.yaml", "kind: Service", "Add web")
    shop.git("push", "-q", "-u", "origin", "main")
    return Clone(folder)


@pytest.fixture
def clone_of(tmp_path: Path) -> Callable[..., Clone]:
    def make(source: Clone, name: str, *options: str) -> Clone:
        source.git("clone", "-q", *options, source.url, str(tmp_path / name))
        return Clone(tmp_path / name)

    return make


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def opened(cache: Path) -> Iterator[Opener]:
    """Open a Clone in place, or a URL or path given as text; closed after the test."""
    repositories: list[Repository] = []

    def opener(place: Clone | str) -> Repository:
        repositories.append(open_repository(place if isinstance(place, str) else str(place.folder), cache))
        return repositories[-1]

    yield opener
    for repository in repositories:
        repository.close()


@pytest.fixture
def git_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """From now on every git that is started notes its arguments; the function returns them, one process a line."""
    real = shutil.which("git")
    log = tmp_path / "git-calls"
    folder = tmp_path / "counting"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return lambda: log.read_text().splitlines() if log.exists() else []
