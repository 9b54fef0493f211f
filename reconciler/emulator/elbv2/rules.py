"""Rules of listeners: create, describe, modify, delete, and setting priorities, swaps included."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.elbv2 import actions, conditions, tags
from reconciler.emulator.elbv2.errors import ElbError, not_permitted, validation
from reconciler.emulator.elbv2.pages import page
from reconciler.emulator.elbv2.state import Record, Store, hex_id

__all__ = ["OPERATIONS", "default_rule"]

_MOST_RULES = 100  # per load balancer, default rules not counted


def default_rule(listener: dict[str, Any]) -> Record:
    """Return the default rule of a new listener: it carries the listener's default actions."""
    view = {
        "RuleArn": listener["ListenerArn"].replace(":listener/", ":listener-rule/") + f"/{hex_id()}",
        "Priority": "default",
        "Conditions": [],
        "Actions": listener["DefaultActions"],
        "IsDefault": True,
        "Transforms": [],
        "ListenerArn": listener["ListenerArn"],
    }
    return Record(view)


def _balancer(store: Store, listener_arn: str) -> Record:
    listener = store.get("listener", listener_arn)
    return store.get("loadbalancer", listener.view["LoadBalancerArn"])


def _siblings(store: Store, listener_arn: str) -> list[Record]:
    records = [store.rules[arn] for arn in store.rules_of[listener_arn]]
    return sorted(
        records, key=lambda r: (r.view["IsDefault"], int(r.view["Priority"]) if not r.view["IsDefault"] else 0)
    )


def _create(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    listener = parameters["ListenerArn"]
    balancer = _balancer(store, listener)
    if balancer.view["Type"] != "application":
        raise ElbError(
            "UnsupportedProtocol", "Rules can be created for the listeners of application load balancers only"
        )
    siblings = _siblings(store, listener)
    if any(rule.view["Priority"] == str(parameters["Priority"]) for rule in siblings):
        raise ElbError("PriorityInUse", f"Priority '{parameters['Priority']}' is currently in use")
    others = [store.rules_of[one.view["ListenerArn"]] for one in store.listeners_of(balancer.view["LoadBalancerArn"])]
    if sum(len(rules) - 1 for rules in others) >= _MOST_RULES:
        raise ElbError("TooManyRules", f"The maximum number of rules on a load balancer is {_MOST_RULES}")
    new_tags = tags.checked(parameters.get("Tags", []))
    arn = listener.replace(":listener/", ":listener-rule/") + f"/{hex_id()}"
    record = Record(
        {
            "RuleArn": arn,
            "Priority": str(parameters["Priority"]),
            "Conditions": conditions.accepted(parameters["Conditions"]),
            "Actions": actions.accepted(store, balancer, parameters["Actions"]),
            "IsDefault": False,
            "Transforms": _transforms(parameters.get("Transforms", [])),
            "ListenerArn": listener,
        }
    )
    tags.put(record, new_tags)
    store.put_rule(arn, record)
    return {"Rules": [record.view]}


def _transforms(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = [transform["Type"] for transform in given]
    if len(set(kinds)) < len(kinds):
        raise validation("A rule can have one transform of each type")
    return list(given)


def _describe(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    listener, arns = parameters.get("ListenerArn"), parameters.get("RuleArns")
    if bool(listener) == bool(arns):
        raise validation("You must specify either listener rule ARNs or a listener ARN")
    if arns:
        records = [store.get("listener-rule", arn) for arn in dict.fromkeys(arns)]
    else:
        store.get("listener", str(listener))
        records = _siblings(store, str(listener))
    return page(parameters, [record.view for record in records], "Rules")


def _modify(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["RuleArn"]
    record = store.get("listener-rule", arn)
    if record.view["IsDefault"]:
        raise not_permitted("Default rule cannot be modified: modify its listener")
    if not any(parameters.get(key) for key in ("Conditions", "Actions", "Transforms", "ResetTransforms")):
        raise validation("Either conditions, actions or transforms must be specified")
    if parameters.get("Transforms") and parameters.get("ResetTransforms"):
        raise validation("Transforms cannot be specified when they are reset")
    view = dict(record.view)
    if parameters.get("Conditions"):
        view["Conditions"] = conditions.accepted(parameters["Conditions"])
    if parameters.get("Actions"):
        view["Actions"] = actions.accepted(store, _balancer(store, view["ListenerArn"]), parameters["Actions"])
    if parameters.get("Transforms") or parameters.get("ResetTransforms"):
        view["Transforms"] = _transforms(parameters.get("Transforms", []))
    store.put_rule(arn, Record(view, record.attributes, record.tags, record.ever_tagged))
    return {"Rules": [view]}


def _delete(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("listener-rule", parameters["RuleArn"])
    if record.view["IsDefault"]:
        raise not_permitted("Default rule cannot be deleted")
    store.drop_rule(parameters["RuleArn"])
    return {}


def _set_priorities(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    wanted = {pair["RuleArn"]: str(pair["Priority"]) for pair in parameters["RulePriorities"]}
    records = {arn: store.get("listener-rule", arn) for arn in wanted}
    if any(record.view["IsDefault"] for record in records.values()):
        raise not_permitted("The priority of the default rule cannot be set")
    if len(wanted) < len(parameters["RulePriorities"]) or len(set(wanted.values())) < len(wanted):
        raise validation("A rule and a priority can be specified only once each")
    listeners = {record.view["ListenerArn"] for record in records.values()}
    if len(listeners) != 1:
        raise validation("All rules must belong to the same listener")
    for sibling in _siblings(store, listeners.pop()):
        if sibling.view["RuleArn"] not in wanted and sibling.view["Priority"] in wanted.values():
            raise ElbError("PriorityInUse", f"Priority '{sibling.view['Priority']}' is currently in use")
    for arn, priority in wanted.items():
        records[arn].view["Priority"] = priority
    return {"Rules": [record.view for record in records.values()]}


OPERATIONS = {
    "create_rule": _create,
    "describe_rules": _describe,
    "modify_rule": _modify,
    "delete_rule": _delete,
    "set_rule_priorities": _set_priorities,
}
