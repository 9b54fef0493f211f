"""Text with `${…}` in it: variables are put in, references become leaves, everything else stays.

`references` calls `expand` for each string that has `${`. Only `${var.`, `${ref:` and the lookups are ours; `$${`
writes a `${` that nothing reads. What a variable holds is never read again, so that no text can grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from reconciler.core.errors import InvalidReferenceError
from reconciler.core.values import Json, Ref, ResourceId, Template
from reconciler.manifests.scalars import AmbiguousScalarError, read
from reconciler.manifests.secrecy import may_be_secret
from reconciler.manifests.suggest import did_you_mean

_OURS: Final = re.compile(r"\$\$\{|\$\{(var\.|ref:|ssm:|cfn:|tfstate:)([^{}]*)(\}?)")
_SOURCES: Final = {
    "ssm:": "SSM parameters",
    "cfn:": "CloudFormation outputs",
    "tfstate:": "Terraform states",
}
LONGEST: Final = 64 * 1024  # characters of one text after its variables are put in


class TextError(ValueError):
    """A `${…}` that cannot be read; the message says why."""


def expand(text: str, variables: Mapping[str, object], wanted: str | None) -> Json:
    """The text with its variables put in; with references in it, a Ref (when it is nothing else) or a Template.

    A text that is wholly one variable takes the type that is `wanted` at its place: string, integer, number, boolean.
    A Ref whose attribute is not written has the attribute "". Raises TextError.
    """
    parts: list[str | Ref] = []
    end = 0
    for found in _OURS.finditer(text):
        parts.append(text[end : found.start()])
        end = found.end()
        if found.group() == "$${":
            parts.append("${")
            continue
        source, name, closed = found.groups()
        if not closed:
            raise TextError(f"a ${{{source} is never closed: write }}, or $${{ for a ${{ that is text")
        part = _part(source, name, variables)
        if wanted and wanted != "string" and found.group() == text and isinstance(part, str):
            return typed(name, part, wanted)
        parts.append(part)
    parts.append(text[end:])
    return _joined(parts)


def typed(name: str, text: str, wanted: str) -> Json:
    """The value of a variable where something else than text is wanted. Raises TextError."""
    try:
        value = read(text)
    except AmbiguousScalarError as error:
        said = "it is not a plain number" if may_be_secret((name,)) else error
        raise TextError(f"the variable {name}: {said}") from error
    fits = {
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }
    if not fits.get(wanted):
        word = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}.get(
            wanted, f"an {wanted}"
        )
        said = "is text" if may_be_secret((name,)) else f"is {text!r}"
        raise TextError(f"the variable {name} {said}, and {word} is wanted here")
    return value


def _part(source: str, name: str, variables: Mapping[str, object]) -> str | Ref:
    if source == "var.":
        if name not in variables:
            raise TextError(f"no variable is named {name}{did_you_mean(name, variables)}")
        return str(variables[name])
    if source == "ref:":
        return read_reference(name)
    raise TextError(f"${{{source}{name}}}: looking up {_SOURCES[source]} is not available; use a variable (${{var.…}})")


def read_reference(text: str) -> Ref:
    """`Kind/name.attribute` or `Kind/name`. Raises TextError."""
    target, _, attribute = text.partition(".")
    try:
        return Ref(ResourceId.parse(target), attribute)
    except InvalidReferenceError as error:
        raise TextError(str(error)) from error


def _joined(parts: list[str | Ref]) -> Json:
    merged: list[str | Ref] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if sum(len(part) for part in merged if isinstance(part, str)) > LONGEST:
        raise TextError(f"the text is longer than {LONGEST} characters with its variables put in")
    match merged:
        case []:
            return ""
        case [only]:
            return only
        case _:
            return Template(tuple(merged))
