"""Reading objects by id, through one long-lived `git cat-file --batch`.

`Repository` owns one reader. It exists because a process per object would cost milliseconds for each of thousands of
manifests, and because here each object is checked against its id: what is read is what the commit says.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from subprocess import Popen
from typing import Final, Literal, TypeAlias

from reconciler.core.commit import Commit
from reconciler.git.errors import UnsafePathError
from reconciler.git.process import GitProgram

Kind: TypeAlias = Literal["file", "symlink", "submodule", "folder"]

_BATCH: Final = 200  # requests written ahead of the answers: 13 kB at most, which a pipe takes without blocking
_CACHE_BYTES: Final = 64 * 1024 * 1024
_FULL_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PERSON: Final = re.compile(r"(?P<name>[^<]*)<(?P<email>[^>]*)>\s*(?P<time>-?\d+)?")
_LAST_SECOND: Final = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing. `path` is from the repository's root; bytes that are no UTF-8 become lone surrogates."""

    path: str
    blob: str  # the object's id: of a blob, a tree (folder), or a commit of another repository (submodule)
    mode: str  # six octal digits, as git has them: 100644, 100755, 120000, 160000, 040000
    size: int  # in bytes; 0 for folders and submodules

    @property
    def kind(self) -> Kind:
        """What stands at the path; a symlink's content is its target."""
        match self.mode[:3]:
            case "120":
                return "symlink"
            case "160":
                return "submodule"
            case "040":
                return "folder"
            case _:
                return "file"


def is_full_id(text: str) -> bool:
    """Whether the text is a whole object id, which no option and no other spelling of a revision can be."""
    return _FULL_ID.fullmatch(text) is not None


def clean_path(path: str) -> str:
    """A path within the repository in its one spelling: no `.`, no doubled slash; "" is the root.

    Raises UnsafePathError for absolute paths and for `..`.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\0" in path:
        raise UnsafePathError(
            f"the path {path!r} leaves the repository: write it relative to the repository's root, without `..`"
        )
    return "" if str(pure) == "." else str(pure)


class ObjectReader:
    """Objects of one repository by id. Threads may share it; contents are kept up to 64 MiB."""

    def __init__(self, program: GitProgram) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._process: Popen[bytes] | None = None
        self._finalizer: weakref.finalize[[Popen[bytes]], ObjectReader] | None = None
        self._cache: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._cached_bytes = 0

    def find(self, object_id: str) -> tuple[str, bytes] | None:
        """The type (`blob`, `tree`, `commit`, `tag`) and content of an object, or None where it is absent.

        Raises CorruptRepositoryError.
        """
        with self._lock:
            return self._read([object_id])[0]

    def read(self, object_ids: Sequence[str], kind: str) -> list[bytes]:
        """The contents of objects that must be there, in order.

        Raises CorruptRepositoryError when one is damaged, absent, or of another kind.
        """
        contents: list[bytes] = []
        with self._lock:
            found = self._read(object_ids)
        for object_id, item in zip(object_ids, found, strict=True):
            if item is None:
                raise self._program.corrupt(f"{kind} {object_id} is missing")
            if item[0] != kind:
                raise self._program.corrupt(f"{object_id} is a {item[0]} where a {kind} should be")
            contents.append(item[1])
        return contents

    def close(self) -> None:
        """End the process, if one runs; the next read starts another."""
        with self._lock:
            self._end()

    def _read(self, object_ids: Sequence[str]) -> list[tuple[str, bytes] | None]:
        wanted = [object_id for object_id in dict.fromkeys(object_ids) if object_id not in self._cache]
        fresh: dict[str, tuple[str, bytes] | None] = {}
        try:
            for start in range(0, len(wanted), _BATCH):
                fresh.update(self._ask(wanted[start : start + _BATCH]))
        except BaseException:
            self._end()  # answers may be left in the pipe: nobody may take them for those to the next question
            raise
        answers = [fresh[object_id] if object_id in fresh else self._cached(object_id) for object_id in object_ids]
        for object_id, item in fresh.items():
            if item is not None:
                self._keep(object_id, item)
        return answers

    def _ask(self, object_ids: Sequence[str]) -> Iterable[tuple[str, tuple[str, bytes] | None]]:
        process = self._process or self._begin()
        if process.stdin is None or process.stdout is None:
            raise self._program.corrupt("git cat-file has no pipes")
        try:
            process.stdin.write("".join(f"{object_id}\n" for object_id in object_ids).encode("ascii"))
            process.stdin.flush()
        except BrokenPipeError:
            raise self._broken(process) from None
        return [(object_id, self._answer(process, object_id)) for object_id in object_ids]

    def _answer(self, process: Popen[bytes], object_id: str) -> tuple[str, bytes] | None:
        if process.stdout is None:
            raise self._program.corrupt("git cat-file has no pipes")
        words = process.stdout.readline().split()
        if len(words) == 2 and words[1] == b"missing":
            said = [line for line in _said(process).split("\n") if line.startswith(("error:", "fatal:"))]
            if said:  # a damaged object counts as missing, with a word about it
                raise self._program.corrupt("; ".join(said))
            return None
        if len(words) != 3:
            raise self._broken(process)
        kind, size = words[1].decode(), int(words[2])
        content = process.stdout.read(size + 1)
        if len(content) != size + 1:
            raise self._broken(process)
        content = content[:-1]
        digest = hashlib.sha1(usedforsecurity=False) if len(object_id) == 40 else hashlib.sha256()
        digest.update(f"{kind} {size}\0".encode())
        digest.update(content)
        if digest.hexdigest() != object_id:
            raise self._program.corrupt(f"{kind} {object_id} has another content than its id says")
        return kind, content

    def _begin(self) -> Popen[bytes]:
        process = self._program.start("cat-file", "--batch")
        if process.stderr is not None:
            os.set_blocking(process.stderr.fileno(), False)
        self._process = process
        self._finalizer = weakref.finalize(self, _end, process)
        return process

    def _end(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._finalizer = None

    def _broken(self, process: Popen[bytes]) -> Exception:
        """The error for a process that ended in the middle of a conversation."""
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        if process.stdout is not None:
            process.stdout.close()
        status = process.wait()
        return self._program.failure("cat-file", status, _said(process))

    def _cached(self, object_id: str) -> tuple[str, bytes]:
        self._cache.move_to_end(object_id)
        return self._cache[object_id]

    def _keep(self, object_id: str, item: tuple[str, bytes]) -> None:
        self._cache[object_id] = item
        self._cached_bytes += len(item[1])
        while self._cached_bytes > _CACHE_BYTES:
            _, (_, content) = self._cache.popitem(last=False)
            self._cached_bytes -= len(content)


def _said(process: Popen[bytes]) -> str:
    """What the process has printed as errors so far; git writes them before the answer that they belong to."""
    return ((process.stderr.read() if process.stderr else b"") or b"").decode(errors="replace").strip()


def _end(process: Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    process.wait()  # cat-file ends by itself once its pipes are closed


def parse_tree(content: bytes, id_bytes: int) -> dict[str, Entry]:
    """The members of one tree object by name, not recursive; paths are names, and sizes are 0."""
    entries: dict[str, Entry] = {}
    position = 0
    while position < len(content):
        space = content.index(b" ", position)
        end = content.index(b"\0", space)
        name = content[space + 1 : end].decode("utf-8", "surrogateescape")
        mode = content[position:space].decode("ascii").zfill(6)
        position = end + 1 + id_bytes
        entries[name] = Entry(name, content[end + 1 : position].hex(), mode, 0)
    return entries


def parse_listing(output: bytes, folder: str) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """What `ls-tree -z --long` printed, its paths put below `folder`; and the ids of blobs that it found missing."""
    prefix = f"{folder}/" if folder else ""
    entries: list[Entry] = []
    missing: list[str] = []
    for line in output.split(b"\0")[:-1]:
        words, _, name = line.partition(b"\t")
        mode, _, object_id, size = words.decode("ascii").split()
        path = prefix + name.decode("utf-8", "surrogateescape")
        entries.append(Entry(path, object_id, mode, int(size) if size.isdecimal() else 0))
        if size == "BAD":
            missing.append(object_id)
    return tuple(entries), tuple(missing)


def parse_commit(commit_id: str, content: bytes) -> Commit:
    """A commit object as a value. Names and subject keep what can be read of them: old commits have odd bytes."""
    header, _, message = content.partition(b"\n\n")
    lines = header.split(b"\n")
    fields = dict(line.partition(b" ")[::2] for line in reversed(lines) if not line.startswith(b" "))
    encoding = fields.get(b"encoding", b"utf-8").decode("ascii", "replace")
    name, email, _ = _person(_text(fields.get(b"author", b""), encoding))
    *_, seconds = _person(_text(fields.get(b"committer", b""), encoding))
    return Commit(
        id=commit_id,
        author_name=name,
        author_email=email,
        time=datetime.fromtimestamp(seconds, UTC),
        subject=" ".join(_text(message, encoding).strip().partition("\n\n")[0].split("\n")),
        parents=tuple(line[7:].decode("ascii") for line in lines if line.startswith(b"parent ")),
    )


def _person(text: str) -> tuple[str, str, int]:
    found = _PERSON.match(text)
    if not found:
        return text.strip(), "", 0
    seconds = min(max(int(found["time"] or 0), 0), _LAST_SECOND)  # a date of the year 30,000 must not stop the others
    return found["name"].strip(), found["email"].strip(), seconds


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
