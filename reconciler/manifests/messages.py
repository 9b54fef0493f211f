"""What jsonschema found, in words: what is wrong, what may stand there, and what was probably meant.

`validate` calls `explain` for each error. jsonschema's own sentences repeat whole values, which may be secrets, and
name keywords that no user of Reconciler has to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jsonschema import ValidationError

from reconciler.core.values import Json, Ref, Template
from reconciler.manifests.document import Steps
from reconciler.manifests.scalars import why_not_number, why_not_text
from reconciler.manifests.secrecy import HIDDEN
from reconciler.manifests.suggest import listed, nearest

OUTPUT_ONLY: Final = "x-output-only"
MESSAGE: Final = "x-message"  # what a hand-written part of a schema says itself
_WORDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map",
    "array": "a list",
    "null": "nothing",
}


_LIMITS: Final = {
    "minimum": "{value} is too small: at least {limit}",
    "maximum": "{value} is too large: at most {limit}",
    "minLength": "the text has {value} characters: at least {limit}",
    "maxLength": "the text has {value} characters: at most {limit}",
    "minItems": "the list has {value} members: at least {limit}",
    "maxItems": "the list has {value} members: at most {limit}",
    "maxProperties": "the map has {value} members: at most {limit}",
    "dependentRequired": "a field is missing that another one here needs",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of a spec: where, what, and whether the key is meant or the value.

    `unsaid` is the message without the value, for where that may be a secret; empty where the message has no value.
    """

    steps: Steps
    message: str
    key: bool = False
    unsaid: str = ""


def explain(error: ValidationError, written: Callable[[Steps], str | None]) -> Iterator[Finding]:
    """The findings of one error; `written` gives the text of a scalar that YAML made something else of."""
    steps: Steps = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown_members(error, steps)
        case "required":
            yield from _missing_members(error, steps)
        case "anyOf" | "oneOf":
            yield _no_choice(error, steps, written)
        case "type":
            yield Finding(steps, _wrong_type(error, written(steps)), unsaid=_wrong_type_unsaid(error))
        case keyword:
            yield Finding(steps, _sentence(str(keyword), error), unsaid=HIDDEN)


def _unknown_members(error: ValidationError, steps: Steps) -> Iterator[Finding]:
    schema = _schema(error)
    known = schema.get("properties", {})
    for name in _instance(error):
        if name not in known:
            yield Finding((*steps, name), unknown_member(name, schema), key=True)


def unknown_member(name: str, schema: Mapping[str, Any]) -> str:
    """Why a member cannot stand here, and which was meant."""
    if name in schema.get(OUTPUT_ONLY, ()):
        return f"{name} is output-only: AWS fills it in, nobody can set it. Remove it"
    known = list(schema.get("properties", {}))
    exact = [candidate for candidate in known if candidate.casefold() == name.casefold()]
    if exact:
        return f"there is no field {name}: write {exact[0]}"
    outputs = schema.get(OUTPUT_ONLY, ())
    pasted = [candidate for candidate in outputs if candidate.casefold() == name.casefold()]
    if pasted:
        return unknown_member(pasted[0], schema)
    meant = nearest(name, known)
    if meant:
        return f"there is no field {name}: did you mean {meant}?"
    return f"there is no field {name} here" + (f"; there are {listed(sorted(known))}" if known else "")


def _missing_members(error: ValidationError, steps: Steps) -> Iterator[Finding]:
    # jsonschema reports each missing member by itself and names it only in its sentence
    for name in _schema(error)["required"]:
        if name not in _instance(error) and error.message.startswith(repr(name)):
            yield Finding(steps, f"{name} is missing")


def _no_choice(error: ValidationError, steps: Steps, written: Callable[[Steps], str | None]) -> Finding:
    alternatives = [choice.get("required") for choice in _argument(error)]
    if all(isinstance(names, list) for names in alternatives):
        present = [names for names in alternatives if all(name in _instance(error) for name in names)]
        choices = " or ".join(" and ".join(names) for names in alternatives if names)
        return Finding(steps, f"exactly one of these is needed: {choices}" if present else f"{choices} is missing")
    causes = sorted(error.context or (), key=lambda cause: (cause.validator == "type", -len(cause.absolute_path)))
    words = [choice.get("type") for choice in _argument(error)]
    if causes and causes[0].validator != "type":
        for finding in explain(causes[0], written):
            return finding
    kinds = [_WORDS[word] for word in dict.fromkeys(words) if isinstance(word, str)]
    return Finding(steps, f"{' or '.join(kinds) or 'another value'} is wanted here")


def _wrong_type(error: ValidationError, text: str | None) -> str:
    wanted = _argument(error)
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    value = _instance(error)
    scalar = bool({"integer", "number", "boolean"} & set(names))  # else a long text, perhaps a secret, stays unsaid
    if isinstance(value, Ref | Template):
        return f"{_WORDS[names[0]]} is wanted, and a reference gives text"
    if names == ["string"] and (value is None or isinstance(value, bool | int | float)):
        return why_not_text(value, text)
    given = (
        "a map" if isinstance(value, dict)
        else "a list" if isinstance(value, list)
        else "nothing" if value is None
        else str(value).lower() if isinstance(value, bool)
        else repr(value)[:24] if scalar or not isinstance(value, str)
        else "text"
    )  # fmt: skip
    hint = why_not_number(value) if isinstance(value, str) and scalar else ""
    return f"{' or '.join(_WORDS[name] for name in names)} is wanted, and this is {given}{hint}"


def _wrong_type_unsaid(error: ValidationError) -> str:
    wanted, value = _argument(error), _instance(error)
    if isinstance(value, dict | list | Ref | Template):
        return ""
    if wanted in ("string", ["string"]):
        return "text is wanted, and YAML reads this as something else: write it in quotes"
    return HIDDEN


def _sentence(keyword: str, error: ValidationError) -> str:
    limit, value = _argument(error), _instance(error)
    own = _schema(error).get(MESSAGE)
    match keyword:
        case "enum" | "const":
            return _not_listed(value, limit if keyword == "enum" else [limit])
        case "pattern":
            return f"{str(value)[:60]!r} does not have the right form: {own or f'it must match {limit}'}"
        case _:
            pattern = _LIMITS.get(keyword)
            size = len(value) if isinstance(value, str | list | dict) else value
            return str(own or (pattern or "this cannot stand here").format(limit=limit, value=size))


def _not_listed(value: object, choices: list[Any]) -> str:
    allowed = listed((str(choice) for choice in choices), most=30)
    if isinstance(value, str):
        meant = nearest(value, [str(choice) for choice in choices])
        if meant:
            return f"{value[:60]} is not one of {allowed}: did you mean {meant}?"
        return f"{value[:60]} is not one of {allowed}"
    return f"this is not one of {allowed}"


def _argument(error: ValidationError) -> Json:
    return error.validator_value


def _instance(error: ValidationError) -> Json:
    return error.instance


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, dict) else {}
