"""What exists: load balancers, listeners, rules, target groups, by account and region.

moto's own classes lose a third of the API's members, so the emulator keeps each resource as the dictionary that
Describe answers with, members by their API names: whatever the model accepts comes back. All operations of this package
work on these records; the ECS part reaches target groups through `targets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.emulator.elbv2.errors import not_found
from reconciler.emulator.world import World

__all__ = [
    "Ghost",
    "Record",
    "Store",
    "Target",
    "forwards_of",
    "hex_id",
    "kind_of",
    "reset",
    "store",
    "store_of",
    "stores",
]


@dataclass(slots=True)
class Record:
    """One resource: `view` is what Describe answers, less what is computed on reading."""

    view: dict[str, Any]
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    ever_tagged: bool = False


@dataclass(slots=True)
class Target:
    """One target of a target group, known by id and port. Times are virtual."""

    id: str
    port: int | None
    zone: str | None
    healthy: bool
    checked_since: datetime
    before: str = "initial"  # the state until the checks since then have made up their mind
    draining_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ghost:
    """A deleted listener or rule, which the tagging API goes on listing for a while."""

    kind: str
    tags: dict[str, str]
    deleted_at: datetime


@dataclass(slots=True)
class Store:
    """One account's region. The four tables are keyed by ARN, in the order of creation."""

    account: str
    region: str
    load_balancers: dict[str, Record] = field(default_factory=dict)
    listeners: dict[str, Record] = field(default_factory=dict)
    rules: dict[str, Record] = field(default_factory=dict)
    target_groups: dict[str, Record] = field(default_factory=dict)
    targets: dict[str, dict[tuple[str, int | None], Target]] = field(default_factory=dict)
    ghosts: dict[str, Ghost] = field(default_factory=dict)  # deleted listeners and rules that had tags
    certificates: dict[str, list[str]] = field(default_factory=dict)  # listener → SNI certificates, without the default
    rules_of: dict[str, list[str]] = field(default_factory=dict)  # listener → its rules, the default one included
    forwarding: dict[str, dict[str, None]] = field(default_factory=dict)  # target group → the rules that forward to it

    def table(self, kind: str) -> dict[str, Record]:
        """Return the table of an ARN's resource part."""
        return {
            "loadbalancer": self.load_balancers,
            "listener": self.listeners,
            "listener-rule": self.rules,
            "targetgroup": self.target_groups,
        }[kind]

    def get(self, kind: str, arn: str) -> Record:
        """Return a record. Raises the kind's not-found error."""
        record = self.table(kind).get(arn)
        if record is None:
            raise not_found(kind, arn)
        return record

    def load_balancers_of(self, target_group_arn: str) -> list[str]:
        """Return the load balancers whose rules forward to a target group, each once, oldest rule first."""
        found: dict[str, None] = {}
        for rule in self.forwarding.get(target_group_arn, {}):
            listener = self.listeners[self.rules[rule].view["ListenerArn"]]
            found[listener.view["LoadBalancerArn"]] = None
        return list(found)

    def put_rule(self, arn: str, record: Record) -> None:
        """Store a rule, new or changed, and know again whom it forwards to."""
        before = {group for group, rules in self.forwarding.items() if rules}
        self.unlink(arn)
        self.rules[arn] = record
        siblings = self.rules_of.setdefault(record.view["ListenerArn"], [])
        if arn not in siblings:
            siblings.append(arn)
        now = World.current().now()
        for target_group in forwards_of(record.view["Actions"]):
            if target_group not in before:
                for target in self.targets.get(target_group, {}).values():
                    target.checked_since = now  # the first check is due when the group comes into use
            self.forwarding.setdefault(target_group, {})[arn] = None

    def unlink(self, rule_arn: str) -> None:
        """Forget whom a rule forwards to."""
        old = self.rules.get(rule_arn)
        for target_group in forwards_of(old.view["Actions"]) if old else ():
            self.forwarding.get(target_group, {}).pop(rule_arn, None)

    def drop_rule(self, arn: str) -> None:
        """Delete a rule."""
        self.unlink(arn)
        record = self.rules.pop(arn)
        self.rules_of[record.view["ListenerArn"]].remove(arn)
        self._bury("listener-rule", arn, record)

    def drop_listener(self, arn: str) -> None:
        """Delete a listener with its rules."""
        for rule in list(self.rules_of.get(arn, [])):
            self.drop_rule(rule)
        self.rules_of.pop(arn, None)
        self.certificates.pop(arn, None)
        self._bury("listener", arn, self.listeners.pop(arn))

    def _bury(self, kind: str, arn: str, record: Record) -> None:
        if record.tags:
            self.ghosts[arn] = Ghost(kind, dict(record.tags), World.current().now())

    def listeners_of(self, load_balancer_arn: str) -> list[Record]:
        """Return a load balancer's listeners, oldest first."""
        return [record for record in self.listeners.values() if record.view["LoadBalancerArn"] == load_balancer_arn]


stores: dict[tuple[str, str], Store] = {}


def store(account: str, region: str) -> Store:
    """Return the store of an account's region; an empty one at first."""
    return stores.setdefault((account, region), Store(account, region))


def store_of(arn: str) -> Store:
    """Return the store that an ARN belongs to."""
    parts = arn.split(":")
    return store(parts[4], parts[3])


def kind_of(arn: str) -> str:
    """Return the resource part of an ARN: loadbalancer, listener, listener-rule, targetgroup, or "" for others."""
    parts = arn.split(":", 5)
    kind = parts[5].split("/")[0] if len(parts) == 6 else ""
    return kind if kind in {"loadbalancer", "listener", "listener-rule", "targetgroup"} else ""


def forwards_of(actions: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the target groups that actions forward to, each once."""
    seen: dict[str, None] = {}
    for action in actions:
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            seen[group["TargetGroupArn"]] = None
    return iter(seen)


def hex_id() -> str:
    """Return the sixteen hex digits that end an ARN."""
    return f"{World.current().random.getrandbits(64):016x}"


def reset() -> None:
    """Forget everything."""
    stores.clear()
