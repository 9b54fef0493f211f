"""`reconciler.yaml` at the root of a repository, and the Environment manifests that it names.

The engine and the command line ask it which environments there are; `load` asks it for one. What is wrong with one
environment is kept beside the others, so that a bad value stops its own environment and no other.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.core.resource import DEFAULT_TIMEOUT, Environment, Never, Origin, Sync, Window
from reconciler.manifests import cron
from reconciler.manifests.document import Items, Map, Steps, mark_at, parse, problem_at
from reconciler.manifests.durations import read_duration
from reconciler.manifests.schemas import Schemas, committed
from reconciler.manifests.source import SUFFIXES, Source, clean, unsafe
from reconciler.manifests.suggest import did_you_mean
from reconciler.manifests.validate import check_document

FILE: Final = "reconciler.yaml"
_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
_OURS: Final = re.compile(r"\$\{(var\.|ref:|ssm:|cfn:|tfstate:)")


@dataclass(frozen=True)
class Installation:
    """A repository's environments. `broken` has the problems of those that cannot be used, by name."""

    name: str
    environments: Mapping[str, Environment]
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()  # every one, those of files that could not be read included

    def names(self) -> list[str]:
        """Every environment that there is, usable or not."""
        return sorted({*self.environments, *self.broken})

    def environment(self, name: str | None) -> Environment:
        """The environment of that name; without one, the only one that there is.

        Raises InvalidManifestsError when it is not usable, or not the only one.
        """
        if name is None:
            if self.problems:
                raise InvalidManifestsError(self.problems)
            if len(self.environments) != 1:
                known = ", ".join(self.names()) or "none"
                message = f"say which environment (--environment NAME); there are: {known}"
                raise InvalidManifestsError((Problem(FILE, 0, 0, "environments", message),))
            return next(iter(self.environments.values()))
        if name in self.broken:
            raise InvalidManifestsError(self.broken[name])
        if name not in self.environments:
            message = f"there is no environment {name}{did_you_mean(name, self.names())}"
            known = f"; there are: {', '.join(self.names())}" if self.names() else ""
            missing = Problem(FILE, 0, 0, "environments", message + known)
            raise InvalidManifestsError((missing, *self._unclaimed()))
        return self.environments[name]

    def _unclaimed(self) -> list[Problem]:
        claimed = {problem for problems in self.broken.values() for problem in problems}
        return [problem for problem in self.problems if problem not in claimed]


def installation(source: Source, schemas: Schemas | None = None) -> Installation:
    """Read `reconciler.yaml` and every environment. Raises InvalidManifestsError when the file itself is unusable."""
    root = _root(source)
    name, places = _name_and_places(root)
    problems: list[Problem] = []
    documents = list(_documents(source, root, places, problems))
    found: dict[str, Environment] = {}
    broken: dict[str, tuple[Problem, ...]] = {}
    for document in documents:
        read = _Reader(document, name, schemas or committed())
        environment = read.environment()
        problems += read.problems
        if environment is None:
            if read.name:
                broken[read.name] = (*broken.get(read.name, ()), *read.problems)
        elif read.name in found or read.name in broken:
            twice = _twice(found.pop(read.name, None), environment)
            problems.append(twice)
            broken[read.name] = (*broken.get(read.name, ()), twice)
        else:
            found[read.name] = environment
    return Installation(name, dict(sorted(found.items())), broken, tuple(sorted(problems)))


def _twice(first: Environment | None, second: Environment) -> Problem:
    where = f"; the first is {first.origin}" if first else ""
    place = second.origin
    return Problem(place.path, place.line, place.column, "", f"there are two environments named {second.name}{where}")


def _root(source: Source) -> Map:
    content = source.read(FILE)
    if content is None:
        message = "there is no reconciler.yaml at the repository's root: it names the installation and its environments"
        raise InvalidManifestsError((Problem(FILE, 0, 0, "", message),))
    parsed = parse(FILE, content)
    if parsed.problems or len(parsed.documents) != 1:
        wrong = Problem(FILE, 0, 0, "", "the file has to hold one document: installation, environments")
        raise InvalidManifestsError(parsed.problems or (wrong,))
    return parsed.documents[0]


def _name_and_places(root: Map) -> tuple[str, list[tuple[Steps, str]]]:
    problems: list[Problem] = []
    known = ("installation", "environments")
    for key in root:
        if key not in known:
            message = f"there is no field {key}{did_you_mean(key, known)}"
            problems.append(problem_at(root, (key,), message, key=True))
    name = root.get("installation")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = "the installation needs a name of 1 to 32 lower-case letters, digits and hyphens"
        problems.append(problem_at(root, ("installation",), message))
    listed = root.get("environments")
    places: list[tuple[Steps, str]] = []
    entries = enumerate(listed) if isinstance(listed, Items) else [(-1, listed)]
    for index, entry in entries:
        steps: Steps = ("environments", index) if index >= 0 else ("environments",)
        if not isinstance(entry, str):
            message = "a folder, a file, or a list of such is wanted: where the Environment manifests are"
            problems.append(problem_at(root, steps, message))
        elif reason := unsafe(entry):
            problems.append(problem_at(root, steps, reason))
        else:
            places.append((steps, clean(entry)))
    if problems or not isinstance(name, str):
        raise InvalidManifestsError(tuple(problems))
    return name, places


def _documents(
    source: Source, root: Map, places: Sequence[tuple[Steps, str]], problems: list[Problem]
) -> Iterator[Map]:
    seen: set[str] = set()
    for steps, place in places:
        try:
            files = [(file.path, file.content) for file in _files(source, place)]
        except InvalidManifestsError as error:
            problems += error.problems
            continue
        if not files:
            problems.append(problem_at(root, steps, f"there is no YAML file in {place}"))
        for path, content in files:
            if path in seen:
                continue
            seen.add(path)
            parsed = parse(path, content)
            problems += parsed.problems
            yield from parsed.documents


@dataclass(frozen=True, slots=True)
class _OneFile:
    path: str
    content: bytes


def _files(source: Source, place: str) -> Sequence[Any]:
    if not place.endswith(SUFFIXES):
        return source.files(place)
    content = source.read(place)
    if content is None:
        raise InvalidManifestsError((Problem(place, 0, 0, "", "there is no such file: correct its name in " + FILE),))
    return [_OneFile(place, content)]


class _Reader:
    """One Environment manifest."""

    def __init__(self, document: Map, installation_name: str, schemas: Schemas) -> None:
        self._document = document
        self._installation = installation_name
        self._schemas = schemas
        self.problems: list[Problem] = []
        metadata = document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Map) else None
        self.name = name if isinstance(name, str) else ""

    def environment(self) -> Environment | None:
        """The environment, or None with the reasons in `problems`."""
        document = self._document
        if document.get("kind") != "Environment":
            message = "only Environment manifests stand here; everything else belongs in a layer folder"
            self.problems.append(problem_at(document, ("kind",), message))
            return None
        self.problems += check_document(
            document, self._schemas.envelope("Environment"), self._schemas.spec("Environment")
        )
        if self.problems:
            return None
        spec = document["spec"]
        made = Environment(
            name=self.name,
            installation=self._installation,
            account=spec["account"],
            region=spec["region"],
            layers=self._layers(spec["layers"]),
            variables=self._variables(spec.get("variables")),
            sync=self._sync(spec.get("sync") or {}),
            origin=Origin(document.mark.path, document.mark.line, document.mark.column),
        )
        return None if self.problems else made

    def _layers(self, layers: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for index, layer in enumerate(layers):
            folder = clean(layer)
            reason = unsafe(layer) or next((_overlap(folder, other) for other in found if _overlap(folder, other)), "")
            if not folder and not reason:
                reason = "the repository's root cannot be a layer: name a folder"
            if reason:
                self._report(("layers", index), reason)
            found.append(folder)
        return tuple(found)

    def _variables(self, variables: Map | None) -> dict[str, object]:
        """The variables as they are written: what type one is, the place says where it is put in."""
        texts: dict[str, object] = {}
        for name, value in (variables or {}).items():
            text = mark_at(self._document, ("spec", "variables", name)).text
            texts[name] = value if isinstance(value, str) or text is None else text
            if _OURS.search(str(texts[name])):
                self._report(("variables", name), "a variable holds plain text: no ${var.…}, ${ref:…} or lookup in it")
        return texts

    def _sync(self, sync: Mapping[str, Any]) -> Sync:
        heal = sync.get("selfHeal", False)
        after = heal.get("after") if isinstance(heal, dict) else None
        return Sync(
            mode=sync.get("mode", "manual"),
            self_heal=bool(heal),
            self_heal_after=self._duration(("sync", "selfHeal", "after"), after, timedelta(0)),
            undeclared=sync.get("undeclared", "alert"),
            prune=sync.get("prune", False),
            max_deletions=sync.get("maxDeletions", 3),
            timeout=self._duration(("sync", "timeout"), sync.get("timeout"), DEFAULT_TIMEOUT, positive=True),
            never=tuple(Never(entry["kind"], tuple(entry.get("fields", ()))) for entry in sync.get("never", ())),
            windows=tuple(self._window(index, entry) for index, entry in enumerate(sync.get("windows", ()))),
        )

    def _window(self, index: int, entry: Mapping[str, Any]) -> Window:
        steps: Steps = ("sync", "windows", index)
        if reason := cron.wrong_with(entry["deny"]):
            self._report((*steps, "deny"), reason)
        zone = entry.get("timezone", "UTC")
        if not _is_zone(zone):
            self._report((*steps, "timezone"), f"there is no time zone {zone}: write it as in Europe/Berlin")
        return Window(entry["deny"], self._duration((*steps, "for"), entry["for"], timedelta(0), positive=True), zone)

    def _duration(self, steps: Steps, text: str | None, default: timedelta, *, positive: bool = False) -> timedelta:
        if text is None:
            return default
        try:
            duration = read_duration(text)
        except ValueError as error:
            self._report(steps, str(error))
            return default
        if positive and not duration:
            self._report(steps, "the duration must be longer than nothing")
        return duration

    def _report(self, steps: Steps, message: str) -> None:
        self.problems.append(problem_at(self._document, ("spec", *steps), message))


def _overlap(folder: str, other: str) -> str:
    if folder == other:
        return f"the layer {folder} is named twice"
    if folder.startswith(other + "/") or other.startswith(folder + "/"):
        return f"the layers {other} and {folder} lie in one another: each file would count twice"
    return ""


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
