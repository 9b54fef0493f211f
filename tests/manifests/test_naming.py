"""Names in AWS: too long, or used by two manifests."""

from __future__ import annotations

import pytest

GROUP = "{port: 80, protocol: HTTP, vpcId: vpc-1}"
ACTIONS = "conditions: [{field: path-pattern, values: [/]}], actions: [{type: forward, targetGroupArn: 'arn:t'}]"
LISTENER = "{loadBalancerArn: 'arn:lb', port: 80, protocol: HTTP, defaultActions: [{type: forward, targetGroupArn: x}]}"
TASK = "{containerDefinitions: [{name: a, image: a, memory: 4}], family: shared}"


def test_a_name_that_is_too_long_for_aws_is_named_where_it_stands(repository, written):
    problem = repository.base(written("TargetGroup", "a" * 26, GROUP)).problem()
    assert (problem.line, problem.field) == (3, "metadata.name")
    assert "a TargetGroup has at most 25 characters: shorten it, or set name" in problem.message


def test_a_manifest_may_have_a_longer_name_than_its_object(repository, written):
    repository.base(written("TargetGroup", "a" * 100, GROUP.replace("{", "{name: short, ", 1)))
    assert repository.spec(f"TargetGroup/{'a' * 100}")["name"] == "short"


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("TargetGroup", GROUP.replace("{", "{name: same, ", 1), GROUP.replace("{", "{name: same, ", 1)),
        ("ListenerRule", f"{{listener: http, priority: 5, {ACTIONS}}}", f"{{listener: http, priority: 5, {ACTIONS}}}"),
        ("Listener", LISTENER, LISTENER),
    ],
)
def test_two_manifests_for_one_object_are_refused(repository, written, kind, one, two):
    repository.base(written("Listener", "http", LISTENER.replace("port: 80", "port: 81")))
    repository.base(written(kind, "a", one), "a1.yaml").base(written(kind, "b", two), "b1.yaml")
    problem = repository.problem()
    assert problem.path == "base/b1.yaml"
    assert f"{kind}/a (base/a1.yaml:1) and {kind}/b are one object in AWS" in problem.message


def test_rules_of_two_listeners_may_have_one_priority(repository, written):
    for port, name in ((80, "http"), (81, "other")):
        repository.base(written("Listener", name, LISTENER.replace("port: 80", f"port: {port}")), f"{name}.yaml")
        rule = f"{{listener: {name}, priority: 5, {ACTIONS}}}"
        repository.base(written("ListenerRule", name, rule), f"rule-{name}.yaml")
    assert len(repository.load().resources) == 4


def test_two_task_definitions_may_share_a_family(repository, written):
    repository.base(written("TaskDefinition", "a", TASK) + written("TaskDefinition", "b", TASK))
    assert len(repository.load().resources) == 2
