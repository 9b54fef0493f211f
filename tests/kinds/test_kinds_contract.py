"""What every kind must hold, whatever it is: its table against the API model, its schema, its permissions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.aws.casing import lower
from reconciler.aws.models import operation_model
from reconciler.core.fields import steps
from reconciler.core.kind import Kind, Ownership
from reconciler.core.values import ABSENT
from reconciler.kinds import KINDS

SCHEMAS = Path(__file__).parents[2] / "schemas"
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "list": (list,),
    "structure": (dict,),
    "map": (dict,),
}


def input_members(kind: Kind) -> dict[str, Any]:
    """The shapes of the manifest's top-level members, by their name there."""
    found: dict[str, Any] = {}
    for source in kind.inputs:
        members = operation_model(kind.service, source.operation).input_shape.members
        named = {lower(name): shape for name, shape in members.items()}
        wanted = source.only or tuple(name for name in named if name not in source.omit)
        assert set(wanted) <= set(named), f"{source.operation} has no such members"
        assert set(source.omit) <= set(named), f"{source.operation} has no such members to omit"
        found |= {name: named[name] for name in wanted}
    return found


def shape_at(kind: Kind, path: str) -> Any:
    """The shape of the field at a row's path; AssertionError where the API has none."""
    first, *rest = steps(path)
    members = input_members(kind)
    assert first in members, f"{path}: {first} is no member of the input"
    inline = [reference.kind for reference in kind.references if reference.inline and reference.path == first]
    if inline and rest:  # the other kind's spec stands here itself
        return shape_at(KINDS[inline[0]], path.removeprefix(f"{first}."))
    shape = members[first]
    for step in rest:
        match shape.type_name, step:
            case "list", "[]":
                shape = shape.member
            case "map", "{}":
                shape = shape.value
            case "structure", _:
                inner = {lower(name): member for name, member in shape.members.items()}
                assert step in inner, f"{path}: {shape.name} has no member {step}"
                shape = inner[step]
            case _:
                raise AssertionError(f"{path}: {step} cannot follow a {shape.type_name}")
    return shape


def test_every_row_names_a_field_that_the_api_has(kind):
    for row in kind.fields:
        assert shape_at(kind, row.path) is not None


def test_every_row_says_where_its_fact_is_from(kind):
    assert [row.path for row in kind.fields if not row.source] == []


def test_a_row_says_of_a_list_or_map_only_what_can_be_true_of_it(kind):
    for row in kind.fields:
        shape = shape_at(kind, row.path)
        if row.key:
            assert shape.type_name == "list", row.path
            assert shape.member.type_name == "structure", row.path
            assert set(row.key) <= {lower(name) for name in shape.member.members}, row.path
            assert not row.unordered, row.path
        if row.unordered:
            assert shape.type_name == "list", row.path
        if row.open_map:
            assert shape.type_name == "map", row.path


def test_every_default_has_the_type_of_its_field(kind):
    for row in kind.fields:
        default = row.default({}) if callable(row.default) else row.default
        if default is not ABSENT:
            types = PYTHON_TYPES[shape_at(kind, row.path).type_name]
            assert type(default) in types, f"{row.path}: {default!r}"


def test_every_constant_default_is_one_that_the_api_takes(kind):
    for row in kind.fields:
        allowed = getattr(shape_at(kind, row.path), "enum", None)
        if allowed and isinstance(row.default, str):
            assert row.default in allowed, row.path


def test_references_stand_where_the_api_takes_a_string(kind):
    for reference in kind.references:
        assert shape_at(kind, reference.path).type_name == "string", reference.path
        assert reference.attribute in KINDS[reference.kind].attributes


def test_the_name_field_is_a_string_of_the_input(kind):
    if kind.name_field:
        assert shape_at(kind, kind.name_field).type_name == "string"


def test_a_kind_that_is_found_by_its_tags_takes_tags(kind):
    if kind.ownership is Ownership.TAG:
        assert shape_at(kind, "tags[].key").type_name == "string"


def test_every_kind_has_permissions_in_the_form_of_iam(kind):
    permissions = kind.permissions
    assert permissions.read
    assert permissions.write
    for action in (*permissions.read, *permissions.write, *permissions.delete):
        service, colon, name = action.partition(":")
        assert service == service.lower(), action
        assert colon, action
        assert name[:1].isupper(), action
        assert "*" not in action


def test_what_kinds_read_after_each_other_has_no_cycle(kind):
    def before(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join((*above, name))
        for other in KINDS[name].reads_after:
            before(other, (*above, name))

    before(kind.name, ())


def test_the_schema_has_every_member_of_the_input(kind):
    path = SCHEMAS / f"{kind.name}.json"
    assert path.exists(), f"schemas/{path.name} is missing: generate it"
    properties = _spec_properties(json.loads(path.read_text()))
    assert set(input_members(kind)) <= set(properties) | _sugared(kind)


def _spec_properties(schema: Any) -> dict[str, Any]:
    """The properties of `spec`, whether they stand there or behind a `$ref`."""
    spec = schema.get("properties", {}).get("spec", schema)
    while "$ref" in spec:
        target = schema
        for step in spec["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        spec = target
    properties: dict[str, Any] = spec["properties"]
    return properties


def _sugared(kind: Kind) -> set[str]:
    """Members whose schema may have the reference's short name only."""
    return {reference.path for reference in kind.references if "." not in reference.path and "[" not in reference.path}
