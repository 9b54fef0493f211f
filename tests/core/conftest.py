"""A made-up AWS for the pure core: four kinds as data, objects in a dictionary, and calls that change it.

A test that takes `world` says what git has, lets it plan, and runs the calls of the plan; nothing leaves the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from reconciler.core.call import Call
from reconciler.core.content import same_content
from reconciler.core.fields import Effect, Field, Removal, Reset
from reconciler.core.kind import Change, Creation, Input, Kind, Permissions, Reference, Replacement, Yielded
from reconciler.core.live import Health, HealthState, Live, Rollout, RolloutState
from reconciler.core.ownership import Claims, claim
from reconciler.core.plan import Plan
from reconciler.core.planner import Planned, make_plan
from reconciler.core.policy import Intent
from reconciler.core.resource import Desired, Environment, Resource, Settings, Sync
from reconciler.core.situation import Situation
from reconciler.core.tags import TAGS_FIELD
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, resolve

OWNER = "acme/prod"


def create(creation: Creation) -> tuple[Call, ...]:
    params = {"id": str(creation.resource), "name": creation.name, "spec": creation.spec, "tags": dict(creation.tags)}
    calls = [Call("ecs", "Create", {**params, "clientToken": creation.token}, captures={"arn": "arn"})]
    if creation.spec.get("attributes"):  # a second call, as a load balancer's attributes take
        calls.append(Call("ecs", "Set", {"arn": Ref(creation.resource, "arn"), "spec": creation.spec}))
    return tuple(calls)


def update(change: Change) -> tuple[Call, ...]:
    names = change.changed()
    return tuple(Call("ecs", "Set", {"arn": change.live.arn, "spec": change.spec, "of": name}) for name in names)


def delete(live: Live) -> tuple[Call, ...]:
    return (Call("ecs", "Delete", {"arn": live.arn}),)


def natural(resource: Resource) -> str:
    return str(resource.spec.get("natural", resource.id.name))


def health(live: Live) -> Health:
    return Health(HealthState(live.facts.get("health", "Healthy")))


def rollout(live: Live, _content: Json) -> Rollout:
    return Rollout(RolloutState(live.facts.get("rollout", "none")), reason="1 of 2 tasks")


def yields(live: Live) -> tuple[Yielded, ...]:
    return (Yielded("count", "a scalable target has it"),) if live.facts.get("autoscaled") else ()


def kind(name: str, *fields: Field, references: tuple[Reference, ...] = (), **more: Any) -> Kind:
    return Kind(
        name=name,
        summary="Made up.",
        service="ecs",
        inputs=(Input("Create"),),
        fields=(*fields, TAGS_FIELD),
        permissions=Permissions((), (), ()),
        read=lambda _: (),
        create=create,
        update=update,
        delete=delete,
        natural=natural,
        references=references,
        health=health,
        **more,
    )


KINDS: dict[str, Kind] = {
    one.name: one
    for one in (
        kind(
            "Box",
            Field("size", effect=Effect.REPLACE),
            Field("colour", removed=Reset("white")),
            Field("lid", removed=Removal.REFUSE),
            Field("note"),
            Field("attributes", open_map=True),
            references=(Reference("inside", "Box"),),
            after=lambda resource, _users: [ResourceId("Box", name) for name in [resource.spec.get("after")] if name],
        ),
        kind("TaskDefinition", Field("image"), Field("user"), content_addressed=True),
        kind(
            "TargetGroup",
            Field("port", effect=Effect.REPLACE),
            Field("name", effect=Effect.REPLACE),
            Field("path"),
            name_field="name",
            suffixed=True,
            replacement=Replacement.NEW_FIRST,
        ),
        kind(
            "ListenerRule",
            Field("actions"),
            references=(Reference("actions[].forwardConfig.targetGroups[].targetGroupArn", "TargetGroup"),),
        ),
        kind(
            "Service",
            Field("count"),
            Field("taskDefinition", effect=Effect.DEPLOYMENT),
            *(Field(name).under("taskDefinition") for name in ("image", "user")),
            Field("loadBalancers", key=("targetGroupArn",), effect=Effect.DEPLOYMENT),
            references=(
                Reference("taskDefinition", "TaskDefinition", inline=True),
                Reference("cluster", "Cluster"),
                Reference("loadBalancers[].targetGroupArn", "TargetGroup"),
            ),
            rolls_out=True,
            rollout=rollout,
            yields=yields,
            abort=lambda live, _: (Call("ecs", "StopServiceDeployment", {"arn": live.arn}),),
        ),
        kind("Cluster"),
    )
}


@dataclass
class World:
    """What AWS has, what git has at each commit, and how a pass is made of both."""

    objects: dict[str, Live] = field(default_factory=dict)
    commits: dict[str, Desired] = field(default_factory=dict)
    head: str = ""
    now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)
    sync: Sync = field(default_factory=lambda: Sync(mode="auto", prune=True))
    made: list[str] = field(default_factory=list)  # every operation that ran, with its object
    numbers: Any = field(default_factory=count)

    # -- git

    def commit(self, *resources: Resource, name: str = "") -> str:
        """A commit that has just these resources; it becomes the head."""
        self.head = name or f"{len(self.commits) + 1:040x}"
        environment = Environment("prod", "acme", "123456789012", "eu-west-1", (), sync=self.sync)
        self.commits[self.head] = Desired(environment, self.head, {one.id: one for one in resources})
        return self.head

    @staticmethod
    def resource(
        identity: str, settings: Settings | None = None, previous: str | None = None, **spec: Json
    ) -> Resource:
        return Resource(ResourceId.parse(identity), spec, settings or Settings(), previous_name=previous)

    # -- AWS

    def put(self, identity: str, tags: Mapping[str, str] | None = None, **spec: Json) -> Live:
        """An object that somebody else made."""
        wanted = ResourceId.parse(identity)
        arn = f"arn:{wanted.kind}/{next(self.numbers)}"
        self.objects[arn] = Live(wanted.kind, arn, wanted.name, spec, dict(tags or {}), {"arn": arn})
        return self.objects[arn]

    def change(self, live: Live, **more: Any) -> Live:
        """The same object with other members of `Live`."""
        self.objects[live.arn] = replace(live, **more)
        return self.objects[live.arn]

    def set(self, identity: str, **spec: Json) -> None:
        """Somebody changes an object by hand; ABSENT takes a member away."""
        live = self.of(identity)
        merged = {name: value for name, value in {**live.spec, **spec}.items() if value is not ABSENT}
        self.change(live, spec=merged)

    def of(self, identity: str) -> Live:
        (found,) = self.all_of(identity)
        return found

    def all_of(self, identity: str) -> list[Live]:
        return [live for live in self.objects.values() if str(live.resource) == identity]

    # -- a pass

    def observe(self) -> Claims:
        claims = Claims()
        for name, kind_ in KINDS.items():
            wanted = {one: r for one, r in self.commits[self.head].resources.items() if one.kind == name}
            lives = [self._with_contents(live) for live in self.objects.values() if live.kind == name]
            if kind_.content_addressed:
                equal = (
                    (i, next((o for o in lives if same_content(kind_, r.spec, o.spec)), None))
                    for i, r in wanted.items()
                )
                lives = [replace(live, stands_for=identity) for identity, live in equal if live]
            claim(claims, kind_, wanted, lives, OWNER)
        return claims

    def _with_contents(self, live: Live) -> Live:
        content = self.objects.get(str(live.spec.get("taskDefinition")))
        return replace(live, contents={"taskDefinition": content.spec}) if content else live

    def situation(self, **more: Any) -> Situation:
        usual: dict[str, Any] = {
            "desired": self.commits[self.head],
            "kinds": KINDS,
            "claims": self.observe(),
            "now": self.now,
            "intent": Intent.AUTO,
            "render": self.commits.get,
            "is_ancestor": lambda commit: commit in self.commits,
        }
        return Situation(**{**usual, **more})

    def planned(self, **more: Any) -> Planned:
        return make_plan(self.situation(**more))

    def plan(self, **more: Any) -> Plan:
        return self.planned(**more).plan

    def run(self, plan: Plan, limit: int | None = None) -> None:
        """Make the plan's calls in order; `limit` kills the process after so many."""
        calls = [(action.resource, call) for action in plan.actions for call in action.calls]
        for identity, call in calls[:limit]:
            self.make(identity, call)

    def settle(self, passes: int = 12, **more: Any) -> Plan:
        """Pass after pass until one has nothing to write; each rollout ends well in between."""
        for _ in range(passes):
            plan = self.plan(**more)
            if not plan.actions:
                return plan
            self.run(plan)
            self.now += timedelta(minutes=1)
        raise AssertionError(f"no end after {passes} passes: {plan.to_json()}")

    def make(self, identity: ResourceId, call: Call) -> None:
        params: Any = resolve(dict(call.params), self._known)
        self.made.append(f"{call.operation} {identity}")
        live = self.objects.get(params.get("arn") or params.get("resourceArn") or "")
        match call.operation:
            case "Create":
                created = self.put(f"{identity.kind}/{params['name']}", params["tags"], **params["spec"])
                if identity.kind == "TaskDefinition":
                    self.change(created, tags=params["tags"])
            case "Delete":
                del self.objects[params["arn"]]
            case "Set" if live:
                self.change(live, spec=params["spec"])
            case "TagResource" if live:
                self.change(live, tags={**live.tags, **{tag["key"]: tag["value"] for tag in params["tags"]}})
            case "UntagResource" if live:
                self.change(live, tags={key: value for key, value in live.tags.items() if key not in params["tagKeys"]})

    def _known(self, ref: Ref) -> Json:
        claims = self.observe()
        live = claims.owned.get(ref.target)
        return ABSENT if live is None else live.attributes.get(ref.attribute, ABSENT)


@pytest.fixture
def world() -> World:
    """An AWS with nothing in it and a git repository without commits."""
    return World()
