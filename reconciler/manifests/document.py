"""YAML into values that know where they stand, and nothing that a hostile file could make of them.

`layers` and `installation` call `parse` for each file. Composing here, from the parser's events, and not with PyYAML's
own constructors, is what lets one walk see depth, aliases, duplicate keys, tags and the text of a scalar before
anything is built, and keep the place of every value for error messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from reconciler.core.errors import Problem
from reconciler.core.values import Json
from reconciler.manifests.scalars import AmbiguousScalarError, key_reading, read
from reconciler.manifests.secrecy import may_be_secret

LARGEST_FILE: Final = 1024 * 1024  # bytes
DEEPEST: Final = 64  # maps and lists inside one another
MOST_ALIASES: Final = 100  # in one file
MOST_VALUES: Final = 100_000  # in one file, what aliases repeat included

Step: TypeAlias = "str | int"
Steps: TypeAlias = "tuple[Step, ...]"

_Event: TypeAlias = Any  # of PyYAML's parser, which has no types for its C form
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mark(NamedTuple):
    """Where a member of a map or list stands; lines and columns from 1. `text` is a scalar's, if YAML changed it."""

    path: str
    line: int
    column: int
    key_line: int
    key_column: int
    text: str | None = None


class Map(dict[str, Any]):
    """A map with the place of itself and of each member."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: dict[str, Mark] = {}

    def put(self, key: str, value: Json, mark: Mark) -> None:
        self[key] = value
        self.marks[key] = mark

    def drop(self, key: str) -> None:
        """Remove a member, if it is there, with its place."""
        self.pop(key, None)
        self.marks.pop(key, None)

    def rename(self, key: str, new: str) -> None:
        """Give a member another name; it moves to the end."""
        self.put(new, self.pop(key), self.marks.pop(key))


class Items(list[Any]):
    """A list with the place of itself and of each member."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: list[Mark] = []

    def put(self, value: Json, mark: Mark) -> None:
        self.append(value)
        self.marks.append(mark)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The documents of one file, empty ones left out, and what is wrong with it."""

    documents: tuple[Map, ...]
    problems: tuple[Problem, ...]


def parse(path: str, content: bytes) -> Parsed:
    """Read every document of a file. Never raises: what is wrong is in `problems`."""
    if len(content) > LARGEST_FILE:
        size = f"{len(content) / 1024 / 1024:.1f} MiB"
        return Parsed((), (Problem(path, 0, 0, "", f"the file has {size}; at most 1 MiB is read: split it"),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Parsed((), (Problem(path, line, 0, "", "the file is not UTF-8 text"),))
    return _Composer(path, text).documents()


def mark_at(root: Map | Items, steps: Sequence[Step]) -> Mark:
    """The mark of the value at a path, or of the nearest ancestor that was written."""
    mark, value = root.mark, root
    for step in steps:
        if isinstance(value, Map) and step in value.marks:
            mark, value = value.marks[str(step)], value[str(step)]
        elif isinstance(value, Items) and isinstance(step, int) and step < len(value.marks):
            mark, value = value.marks[step], value[step]
        else:
            break
    return mark


def field_of(steps: Sequence[Step]) -> str:
    """The path as people write it: `spec.containerDefinitions[0].image`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def steps_of(field: str) -> Steps:
    """The reverse of `field_of`; a member that is named by a key, `[app]`, is taken as a name."""
    parts = field.replace("[", ".[").split(".")
    return tuple(
        int(part[1:-1]) if part[1:-1].isdigit() and part[0] == "[" else part.strip("[]") for part in parts if part
    )


def problem_at(
    root: Map | Items, steps: Sequence[Step], message: str, *, prefix: Steps = (), key: bool = False
) -> Problem:
    """A problem at the place of a value, or with `key` of its key; `prefix` is the path of `root` in its document."""
    mark = mark_at(root, steps)
    line, column = (mark.key_line, mark.key_column) if key else (mark.line, mark.column)
    return Problem(mark.path, line, column, field_of((*prefix, *steps)), message)


class _StopError(Exception):
    """The file cannot be read further; its problem is recorded."""


class _Composer:
    """Reads one file. Depth is bounded before anything recurses."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text
        self._problems: list[Problem] = []
        self._anchors: dict[str, Any] = {}
        self._aliases = 0
        self._values = 0
        self._above: list[str] = []  # the keys that lead to where the composer is

    def documents(self) -> Parsed:
        found: list[Map] = []
        try:
            self._events = _LOADER(self._text)
            while not isinstance(event := self._events.get_event(), yaml.StreamEndEvent):
                if isinstance(event, yaml.DocumentStartEvent):
                    self._anchors = {}
                    self._document(found)
        except _StopError:
            pass
        except yaml.YAMLError as error:
            self._problems.append(self._syntax(error))
        return Parsed(tuple(found), tuple(self._problems))

    def _document(self, found: list[Map]) -> None:
        event = self._events.get_event()
        value, mark = self._node(event, 1)
        if isinstance(value, Map):
            found.append(value)
        elif value is not None:
            kind = "a list" if isinstance(value, Items) else "one value"
            self._report(mark, f"a document is a map (apiVersion, kind, metadata, spec), and this is {kind}")

    def _node(self, event: _Event, depth: int, key: _Event = None) -> tuple[Json, Mark]:
        """A value and its mark; `key` is the event of its key in a map."""
        start, first = event.start_mark, (key or event).start_mark
        value, text = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else (None, None)
        mark = Mark(self._path, start.line + 1, start.column + 1, first.line + 1, first.column + 1, text)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, mark), mark
        if event.tag is not None:
            tag = self._unless_secret(f"the tag {event.tag} is", "tags are")
            self._report(mark, f"{tag} not read: write the value without it, text in quotes")
        self._count(mark)
        if isinstance(event, yaml.CollectionStartEvent):
            if depth > DEEPEST:
                self._stop(mark, f"maps and lists stand more than {DEEPEST} deep in one another")
            value = self._map(mark, depth) if isinstance(event, yaml.MappingStartEvent) else self._items(mark, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value, mark

    def _scalar(self, event: _Event) -> tuple[Json, str | None]:
        """The value, and its text if YAML reads something else than text in it."""
        if not event.implicit[0]:
            return event.value, None
        try:
            value = read(event.value)
        except AmbiguousScalarError as error:
            unsaid = "YAML reads this as a number of another form than it is written in: write it in quotes"
            self._report(self._mark(event), self._unless_secret(str(error), unsaid))
            return event.value, None
        return value, None if type(value) is str else event.value

    def _mark(self, event: _Event) -> Mark:
        start = event.start_mark
        return Mark(self._path, start.line + 1, start.column + 1, start.line + 1, start.column + 1)

    def _items(self, mark: Mark, depth: int) -> Items:
        made = Items(mark)
        while not isinstance(event := self._events.get_event(), yaml.SequenceEndEvent):
            made.put(*self._node(event, depth + 1))
        return made

    def _map(self, mark: Mark, depth: int) -> Map:
        made = Map(mark)
        merged: list[Map] = []
        while not isinstance(event := self._events.get_event(), yaml.MappingEndEvent):
            key = self._key(event, depth)
            self._above.append(key)
            value, at = self._node(self._events.get_event(), depth + 1, event)
            self._above.pop()
            if key == "<<" and event.implicit[0]:
                merged.extend(self._merge_sources(value, at))
                continue
            if key in made:
                first = made.marks[key]
                self._report(self._mark(event), f"{key} stands here twice; the first is in line {first.key_line}")
                continue
            made.put(key, value, at)
        for source in merged:
            for key, value in source.items():
                if key not in made:
                    made.put(key, self._copy(value, mark), source.marks[key])
        return made

    def _key(self, event: _Event, depth: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            mark = self._mark(event)
            self._report(mark, "a key must be text, and this one is a map, a list or an alias")
            self._node(event, depth + 1)
            return f"?{mark.line}:{mark.column}"
        if event.tag is not None:
            self._report(self._mark(event), f"the tag {event.tag} is not read: write the key without it")
        if event.implicit[0] and (reading := key_reading(event.value)):
            message = f"a key must be text, and YAML reads {event.value or 'nothing'} as {reading}: quote it"
            self._report(self._mark(event), message)
        return str(event.value)

    def _merge_sources(self, value: Json, mark: Mark) -> list[Map]:
        sources = value if isinstance(value, Items) else [value]
        if not all(isinstance(source, Map) for source in sources):
            self._report(mark, "<< takes a map or a list of maps, usually an alias such as *common")
            return []
        return list(sources)

    def _alias(self, event: _Event, mark: Mark) -> Json:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            self._stop(mark, f"more than {MOST_ALIASES} aliases in one file")
        if event.anchor not in self._anchors:
            message = f"the alias *{event.anchor} has no anchor &{event.anchor} before it in this document"
            self._stop(
                mark, self._unless_secret(message, "an alias without an anchor: text that begins with * is quoted")
            )
        return self._copy(self._anchors[event.anchor], mark)

    def _copy(self, value: Json, mark: Mark) -> Json:
        """A copy: what is resolved in one place must not change in another. Counted, against alias bombs."""
        self._count(mark)
        if isinstance(value, Map):
            copied = Map(value.mark)
            for key, member in value.items():
                copied.put(key, self._copy(member, mark), value.marks[key])
            return copied
        if isinstance(value, Items):
            items = Items(value.mark)
            for member, at in zip(value, value.marks, strict=True):
                items.put(self._copy(member, mark), at)
            return items
        return value

    def _count(self, mark: Mark) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            self._stop(mark, f"more than {MOST_VALUES} values in one file, what its aliases repeat included")

    def _unless_secret(self, message: str, unsaid: str) -> str:
        """The message, or the one without the value where that may be a secret."""
        return unsaid if may_be_secret(self._above) else message

    def _report(self, mark: Mark, message: str) -> None:
        self._problems.append(Problem(self._path, mark.line, mark.column, "", message))

    def _stop(self, mark: Mark, message: str) -> None:
        self._report(mark, message)
        raise _StopError

    def _syntax(self, error: yaml.YAMLError) -> Problem:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is None:  # a character that YAML forbids: only its offset is known
            before = self._text[: getattr(error, "position", 0)]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            return Problem(self._path, line, column, "", f"this is not YAML: {getattr(error, 'reason', error)}")
        lines = self._text.splitlines()
        written = lines[mark.line] if mark.line < len(lines) else ""
        message = str(getattr(error, "problem", None) or error)
        if "\t" in written[: mark.column + 1]:
            message = "a tab cannot indent YAML: use spaces"
        return Problem(self._path, mark.line + 1, mark.column + 1, "", f"this is not YAML: {message}")
