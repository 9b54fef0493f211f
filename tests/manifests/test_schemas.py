"""The schemas: complete against the API model, in two forms, with a fast check that never says more than it knows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from reconciler.aws.casing import lower
from reconciler.aws.models import operation_model
from reconciler.core.values import Ref, ResourceId
from reconciler.kinds import KINDS
from reconciler.manifests.forms import strict, written
from reconciler.manifests.paths import reference_tree
from reconciler.manifests.schemas import Checker, SchemaMissingError, committed, read_committed
from tools.generate_schemas import everything, spec_schema

ROOT = Path(__file__).parents[2]
FILES = {name: json.loads(text) for name, text in everything().items() if name != "casing.json"}
REGISTRY: Registry = Registry().with_resources(
    [(name, Resource.from_contents(document)) for name, document in FILES.items()]
)


def editor(name: str) -> Draft202012Validator:
    """What an editor does with a committed schema."""
    return Draft202012Validator(FILES[name], registry=REGISTRY)


def test_the_committed_files_are_what_the_models_give():
    result = subprocess.run(
        [sys.executable, "-m", "tools.generate_schemas", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_file_is_a_valid_schema(name):
    Draft202012Validator.check_schema(FILES[name])


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_input_member_is_a_field_and_nothing_else_is(kind):
    expected: set[str] = set()
    for given_input in kind.inputs:
        names = {lower(name) for name in operation_model(kind.service, given_input.operation).input_shape.members}
        expected |= set(given_input.only) if given_input.only else names - set(given_input.omit)
    assert spec_schema(kind)["properties"].keys() == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_strict_form_is_what_the_written_form_was_made_from(kind):
    schema = spec_schema(kind)
    assert strict(written(schema, reference_tree(kind))) == schema
    assert committed().spec(kind.name).schema == schema


def test_output_only_fields_are_listed_where_they_would_be_pasted():
    schema = spec_schema(KINDS["Service"])
    assert {"serviceArn", "runningCount", "deployments", "events"} <= set(schema["x-output-only"])
    assert not set(schema["x-output-only"]) & set(schema["properties"])


def test_an_editor_accepts_short_names_references_inline_specs_and_variables():
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "cluster": {"ref": "Cluster/shop"},
            "desiredCount": "${var.count}",
            "launchType": "${var.launch}",
            "taskDefinition": {"containerDefinitions": [{"name": "app", "image": "a:${var.tag}", "memory": 64}]},
            "loadBalancers": [{"targetGroup": "web", "containerName": "app", "containerPort": 80}],
        },
    }
    assert list(editor("Service.json").iter_errors(document)) == []
    assert list(editor("manifest.json").iter_errors(document)) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"desiredCount": "three"},
        {"desiredCuont": 3},
        {"launchType": "fargate"},
        {"taskDefinition": {"containerDefinitions": [{"nmae": "app"}]}},
    ],
)
def test_an_editor_marks_what_is_wrong(spec):
    document = {"apiVersion": "reconciler/v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    assert not editor("manifest.json").is_valid(document)


def test_an_editor_takes_one_of_two_names_for_what_is_required():
    rule = {"priority": 1, "conditions": [], "actions": []}
    document = {"apiVersion": "reconciler/v1", "kind": "ListenerRule", "metadata": {"name": "r"}, "spec": rule}
    validator = editor("ListenerRule.json")
    assert not validator.is_valid(document)
    assert validator.is_valid(document | {"spec": rule | {"listener": "http"}})
    assert validator.is_valid(document | {"spec": rule | {"listenerArn": "arn:x"}})


def test_references_satisfy_every_constraint_on_text_and_no_other():
    checker = Checker({"properties": {"text": {"type": "string", "enum": ["a"], "pattern": "^b$", "maxLength": 1}}})
    ref = Ref(ResourceId("Queue", "jobs"), "url")
    assert checker.errors({"text": ref}) == checker.slow_errors({"text": ref}) == []
    assert len(Checker({"type": "integer"}).errors(ref)) == 1


def test_a_kind_without_a_schema_says_what_to_run():
    with pytest.raises(SchemaMissingError, match="make schemas"):
        committed().spec("Nonsense")
    assert read_committed("Nonsense") is None


# -- the fast check against the real one -------------------------------------------------------------------------------

_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 12), st.floats(0, 3),
    st.sampled_from(["", "a", "EC2", "tcp", "FARGATE", "app"]),
    st.just(Ref(ResourceId("Queue", "jobs"), "url")),
)  # fmt: skip
_names = st.sampled_from(
    "containerDefinitions name image memory portMappings containerPort protocol environment value cpu essential "
    "volumes host tags key launchType desiredCount loadBalancers targetGroupArn nonsense".split()
)
_specs = st.dictionaries(
    _names,
    st.recursive(
        _leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=4)),
        max_leaves=12,
    ),
    max_size=4,
)  # fmt: skip


@given(st.sampled_from(sorted(KINDS)), _specs)
def test_the_fast_check_and_the_real_one_agree(kind, spec):
    checker = committed().spec(kind)
    assert [error.message for error in checker.errors(spec)] == [error.message for error in checker.slow_errors(spec)]


_small = st.recursive(
    st.one_of(
        st.sampled_from(
            [{"type": "string"}, {"type": "integer", "minimum": 1, "maximum": 5}, {"type": ["string", "null"]}]
        ),
        st.sampled_from([{"enum": ["a", "b"]}, {"const": "a"}, {"pattern": "^a"}, {"type": "string", "minLength": 2}]),
        st.sampled_from(
            [True, False, {}, {"maxItems": 1, "minItems": 1}, {"enum": [1, True]}, {"not": {"type": "string"}}]
        ),
    ),
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one}, inner),
        st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner),
        st.builds(lambda one, two: {"allOf": [one, two]}, inner, inner),
        st.builds(
            lambda one, two: {"properties": {"a": one}, "additionalProperties": two, "required": ["a"]}, inner, inner
        ),
        st.builds(lambda one: {"if": one, "then": False}, inner),
    ),
    max_leaves=5,
)
_instances = st.recursive(
    st.one_of(_leaves, st.sampled_from(["a", "ab", "b"])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)),
    max_leaves=5,
)


@given(_small, _instances)
def test_the_fast_check_agrees_for_any_schema_of_a_kind(schema, instance):
    checker = Checker(schema)
    assert bool(checker.errors(instance)) == bool(checker.slow_errors(instance))
