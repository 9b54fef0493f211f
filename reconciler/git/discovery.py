"""Finding the repository that a local path belongs to, the way git does.

`open_repository` calls it. Git itself looks, so that work trees, `.git` files, bare repositories and git's refusal of
another user's repository all work as in a shell.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.git.errors import GitCommandError, RepositoryNotFoundError, UnsafeLocationError
from reconciler.git.process import GitProgram


def find_git_folder(path: Path) -> Path:
    """The git folder for a path inside a clone, a work tree or a bare repository.

    Raises RepositoryNotFoundError, and UnsafeLocationError if it belongs to another user.
    """
    if not path.exists():
        raise RepositoryNotFoundError(f"{path} does not exist: give the path of a clone, or a URL")
    if not path.is_dir():
        raise RepositoryNotFoundError(f"{path} is a file: give the folder of a clone, or a URL")
    try:
        output = GitProgram(folder=path.absolute()).run("rev-parse", "--absolute-git-dir")
    except GitCommandError as error:
        if "dubious ownership" in error.errors:
            raise UnsafeLocationError(
                f"{path} belongs to another user, whose configuration git would obey. If you trust it: "
                f"git config --global --add safe.directory {path.absolute()}"
            ) from error
        raise RepositoryNotFoundError(
            f"there is no git repository at {path}, nor in a folder above it: run `git init`, give the path of a "
            f"clone, or a URL ({error.errors})"
        ) from error
    return Path(output.decode("utf-8", "surrogateescape").removesuffix("\n"))
