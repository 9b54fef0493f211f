"""The kinds' examples, and a workshop in which they are made, read back and changed on the emulated AWS.

A test that takes `kind` runs for every kind there is, and one that takes `example` for every document in data/. In the
documents `$name` stands for something that the example needs to be there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.aws.gate import Gate
from reconciler.aws.session import connect
from reconciler.core.call import Call
from reconciler.core.compare import Comparison
from reconciler.core.difference import Cause, Difference
from reconciler.core.fields import Removal
from reconciler.core.kind import Change, Creation, Kind, ReadRequest
from reconciler.core.live import TAG_ENVIRONMENT, TAG_RESOURCE, Live, Lives
from reconciler.core.patch import patched
from reconciler.core.resource import Desired, Environment, Resource, Settings
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, Spec, resolve
from reconciler.kinds import KINDS

HERE = Path(__file__).parent
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ENVIRONMENT = Environment("test", "shop", "123456789012", "us-east-1", ("base",))


@dataclass(frozen=True)
class Example:
    """One document of data/<Kind>.yaml: a spec, and members of it after a change (null takes one away)."""

    kind: Kind
    name: str
    spec: Spec
    change: Spec

    def __str__(self) -> str:
        return f"{self.kind.name}-{self.name}"

    @property
    def changed(self) -> Spec:
        return {name: value for name, value in (self.spec | self.change).items() if value is not None}

    def resource(self, spec: Spec, variables: Mapping[str, str]) -> Resource:
        """The resource that the spec describes, with the variables put in."""
        return Resource(ResourceId(self.kind.name, f"an-{self.name}"), _put_in(spec, variables))


def _put_in(value: Json, variables: Mapping[str, str]) -> Json:
    match value:
        case str() if value[:1] == "$" and value[1:] in variables:
            return variables[value[1:]]
        case dict():
            return {key: _put_in(member, variables) for key, member in value.items()}
        case list():
            return [_put_in(member, variables) for member in value]
        case _:
            return value


def _examples() -> list[Example]:
    return [
        Example(kind, document["name"], document["spec"], document.get("changed", {}))
        for kind in KINDS.values()
        for document in yaml.safe_load_all((HERE / "data" / f"{kind.name}.yaml").read_text())
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "kind" in metafunc.fixturenames and not any("kind" in names for names in named):
        metafunc.parametrize("kind", KINDS.values(), ids=list(KINDS))
    if "example" in metafunc.fixturenames:
        metafunc.parametrize("example", _examples(), ids=str)


def creation_of(kind: Kind, resource: Resource) -> Creation:
    tags = {TAG_ENVIRONMENT: ENVIRONMENT.tag, TAG_RESOURCE: str(resource.id)}
    return Creation(resource.id, kind.physical_name(resource), resource.spec, tags, "0123456789abcdef" * 2)


def change_of(kind: Kind, resource: Resource, live: Live, differences: tuple[Difference, ...]) -> Change:
    return Change(resource.id, live, patched(kind.prepare(live.spec), differences, kind.table), differences)


def differences_of(
    kind: Kind, resource: Resource, live: Live, base: Resource | None = None, baseline: Spec | None = None
) -> tuple[Difference, ...]:
    """What the engine would see. Tags are no part of content, which is compared where it is used."""
    ignored = Settings(ignore=("tags",) if kind.content_addressed else ())

    def side(one: Resource) -> tuple[Resource, Desired]:
        one = replace(one, settings=ignored)
        return one, Desired(ENVIRONMENT, "c0ffee", {one.id: one})

    comparison = Comparison(kind, KINDS, lambda _: ABSENT)
    return comparison.differences(side(resource), live, side(base) if base else None, baseline=baseline)


class VirtualTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = NOW

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Workshop:
    """AWS through the gate, as the engine uses it, for one resource at a time."""

    gate: Gate
    variables: Mapping[str, str]
    calls: list[Call] = field(default_factory=list)

    def send(self, calls: tuple[Call, ...], resource: Resource) -> dict[str, Json]:
        """Make the calls in order; what one captures stands in the place of references in the next."""
        known: dict[str, Json] = {}

        def lookup(ref: Ref) -> Json:
            return known.get(ref.attribute, ABSENT) if ref.target == resource.id else ABSENT

        for call in calls:
            params = resolve(dict(call.params), lookup)
            answer = self.gate.write(Call(call.service, call.operation, params, call.repeat))
            known.update({name: _at(answer, path) for name, path in call.captures.items()})
            self.calls.append(call)
        return known

    def create(self, kind: Kind, resource: Resource) -> dict[str, Json]:
        return self.send(kind.create(creation_of(kind, resource)), resource)

    def read(self, kind: Kind, resource: Resource) -> Live | None:
        """The live object of the resource, with what its kind needs read before."""
        lives = Lives()
        for name in self._before(kind):
            lives.others += KINDS[name].read(self._request(self._surroundings(name), lives))
        found = list(kind.read(self._request({resource.id: resource}, lives)))
        ours = [live for live in found if live.resource == resource.id or live.natural == kind.natural(resource)]
        assert len(ours) < 2, "one object, one Live"
        return ours[0] if ours else None

    def _before(self, kind: Kind) -> list[str]:
        order: list[str] = []
        for name in kind.reads_after:
            order += [*self._before(KINDS[name]), name]
        return list(dict.fromkeys(order))

    def _surroundings(self, kind: str) -> dict[ResourceId, Resource]:
        """What the ground has of a kind, as desired resources: so that a kind that reads below it finds it."""
        specs: dict[str, list[Spec]] = {
            "Cluster": [{"clusterName": "shop"}],
            "LoadBalancer": [{"name": "ground"}],
            "Listener": [{"loadBalancerArn": self.variables["loadBalancer"], "port": port} for port in (80, 8443)],
        }
        made = (Resource(ResourceId(kind, f"ground-{n}"), spec) for n, spec in enumerate(specs.get(kind, [])))
        return {resource.id: resource for resource in made}

    def _request(self, desired: Mapping[ResourceId, Resource], lives: Lives) -> ReadRequest:
        return ReadRequest(self.gate, desired, lives, ENVIRONMENT.tag, NOW)


def _at(answer: Any, path: str) -> Json:
    for step in path.split("."):
        answer = answer[int(step) if step.isdigit() else step]
    return answer


@pytest.fixture
def ground(emulator: Any) -> dict[str, str]:
    """What the examples' `$names` stand for, made by hand."""
    ec2, elb, acm, ecs = (emulator.client(name) for name in ("ec2", "elbv2", "acm", "ecs"))
    subnets = ec2.describe_subnets()["Subnets"][:3]
    vpc = subnets[0]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    certificates = [acm.request_certificate(DomainName=f"{n}.example.org")["CertificateArn"] for n in "abc"]
    ids = [subnet["SubnetId"] for subnet in subnets]
    balancer = elb.create_load_balancer(Name="ground", Subnets=ids[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    targets = [
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")["TargetGroups"][0]
        for name in ("ground-1", "ground-2")
    ]
    arns = [target["TargetGroupArn"] for target in targets]
    forward = [{"Type": "forward", "TargetGroupArn": arns[0]}]
    listener, secure = (
        elb.create_listener(LoadBalancerArn=balancer, DefaultActions=forward, **settings)["Listeners"][0]["ListenerArn"]
        for settings in (
            {"Protocol": "HTTP", "Port": 80},
            {"Protocol": "HTTPS", "Port": 8443, "Certificates": [{"CertificateArn": certificates[0]}]},
        )
    )
    ecs.create_cluster(clusterName="shop", capacityProviders=["FARGATE"])
    container = {"name": "app", "image": "registry.example/web:1", "portMappings": [{"containerPort": 8080}]}
    made = ecs.register_task_definition(
        family="ground", cpu="256", memory="512", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        containerDefinitions=[container],
    )  # fmt: skip
    names = ("subnetA", "subnetB", "subnetC", "certificateA", "certificateB", "certificateC")
    return dict(zip(names, ids + certificates, strict=True)) | {
        "vpc": vpc,
        "securityGroup": group,
        "loadBalancer": balancer,
        "targetGroup": arns[0],
        "otherTargetGroup": arns[1],
        "listener": listener,
        "secureListener": secure,
        "taskDefinition": made["taskDefinition"]["taskDefinitionArn"],
    }


@pytest.fixture
def workshop(emulator: Any, ground: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    session, time = connect("us-east-1", endpoint_url=emulator.url), VirtualTime()
    with Gate(session, account=None, clock=time.clock, sleep=time.sleep) as gate:
        yield Workshop(gate, ground)
    session.close()
    assert emulator.unimplemented == []


class Tools:
    """The functions above, for test files: they cannot import each other."""

    KEEP = Removal.KEEP
    REMOVED = Cause.REMOVED
    creation_of = staticmethod(creation_of)
    change_of = staticmethod(change_of)
    differences_of = staticmethod(differences_of)
    environment = ENVIRONMENT

    @staticmethod
    def reads(kind: Kind) -> list[Kind]:
        """The kinds that are read before this one."""
        return [one for name in kind.reads_after for one in (*Tools.reads(KINDS[name]), KINDS[name])]

    @staticmethod
    def action(call: str) -> str:
        """The IAM action of a call: `elbv2:CreateRule` → `elasticloadbalancing:CreateRule`."""
        service, _, operation = call.partition(":")
        return f"{ {'elbv2': 'elasticloadbalancing'}.get(service, service) }:{operation}"


@pytest.fixture
def tools() -> type[Tools]:
    return Tools
