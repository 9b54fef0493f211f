"""Everything of a manifest but its spec: which resource it is, its labels, its `reconcile:` settings.

`layers` asks who a document is before anything is merged; `load` reads the rest afterwards, when the schema has
accepted it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from reconciler.core.errors import Problem
from reconciler.core.kind import Kind
from reconciler.core.resource import Settings
from reconciler.core.values import ResourceId
from reconciler.manifests.document import Map, problem_at
from reconciler.manifests.durations import read_duration
from reconciler.manifests.suggest import did_you_mean
from reconciler.manifests.validate import API_VERSION

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,126}$"
"""Names go into tag values (`Kind/name`, at most 256 characters) and into `${ref:Kind/name.attribute}`: no dots."""

_NAME: Final = re.compile(NAME)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around a spec."""

    settings: Settings
    labels: Mapping[str, str]
    previous_name: str | None


def identify(document: Map, kinds: Mapping[str, Kind], report: Callable[[Problem], None]) -> ResourceId | None:
    """Which resource a document is about; None, with the reasons reported, when it does not say so."""
    before = _identity_problems(document, kinds)
    for problem in before:
        report(problem)
    return None if before else ResourceId(document["kind"], document["metadata"]["name"])


def _identity_problems(document: Map, kinds: Mapping[str, Kind]) -> list[Problem]:
    found: list[Problem] = []
    if document.get("apiVersion") != API_VERSION:
        message = f"apiVersion must be {API_VERSION}: every YAML file in a layer is a manifest; move others elsewhere"
        found.append(problem_at(document, ("apiVersion",), message))
    kind = document.get("kind")
    if kind == "Environment":
        message = "an Environment does not belong in a layer: put it where reconciler.yaml says that environments are"
        found.append(problem_at(document, ("kind",), message))
    elif not isinstance(kind, str) or kind not in kinds:
        message = "kind is missing" if kind is None else f"there is no kind {kind}{did_you_mean(str(kind), kinds)}"
        found.append(problem_at(document, ("kind",), message))
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Map) else None
    if name is None:
        found.append(problem_at(document, ("metadata", "name"), "metadata.name is missing"))
    elif not isinstance(name, str):
        found.append(problem_at(document, ("metadata", "name"), f'a name is text: write "{name}" in quotes'))
    elif not _NAME.fullmatch(name):
        message = f"{name[:60]!r} is no name: letters, digits, - and _, a letter or digit first, at most 127 characters"
        found.append(problem_at(document, ("metadata", "name"), message))
    return found


def read_envelope(document: Map, report: Callable[[Problem], None]) -> Envelope:
    """The settings of a document that its schema has accepted."""
    metadata: Map = document["metadata"]
    reconcile: Mapping[str, Any] = document.get("reconcile") or {}
    return Envelope(
        settings=Settings(
            wave=reconcile.get("wave", 0),
            adopt=reconcile.get("adopt", False),
            protect=reconcile.get("protect", False),
            timeout=_timeout(document, reconcile, report),
            ignore=tuple(reconcile.get("ignore", ())),
            allow_replace=reconcile.get("allowReplace"),
        ),
        labels=dict(sorted((metadata.get("labels") or {}).items())),
        previous_name=metadata.get("previousName"),
    )


def _timeout(document: Map, reconcile: Mapping[str, Any], report: Callable[[Problem], None]) -> timedelta | None:
    text = reconcile.get("timeout")
    if text is None:
        return None
    try:
        timeout = read_duration(text)
    except ValueError as error:
        report(problem_at(document, ("reconcile", "timeout"), str(error)))
        return None
    if not timeout:
        report(problem_at(document, ("reconcile", "timeout"), "a timeout must be longer than nothing"))
    return timeout
