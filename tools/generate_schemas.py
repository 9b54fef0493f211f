"""Make the committed JSON Schemas from the API models that botocore carries and from what each kind adds.

    python -m tools.generate_schemas          write schemas/
    python -m tools.generate_schemas --check  fail when the committed files are not what would be written

Run by `make schemas` and, with `--check`, by `make lint`. It exists so that the fields of a manifest are the fields of
the API, all of them, and so that a new model shows in review as a changed schema.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reconciler.aws.casing import lower, table
from reconciler.aws.models import operation_model
from reconciler.core.fields import Effect, Node
from reconciler.core.kind import Input, Kind
from reconciler.core.values import ABSENT, Json
from reconciler.kinds import KINDS
from reconciler.manifests.forms import DEFINITIONS, written
from reconciler.manifests.messages import OUTPUT_ONLY
from reconciler.manifests.paths import inlined, reference_tree
from tools.common_schemas import DIALECT, envelope, environment

FOLDER: Final = Path(__file__).parents[1] / "schemas"
_NOT_REQUIRED: Final = frozenset({"tags", "clientToken"})  # the controller fills them
_TYPES: Final = {
    "string": "string", "character": "string", "timestamp": "string", "blob": "string",
    "integer": "integer", "long": "integer", "float": "number", "double": "number", "boolean": "boolean",
}  # fmt: skip
_EFFECTS: Final = {
    Effect.DEPLOYMENT: "A change starts a new deployment.",
    Effect.NEW_TASKS: "A change has effect on new tasks only.",
    Effect.REPLACE: "A change takes a replacement.",
}


class RecursiveShapeError(Exception):
    """A structure contains itself: the schemas have no form for that."""


def spec_schema(kind: Kind) -> dict[str, Any]:
    """The strict schema of a kind's spec."""
    properties: dict[str, Json] = {}
    outputs: set[str] = set()
    for given in kind.inputs:
        model = operation_model(kind.service, given.operation)
        answer = _described(model.output_shape)
        made = _Shapes().structure(model.input_shape, answer, kind.table)
        properties |= {name: member for name, member in made["properties"].items() if _takes(given, name)}
        outputs |= set(made.get(OUTPUT_ONLY, ())) if not given.only else set()
    create = operation_model(kind.service, kind.inputs[0].operation).input_shape
    filled = _NOT_REQUIRED | set(kind.inputs[0].omit) | {kind.name_field}
    required = sorted({lower(name) for name in create.required_members} - filled)
    schema: dict[str, Any] = {"type": "object", "properties": dict(sorted(properties.items()))}
    schema |= {"required": required} if required else {}
    schema |= {"additionalProperties": False}
    hidden = sorted(outputs - properties.keys())
    schema |= {OUTPUT_ONLY: hidden} if hidden else {}
    return _merged(schema, kind.schema)


def document_schema(kind: Kind, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The schema of a kind's manifests in the written form: what is committed."""
    spec = spec_schema(kind)
    inline = {member: f"{row.kind}.json#/properties/spec" for member, row in inlined(kind).items() if row.kind in kinds}
    document = envelope(kind.name, {})
    members = document["properties"]
    for name in ("metadata", "reconcile"):
        members[name] = written(members[name])
    members["metadata"]["properties"]["name"] = envelope(kind.name, {})["properties"]["metadata"]["properties"]["name"]
    members["spec"] = written(spec, reference_tree(kind), inline)
    head = {"$schema": DIALECT, "title": kind.name, "description": kind.summary}
    required = {"required": sorted([*document["required"], "spec"])} if spec.get("required") else {}
    return head | document | required | {"$defs": DEFINITIONS}


def everything() -> dict[str, str]:
    """The committed files by name."""
    documents: dict[str, Json] = {f"{name}.json": document_schema(kind, KINDS) for name, kind in KINDS.items()}
    documents["Environment.json"] = {"$schema": DIALECT, "title": "Environment"} | environment()
    documents["manifest.json"] = _switch([*KINDS, "Environment"])
    documents["casing.json"] = table()
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in documents.items()}


def _switch(names: list[str]) -> Json:
    """One schema for every manifest, for editors: the kind says which."""
    cases = [
        {"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": {"$ref": f"{name}.json"}}
        for name in sorted(names)
    ]
    return {
        "$schema": DIALECT,
        "title": "A manifest of Reconciler",
        "type": "object",
        "properties": {"kind": {"enum": sorted(names)}},
        "required": ["apiVersion", "kind", "metadata"],
        "allOf": cases,
    }


def _takes(given: Input, name: str) -> bool:
    return name in given.only if given.only else name not in given.omit


def _described(output: Json) -> Json:
    """The object that a create call answers with: the first structure of the answer, or of a list in it."""
    for shape in output.members.values() if output is not None else ():
        found = shape.member if shape.type_name == "list" else shape
        if found.type_name == "structure":
            return found
    return None


class _Shapes:
    """Shapes of a model as schemas, walked beside the answer's shape and the kind's table."""

    def __init__(self) -> None:
        self._open: list[str] = []

    def structure(self, shape: Json, answer: Json, node: Node) -> dict[str, Any]:
        if shape.name in self._open:
            raise RecursiveShapeError(" → ".join([*self._open, shape.name]))
        self._open.append(shape.name)
        told = {lower(name): member for name, member in _members(answer).items()}
        properties = {
            lower(name): self._any(member, told.get(lower(name)), node.at(lower(name)))
            for name, member in shape.members.items()
        }
        self._open.pop()
        made: dict[str, Any] = {"type": "object", "properties": dict(sorted(properties.items()))}
        required = sorted(lower(name) for name in shape.required_members)
        made |= {"required": required} if required else {}
        hidden = sorted(told.keys() - properties.keys())
        return made | {"additionalProperties": False} | ({OUTPUT_ONLY: hidden} if hidden else {})

    def _any(self, shape: Json, answer: Json, node: Node) -> dict[str, Any]:
        inner = getattr(answer, "member", None) or getattr(answer, "value", None)
        match shape.type_name:
            case "structure" if getattr(shape, "is_document_type", False):
                made: dict[str, Any] = {}
            case "structure":
                made = self.structure(shape, answer, node)
            case "list":
                made = {"type": "array", "items": self._any(shape.member, inner, node.at("[]"))}
                made |= _limits(shape, "minItems", "maxItems")
            case "map":
                below = node.at("{}") if "{}" in node.members else Node(None, None, {})
                made = {"type": "object", "additionalProperties": self._any(shape.value, inner, below)}
            case leaf:
                made = _leaf(shape, _TYPES[leaf])
        return made | _description(node)


def _members(shape: Json) -> Mapping[str, Json]:
    return shape.members if shape is not None and shape.type_name == "structure" else {}


def _leaf(shape: Json, kind: str) -> dict[str, Any]:
    """Patterns of the models are left out: several refuse what AWS takes. Names and limits are kept."""
    if kind == "string":
        names = {"enum": list(shape.enum)} if getattr(shape, "enum", None) else {}
        return {"type": kind} | names | _limits(shape, "minLength", "maxLength")
    return {"type": kind} | (_limits(shape, "minimum", "maximum") if kind != "boolean" else {})


def _limits(shape: Json, least: str, most: str) -> dict[str, Any]:
    found = {least: shape.metadata.get("min"), most: shape.metadata.get("max")}
    return {name: limit for name, limit in found.items() if limit is not None and (limit or name == "minimum")}


def _description(node: Node) -> dict[str, str]:
    """What the kind's table knows of a field, in a line."""
    row = node.row
    if row is None:
        return {}
    known = row.default is not ABSENT and not callable(row.default)
    parts = [
        f"Default: {json.dumps(row.default)}." if known else "",
        _EFFECTS.get(row.effect, "") if row.effect else "",
        f"Source: {row.source}." if row.source else "",
    ]
    text = " ".join(part for part in parts if part)
    return {"description": text} if text else {}


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(made.get(key), dict)
        made[key] = _merged(made[key], value) if both else value
    return made


def main() -> int:
    """Write the files, or with `--check` say which are not as they would be written."""
    parser = argparse.ArgumentParser(description="Make schemas/ from the API models.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file differs")
    check = parser.parse_args().check
    files = everything()
    present = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    changed = sorted({name for name in files.keys() | present.keys() if files.get(name) != present.get(name)})
    if check:
        for name in changed:
            sys.stderr.write(f"schemas/{name} is not what the models give: run `make schemas` and commit the change\n")
        return 1 if changed else 0
    FOLDER.mkdir(exist_ok=True)
    for name in changed:
        (FOLDER / name).write_text(files[name], encoding="utf-8") if name in files else (FOLDER / name).unlink()
    sys.stdout.write(f"{len(files)} schemas, {len(changed)} changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
