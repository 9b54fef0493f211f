"""A bare mirror of a remote repository, in a cache folder that many processes may share.

`open_repository` makes one for each URL. It exists so that a remote is cloned once, whatever is killed meanwhile: a
mirror is filled in a temporary folder and renamed when it is whole, and one process at a time fetches.

Mirrored are branches, tags and `refs/reconciler/`; what was fetched by its id alone is kept under `refs/kept/`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.git.errors import (
    AccessRefusedError,
    FetchFailedError,
    GitCommandError,
    GitError,
    RepositoryNotFoundError,
)
from reconciler.git.location import Remote
from reconciler.git.process import GitProgram

_MIRRORED: Final = ("refs/heads/", "refs/tags/", "refs/reconciler/")
_FETCH: Final = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
_REFUSED: Final = (
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied",
    "Host key verification failed",
    "The requested URL returned error: 403",
    "Access denied",
)
_ABSENT: Final = ("does not appear to be a git repository", "epository not found", "' not found")
_NOT_OURS: Final = ("not our ref", "couldn't find remote ref", "unadvertised object", "no such remote ref")


@dataclass(frozen=True, slots=True)
class Mirror:
    """The mirror of one remote. `folder` is a bare repository once `ensure` has returned."""

    remote: Remote
    cache: Path

    @property
    def folder(self) -> Path:
        """Where the mirror is, or will be."""
        return self.cache / self.remote.key

    def program(self, folder: Path | None = None) -> GitProgram:
        """Git on the mirror, with the remote's credentials."""
        remote = self.remote
        return GitProgram(
            git_dir=folder or self.folder, username=remote.username, password=remote.password, secrets=remote.secrets
        )

    def ensure(self) -> None:
        """Make the mirror if there is none. Raises FetchFailedError and RepositoryNotFoundError."""
        if self.folder.is_dir():
            return
        with self._locked():
            if self.folder.is_dir():
                return
            for left in self.cache.glob(f"{self.remote.key}.new-*"):  # by clones that were killed
                shutil.rmtree(left, ignore_errors=True)
            self._create(self.cache / f"{self.remote.key}.new-{os.getpid()}")

    def fetch(self) -> None:
        """Bring every mirrored ref to what the remote has, deleted ones included. Raises FetchFailedError."""
        with self._locked():
            self._update(self.program(), self._advertised(self.program()))

    def fetch_commit(self, commit_id: str) -> bool:
        """Fetch one commit by its full id, and keep it; False if the remote does not have it."""
        with self._locked():
            return fetch_by_id(
                self.program(), self.remote.url, f"+{commit_id}:refs/kept/{commit_id}", self.remote.masked
            )

    def _create(self, folder: Path) -> None:
        try:
            outside = replace(self.program(), git_dir=None, folder=self.cache)
            advertised = self._advertised(outside)
            width = next((len(value) for name, value in advertised.items() if not name.startswith("@")), 40)
            form = ("--object-format=sha256",) if width == 64 else ()
            outside.run("init", "--quiet", "--bare", "--template=", *form, "--", str(folder))
            self._update(self.program(folder), advertised)
            folder.rename(self.folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _advertised(self, program: GitProgram) -> dict[str, str]:
        """The remote's refs by name; `@HEAD` is the branch that its HEAD names, where it says so."""
        wanted = ("HEAD", *(f"{prefix}*" for prefix in _MIRRORED))
        with explained(self.remote.masked):
            output = program.run("ls-remote", "--symref", "--", self.remote.url, *wanted, network=True)
        refs: dict[str, str] = {}
        for line in output.decode("utf-8", "surrogateescape").split("\n")[:-1]:
            value, _, name = line.partition("\t")
            if value.startswith("ref: "):
                refs[f"@{name}"] = value.removeprefix("ref: ")
            elif name == "HEAD" or (name.startswith(_MIRRORED) and not name.endswith("^{}")):
                refs[name] = value
        return refs

    def _update(self, program: GitProgram, advertised: dict[str, str]) -> None:
        wanted = {name: value for name, value in advertised.items() if name.startswith(_MIRRORED)}
        if wanted != _refs(program):  # else a poll without news costs one question to the remote
            refspecs = [f"+{prefix}*:{prefix}*" for prefix in _MIRRORED]
            with explained(self.remote.masked):
                program.run(*_FETCH, "--prune", "--", self.remote.url, *refspecs, network=True)
        if branch := advertised.get("@HEAD"):
            program.run("symbolic-ref", "HEAD", branch)
        elif head := advertised.get("HEAD"):
            with contextlib.suppress(GitCommandError):  # moved on between the question and the fetch
                program.run("update-ref", "--no-deref", "HEAD", head)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.cache / f"{self.remote.key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the system releases it however this process ends
            yield


def fetch_by_id(program: GitProgram, remote: str, refspec: str, shown: str) -> bool:
    """Fetch a commit by its id; False if the remote answers that it does not have it. Raises FetchFailedError."""
    try:
        with explained(shown):
            program.run(*_FETCH, "--refmap=", "--", remote, refspec, network=True)
    except FetchFailedError as error:
        if any(sign in str(error.__cause__) for sign in _NOT_OURS):
            return False
        raise
    return True


@contextlib.contextmanager
def explained(shown: str) -> Iterator[None]:
    """Turn the failure of a command that talks to the remote `shown` (masked) into an error that says what to do."""
    try:
        yield
    except GitCommandError as error:
        raise _explain(error, shown) from error


def _explain(error: GitCommandError, shown: str) -> GitError:
    said = error.errors
    if any(sign in said for sign in _REFUSED):
        return AccessRefusedError(
            f"{shown} refused access: {said}. Check that the credentials (a credential helper, the URL, or the ssh key "
            "and known_hosts) are right and may read this repository"
        )
    if any(sign in said for sign in _ABSENT):
        return RepositoryNotFoundError(
            f"there is no repository at {shown}, or these credentials may not see it: {said}. Check the address"
        )
    return FetchFailedError(f"could not fetch from {shown}: {said}. Check the network; the same again may succeed")


def _refs(program: GitProgram) -> dict[str, str]:
    output = program.run("for-each-ref", "--format=%(objectname) %(refname)", *_MIRRORED)
    lines = output.decode("utf-8", "surrogateescape").split("\n")[:-1]
    return {name: value for value, _, name in (line.partition(" ") for line in lines)}
