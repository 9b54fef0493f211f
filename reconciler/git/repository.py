"""A git repository, read at any commit from its objects: no checkout, no work tree, nothing written but by fetches.

The engine opens one for each environment's repository; manifests, blame, history and base renderings read through it.
It exists so that "what did this commit say" has the same answer for a clone on a laptop, a shallow checkout in CI, a
bare repository on a server and a URL, and so that nobody else needs to know how git names things.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self

from reconciler.core.commit import Commit
from reconciler.git.discovery import find_git_folder
from reconciler.git.errors import (
    CommitNotFoundError,
    GitCommandError,
    PathNotFoundError,
    RepositoryNotFoundError,
)
from reconciler.git.location import Remote, mask, parse_location
from reconciler.git.mirror import Mirror, explained, fetch_by_id
from reconciler.git.objects import Entry, ObjectReader, clean_path, is_full_id, parse_commit, parse_listing, parse_tree
from reconciler.git.process import GitProgram
from reconciler.git.revisions import check_ref_name, revision_spellings
from reconciler.git.shallow import shallow_commits, with_history


def open_repository(location: str, cache: Path) -> Repository:
    """Open the repository at a local path, in place, or at a URL, through its mirror below `cache`.

    A path may be any folder of a clone or of one of its work trees, or a bare repository. For a URL the first call
    clones; later calls open what is there, and `fetch` brings it up to date.

    Raises UnsafeLocationError, RepositoryNotFoundError, FetchFailedError, GitMissingError.
    """
    match parse_location(location):
        case Remote() as remote:
            mirror = Mirror(remote, cache.absolute())
            mirror.ensure()
            return Repository(mirror.program(), remote.masked, mirror)
        case path:
            return Repository(GitProgram(git_dir=find_git_folder(path)), str(path), None)


class Repository:
    """A repository opened for reading. Threads may share it; close it, or use it with `with`, when done."""

    def __init__(self, program: GitProgram, location: str, mirror: Mirror | None) -> None:
        self.location: Final = location
        """Where it is, for people: no credentials in it."""
        self._program = program
        self._mirror = mirror
        self._objects = ObjectReader(program)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End git's reading process. The repository may still be used: the next read starts another."""
        self._objects.close()

    @property
    def git_dir(self) -> Path:
        """The git folder itself: `.git`, a bare repository, or the mirror."""
        if self._program.git_dir is None:
            raise RepositoryNotFoundError(f"{self.location} has no git folder")
        return self._program.git_dir

    @property
    def branch(self) -> str | None:
        """The branch that HEAD is on, for a URL the remote's default branch; None when HEAD is on none (detached)."""
        try:
            name = self._run("symbolic-ref", "--quiet", "HEAD")
        except GitCommandError as error:
            if error.status == 1:
                return None
            raise
        return name.removeprefix("refs/heads/")

    # -- remotes -----------------------------------------------------------------------------------------------------

    def fetch(self) -> None:
        """Bring the mirror up to date; in a local clone, the remote-tracking branches. Nothing without a remote.

        Raises FetchFailedError (which may succeed later) and AccessRefusedError (which needs a person).
        """
        if self._mirror:
            self._mirror.fetch()
        elif remote := self._remote():
            with explained(self._shown(remote)):
                self._program.run(
                    "fetch", "--quiet", "--no-write-fetch-head", "--no-recurse-submodules", "--", remote, network=True
                )

    def obtain(self, commit_id: str) -> bool:
        """Have this commit, fetching it by its id if need be; False if neither we nor the remote have it.

        For commits that a force push dropped, or that a shallow clone left out. Raises FetchFailedError.
        """
        if self.has(commit_id):
            return True
        if not is_full_id(commit_id):
            return False
        if self._mirror:
            return self._mirror.fetch_commit(commit_id) and self.has(commit_id)
        remote = self._remote()
        if remote is None:
            return False
        return fetch_by_id(self._program, remote, commit_id, self._shown(remote)) and self.has(commit_id)

    def _remote(self) -> str | None:
        if self._mirror:
            return self._mirror.remote.url
        names = self._run("remote").split("\n")
        return "origin" if "origin" in names else names[0] or None

    def _shown(self, remote: str) -> str:
        return f"the remote {remote!r} of {self.location} ({mask(self._run('remote', 'get-url', '--', remote))})"

    # -- commits -----------------------------------------------------------------------------------------------------

    def commit(self, rev: str) -> Commit:
        """The commit that a revision names: a full or abbreviated id, a branch, a tag, HEAD, `main~2`.

        A branch wins over a tag of the same name, so that nobody can move a followed branch by pushing a tag. What a
        local clone does not have under a name is looked for among the branches of its origin (CI checks out no branch).

        Raises CommitNotFoundError, UnsafeRevisionError, CorruptRepositoryError.
        """
        if is_full_id(rev):
            found = self._commit(rev)
            if found:
                return found
        else:
            for spelling in revision_spellings(rev):
                object_id = self._resolve(spelling)
                found = self._peel(object_id) if object_id else None
                if found:
                    return found
        if rev == "HEAD":
            raise CommitNotFoundError(f"{self.location} has no commits yet: commit and push something first")
        raise CommitNotFoundError(
            f"{self.location} has no branch, tag or commit {rev!r}: check the name, or fetch (it may be newer than "
            "what is here, or was dropped by a force push)"
        )

    def has(self, commit_id: str) -> bool:
        """Whether the commit with this full id is here, without asking any remote."""
        return is_full_id(commit_id) and self._commit(commit_id) is not None

    def read_ref(self, name: str) -> str | None:
        """The id of the object that a full ref name (`refs/…`) points to, or None. Raises UnsafeRevisionError."""
        return self._resolve(check_ref_name(name))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` is `newer`, or came before it in its history; both are full ids.

        A shallow clone fetches the rest of its history before it says no. Raises ShallowHistoryError when it cannot,
        and CommitNotFoundError.
        """
        self._require(older, newer)

        def ask() -> tuple[bool, bool]:
            try:
                self._program.run("merge-base", "--is-ancestor", older, newer)
            except GitCommandError as error:
                if error.status != 1:
                    raise
                return False, bool(shallow_commits(self._program))
            return True, False

        return with_history(self._program, self._remote(), self.location, ask)

    def log(self, since: str | None, until: str, paths: Sequence[str] = ()) -> tuple[Commit, ...]:
        """The commits of `until` that `since` does not have, newest first; with `paths`, those that touch any of them.

        Without `since`, the whole history. Raises CommitNotFoundError, UnsafePathError, ShallowHistoryError.
        """
        newest = self.commit(until).id
        without = (f"^{self.commit(since).id}",) if since is not None else ()
        return self._history(newest, without, [clean_path(path) or "." for path in paths])

    def last_change(self, commit_id: str, path: str) -> Commit:
        """The commit that last changed a path (a file, or anything below a folder), as seen from a commit.

        Raises PathNotFoundError if its history never had the path, CommitNotFoundError, ShallowHistoryError.
        """
        self._require(commit_id)
        found = self._history(commit_id, ("--max-count=1",), [clean_path(path) or "."])
        if not found:
            raise PathNotFoundError(f"the history of {commit_id[:10]} in {self.location} never had {path!r}")
        return found[0]

    def _history(self, newest: str, options: tuple[str, ...], paths: list[str]) -> tuple[Commit, ...]:
        def ask() -> tuple[tuple[Commit, ...], bool]:
            ids = self._run("rev-list", *options, newest, "--", *paths).split()
            contents = self._objects.read(ids, "commit")
            commits = tuple(parse_commit(item, content) for item, content in zip(ids, contents, strict=True))
            # a commit at the edge of a shallow clone looks as if it had made everything that it holds
            return commits, not shallow_commits(self._program).isdisjoint(ids)

        return with_history(self._program, self._remote(), self.location, ask)

    def _commit(self, commit_id: str) -> Commit | None:
        found = self._objects.find(commit_id)
        return parse_commit(commit_id, found[1]) if found and found[0] == "commit" else None

    def _peel(self, object_id: str) -> Commit | None:
        """The commit that an object, or a tag of it, is; None for a tree or blob."""
        found = self._objects.find(object_id)
        if found is None:
            raise self._program.corrupt(f"{object_id}, which a ref names, is missing")
        match found:
            case "commit", content:
                return parse_commit(object_id, content)
            case "tag", content:
                return self._peel(content.partition(b"\n")[0].removeprefix(b"object ").decode("ascii"))
            case _:
                return None

    def _require(self, *commit_ids: str) -> None:
        for commit_id in commit_ids:
            if not self.has(commit_id):
                raise CommitNotFoundError(f"{self.location} has no commit {commit_id!r}: fetch or obtain it first")

    def _resolve(self, name: str) -> str | None:
        try:
            return self._run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        except GitCommandError as error:
            if error.status in {1, 128}:
                return None
            raise

    # -- trees and files ---------------------------------------------------------------------------------------------

    def find(self, commit_id: str, path: str) -> Entry | None:
        """What stands at a path of a commit, its size not counted (0); None where there is nothing.

        A path *through* a symlink or a submodule finds nothing: links are never followed.
        Raises CommitNotFoundError, UnsafePathError, CorruptRepositoryError.
        """
        entry = Entry("", self._root(commit_id), "040000", 0)
        for name in PurePosixPath(clean_path(path)).parts:
            if entry.kind != "folder":
                return None
            [content] = self._objects.read([entry.blob], "tree")
            member = parse_tree(content, len(commit_id) // 2).get(name)
            if member is None:
                return None
            entry = Entry(f"{entry.path}/{name}".lstrip("/"), member.blob, member.mode, 0)
        return entry

    def entries(self, commit_id: str, folder: str) -> tuple[Entry, ...]:
        """Everything below a folder ("" is the root), recursively: files, symlinks, submodules and folders.

        Paths are from the repository's root. Raises PathNotFoundError if there is no such folder, CommitNotFoundError,
        UnsafePathError, CorruptRepositoryError.
        """
        found = self.find(commit_id, folder)
        if found is None or found.kind != "folder":
            what = f"is a {found.kind}" if found else "does not exist"
            raise PathNotFoundError(f"{folder!r} {what} in commit {commit_id[:10]} of {self.location}: name a folder")
        self._objects.read([found.blob], "tree")  # a damaged one gets its error here: ls-tree calls it "not a tree"
        output = self._program.run("ls-tree", "-r", "-t", "-z", "--long", "--full-tree", found.blob)
        entries, missing = parse_listing(output, found.path)
        if missing:
            raise self._program.corrupt(f"{len(missing)} objects are missing, among them {missing[0]}")
        return entries

    def read(self, entry: Entry) -> bytes:
        """The content of a file, or the target of a symlink. Raises PathNotFoundError for folders and submodules."""
        return self.read_many((entry,))[0]

    def read_many(self, entries: Iterable[Entry]) -> list[bytes]:
        """The contents of many files, in order, in one conversation with git."""
        wanted = list(entries)
        for entry in wanted:
            if entry.kind in {"folder", "submodule"}:
                raise PathNotFoundError(f"{entry.path!r} is a {entry.kind}, which has no content: name a file")
        return self._objects.read([entry.blob for entry in wanted], "blob")

    def read_path(self, commit_id: str, path: str) -> bytes | None:
        """The content of the file at a path; None where there is nothing, or a symlink, submodule or folder.

        Raises CommitNotFoundError, UnsafePathError, CorruptRepositoryError.
        """
        found = self.find(commit_id, path)
        return self.read(found) if found and found.kind == "file" else None

    def tree_id(self, commit_id: str, folder: str) -> str | None:
        """The id of a folder's tree, None where there is no such folder. Equal ids are equal contents, all the way.

        Raises CommitNotFoundError, UnsafePathError, CorruptRepositoryError.
        """
        found = self.find(commit_id, folder)
        return found.blob if found and found.kind == "folder" else None

    def _root(self, commit_id: str) -> str:
        self._require(commit_id)
        [content] = self._objects.read([commit_id], "commit")
        return content.partition(b"\n")[0].removeprefix(b"tree ").decode("ascii")

    def _run(self, *arguments: str) -> str:
        """What a command printed, as text without its last line break; odd bytes become lone surrogates."""
        return self._program.run(*arguments).decode("utf-8", "surrogateescape").removesuffix("\n")
