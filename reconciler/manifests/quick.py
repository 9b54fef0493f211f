"""A fast answer for the many manifests that are right: yes, or "ask the real validator".

`schemas` compiles each strict schema once. jsonschema takes milliseconds for one service, and a fleet has thousands;
only what this refuses goes there for its messages. A keyword that is not known here is never guessed: the answer is
then no, and jsonschema decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from reconciler.core.values import Json, Ref, Template

Accept: TypeAlias = Callable[[Json], bool]

_ANNOTATIONS: Final = frozenset({"title", "description", "examples", "default", "$comment", "$schema", "$id"})
_TYPES: Final[dict[str, Accept]] = {
    "string": lambda value: isinstance(value, str | Ref | Template),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def compile_schema(schema: Json) -> Accept:
    """A function that says True only for values that the schema accepts."""
    if isinstance(schema, bool):
        return _always if schema else _never
    checks: list[Accept] = []
    for keyword, argument in schema.items():
        if keyword in _ANNOTATIONS or keyword.startswith("x-") or keyword in _OBJECT_KEYWORDS:
            continue
        maker = _MAKERS.get(keyword)
        checks.append(maker(argument) if maker else _never)
    if any(keyword in schema for keyword in _OBJECT_KEYWORDS):
        checks.append(_members(schema))
    return _both(checks)


def _always(_value: Json) -> bool:
    return True


def _never(_value: Json) -> bool:
    return False


def _both(checks: list[Accept]) -> Accept:
    match checks:
        case []:
            return _always
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) and second(value)
        case _:
            return lambda value: all(check(value) for check in checks)


def _type(argument: Json) -> Accept:
    if isinstance(argument, str):
        return _TYPES[argument]
    kinds = [_TYPES[name] for name in argument]
    return lambda value: any(kind(value) for kind in kinds)


def _enum(argument: list[Json]) -> Accept:
    """Text only: for other values Python and JSON disagree on what is equal (1, 1.0, true)."""
    choices = frozenset(choice for choice in argument if isinstance(choice, str))
    return lambda value: isinstance(value, Ref | Template) or (isinstance(value, str) and value in choices)


def _size(kind: type[Any], test: Callable[[Any], bool]) -> Accept:
    return lambda value: not isinstance(value, kind) or test(len(value))


def _range(test: Callable[[Any], bool]) -> Accept:
    return lambda value: isinstance(value, bool) or not isinstance(value, int | float) or test(value)


def _pattern(argument: str) -> Accept:
    search = re.compile(argument).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _items(argument: Json) -> Accept:
    item = compile_schema(argument)
    return lambda value: not isinstance(value, list) or all(item(member) for member in value)


def _any_of(argument: list[Json]) -> Accept:
    choices = [compile_schema(choice) for choice in argument]
    return lambda value: any(choice(value) for choice in choices)


def _all_of(argument: list[Json]) -> Accept:
    return _both([compile_schema(part) for part in argument])


_OBJECT_KEYWORDS: Final = frozenset({"properties", "required", "additionalProperties"})
_MAKERS: Final[dict[str, Callable[[Any], Accept]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda argument: _enum([argument]),
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "pattern": _pattern,
    "minimum": lambda least: _range(lambda value: value >= least),
    "maximum": lambda most: _range(lambda value: value <= most),
    "minLength": lambda least: _size(str, lambda size: size >= least),
    "maxLength": lambda most: _size(str, lambda size: size <= most),
    "minItems": lambda least: _size(list, lambda size: size >= least),
    "maxItems": lambda most: _size(list, lambda size: size <= most),
    "minProperties": lambda least: _size(dict, lambda size: size >= least),
    "maxProperties": lambda most: _size(dict, lambda size: size <= most),
}


def _members(schema: dict[str, Any]) -> Accept:
    known = {name: compile_schema(member) for name, member in schema.get("properties", {}).items()}
    others = compile_schema(schema.get("additionalProperties", True))
    required = tuple(schema.get("required", ()))

    def check(value: Json) -> bool:
        if not isinstance(value, dict):
            return True
        for name in required:
            if name not in value:
                return False
        return all(known.get(name, others)(member) for name, member in value.items())

    return check
