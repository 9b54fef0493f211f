"""Where manifests are read from: a protocol that the git layer fulfils for a commit, and a plain folder.

`FolderSource` serves `validate` while a person still edits: what is not committed yet. It follows no symlink, so that
checking a folder reads nothing outside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.manifests.document import LARGEST_FILE

SUFFIXES: Final = (".yaml", ".yml")


class SourceFile(Protocol):
    """One file: `path` from the repository's root with `/`, `blob` the id of its content."""

    @property
    def path(self) -> str: ...

    @property
    def blob(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class Source(Protocol):
    """The files of one commit."""

    @property
    def commit(self) -> str: ...

    def files(self, folder: str) -> Sequence[SourceFile]:
        """The YAML files below a folder, its subfolders included.

        Raises InvalidManifestsError (or a subclass) with every reason why the folder cannot be read.
        """

    def read(self, path: str) -> bytes | None:
        """The content of one file, None where there is none. Raises InvalidManifestsError, as `files` does."""


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file as it stands in a folder."""

    path: str
    content: bytes

    @property
    def blob(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class FolderSource:
    """The files of a folder as they stand, committed or not. `commit` is the word `uncommitted`."""

    commit = "uncommitted"

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root)

    def files(self, folder: str) -> Sequence[FolderFile]:
        start = self._checked(folder)
        if start.is_file():
            raise _refusal(folder, "this is a file, not a folder")
        if not start.is_dir():
            raise _refusal(folder, "there is no such folder: correct its name, or add it")
        problems: list[Problem] = []
        found = [self._file(path) for path in self._walk(start, problems)]
        if problems:
            raise InvalidManifestsError(tuple(problems))
        return sorted(found, key=lambda file: file.path)

    def read(self, path: str) -> bytes | None:
        place = self._checked(path)
        return self._file(place).content if place.is_file() else None

    def _checked(self, path: str) -> Path:
        """The place of a path in the folder; refused when any part of it is a symlink or leads out."""
        if reason := unsafe(path):
            raise _refusal(path, reason)
        place = self._root
        for part in PurePosixPath(path).parts:
            place /= part
            if place.is_symlink():
                raise _refusal(self._name(place), "is a symlink, which is not followed: put the file or folder there")
        return place

    def _walk(self, folder: Path, problems: list[Problem]) -> Iterator[Path]:
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                message = "is a symlink, which is not followed: put the file or folder itself there"
                problems.append(Problem(self._name(entry), 0, 0, "", message))
            elif entry.is_dir():
                yield from self._walk(entry, problems)
            elif entry.suffix in SUFFIXES and entry.is_file():
                yield entry

    def _file(self, place: Path) -> FolderFile:
        with place.open("rb") as stream:
            return FolderFile(self._name(place), stream.read(LARGEST_FILE + 1))  # the parser refuses what is longer

    def _name(self, place: Path) -> str:
        return place.relative_to(self._root).as_posix()


def unsafe(path: str) -> str:
    """Why a path that a manifest names cannot be used; empty when it can."""
    if not path or path != path.strip():
        return "a path must not be empty, or begin or end with a space"
    if path.startswith(("/", "~")) or "\\" in path or "\0" in path or (len(path) > 1 and path[1] == ":"):
        return f"{path!r} is not a path from the repository's root, with / between its parts"
    if ".." in path.split("/"):
        return f"{path!r} leads out of its folder: `..` is not allowed"
    return ""


def clean(path: str) -> str:
    """One spelling for a path: `./base/` → `base`; the root itself is the empty text."""
    return "/".join(part for part in path.split("/") if part not in {"", "."})


def _refusal(path: str, message: str) -> InvalidManifestsError:
    return InvalidManifestsError((Problem(path, 0, 0, "", message),))
