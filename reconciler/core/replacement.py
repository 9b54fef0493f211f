"""Replacing a target group while it serves: a state machine over passes, each step derived from live.

A pair is the old group and its successor, which carries the tag `reconciler:replaces`. What the rules forward to and
where the services register says how far the replacement is; nothing else is remembered.

| rules forward to   | services register in | step                                              |
|--------------------|----------------------|---------------------------------------------------|
| only old (some)    | any                  | INTRODUCE: forward to old, and to new with weight 0 |
| both               | only old (some)      | JOIN: register in both                            |
| both               | both, new unhealthy  | WAIT                                              |
| both               | both, new healthy    | SHIFT: forward to new                             |
| only new           | both (some)          | LEAVE: register in new only                       |
| only new           | only new, settled    | RETIRE: delete old                                |
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.live import Health, HealthState, Live
from reconciler.core.resource import Resource
from reconciler.core.values import Json, Ref, ResourceId, Spec


class Step(enum.Enum):
    """What comes next for a pair."""

    INTRODUCE = "introduce"
    JOIN = "join"
    WAIT = "wait"
    SHIFT = "shift"
    LEAVE = "leave"
    RETIRE = "retire"


class Side(enum.Enum):
    """Which of the pair a rule forwards to, or a service registers in."""

    OLD = "old"
    BOTH = "both"
    NEW = "new"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Consumer:
    """A resource that uses the group, with the side that it is on and whether its last change has settled."""

    id: ResourceId
    side: Side
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """An old target group, its successor, and who uses them."""

    id: ResourceId
    old: Live
    new: Live
    forwarders: tuple[Consumer, ...]
    services: tuple[Consumer, ...]

    @property
    def step(self) -> Step:
        sides = {consumer.side for consumer in self.forwarders}
        registered = {service.side for service in self.services}
        if Side.OLD in sides:
            return Step.INTRODUCE
        if Side.BOTH in sides:
            if Side.OLD in registered:
                return Step.JOIN
            return Step.SHIFT if self._new_serves() else Step.WAIT
        if registered & {Side.OLD, Side.BOTH}:
            return Step.LEAVE
        return Step.RETIRE if all(one.settled for one in (*self.forwarders, *self.services)) else Step.WAIT

    def _new_serves(self) -> bool:
        """Whether the successor can take the traffic: as many healthy targets as the old one, and nothing moving.

        Where the old one has none either, as with services scaled to zero, nobody is served the worse.
        """
        if not all(service.settled for service in self.services):
            return False
        healthy, before = self.new.facts.get("healthy"), self.old.facts.get("healthy")
        return healthy is not None and before is not None and int(healthy) >= int(before)


def pair(old: Live, new: Live, identity: ResourceId, users: Iterable[tuple[Resource, Live | None, Health]]) -> Pair:
    """The pair as the observation shows it; `users` are the resources that refer to the group, with their objects."""
    forwarders: list[Consumer] = []
    services: list[Consumer] = []
    for resource, live, health in users:
        if live is None:
            continue
        side = _side(live.spec, old.arn, new.arn)
        left = side is not Side.NEW or old.arn not in set(_strings(live.spec))
        consumer = Consumer(resource.id, side, left and health.state is not HealthState.PROGRESSING)
        (services if resource.id.kind == "Service" else forwarders).append(consumer)
    return Pair(identity, old, new, tuple(forwarders), tuple(services))


def _side(spec: Spec, old: str, new: str) -> Side:
    used = set(_strings(spec))
    idle = {arn for arn, weight in _weighted(spec) if weight == 0}
    match old in used, new in used:
        case True, True if old in idle and new not in idle:
            return Side.NEW  # git went back to what was being replaced, which serves still
        case True, True:
            return Side.BOTH
        case True, False:
            return Side.OLD
        case False, True:
            return Side.NEW
        case _:
            return Side.NEITHER


def _weighted(spec: Spec) -> Iterable[tuple[Json, Json]]:
    """What actions forward to, with the weight."""
    for action in (*(spec.get("actions") or ()), *(spec.get("defaultActions") or ())):
        for group in (action.get("forwardConfig") or {}).get("targetGroups") or ():
            yield group.get("targetGroupArn"), group.get("weight", 1)


def _strings(value: Json) -> Iterable[str]:
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from _strings(member)
        case list():
            for member in value:
                yield from _strings(member)
        case _:
            return


def takes_part(resource: Resource, pairs: Mapping[ResourceId, Pair]) -> bool:
    """Whether a replacement under way is about what the resource refers to."""
    return any(ref.target in pairs for ref in resource.references)


def overlay(resource: Resource, pairs: Mapping[ResourceId, Pair]) -> Resource:
    """What the resource shall be for the present step of the replacements that it takes part in."""
    spec = resource.spec
    for one in pairs.values():
        if any(ref.target == one.id for ref in resource.references):
            side = _wanted_side(resource.id, one)
            spec = _on_side(spec, one, side)
    return resource if spec is resource.spec else replace(resource, spec=spec)


def _wanted_side(identity: ResourceId, one: Pair) -> Side:
    consumers = {consumer.id: consumer.side for consumer in (*one.forwarders, *one.services)}
    now, step = consumers.get(identity, Side.NEITHER), one.step
    service = identity.kind == "Service"
    if now is Side.NEITHER:
        now = Side.OLD if service else Side.BOTH  # it begins to use the group now: with the one that serves
    match step:
        case Step.INTRODUCE if not service:
            return Side.NEW if now is Side.NEW else Side.BOTH
        case Step.JOIN if service:
            return Side.NEW if now is Side.NEW else Side.BOTH
        case Step.SHIFT if not service:
            return Side.NEW
        case Step.LEAVE | Step.RETIRE:
            return Side.NEW
        case _:
            return now


def _on_side(spec: Spec, one: Pair, side: Side) -> Spec:
    changed = dict(spec)
    for name in ("actions", "defaultActions"):
        if isinstance(actions := spec.get(name), list):
            changed[name] = [_action(action, one, side) for action in actions]
    if isinstance(entries := spec.get("loadBalancers"), list):
        changed["loadBalancers"] = [split for entry in entries for split in _entries(entry, one, side)]
    return changed


def _is_to(value: Json, one: Pair) -> bool:
    return isinstance(value, Ref) and value.target == one.id


def _action(action: Spec, one: Pair, side: Side) -> Spec:
    config = dict(action.get("forwardConfig") or {})
    groups = config.get("targetGroups") or []
    if not groups and _is_to(action.get("targetGroupArn"), one):
        weight = {} if side is Side.NEW else {"weight": 100}
        groups = [{"targetGroupArn": action["targetGroupArn"], **weight}]
    if not any(_is_to(group.get("targetGroupArn"), one) for group in groups):
        return action
    config["targetGroups"] = [split for group in groups for split in _weights(group, one, side)]
    return {name: value for name, value in action.items() if name != "targetGroupArn"} | {"forwardConfig": config}


def _weights(group: Spec, one: Pair, side: Side) -> list[Spec]:
    if not _is_to(group.get("targetGroupArn"), one):
        return [group]
    if side is Side.NEW:
        return [{"weight": 1} | group]  # said, because the live one still has the 0 that it was introduced with
    old = group | {"targetGroupArn": one.old.arn}
    return [old] if side is Side.OLD else [old, {"targetGroupArn": one.new.arn, "weight": 0}]


def _entries(entry: Spec, one: Pair, side: Side) -> list[Spec]:
    if not _is_to(entry.get("targetGroupArn"), one):
        return [entry]
    if side is Side.NEW:
        return [entry]  # the reference resolves to the successor
    old = entry | {"targetGroupArn": one.old.arn}
    return [old] if side is Side.OLD else [old, entry | {"targetGroupArn": one.new.arn}]
