"""Whatever stands in the files: the answer is `Desired` or a list of problems, never another error."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.errors import InvalidManifestsError
from reconciler.manifests.document import parse

RULE: dict[str, Any] = {
    "listener": "http",
    "priority": 1,
    "conditions": [{"field": "path-pattern", "pathPatternConfig": {"values": ["/*"]}}],
    "actions": [{"type": "forward", "targetGroup": "web"}],
}
SERVICE: dict[str, Any] = {
    "cluster": "shop",
    "desiredCount": "${var.replicas}",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}},
    "taskDefinition": {
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [
            {"name": "app", "image": "a:${var.image_tag}", "portMappings": [{"containerPort": 80}], "memory": 64}
        ],
    },
    "loadBalancers": [{"targetGroup": "web", "containerName": "app", "containerPort": 80}],
}
DOCUMENTS: list[dict[str, Any]] = [
    {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    for kind, name, spec in (
        ("Cluster", "shop", {"settings": [{"name": "containerInsights", "value": "enabled"}]}),
        ("TargetGroup", "web", {"port": 80, "protocol": "HTTP", "vpcId": "vpc-1", "targetType": "ip"}),
        ("LoadBalancer", "shop", {"subnets": ["subnet-1", "subnet-2"]}),
        (
            "Listener",
            "http",
            {"loadBalancer": "shop", "port": 80, "protocol": "HTTP", "defaultActions": RULE["actions"]},
        ),
        ("ListenerRule", "r", RULE),
        ("Service", "web", SERVICE),
    )
]
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of a value, with the map or list that it is in."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield value, key
        yield from places(member)


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 70000), st.floats(-1, 9), st.text(max_size=5),
        st.sampled_from(["${var.replicas}", "${var.x}", "${ref:TargetGroup/web}", "x${ref:Cluster/shop.arn}"]),
        st.sampled_from([{"ref": "TargetGroup/web"}, {"ref": "Service/web"}, {"ref": 3}, {"$patch": "delete"}]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("a name ref key".split()), inner),
    max_leaves=4,
)  # fmt: skip


def test_the_documents_that_are_changed_below_are_right(repository):
    assert (
        len(repository.base("---\n".join(json.dumps(document) + "\n" for document in DOCUMENTS)).load().resources) == 7
    )


@SETTINGS
@given(data=st.data())
def test_one_changed_value_anywhere_gives_a_result_or_problems(repository, data):
    documents = copy.deepcopy(DOCUMENTS)
    owner, key = data.draw(st.sampled_from(list(places(documents))))
    owner[key] = data.draw(ANYTHING)
    repository.base("---\n".join(json.dumps(document) + "\n" for document in documents))
    with contextlib.suppress(InvalidManifestsError):
        assert repository.load().digest


@SETTINGS
@given(data=st.data())
def test_a_layer_of_anything_gives_a_result_or_problems(repository, data):
    documents = copy.deepcopy(DOCUMENTS)
    repository.base("---\n".join(json.dumps(document) + "\n" for document in documents))
    document = data.draw(st.sampled_from(documents))
    owner, key = data.draw(st.sampled_from(list(places(document))))
    owner[key] = data.draw(ANYTHING)
    repository.overlay(json.dumps(document))
    with contextlib.suppress(InvalidManifestsError):
        assert repository.load().digest


@SETTINGS
@given(data=st.data())
def test_an_environment_with_anything_in_it_gives_a_result_or_problems(repository, data):
    document: dict[str, Any] = {
        "apiVersion": "reconciler/v1",
        "kind": "Environment",
        "metadata": {"name": "production"},
        "spec": {
            "account": "123456789012",
            "region": "eu-west-1",
            "layers": ["base"],
            "variables": {"a": 1},
            "sync": {
                "selfHeal": {"after": "15m"},
                "never": [{"kind": "Service", "fields": ["desiredCount"]}],
                "windows": [{"deny": "0 18 * * fri", "for": "62h", "timezone": "Europe/Berlin"}],
            },
        },
    }
    owner, key = data.draw(st.sampled_from(list(places(document))))
    owner[key] = data.draw(ANYTHING)
    repository.write("environments/production.yaml", json.dumps(document))
    with contextlib.suppress(InvalidManifestsError):
        assert repository.load().resources == {}


@given(st.binary(max_size=200) | st.text("a:{}[]-\n &*!|>'\"#%?,<", max_size=60).map(str.encode))
def test_any_bytes_are_parsed_or_refused(content):
    parsed = parse("a.yaml", content)
    assert all(problem.path == "a.yaml" for problem in parsed.problems)
