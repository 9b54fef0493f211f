"""History in shallow clones, whose answers may be wrong rather than missing.

`Repository` asks its questions about history through `with_history`. It exists because CI checks out one commit by
default, and there git says that a commit is no ancestor, or that the oldest commit changed everything, without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from reconciler.git.errors import FetchFailedError, RepositoryNotFoundError, ShallowHistoryError
from reconciler.git.mirror import explained
from reconciler.git.process import GitProgram

_Answer = TypeVar("_Answer")


def shallow_commits(program: GitProgram) -> frozenset[str]:
    """The commits at which this clone's history was cut off; empty for a whole clone."""
    printed = program.run("rev-parse", "--git-path", "shallow").decode("utf-8", "surrogateescape")
    try:
        return frozenset(Path(printed.removesuffix("\n")).read_text().split())
    except FileNotFoundError:
        return frozenset()


def with_history(
    program: GitProgram, remote: str | None, location: str, ask: Callable[[], tuple[_Answer, bool]]
) -> _Answer:
    """The answer of `ask`, which says with it whether a cut-off history puts it in doubt; then the rest is fetched.

    `remote` is where from, and `location` names the repository to people. Raises ShallowHistoryError.
    """
    answer, doubtful = ask()
    if not doubtful:
        return answer
    advice = f"{location} is a shallow clone: run `git fetch --unshallow`, or clone with the whole history"
    if remote is None:
        raise ShallowHistoryError(advice)
    try:
        with explained(location):
            program.run(
                *("fetch", "--quiet", "--unshallow", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
                *("--refmap=", "--", remote, "HEAD"),  # any ref will do: what was cut off is sent for all
                network=True,
            )
    except (FetchFailedError, RepositoryNotFoundError) as error:
        raise ShallowHistoryError(f"{advice}. Fetching it failed: {error}") from error
    answer, doubtful = ask()
    if doubtful:
        raise ShallowHistoryError(advice)
    return answer
