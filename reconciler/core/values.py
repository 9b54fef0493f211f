"""The values that manifests, AWS answers and API calls are made of.

A value is JSON, plus two leaves that stand for something only AWS can tell: `Ref` (an attribute of another resource)
and `Template` (a string with references inside). Every stage from manifest to API call uses them, so a plan can name
what does not exist yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from reconciler.core.errors import InvalidReferenceError

Json: TypeAlias = Any
"""None, bool, int, float, str, list of Json, dict of str to Json, or a `Ref` or `Template` leaf."""

Spec: TypeAlias = dict[str, Any]
"""A JSON object with string keys, in the manifest's vocabulary (lowerCamelCase)."""


class _Absent:
    """The value of a field that is not there; `None` cannot say it, because JSON has a null of its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "ABSENT"  # one object also after a copy or a pickle


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """A resource within its environment, written `Kind/name`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read `Kind/name`; raises InvalidReferenceError when the text has another form."""
        kind, slash, name = text.partition("/")
        if not (kind and slash and name):
            raise InvalidReferenceError(f"{text!r} is not of the form Kind/name, as in Service/web")
        return cls(kind, name)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """An attribute of another resource: known once that resource exists."""

    target: ResourceId
    attribute: str
    environment: str | None = None

    def __str__(self) -> str:
        return f"${{ref:{self.target}.{self.attribute}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A string with references inside, such as `http://${ref:LoadBalancer/shop.dnsName}/`."""

    parts: tuple[str | Ref, ...]

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)


def plain(value: Json) -> Json:
    """The value as pure JSON, its references written the way a manifest writes them."""
    match value:
        case Ref():
            written = {"ref": str(value.target), "attribute": value.attribute}
            return written | ({"environment": value.environment} if value.environment else {})
        case Template():
            return str(value)
        case dict():
            return {key: plain(member) for key, member in value.items()}
        case list() | tuple():
            return [plain(member) for member in value]
        case _Absent():
            return None
        case _:
            return value


def canonical(value: Json) -> str:
    """One text for equal values: keys sorted, no white space. What digests are made of."""
    return json.dumps(value, default=plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: Json, *, version: str = "v1") -> str:
    """A versioned digest, `v1:` and 16 hex digits; fits into an AWS tag value."""
    return f"{version}:{hashlib.sha256(canonical(value).encode()).hexdigest()[:16]}"


def references(value: Json) -> Iterator[Ref]:
    """Every reference in a value, in the order of its members."""
    match value:
        case Ref():
            yield value
        case Template():
            yield from (part for part in value.parts if isinstance(part, Ref))
        case dict():
            for member in value.values():
                yield from references(member)
        case list() | tuple():
            for member in value:
                yield from references(member)
        case _:
            return


def resolve(value: Json, lookup: Callable[[Ref], Json]) -> Json:
    """The value with each reference replaced by what `lookup` knows of it.

    `lookup` answers ABSENT for what is not known yet; such a reference stays where it is.
    """
    match value:
        case Ref():
            known = lookup(value)
            return value if known is ABSENT else known
        case Template():
            parts = [part if isinstance(part, str) else lookup(part) for part in value.parts]
            if any(part is ABSENT for part in parts):
                return value
            return "".join(str(part) for part in parts)
        case dict():
            return {key: resolve(member, lookup) for key, member in value.items()}
        case list() | tuple():
            return [resolve(member, lookup) for member in value]
        case _:
            return value
