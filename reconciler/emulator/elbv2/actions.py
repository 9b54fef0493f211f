"""Actions of rules and listeners: what AWS refuses, and how it echoes what it took.

The echo is part of the behaviour that clients must cope with: a forward comes back with both `TargetGroupArn` and
`ForwardConfig`, a redirect with all its parts, an authentication with its defaults and without its secret.
Source: API reference of Action, and answers recorded from the real API in the project's notes.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.elbv2.errors import ElbError, validation
from reconciler.emulator.elbv2.state import Record, Store, forwards_of

__all__ = ["accepted"]

_MOST_GROUPS_PER_ACTION = 5
_MOST_GROUPS_PER_BALANCER = 100
_FINAL = {"forward", "redirect", "fixed-response"}
_CONFIG = {
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "jwt-validation": "JwtValidationConfig",
}
_REDIRECT = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
_AUTHENTICATE = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}


def accepted(store: Store, balancer: Record, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the actions as AWS keeps and echoes them. Raises what AWS answers to those that it refuses."""
    if not actions:
        raise ElbError("InvalidLoadBalancerAction", "At least one action must be specified")
    if len(actions) > 1 and any("Order" not in action for action in actions):
        raise validation("An order must be specified for each action when there is more than one")
    ordered = sorted(actions, key=lambda action: action.get("Order", 1))
    kinds = [action["Type"] for action in ordered]
    if kinds[-1] not in _FINAL or any(kind in _FINAL for kind in kinds[:-1]):
        raise ElbError(
            "InvalidLoadBalancerAction",
            "Exactly one action must be 'forward', 'redirect' or 'fixed-response', and it must be the last one",
        )
    kept = [_echo(action) for action in ordered]
    _check_groups(store, balancer, kept)
    return kept


def _echo(action: dict[str, Any]) -> dict[str, Any]:
    kind = action["Type"]
    if kind == "forward":
        return _forward(action)
    config = _CONFIG[kind]
    if config not in action:
        raise ElbError("InvalidLoadBalancerAction", f"'{config}' must be specified with an action of type '{kind}'")
    given = dict(action[config])
    if kind == "redirect":
        given = _REDIRECT | given
        if all(given[key] == value for key, value in _REDIRECT.items()):
            raise ElbError("InvalidLoadBalancerAction", "The redirect configuration is not valid: it creates a loop")
    elif kind.startswith("authenticate-"):
        given = _AUTHENTICATE | given
        given.pop("ClientSecret", None)
        given.pop("UseExistingClientSecret", None)
    return {**action, config: given}


def _forward(action: dict[str, Any]) -> dict[str, Any]:
    short = action.get("TargetGroupArn")
    config = dict(action.get("ForwardConfig", {}))
    groups = [{"Weight": 1, **group} for group in config.get("TargetGroups", [])]
    if not short and not groups:
        raise validation("A target group ARN must be specified")
    if not groups:
        groups = [{"TargetGroupArn": short, "Weight": 1}]
    if short and [group["TargetGroupArn"] for group in groups] != [short]:
        raise validation("The target group ARN and the forward config must name the same target group")
    if len(groups) > _MOST_GROUPS_PER_ACTION:
        raise ElbError("TooManyTargetGroups", f"An action can have at most {_MOST_GROUPS_PER_ACTION} target groups")
    if len({group["TargetGroupArn"] for group in groups}) < len(groups):
        raise validation("A target group must be specified only once in an action")
    if any(not 0 <= group["Weight"] <= 999 for group in groups):
        raise validation("The weight of a target group must be between 0 and 999")
    stickiness = dict(config.get("TargetGroupStickinessConfig", {"Enabled": False}))
    stickiness.setdefault("Enabled", False)
    if stickiness["Enabled"] and not 1 <= stickiness.get("DurationSeconds", 0) <= 604800:
        raise validation("The stickiness duration must be between 1 and 604800 seconds")
    kept: dict[str, Any] = {"Type": "forward"}
    if len(groups) == 1:
        kept["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    if "Order" in action:
        kept["Order"] = action["Order"]
    kept["ForwardConfig"] = {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}
    return kept


def _check_groups(store: Store, balancer: Record, actions: list[dict[str, Any]]) -> None:
    view = balancer.view
    for arn in forwards_of(actions):
        group = store.target_groups.get(arn)
        if group is None:
            raise ElbError("TargetGroupNotFound", f"Target group '{arn}' not found")
        others = [other for other in store.load_balancers_of(arn) if other != view["LoadBalancerArn"]]
        if others:
            raise ElbError(
                "TargetGroupAssociationLimit",
                f"The following target groups cannot be associated with more than one load balancer: {arn}",
            )
        if "VpcId" in group.view and group.view["VpcId"] != view["VpcId"]:
            raise ElbError(
                "InvalidConfigurationRequest",
                f"The target group '{arn}' is in VPC '{group.view['VpcId']}', the load balancer in '{view['VpcId']}'",
            )
        http = group.view.get("Protocol") in {"HTTP", "HTTPS"} or group.view["TargetType"] == "lambda"
        if http != (view["Type"] == "application"):
            raise ElbError(
                "InvalidConfigurationRequest",
                f"The target group '{arn}' has protocol '{group.view.get('Protocol')}', which a load balancer of type "
                f"'{view['Type']}' cannot forward to",
            )
    used = {
        arn
        for arn, rules in store.forwarding.items()
        if rules and view["LoadBalancerArn"] in store.load_balancers_of(arn)
    }
    if len(used | set(forwards_of(actions))) > _MOST_GROUPS_PER_BALANCER:
        raise ElbError(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            f"A load balancer can have at most {_MOST_GROUPS_PER_BALANCER} target groups",
        )
