"""The manifest files of a commit: which files of a folder are manifests, and what stands in the way of reading them.

`reconciler.manifests` calls it for each layer. It exists to keep everything that is not plainly a file out of the
parser's sight: links and submodules lead out of the commit that was reviewed, an LFS pointer is no manifest, and a huge
file is an attack or a mistake.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.core.errors import Problem
from reconciler.git.errors import ManifestSourceError, UnsafePathError
from reconciler.git.objects import Entry, clean_path
from reconciler.git.repository import Repository

_SUFFIXES: Final = (".yaml", ".yml")
_LFS: Final = re.compile(rb"version https://(?:git-lfs|hawser)\.github\.com/spec/")
_LFS_BYTES: Final = 1024  # git-lfs's specification: a pointer file is smaller than this


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """How much a folder may hold. Beyond it, the folder is refused before anything is read."""

    file_bytes: int = 1024 * 1024
    files: int = 20_000
    total_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One manifest file of a commit; `path` is from the repository's root, `blob` the id of the content."""

    path: str
    blob: str
    content: bytes


def is_lfs_pointer(content: bytes) -> bool:
    """Whether this is what Git LFS commits in the place of a file.

    https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the first line is `version` and the specification's URL.
    """
    return len(content) < _LFS_BYTES and _LFS.match(content) is not None


def manifest_files(
    repository: Repository, commit_id: str, folder: str, limits: SourceLimits | None = None
) -> tuple[SourceFile, ...]:
    """The `.yaml` and `.yml` files below a folder of a commit, sorted by path; hidden files and folders are left out.

    Raises ManifestSourceError with everything that is wrong, CommitNotFoundError, CorruptRepositoryError.
    """
    limits = limits or SourceLimits()
    _check_folder(repository, commit_id, folder)
    entries = [entry for entry in repository.entries(commit_id, folder) if not _is_hidden(entry, clean_path(folder))]
    manifests = [entry for entry in entries if entry.kind == "file" and _has_suffix(entry)]
    problems = [*_check_kinds(repository, commit_id, entries), *_check_sizes(manifests, folder, limits)]
    if problems:
        # what is over a limit is not read, but pointers among the rest are still named in the same go
        manifests = [entry for entry in manifests if entry.size < _LFS_BYTES][: limits.files]
    files = [
        SourceFile(entry.path, entry.blob, content)
        for entry, content in zip(manifests, repository.read_many(manifests), strict=True)
    ]
    problems += [
        _problem(file.path, "is a Git LFS pointer: take it out of LFS (`git lfs untrack`), manifests are small")
        for file in files
        if is_lfs_pointer(file.content)
    ]
    if problems:
        raise ManifestSourceError(tuple(problems))
    return tuple(sorted(files, key=lambda file: file.path))


def _check_folder(repository: Repository, commit_id: str, folder: str) -> None:
    """Raise unless the folder is one, and no part of its path is a link or a submodule."""
    try:
        clean = clean_path(folder)
    except UnsafePathError as error:
        raise ManifestSourceError((_problem(folder, str(error)),)) from error
    names = clean.split("/") if clean else []
    for count in range(1, len(names) + 1):
        path = "/".join(names[:count])
        found = repository.find(commit_id, path)
        if found is None:
            message = f"there is no such folder in commit {commit_id[:10]}: correct its name, or add it"
        elif found.kind == "file":
            pointer = is_lfs_pointer(repository.read(found))
            message = f"is a {'Git LFS pointer' if pointer else 'file'}, not a folder: name the folder it is in"
        elif found.kind == "folder":
            continue
        else:
            message = f"is a {found.kind}, not a folder: put the manifests themselves there"
        raise ManifestSourceError((_problem(path, message),))


def _check_kinds(repository: Repository, commit_id: str, entries: Iterable[Entry]) -> list[Problem]:
    problems: list[Problem] = []
    for entry in entries:
        if entry.kind == "submodule":
            problems.append(
                _problem(entry.path, "is a submodule, which is not read: put the manifests themselves there")
            )
        elif entry.kind == "symlink" and _may_lead_to_manifests(repository, commit_id, entry):
            problems.append(
                _problem(entry.path, "is a symlink, which is not followed: put the file or folder itself there")
            )
        if entry.kind == "file" and _has_suffix(entry) and not entry.path.isprintable():
            problems += _check_name(entry)
    return problems


def _check_name(entry: Entry) -> list[Problem]:
    try:
        entry.path.encode()
    except UnicodeEncodeError:
        return [_problem(entry.path, "has a name that is not UTF-8: rename it")]
    return []


def _may_lead_to_manifests(repository: Repository, commit_id: str, link: Entry) -> bool:
    """False only for a link that plainly leads to a file of this commit which is no manifest: README to ../README."""
    if _has_suffix(link):
        return True
    target = repository.read(link).decode("utf-8", "surrogateescape")
    try:
        path = clean_path(posixpath.normpath(posixpath.join(posixpath.dirname(link.path), target)))
    except UnsafePathError:
        return True
    found = repository.find(commit_id, path)
    return found is None or found.kind != "file"


def _check_sizes(manifests: list[Entry], folder: str, limits: SourceLimits) -> list[Problem]:
    problems = [
        _problem(
            entry.path, f"has {entry.size:,} bytes, and {limits.file_bytes:,} are the most: split it into several files"
        )
        for entry in manifests
        if entry.size > limits.file_bytes
    ]
    if len(manifests) > limits.files:
        problems.append(
            _problem(
                folder,
                f"has {len(manifests):,} manifest files, and {limits.files:,} are the most: split the environment",
            )
        )
    if (total := sum(entry.size for entry in manifests)) > limits.total_bytes:
        problems.append(
            _problem(
                folder,
                f"has {total:,} bytes of manifests, and {limits.total_bytes:,} are the most: split the environment",
            )
        )
    return problems


def _is_hidden(entry: Entry, folder: str) -> bool:
    below = entry.path[len(folder) + 1 :] if folder else entry.path
    return any(name.startswith(".") for name in below.split("/"))


def _has_suffix(entry: Entry) -> bool:
    return entry.path.lower().endswith(_SUFFIXES)


def _problem(path: str, message: str) -> Problem:
    # a path may hold line breaks, terminal codes and bytes that are no text: people and logs get them spelled out
    shown = path if path.isprintable() else path.encode("unicode_escape", "backslashreplace").decode("ascii")
    return Problem(shown or ".", 0, 0, "", message)
