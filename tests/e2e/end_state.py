"""What AWS has at the end (E), read by boto3 as a person would, and masked: ids, revisions and times differ by run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Client = Callable[[str], Any]

_VOLATILE: Final = frozenset(
    {
        "CreatedTime", "CanonicalHostedZoneId", "DNSName", "ResponseMetadata", "activeServicesCount", "clientToken",
        "createdAt", "createdBy", "currentServiceDeployment", "currentServiceRevisions", "deregisteredAt", "events",
        "failedTasks", "id", "registeredAt", "registeredBy", "revision", "rolloutStateReason", "updatedAt",
    }
)  # fmt: skip
_SINCE: Final = re.compile(r"(?<=[0-9a-f]{40}) \d{4}-\d\d-\d\dT[\d:]+Z")
_RANDOM: Final = re.compile(r"(?<=/)[0-9a-f]{16}\b|\b[0-9a-f]{32}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REVISION: Final = re.compile(r"(?<=task-definition/)([\w-]+):\d+")


def everything(client: Client) -> dict[str, Any]:
    """Return all that the controller could have made, with the targets that its services registered."""
    ecs, elb = client("ecs"), client("elbv2")
    clusters = ecs.list_clusters()["clusterArns"]
    return {
        "clusters": ecs.describe_clusters(clusters=clusters, include=["TAGS", "SETTINGS", "CONFIGURATIONS"])[
            "clusters"
        ],
        "services": [service for arn in clusters for service in _services(ecs, arn)],
        "revisions": [_revision(ecs, arn) for arn in _pages(ecs, "list_task_definitions", "taskDefinitionArns")],
        **_balancing(elb),
    }


def _services(ecs: Any, cluster: str) -> list[Any]:
    arns = _pages(ecs, "list_services", "serviceArns", cluster=cluster)
    found = []
    for start in range(0, len(arns), 10):
        answer = ecs.describe_services(cluster=cluster, services=arns[start : start + 10], include=["TAGS"])
        found += answer["services"]
    for service in found:
        service["content"] = _revision(ecs, service["taskDefinition"])
    return found


def _revision(ecs: Any, arn: str) -> Any:
    answer = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return {"tags": answer.get("tags", []), **answer["taskDefinition"]}


def _balancing(elb: Any) -> dict[str, Any]:
    balancers = _pages(elb, "describe_load_balancers", "LoadBalancers")
    listeners = [
        listener
        for balancer in balancers
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    rules = [
        rule for listener in listeners for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]
    groups = _pages(elb, "describe_target_groups", "TargetGroups")
    for group in groups:
        arn = group["TargetGroupArn"]
        group["attributes"] = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        targets = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        group["targets"] = [target["TargetHealth"]["State"] for target in targets]
    for balancer in balancers:
        arn = balancer["LoadBalancerArn"]
        balancer["attributes"] = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    found = {"balancers": balancers, "listeners": listeners, "rules": rules, "groups": groups}
    for name, items in found.items():
        for item in items:
            item["tags"] = _tags(elb, item[_ARNS[name]])
    return found


_ARNS: Final = {
    "balancers": "LoadBalancerArn",
    "listeners": "ListenerArn",
    "rules": "RuleArn",
    "groups": "TargetGroupArn",
}


def _tags(elb: Any, arn: str) -> list[Any]:
    return list(elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


def _pages(client: Any, operation: str, member: str, **params: Any) -> list[Any]:
    return [item for page in client.get_paginator(operation).paginate(**params) for item in page[member]]


def masked(value: Any) -> Any:
    """The value without what differs from run to run; lists are sorted, because their order says nothing here."""
    match value:
        case dict():
            return {key: masked(member) for key, member in sorted(value.items()) if key not in _VOLATILE}
        case list():
            return sorted((masked(member) for member in value), key=lambda one: json.dumps(one, default=str))
        case str():
            return _REVISION.sub(r"\1:#", _RANDOM.sub("#", _SINCE.sub("", value)))
        case _:
            return value


def difference(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two masked states differ, a line each, for the message of an assertion."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [line for key in keys for line in difference(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return [line for i, (a, b) in enumerate(pairs) for line in difference(a, b, f"{path}[{i}]")]
    return [] if one == other else [f"{path}: {one!r} ≠ {other!r}"]


_NAMES: Final = (
    "serviceName", "service", "clusterName", "family", "Name", "serviceDeploymentArn", "resourceArn", "ResourceArns",
    "TargetGroupArn", "LoadBalancerArn", "ListenerArn", "RuleArn", "cluster",
)  # fmt: skip


def about(parameters: Mapping[str, Any]) -> str:
    """What a call is about: the resource that its tags name, else the name or masked ARN that it gives."""
    for tag in parameters.get("tags") or parameters.get("Tags") or []:
        if tag.get("key", tag.get("Key")) == "reconciler:resource":
            return str(tag.get("value", tag.get("Value")))
    found = next((parameters[name] for name in _NAMES if name in parameters), "")
    return str(masked(found[0] if isinstance(found, list) else found))
