"""The committed schemas, ready to check with: found, brought into their strict form, compiled once.

`load` and `installation` take a `Schemas`; the default is what `schemas/` at the root of a checkout holds, which a
wheel carries as `reconciler/schemas`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from reconciler.core.errors import ReconcilerError
from reconciler.core.values import Json, Ref, Template
from reconciler.manifests.forms import strict
from reconciler.manifests.quick import compile_schema


class SchemaMissingError(ReconcilerError):
    """There is no committed schema for a kind."""


def _is_text(_checker: object, value: object) -> bool:
    return isinstance(value, str | Ref | Template)


def _is_integer(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # 3.0 is no integer for AWS


def _unless_reference(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    original = Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Json, argument: Json, value: Json, schema: Json) -> Iterator[ValidationError]:
        if not isinstance(value, Ref | Template):
            yield from original(validator, argument, value, schema)

    return check


_TEXT_KEYWORDS: Final = ("enum", "const", "pattern", "minLength", "maxLength", "format")
_Validator: Json = extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
    Draft202012Validator,
    {keyword: _unless_reference(keyword) for keyword in _TEXT_KEYWORDS},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("string", _is_text).redefine("integer", _is_integer),
)


class Checker:
    """One strict schema. References are text that satisfies every constraint on text."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema

    @cached_property
    def _accepts(self) -> Callable[[Json], bool]:
        return compile_schema(self.schema)

    @cached_property
    def _validator(self) -> Json:
        return _Validator(self.schema)

    def errors(self, value: Json) -> list[ValidationError]:
        """Everything that is wrong, as jsonschema says it; usually nothing, which costs little."""
        return [] if self._accepts(value) else list(self._validator.iter_errors(value))

    def slow_errors(self, value: Json) -> list[ValidationError]:
        """The same without the short way: what `errors` is tested against."""
        return list(self._validator.iter_errors(value))


class Schemas:
    """Checkers by kind, made when they are first needed."""

    def __init__(self, read: Callable[[str], Json | None]) -> None:
        """`read` gives the schema of a kind's manifests in the written form, None where there is none."""
        self._read = read
        self._specs: dict[str, Checker] = {}
        self._envelopes: dict[str, Checker] = {}

    def spec(self, kind: str) -> Checker:
        """For the `spec` of a manifest. Raises SchemaMissingError."""
        self._make(kind)
        return self._specs[kind]

    def envelope(self, kind: str) -> Checker:
        """For everything but the spec. Raises SchemaMissingError."""
        self._make(kind)
        return self._envelopes[kind]

    def _make(self, kind: str) -> None:
        if kind in self._specs:
            return
        document = self._read(kind)
        if document is None:
            raise SchemaMissingError(f"there is no schema for {kind}: run `make schemas`, and commit what it makes")
        whole = strict(document)
        whole.pop("$defs", None)
        self._specs[kind] = Checker(whole["properties"]["spec"])
        rest = {name: member for name, member in whole["properties"].items() if name != "spec"}
        self._envelopes[kind] = Checker(whole | {"properties": rest | {"spec": {}}})


def read_committed(kind: str) -> Json | None:
    """The committed schema of a kind in the written form; None where there is none."""
    inside = resources.files("reconciler") / "schemas" / f"{kind}.json"
    if inside.is_file():
        return json.loads(inside.read_text(encoding="utf-8"))
    beside = Path(__file__).parents[2] / "schemas" / f"{kind}.json"
    return json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else None


@cache
def committed() -> Schemas:
    """The schemas that are committed in this version."""
    return Schemas(read_committed)
