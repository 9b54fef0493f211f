"""The two forms of a schema: what a person may write, and what it must be once everything is put in.

The committed schemas are in the *written* form, for editors: a text may be a reference, a number may be `${var.x}`, a
member may be replaced by its short name. Manifests are checked in the *strict* form, where references are leaves. The
generator calls `written`, `schemas` calls `strict`; one undoes the other, so that there is one schema and not two.
"""

from __future__ import annotations

from typing import Any, Final

from reconciler.core.values import Json
from reconciler.manifests.paths import NOTHING, Place

SHORT_FOR: Final = "x-short-for"
_TEXT: Final = "#/$defs/text"
_REFERENCE: Final = "#/$defs/reference"
_VARIABLE: Final = "#/$defs/variable"
_PLACEHOLDER: Final = "#/$defs/placeholder"

DEFINITIONS: Final[dict[str, Json]] = {
    "reference": {
        "type": "object",
        "description": "An attribute of another resource.",
        "properties": {
            "ref": {"type": "string", "pattern": "^[A-Za-z]+/.+$", "description": "Kind/name"},
            "attribute": {"type": "string"},
            "environment": {"type": "string"},
        },
        "required": ["ref"],
        "additionalProperties": False,
    },
    "variable": {"type": "string", "pattern": r"^\$\{var\.[^{}]+\}$", "description": "A variable of the environment."},
    "placeholder": {"type": "string", "pattern": r"\$\{", "description": "Text with ${var.…} or ${ref:…} in it."},
    "text": {"anyOf": [{"type": "string"}, {"$ref": _REFERENCE}]},
}


def written(schema: Json, place: Place = NOTHING, inline: dict[str, str] | None = None) -> Json:
    """The strict schema of a spec in the form for editors.

    `inline` says for which members another schema may stand in, by its address. `DEFINITIONS` must be the document's
    `$defs`.
    """
    match schema.get("type"):
        case "string":
            if schema.keys() <= {"type", "description"}:
                return {"$ref": _TEXT} | {key: schema[key] for key in schema if key != "type"}
            return {"anyOf": [schema, {"$ref": _REFERENCE}, {"$ref": _PLACEHOLDER}]}
        case "integer" | "number" | "boolean":
            return {"anyOf": [schema, {"$ref": _VARIABLE}]}
        case "array" if isinstance(schema.get("items"), dict):
            return schema | {"items": written(schema["items"], place.at("[]"))}
        case "object":
            return _written_object(schema, place, inline or {})
        case _:
            return schema


def _written_object(schema: dict[str, Any], place: Place, inline: dict[str, str]) -> Json:
    made = dict(schema)
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = written(schema["additionalProperties"], place.at("{}"))
    if "properties" not in schema:
        return made
    members: dict[str, Json] = {}
    for name, member in schema["properties"].items():
        members[name] = written(member, place.at(name))
        if name in inline:
            members[name] = {"anyOf": [member, {"$ref": _REFERENCE}, {"$ref": inline[name]}]}
    alternatives = []
    for short, name in place.sugar.items():
        if name not in members or short in members:
            continue
        members[short] = _short(members[name], name)
        if name in schema.get("required", ()):
            either = [{"required": [name]}, {"required": [short]}]
            alternatives.append({SHORT_FOR: name, "anyOf": either})
    made["properties"] = dict(sorted(members.items()))
    if alternatives:
        replaced = {alternative[SHORT_FOR] for alternative in alternatives}
        made["required"] = [name for name in schema["required"] if name not in replaced]
        made["allOf"] = [*schema.get("allOf", ()), *alternatives]
        if not made["required"]:
            del made["required"]
    return made


def _short(member: Json, name: str) -> Json:
    text: Json = {"$ref": _TEXT}
    if member.get("type") == "array":
        text = {"type": "array", "items": text}
    return text | {SHORT_FOR: name, "description": "The name of a manifest."}


def strict(schema: Json) -> Json:
    """What `written` was made from."""
    if isinstance(schema, list):
        return [strict(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref") == _TEXT:
        return {"type": "string"} | {key: schema[key] for key in schema if key != "$ref"}
    if _is_alternative(schema):
        return schema["anyOf"][0]
    made = {key: strict(member) for key, member in schema.items()}
    if isinstance(members := made.get("properties"), dict):
        made["properties"] = {
            name: member for name, member in members.items() if not (isinstance(member, dict) and SHORT_FOR in member)
        }
    restored = [member[SHORT_FOR] for member in schema.get("allOf", ()) if SHORT_FOR in member]
    if restored:
        made["required"] = sorted([*made.get("required", ()), *restored])
        made["allOf"] = [member for member in made["allOf"] if SHORT_FOR not in member]
        if not made["allOf"]:
            del made["allOf"]
    return made


def _is_alternative(schema: dict[str, Any]) -> bool:
    choices = schema.get("anyOf")
    return (
        len(schema) == 1
        and isinstance(choices, list)
        and any(isinstance(choice, dict) and choice.get("$ref") in {_REFERENCE, _VARIABLE} for choice in choices[1:])
    )
