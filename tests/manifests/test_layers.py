"""Layers: how a later folder changes what an earlier one says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.errors import Problem
from reconciler.core.resource import Origin
from reconciler.core.values import Json, Ref, ResourceId
from reconciler.kinds import KINDS
from reconciler.manifests.document import parse
from reconciler.manifests.layers import merge_specs

TASK = """
apiVersion: reconciler/v1
kind: TaskDefinition
metadata: {name: web, labels: {team: shop, tier: front}}
reconcile: {protect: true, timeout: 20m}
spec:
  cpu: "256"
  memory: "512"
  requiresCompatibilities: [EC2]
  containerDefinitions:
    - name: app
      image: web:1
      command: [run, fast]
      portMappings: [{containerPort: 80}, {containerPort: 81, protocol: udp}]
      environment: [{name: A, value: one}, {name: B, value: two}]
    - {name: side, image: side:1, essential: false}
"""


def overlay(spec: str, head: str = "") -> str:
    name = "metadata: {name: web}\n" if "metadata" not in head else ""
    return f"apiVersion: reconciler/v1\nkind: TaskDefinition\n{name}{head}spec: {spec}\n"


@pytest.fixture
def merged(repository):
    def merge(spec: str, head: str = ""):
        return repository.base(TASK).overlay(overlay(spec, head)).load().resources[ResourceId("TaskDefinition", "web")]

    return merge


def test_maps_merge_and_plain_lists_are_replaced(merged):
    spec = merged('{cpu: "512", requiresCompatibilities: [FARGATE, EC2], networkMode: awsvpc, memory: "1024"}').spec
    assert (spec["cpu"], spec["memory"]) == ("512", "1024")
    assert spec["requiresCompatibilities"] == ["FARGATE", "EC2"]
    assert len(spec["containerDefinitions"]) == 2


def test_members_of_keyed_lists_merge_by_their_key_at_every_depth(merged):
    spec = merged(
        "{containerDefinitions: [{name: app, command: [slow], "
        "environment: [{name: B, value: x}, {name: C, value: y}]}]}"
    ).spec
    app, side = spec["containerDefinitions"]
    assert app["image"] == "web:1"
    assert app["command"] == ["slow"]
    assert app["environment"] == [
        {"name": "A", "value": "one"},
        {"name": "B", "value": "x"},
        {"name": "C", "value": "y"},
    ]
    assert side["name"] == "side"


def test_a_key_of_several_members_counts_what_aws_fills_in(merged):
    spec = merged(
        "{containerDefinitions: [{name: app, portMappings: [{containerPort: 80, protocol: tcp, hostPort: 8000}]}]}"
    ).spec
    ports = spec["containerDefinitions"][0]["portMappings"]
    assert [port.get("hostPort") for port in ports] == [8000, None]


def test_null_removes_and_patch_delete_removes_maps_and_members(merged):
    spec = merged(
        "{memory: null, containerDefinitions: [{name: side, $patch: delete}, {name: app, command: null}]}"
    ).spec
    assert "memory" not in spec
    (app,) = spec["containerDefinitions"]
    assert "command" not in app


def test_what_is_missing_because_a_layer_removed_it_is_named_at_what_is_left(repository):
    repository.base(TASK.replace("[EC2]", "[FARGATE]")).overlay(overlay("{cpu: null, networkMode: awsvpc}"))
    problem = repository.problem()
    assert (problem.path, problem.line, problem.field) == ("overlays/production/a.yaml", 4, "spec.cpu")


def test_patch_replace_keeps_nothing_of_the_member(merged):
    spec = merged("{containerDefinitions: [{name: app, $patch: replace, image: other}]}").spec
    assert spec["containerDefinitions"][0] == {"name": "app", "image": "other"}


def test_metadata_and_settings_merge_too(merged):
    head = "metadata: {name: web, labels: {tier: null, zone: a}}\nreconcile: {wave: 2}\n"
    resource = merged("{}", head)
    assert resource.labels == {"team": "shop", "zone": "a"}
    assert (resource.settings.wave, resource.settings.protect) == (2, True)
    assert resource.origins == (
        Origin("base/a.yaml", 1, 1),
        Origin("overlays/production/a.yaml", 1, 1),
    )


def test_patch_delete_on_a_document_removes_the_resource(repository):
    repository.base(TASK).overlay(overlay("{}", "$patch: delete\n"))
    assert repository.load().resources == {}


def test_patch_replace_on_a_document_forgets_the_earlier_layers(merged):
    resource = merged("{containerDefinitions: [{name: new, image: new}]}", "$patch: replace\n")
    assert resource.spec == {"containerDefinitions": [{"name": "new", "image": "new"}]}
    assert (resource.labels, len(resource.origins)) == ({}, 1)


RULE = (
    "priority: 1, conditions: [{field: path-pattern, values: [/]}], actions: [{type: forward, targetGroupArn: 'arn:t'}]"
)
LISTENER = """
apiVersion: reconciler/v1
kind: Listener
metadata: {name: http}
spec:
  {loadBalancerArn: "arn:lb", port: 80, protocol: HTTP, defaultActions: [{type: forward, targetGroupArn: "arn:t"}]}
---
"""


@pytest.mark.parametrize("long", ["listenerArn: 'arn:old'", "listenerArn: {ref: Listener/old, environment: shared}"])
def test_a_short_name_in_a_later_layer_takes_the_place_of_the_long_one(repository, written, long):
    repository.base(LISTENER + written("ListenerRule", "r", f"{{{long}, {RULE}}}"))
    repository.overlay(written("ListenerRule", "r", "{listener: http}"))
    assert repository.spec("ListenerRule/r")["listenerArn"] == Ref(ResourceId("Listener", "http"), "arn")


def test_a_long_name_in_a_later_layer_takes_the_place_of_the_short_one(repository, written):
    repository.base(LISTENER + written("ListenerRule", "r", f"{{listener: http, {RULE}}}"))
    repository.overlay(written("ListenerRule", "r", "{listenerArn: 'arn:new'}"))
    assert repository.spec("ListenerRule/r")["listenerArn"] == "arn:new"


def test_a_reference_is_replaced_whole(repository, written):
    old = "listenerArn: {ref: Listener/old, attribute: arn, environment: shared}"
    repository.base(LISTENER + written("ListenerRule", "r", f"{{{old}, {RULE}}}"))
    repository.overlay(written("ListenerRule", "r", "{listenerArn: {ref: Listener/http}}"))
    assert repository.spec("ListenerRule/r")["listenerArn"] == Ref(ResourceId("Listener", "http"), "arn")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            overlay("{}") + "---\n" + overlay("{}"),
            "web stands twice in the layer overlays/production; the first is overlays/production/a.yaml:1",
        ),
        (
            overlay("{}", "metadata: {name: wbe}\n$patch: delete\n"),
            "there is no TaskDefinition/wbe in an earlier layer",
        ),
        (overlay("{}", "$patch: merge\n"), "only delete and replace can stand here"),
        (overlay("{runtimePlatform: {$patch: erase}}"), "only delete and replace can stand here"),
        (
            overlay("{containerDefinitions: [{name: app, cpu: 1}, {name: app, cpu: 2}]}"),
            "which one is merged is not clear",
        ),
        ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n", "every YAML file in a layer is a manifest"),
        (
            "apiVersion: reconciler/v1\nkind: Servcie\nmetadata: {name: x}\n",
            "there is no kind Servcie: did you mean Service?",
        ),
        ("apiVersion: reconciler/v1\nkind: Service\n", "metadata.name is missing"),
        ("apiVersion: reconciler/v1\nkind: Service\nmetadata: {name: 12}\n", 'a name is text: write "12" in quotes'),
        ("apiVersion: reconciler/v1\nkind: Service\nmetadata: {name: ../x}\n", "is no name"),
        ("apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: x}\n", "does not belong in a layer"),
    ],
)
def test_what_a_layer_may_not_say(repository, text, expected):
    repository.base(TASK).overlay(text)
    assert any(expected in problem.message for problem in repository.problems())


def test_empty_documents_and_files_are_fine(repository):
    repository.base(TASK + "---\n---\n").overlay("# nothing yet\n")
    assert len(repository.load().resources) == 1


# -- properties --------------------------------------------------------------------------------------------------------

_texts = st.text("abc", min_size=1, max_size=3)
_values = st.recursive(
    st.one_of(_texts, st.integers(0, 9), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)
_containers = st.lists(
    st.builds(lambda name, rest: {"name": name, **rest}, _texts, st.dictionaries(_texts, _values, max_size=3)),
    max_size=3,
    unique_by=lambda container: container["name"],
)
_specs = st.builds(
    lambda rest, containers: {**rest, "containerDefinitions": containers},
    st.dictionaries(_texts, _values, max_size=4),
    _containers,
)
_overlays = st.builds(
    lambda spec, gone: {**spec, **dict.fromkeys(gone)}, _specs, st.lists(_texts, max_size=2, unique=True)
)


def _merge(earlier: Json, later: Json) -> Json:
    problems: list[Problem] = []
    (one,) = parse("one.yaml", json.dumps({"spec": earlier}).encode()).documents
    (two,) = parse("two.yaml", json.dumps({"spec": later}).encode()).documents
    made = merge_specs(one["spec"], two["spec"], KINDS["TaskDefinition"], problems.append)
    assert problems == []
    return made


@given(_specs, _overlays)
def test_merging_the_same_layer_again_changes_nothing(earlier, later):
    once = _merge(earlier, later)
    assert _merge(once, later) == once


@given(_specs, _overlays)
def test_what_the_later_layer_says_is_what_there_is(earlier, later):
    made = _merge(earlier, later)
    for name, value in later.items():
        if value is None:
            assert name not in made
        elif not isinstance(value, dict | list):
            assert made[name] == value
    names = {container["name"] for container in made["containerDefinitions"]}
    assert names == {container["name"] for spec in (earlier, later) for container in spec["containerDefinitions"]}


@given(_specs, _overlays)
def test_merging_leaves_both_layers_as_they_were(earlier, later):
    (one,) = parse("one.yaml", json.dumps({"spec": earlier}).encode()).documents
    (two,) = parse("two.yaml", json.dumps({"spec": later}).encode()).documents
    merge_specs(one["spec"], two["spec"], KINDS["TaskDefinition"], lambda _: None)
    assert (one["spec"], two["spec"]) == (earlier, later)


@given(_specs)
def test_a_layer_over_nothing_is_itself(spec):
    assert _merge({}, spec) == spec
