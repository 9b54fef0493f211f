"""What can go wrong with a repository, as one small tree.

Every message says what is wrong, where, and what to do next. None ever holds a credential: locations arrive here
masked (see `location.py`), and what git prints is masked before it becomes a message (see `process.py`).
"""

from __future__ import annotations

from reconciler.core.errors import InvalidManifestsError, ReconcilerError, Retry


class GitError(ReconcilerError):
    """The root of the tree."""


class GitMissingError(GitError):
    """The git program is not installed, or not on the PATH."""


class UnsafeLocationError(GitError):
    """The location names a transport that could run programs, or would be read as an option."""


class UnsafeRevisionError(GitError):
    """The revision or the ref name would be read as an option, or as more than one revision."""


class UnsafePathError(GitError):
    """The path leaves the repository: it is absolute, or has `..` in it."""


class RepositoryNotFoundError(GitError):
    """There is no repository at the location."""


class CommitNotFoundError(GitError):
    """The revision names no commit of this repository."""


class PathNotFoundError(GitError):
    """The commit has nothing at this path, or not the kind of thing that was asked for."""


class ShallowHistoryError(GitError):
    """The question needs history that this shallow clone lacks, and it could not be fetched."""


class CorruptRepositoryError(GitError):
    """An object or a pack is damaged or missing although others refer to it."""


class FetchFailedError(GitError):
    """The remote did not answer, or broke off. The same again may succeed."""

    retry = Retry.LATER


class AccessRefusedError(FetchFailedError):
    """The remote answered, and refused: wrong credentials, no permission, or no such repository for this user."""

    retry = Retry.TERMINAL


class GitCommandError(GitError):
    """A git command failed; the methods of `Repository` turn it into one of the others, and keep it as their cause."""

    def __init__(self, command: str, status: int, errors: str) -> None:
        super().__init__(f"git {command} ended with status {status}: {errors or 'no message'}")
        self.status = status
        self.errors = errors


class ManifestSourceError(GitError, InvalidManifestsError):
    """A folder of a commit cannot be read as manifests; `problems` has every reason, not only the first."""
