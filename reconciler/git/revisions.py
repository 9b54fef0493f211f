"""The names that people give to commits, made safe and unambiguous before git sees them.

`Repository` asks here how to look a name up. It exists because to git a name may also be an option, a range, a search,
or a tag that takes the place of the branch that was meant.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.git.errors import UnsafeRevisionError

_REVISION: Final = re.compile(r"[^\s\x00-\x1f\x7f:?*\[\\^/-][^\s\x00-\x1f\x7f:?*\[\\]*", re.ASCII)
_REF: Final = re.compile(r"refs/[^\s\x00-\x1f\x7f:?*\[\\~^]+", re.ASCII)


def revision_spellings(rev: str) -> tuple[str, ...]:
    """What to ask git for, in order, to find what a person means by a name; the first that exists is it.

    A branch comes before a tag (git's own order is the other way round), and a branch of origin last.
    Raises UnsafeRevisionError.
    """
    if not _REVISION.fullmatch(rev) or ".." in rev:
        raise UnsafeRevisionError(f"{rev!r} is not one revision: give a branch, a tag, or a commit's id")
    if rev.startswith(("refs/", "HEAD", "@")):
        return (rev,)
    return (f"refs/heads/{rev}", f"refs/tags/{rev}", rev, f"refs/remotes/origin/{rev}")


def check_ref_name(name: str) -> str:
    """The name, if it is the full name of one ref. Raises UnsafeRevisionError."""
    if not _REF.fullmatch(name) or ".." in name:
        raise UnsafeRevisionError(f"{name!r} is not the full name of a ref, as in refs/heads/main")
    return name
