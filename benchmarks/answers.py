"""The answers of the canned AWS: bytes that are ready before the first question, put together by the question.

`canned` asks for each request. An answer follows from the parameters alone, so batches may come in any order and size;
what AWS refuses (a batch over the limit, a page over the largest) is refused, because a client that counts on less
strictness counts its calls wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar
from xml.sax.saxutils import escape

from benchmarks.generate import ACCOUNT
from benchmarks.live import LiveFleet
from benchmarks.live_elb import LiveBalancing
from reconciler.core.values import ResourceId, Spec

Params = Mapping[str, Any]
Found = TypeVar("Found")


class RefusedError(Exception):
    """What AWS would refuse; `code` is AWS's own word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answers:
    """Every answer about one fleet. `answer` is quick: it looks up, joins and nothing else."""

    def __init__(self, live: LiveFleet) -> None:
        self._ecs = _Ecs(live)
        self._elb = _Elb(live)
        self._scaling = _Scaling(live)
        self._operations: dict[str, Callable[[Params], bytes]] = {
            "sts:GetCallerIdentity": lambda _: xml("sts", "GetCallerIdentity", _IDENTITY),
            "application-autoscaling:DescribeScalableTargets": self._scaling.describe_scalable_targets,
            "ecs:ListClusters": self._ecs.list_clusters,
            "ecs:DescribeClusters": self._ecs.describe_clusters,
            "ecs:ListServices": self._ecs.list_services,
            "ecs:DescribeServices": self._ecs.describe_services,
            "ecs:DescribeTaskDefinition": self._ecs.describe_task_definition,
            "ecs:ListTaskDefinitions": self._ecs.list_task_definitions,
            "elbv2:DescribeLoadBalancers": self._elb.describe_load_balancers,
            "elbv2:DescribeLoadBalancerAttributes": self._elb.describe_load_balancer_attributes,
            "elbv2:DescribeListeners": self._elb.describe_listeners,
            "elbv2:DescribeListenerAttributes": self._elb.describe_listener_attributes,
            "elbv2:DescribeListenerCertificates": self._elb.describe_listener_certificates,
            "elbv2:DescribeRules": self._elb.describe_rules,
            "elbv2:DescribeTargetGroups": self._elb.describe_target_groups,
            "elbv2:DescribeTargetGroupAttributes": self._elb.describe_target_group_attributes,
            "elbv2:DescribeTags": self._elb.describe_tags,
        }

    def answer(self, name: str, params: Params) -> bytes:
        """The body of the answer to `service:Operation`. Raises RefusedError; every write is refused."""
        operation = self._operations.get(name)
        if operation is None:
            raise RefusedError("InvalidAction", f"the canned AWS has no answer to {name}")
        return operation(params)


_IDENTITY: Final = (
    f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/reconciler/benchmark</Arn>"
    f"<UserId>AROA1234567890EXAMPLE:benchmark</UserId><Account>{ACCOUNT}</Account>"
).encode()


class _Ecs:
    def __init__(self, live: LiveFleet) -> None:
        arns = live.arns
        self._clusters: dict[str, tuple[str, bytes]] = {}
        self._services: dict[str, dict[str, tuple[str, bytes, bytes]]] = {}  # without the brace that closes; tags
        self._definitions: dict[str, bytes] = {}
        for identity in live.of_kind("Cluster"):
            self._clusters[identity.name] = (arns[identity], dumped(live.cluster(identity)))
            self._services[identity.name] = {}
        for identity in live.of_kind("Service"):
            service = live.service(identity)
            tags = b',"tags":' + dumped(service.pop("tags")) + b"}"
            cluster = live.spec(identity)["cluster"]
            self._services[cluster][identity.name] = (arns[identity], dumped(service)[:-1], tags)
        for identity in live.of_kind("TaskDefinition"):
            self._definitions[arns[identity]] = dumped(live.task_definition(identity))

    def list_clusters(self, params: Params) -> bytes:
        return _arn_page("clusterArns", [arn for arn, _ in self._clusters.values()], params)

    def describe_clusters(self, params: Params) -> bytes:
        wanted = _batch(params.get("clusters", ["default"]), 100, "clusters")
        found = [self._clusters[name][1] for name in map(_last, wanted) if name in self._clusters]
        missing = [name for name in wanted if _last(name) not in self._clusters]
        return b'{"clusters":[' + b",".join(found) + b'],"failures":' + _failures(missing) + b"}"

    def list_services(self, params: Params) -> bytes:
        arns = [arn for arn, _, _ in self._cluster(params).values()]
        return _arn_page("serviceArns", arns, params)

    def describe_services(self, params: Params) -> bytes:
        services = self._cluster(params)
        wanted = _batch(params["services"], 10, "services")
        with_tags = "TAGS" in params.get("include", ())
        found = [services[name] for name in map(_last, wanted) if name in services]
        bodies = [body + (tags if with_tags else b"}") for _, body, tags in found]
        missing = [name for name in wanted if _last(name) not in services]
        return b'{"services":[' + b",".join(bodies) + b'],"failures":' + _failures(missing) + b"}"

    def _cluster(self, params: Params) -> dict[str, tuple[str, bytes, bytes]]:
        try:
            return self._services[_last(params.get("cluster", "default"))]
        except KeyError:
            raise RefusedError("ClusterNotFoundException", "Cluster not found.") from None

    def describe_task_definition(self, params: Params) -> bytes:
        name = _last(params["taskDefinition"])
        for arn, body in self._definitions.items() if ":" not in name else ():
            if _last(arn).partition(":")[0] == name:
                return b'{"taskDefinition":' + body + b',"tags":[]}'
        prefix = next(iter(self._definitions)).rpartition("/")[0]
        if f"{prefix}/{name}" not in self._definitions:
            raise RefusedError("ClientException", "Unable to describe task definition.")
        return b'{"taskDefinition":' + self._definitions[f"{prefix}/{name}"] + b',"tags":[]}'

    def list_task_definitions(self, params: Params) -> bytes:
        family = params.get("familyPrefix")
        found = [arn for arn in self._definitions if family in (None, _last(arn).partition(":")[0])]
        return _arn_page("taskDefinitionArns", found, params)


class _Scaling:
    def __init__(self, live: LiveFleet) -> None:
        scaled = [live.scalable_target(one) for one in live.of_kind("Service") if live.autoscaled(one)]
        self._targets = {target["ResourceId"]: dumped(target) for target in scaled}

    def describe_scalable_targets(self, params: Params) -> bytes:
        wanted = _batch(params.get("ResourceIds", list(self._targets)), 50, "ResourceIds", "ValidationException")
        found = [self._targets[name] for name in wanted if name in self._targets]
        return b'{"ScalableTargets":[' + b",".join(found) + b"]}"


class _Elb:
    """Objects by ARN, each as the XML between `<member>` and `</member>`."""

    def __init__(self, live: LiveFleet) -> None:
        elb = LiveBalancing(live)
        self._balancers = self._members(live, "LoadBalancer", elb.load_balancer)
        self._listeners = self._members(live, "Listener", elb.listener)
        self._groups = self._members(live, "TargetGroup", elb.target_group)
        self._rules = self._members(live, "ListenerRule", elb.rule)
        self._attributes = {
            live.arns[identity]: _element("Attributes", elb.attributes(identity))
            for kind in ("LoadBalancer", "Listener", "TargetGroup")
            for identity in live.of_kind(kind)
        }
        self._certificates = {
            live.arns[identity]: _element("Certificates", elb.certificates(identity))
            for identity in live.of_kind("Listener")
        }
        self._tags = {
            live.arns[identity]: _described_tags(live, identity)
            for kind in ("LoadBalancer", "Listener", "TargetGroup", "ListenerRule")
            for identity in live.of_kind(kind)
        }
        self._listeners_of: dict[str, list[str]] = {arn: [] for arn in self._balancers}
        self._rules_of: dict[str, list[str]] = {arn: [] for arn in self._listeners}
        for identity in live.of_kind("Listener"):
            self._listeners_of[live.spec(identity)["loadBalancerArn"]].append(live.arns[identity])
        for identity in live.of_kind("ListenerRule"):
            self._rules_of[live.spec(identity)["listenerArn"]].append(live.arns[identity])
        for identity in live.of_kind("Listener"):
            default = elb.default_rule(identity)
            self._rules[default["RuleArn"]] = _element("member", default)
            self._rules_of[live.arns[identity]].append(default["RuleArn"])

    @staticmethod
    def _members(live: LiveFleet, kind: str, describe: Callable[[ResourceId], Spec]) -> dict[str, bytes]:
        return {live.arns[one]: _element("member", describe(one)) for one in live.of_kind(kind)}

    def describe_load_balancers(self, params: Params) -> bytes:
        return self._page("DescribeLoadBalancers", "LoadBalancers", self._balancers, "LoadBalancerArns", params)

    def describe_target_groups(self, params: Params) -> bytes:
        return self._page("DescribeTargetGroups", "TargetGroups", self._groups, "TargetGroupArns", params)

    def describe_listeners(self, params: Params) -> bytes:
        below = self._below(self._listeners_of, params, "LoadBalancerArn")
        return self._page("DescribeListeners", "Listeners", self._listeners, "ListenerArns", params, below)

    def describe_rules(self, params: Params) -> bytes:
        below = self._below(self._rules_of, params, "ListenerArn")
        return self._page("DescribeRules", "Rules", self._rules, "RuleArns", params, below)

    def describe_load_balancer_attributes(self, params: Params) -> bytes:
        return self._one("DescribeLoadBalancerAttributes", self._attributes, params["LoadBalancerArn"])

    def describe_listener_attributes(self, params: Params) -> bytes:
        return self._one("DescribeListenerAttributes", self._attributes, params["ListenerArn"])

    def describe_target_group_attributes(self, params: Params) -> bytes:
        return self._one("DescribeTargetGroupAttributes", self._attributes, params["TargetGroupArn"])

    def describe_listener_certificates(self, params: Params) -> bytes:
        return self._one("DescribeListenerCertificates", self._certificates, params["ListenerArn"])

    def describe_tags(self, params: Params) -> bytes:
        wanted = _batch(params["ResourceArns"], 20, "ResourceArns", "ValidationError")
        found = b"".join(self._found(self._tags, arn) for arn in wanted)
        return xml("elbv2", "DescribeTags", b"<TagDescriptions>" + found + b"</TagDescriptions>")

    def _one(self, operation: str, bodies: Mapping[str, bytes], arn: str) -> bytes:
        return xml("elbv2", operation, self._found(bodies, arn))

    def _below(self, children: Mapping[str, list[str]], params: Params, parent: str) -> list[str] | None:
        return self._found(children, params[parent]) if parent in params else None

    @staticmethod
    def _found(known: Mapping[str, Found], arn: str) -> Found:
        if arn not in known:
            raise RefusedError(f"{'TargetGroup' if ':targetgroup/' in arn else 'Listener'}NotFound", f"no {arn}")
        return known[arn]

    def _page(  # the four operations differ in just these
        self, operation: str, member: str, bodies: Mapping[str, bytes], by_arn: str, params: Params,
        arns: Sequence[str] | None = None,
    ) -> bytes:  # fmt: skip
        listed = params.get(by_arn) or (list(bodies) if arns is None else arns)
        if "Names" in params:
            listed = [arn for arn in listed if arn.split("/")[-2] in params["Names"]]
        size = int(params.get("PageSize", 400))
        if not 1 <= size <= 400:
            raise RefusedError("ValidationError", "PageSize is from 1 to 400")
        start = int(params.get("Marker", 0))
        page = b"".join(self._found(bodies, arn) for arn in listed[start : start + size])
        following = f"<NextMarker>{start + size}</NextMarker>".encode() if start + size < len(listed) else b""
        return xml("elbv2", operation, b"<%b>%b</%b>%b" % (member.encode(), page, member.encode(), following))


# ------------------------------------------------------------------------------------------------------------- writing

_NAMESPACE: Final = {
    "elbv2": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


def dumped(value: object) -> bytes:
    """JSON as AWS writes it: no blanks."""
    return json.dumps(value, separators=(",", ":")).encode()


def xml(service: str, operation: str, result: bytes) -> bytes:
    """The envelope of the query protocol around a result."""
    head = f'<{operation}Response xmlns="{_NAMESPACE[service]}"><{operation}Result>'
    identity = "5d6f2f0e-0d7c-4d0a-9f4e-3b8a6f1c2d3e"
    tail = f"</{operation}Result><ResponseMetadata><RequestId>{identity}</RequestId></ResponseMetadata>"
    return head.encode() + result + tail.encode() + f"</{operation}Response>".encode()


def _element(name: str, value: object) -> bytes:
    return f"<{name}>{_text(value)}</{name}>".encode()


def _text(value: object) -> str:
    match value:
        case dict():
            return "".join(f"<{key}>{_text(member)}</{key}>" for key, member in value.items())
        case list():
            return "".join(f"<member>{_text(member)}</member>" for member in value)
        case bool():
            return "true" if value else "false"
        case _:
            return escape(str(value))


def _described_tags(live: LiveFleet, identity: ResourceId) -> bytes:
    tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in live.tags(identity)]
    return _element("member", {"ResourceArn": live.arns[identity], "Tags": tags})


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]


def _batch(wanted: list[str], most: int, name: str, code: str = "InvalidParameterException") -> list[str]:
    if len(wanted) > most:
        raise RefusedError(code, f"{name} cannot have more than {most} elements")
    return wanted


def _failures(missing: Iterable[str]) -> bytes:
    return dumped([{"arn": name, "reason": "MISSING"} for name in missing])


def _arn_page(member: str, arns: list[str], params: Params, most: int = 100) -> bytes:
    """A page of an ECS list: ten, unless asked for more, and a hundred at most."""
    size = params.get("maxResults", most if member != "serviceArns" else 10)
    if not 1 <= size <= most:
        raise RefusedError("InvalidParameterException", f"maxResults is from 1 to {most}")
    start = int(params.get("nextToken", 0))
    page: dict[str, Any] = {member: arns[start : start + size]}
    if start + size < len(arns):
        page["nextToken"] = str(start + size)
    return dumped(page)
