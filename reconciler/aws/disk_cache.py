"""A cache in one append-only file, shared by processes and safe against kills.

One record per line: `crc32 stored_at "key"<tab>json`. The checksum covers what follows it. A process that is killed
while it writes leaves a line that does not check, which every reader skips; the next writer begins a new line. Writers
hold a lock on a file beside it; readers need none. Opening reads the file once and remembers where each key's newest
record lies; values are read and parsed when asked for, so memory does not grow with the values.

When most of the file is records that newer ones replaced, a writer writes the living ones to a new file and renames it
over the old one; other processes see the new file at their next miss or write.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from reconciler.aws.cache import MemoryCache
from reconciler.core.values import Json

__all__ = ["DiskCache"]

COMPACT_ABOVE: Final = 4 * 1024 * 1024  # bytes; a smaller file is not worth the writing
_CHECK: Final = 8  # hex digits of the checksum


class DiskCache:
    """Answers by key in `folder`, which is made if need be (0700; its files 0600).

    Raises OSError when the folder cannot be made or read; a later failure to write makes the cache go on in memory, and
    `fault` says why.
    """

    def __init__(self, folder: Path, *, compact_above: int = COMPACT_ABOVE) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.fault: str | None = None
        self._path = folder / "answers.jsonl"
        self._lock_path = folder / "lock"
        self._compact_above = compact_above
        self._lock = threading.RLock()
        self._spare = MemoryCache()
        self._file = -1
        self._index: dict[str, tuple[int, int]] = {}  # key → offset and length of its newest record
        self._read_to = 0
        self._living = 0  # bytes of the records in the index
        with self._lock:
            self._open()
            self._catch_up()

    def get(self, key: str) -> tuple[Json, datetime] | None:
        """What any process put last under the key; None when nothing is known or its record does not check."""
        with self._lock:
            if self.fault and (spare := self._spare.get(key)):
                return spare
            try:
                if key not in self._index:
                    self._refresh()
                place = self._index.get(key)
                line = os.pread(self._file, place[1], place[0]) if place else b""
            except OSError as error:
                self.fault = f"{self._path}: {error.strerror or error}"
                return None
        record = _parsed(line)
        if record is None or record[0] != key:
            return None
        try:
            return json.loads(record[2]), record[1]
        except ValueError:
            return None

    def put(self, key: str, value: Json, stored_at: datetime) -> None:
        """Append a record; one write call under the lock of the writers."""
        line = _line(key, value, stored_at)
        with self._lock:
            try:
                with self._writing():
                    self._refresh()
                    self._append(line)
                    if self._read_to > self._compact_above and self._read_to > 2 * self._living:
                        self._compact()
            except OSError as error:  # a full disk, a read-only one
                self.fault = f"{self._path}: {error.strerror or error}"
                self._spare.put(key, value, stored_at)

    def close(self) -> None:
        """Close the file; the cache is not to be used afterwards."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _open(self) -> None:
        self.close()
        flags = os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self._path, os.O_RDWR | flags, 0o600)
        self._index.clear()
        self._read_to = self._living = 0

    def _refresh(self) -> None:
        """Learn what other processes wrote since: more lines, or a compacted file in the place of this one."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        mine = os.fstat(self._file)
        if there is None or (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev) or mine.st_size < self._read_to:
            self._open()
        self._catch_up()

    def _catch_up(self) -> None:
        """Index the lines after the last one that was read; a last line without its end is left for the next time."""
        size = os.fstat(self._file).st_size
        if size <= self._read_to:
            return
        text = os.pread(self._file, size - self._read_to, self._read_to)
        offset = self._read_to
        start = 0
        while end := text.find(b"\n", start) + 1:
            self._remember(text[start:end], offset + start)
            start = end
        self._read_to = offset + start

    def _remember(self, line: bytes, offset: int) -> None:
        key = _key(line)
        if key is None:
            return
        self._living += len(line) - self._index.get(key, (0, 0))[1]
        self._index[key] = (offset, len(line))

    def _append(self, line: bytes) -> None:
        size = os.fstat(self._file).st_size
        torn = size > self._read_to  # a killed writer's half line: end it, so that it spoils nothing
        _write(self._file, b"\n" + line if torn else line)
        self._catch_up()

    def _compact(self) -> None:
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            for offset, length in self._index.values():
                line = os.pread(self._file, length, offset)
                if _parsed(line):
                    _write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
        new.replace(self._path)
        self._open()
        self._catch_up()


def _line(key: str, value: Json, stored_at: datetime) -> bytes:
    # JSON has no raw tab or line end, so both can part the record
    stamp = stored_at.astimezone(UTC).isoformat()
    rest = f"{stamp} {json.dumps(key)}\t{json.dumps(value, separators=(',', ':'))}\n".encode()
    return b"%08x " % zlib.crc32(rest) + rest


def _key(line: bytes) -> str | None:
    """The key of a record whose form is right; whether it checks is seen when it is read."""
    head, tab, _ = line.partition(b"\t")
    parts = head.split(b" ", 2)
    if not tab or len(parts) != 3 or len(parts[0]) != _CHECK:
        return None
    try:
        key = json.loads(parts[2])
    except ValueError:
        return None
    return key if isinstance(key, str) else None


def _parsed(line: bytes) -> tuple[str, datetime, bytes] | None:
    """Key, time and JSON text of a record that checks."""
    key = _key(line)
    rest = line[_CHECK + 1 :]
    if key is None or b"%08x" % zlib.crc32(rest) != line[:_CHECK]:
        return None
    stamp, _, _ = rest.partition(b" ")
    return key, datetime.fromisoformat(stamp.decode()), rest.partition(b"\t")[2]


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
