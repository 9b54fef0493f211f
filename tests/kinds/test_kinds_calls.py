"""Every call that a kind plans is one that botocore would send: checked with its own parameter validation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator

from reconciler.aws.casing import lower, to_api
from reconciler.aws.models import operation_model
from reconciler.core.call import Call
from reconciler.core.compare import full
from reconciler.core.fields import table
from reconciler.core.kind import Change, Kind
from reconciler.core.live import Live
from reconciler.core.normalise import flatten
from reconciler.core.resource import Resource
from reconciler.core.values import Ref, ResourceId, references, resolve

NAMES = re.compile(r"\$(\w+)")
TEXTS = "\n".join(path.read_text() for path in (Path(__file__).parent / "data").glob("*.yaml"))
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
VARIABLES = {name: f"{ARN}{name}/0123456789abcdef" for name in NAMES.findall(TEXTS)}


def problems(call: Call) -> str:
    """What botocore says of a call; its references count as the strings that they will be."""
    model = operation_model(call.service, call.operation)
    params = to_api(call.service, call.operation, resolve(dict(call.params), str))
    report = ParamValidator().validate(params, model.input_shape)
    return f"{call.name}: {report.generate_report()}" if report.has_errors() else ""


def planned(example: Any, tools: Any) -> tuple[Call, ...]:
    """The calls for the life of an example: made, changed, deleted."""
    kind = example.kind
    before = example.resource(example.spec, VARIABLES)
    after = example.resource(example.changed, VARIABLES)
    live = live_of(kind, before)
    differences = tools.differences_of(kind, after, live, base=before) if example.change else ()
    change = tools.change_of(kind, after, live, differences)
    updates = kind.update(change) if differences else ()
    return (*kind.create(tools.creation_of(kind, before)), *updates, *kind.delete(live))


def live_of(kind: Kind, resource: Resource) -> Live:
    return Live(
        kind.name, f"{ARN}{kind.name}/1", kind.natural(resource), full(kind, resource), facts={"status": "ACTIVE"}
    )


def test_every_planned_call_is_valid_for_botocore(example, tools):
    calls = planned(example, tools)
    assert calls
    assert [found for found in map(problems, calls) if found] == []


def test_every_planned_call_is_allowed_by_the_permissions(example, tools):
    allowed = {*example.kind.permissions.write, *example.kind.permissions.delete}
    assert {tools.action(call.name) for call in planned(example, tools)} <= allowed


def test_what_a_call_captures_is_in_its_answer(example, tools):
    for call in planned(example, tools):
        for path in call.captures.values():
            shape = operation_model(call.service, call.operation).output_shape
            for step in path.split("."):
                if step.isdigit():
                    shape = shape.member
                else:
                    shape = {lower(name): member for name, member in shape.members.items()}[step]
            assert shape.type_name in ("string", "integer"), path


def test_captured_attributes_are_attributes_of_the_kind(example, tools):
    for call in planned(example, tools):
        assert set(call.captures) <= set(example.kind.attributes)


def test_a_spec_may_hold_references_to_what_does_not_exist_yet(example, tools):
    unknown = Ref(ResourceId("TargetGroup", "later"), "arn")
    variables = VARIABLES | {"targetGroup": unknown, "loadBalancer": unknown, "listener": unknown}
    resource = example.resource(example.spec, variables)
    calls = example.kind.create(tools.creation_of(example.kind, resource))
    expected = set(references(resource.spec)) | {Ref(resource.id, "arn")}
    assert {ref for call in calls for ref in references(dict(call.params))} <= expected
    assert list(example.kind.check(resource.spec)) == []
    assert flatten(example.kind.prepare(resource.spec), table(example.kind.fields)).leaves or not resource.spec


def test_preparing_twice_is_preparing_once_and_changes_nothing_that_was_given(example):
    prepare, spec = example.kind.prepare, example.resource(example.spec, VARIABLES).spec
    before = json.dumps(spec)
    once = prepare(spec)
    assert prepare(once) == once
    assert json.dumps(spec) == before


def test_a_change_of_nothing_makes_no_call(example):
    live = live_of(example.kind, example.resource(example.spec, VARIABLES))
    if example.kind.content_addressed:
        pytest.skip("content is never changed")
    assert example.kind.update(Change(ResourceId(example.kind.name, "x"), live, live.spec, ())) == ()


def test_the_examples_have_no_faults(example):
    assert list(example.kind.check(example.resource(example.spec, VARIABLES).spec)) == []
    assert list(example.kind.check(example.resource(example.changed, VARIABLES).spec)) == []
