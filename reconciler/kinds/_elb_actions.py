"""The actions of listeners and rules: their rows, their one form, what is wrong with them, how they are sent.

Called by `listener` (for `defaultActions`) and `listener_rule` (for `actions`), whose actions are the same shape.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.fields import Field
from reconciler.core.kind import Fault, Reference
from reconciler.core.values import ABSENT, Json, Spec, canonical
from reconciler.kinds._elb import GONE, itself

FINAL = ("forward", "redirect", "fixed-response")
SECURE_ONLY = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
ECHO = "describe-rules echoes both forms (live)"

_DOCUMENTED = "API reference: the action's Config type"
_SESSION: tuple[tuple[str, Json], ...] = (
    ("sessionCookieName", "AWSELBAuthSessionCookie"),
    ("scope", "openid"),
    ("sessionTimeout", 604800),
    ("onUnauthenticatedRequest", "authenticate"),
)
_REDIRECT: tuple[tuple[str, Json], ...] = (
    ("protocol", "#{protocol}"),
    ("port", "#{port}"),
    ("host", "#{host}"),
    ("path", "/#{path}"),
    ("query", "#{query}"),
)


def _while_off(stickiness: Spec) -> Json:
    """How long a stickiness that is off would last means nothing."""
    return ABSENT if stickiness.get("enabled") else stickiness.get("durationSeconds", ABSENT)


def action_fields(member: str) -> tuple[Field, ...]:
    """The rows of the list of actions that stands at `member`.

    ModifyRule and ModifyListener replace the list whole, so what is left out of it is reset by leaving it out.
    """
    rows = (
        Field("", key=("type",), removed=GONE, source="Modify*: the entire list; one action of each type"),
        Field("order", source="aws-behaviour: actions sorted by Order"),
        Field("forwardConfig.targetGroups", key=("targetGroupArn",), source="API: weights by target group"),
        Field("forwardConfig.targetGroups[].weight", default=1, source="describe-rules (live)"),
        Field("forwardConfig.targetGroupStickinessConfig.enabled", default=False, source=ECHO),
        Field("forwardConfig.targetGroupStickinessConfig.durationSeconds", default=_while_off, source=ECHO),
        *(Field(f"redirectConfig.{name}", default=value, source=_DOCUMENTED) for name, value in _REDIRECT),
        Field("fixedResponseConfig.contentType", computed=True, source="AWS may fill in text/plain"),
        *(
            Field(f"{config}.{name}", default=value, source=_DOCUMENTED)
            for config in ("authenticateOidcConfig", "authenticateCognitoConfig")
            for name, value in _SESSION
        ),
        Field("authenticateOidcConfig.authenticationRequestExtraParams", open_map=True, source=_DOCUMENTED),
        Field("authenticateCognitoConfig.authenticationRequestExtraParams", open_map=True, source=_DOCUMENTED),
        Field(
            "authenticateOidcConfig.clientSecret",
            default=itself("clientSecret"),
            secret=True,
            source="write-only: Describe* never has it",
        ),
        Field(
            "authenticateOidcConfig.useExistingClientSecret",
            default=itself("useExistingClientSecret"),
            source="a flag of the request, not of the action",
        ),
        Field("jwtValidationConfig.additionalClaims", key=("name",), source="API: claims by name"),
        Field("jwtValidationConfig.additionalClaims[].values", unordered=True, source="API: any of the values"),
    )
    return tuple(
        Field(member, key=row.key, removed=row.removed, source=row.source) if not row.path else row.under(f"{member}[]")
        for row in rows
    )


def action_references(member: str) -> tuple[Reference, ...]:
    return (
        Reference(f"{member}[].targetGroupArn", "TargetGroup"),
        Reference(f"{member}[].forwardConfig.targetGroups[].targetGroupArn", "TargetGroup"),
    )


def one_form(actions: Json) -> Json:
    """The actions in order, numbered from 1, each target group in a forwardConfig. Pure and idempotent.

    AWS answers `targetGroupArn` beside a forwardConfig of one entry, whichever of the two was sent.
    """
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        return actions
    ordered = sorted(enumerate(actions, 1), key=lambda pair: _order(pair[1], pair[0]))
    return [_expanded(action) | {"order": order} for order, (_, action) in enumerate(ordered, 1)]


def _order(action: Spec, position: int) -> int:
    order = action.get("order")
    return order if isinstance(order, int) else position


def _expanded(action: Spec) -> Spec:
    forward = action.get("forwardConfig")
    if action.get("type") != "forward" or not (target := action.get("targetGroupArn")):
        return dict(action)
    rest = {name: value for name, value in action.items() if name != "targetGroupArn"}
    config = dict(forward) if isinstance(forward, dict) else {}
    config["targetGroups"] = config.get("targetGroups") or [{"targetGroupArn": target}]
    return rest | {"forwardConfig": config}


def sent(actions: Json, *, existing: bool) -> list[Spec]:
    """The actions as a call takes them; with `existing`, AWS keeps the client secret that git does not have."""
    result = []
    for action in one_form(actions):
        oidc = action.get("authenticateOidcConfig")
        if existing and oidc and not oidc.get("clientSecret"):
            action["authenticateOidcConfig"] = oidc | {"useExistingClientSecret": True}
        result.append(action)
    return result


def target_groups(actions: Json) -> list[Json]:
    """What the actions forward to: ARNs, or references in a manifest."""
    found = (
        target.get("targetGroupArn")
        for action in one_form(actions) or ()
        for target in (action.get("forwardConfig") or {}).get("targetGroups") or ()
    )
    return list({canonical(target): target for target in found if target}.values())


# -- what AWS would refuse ---------------------------------------------------------------------------------------------


def action_faults(member: str, actions: Json) -> Iterable[Fault]:
    """What AWS refuses in a list of actions; nothing where the schema already speaks."""
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        return
    final = [index for index, action in enumerate(actions) if action.get("type") in FINAL]
    if len(final) != 1:
        yield Fault(member, f"exactly one action must be of type {', '.join(FINAL)}; there are {len(final)}")
    elif one_form(actions)[-1].get("type") not in FINAL:
        yield Fault(f"{member}[{final[0]}].order", "the action that answers or forwards must be the last")
    if len(actions) > 1 and not all("order" in action for action in actions):
        yield Fault(member, "with more than one action each needs an order, from 1 up")
    for index, action in enumerate(actions):
        yield from _config_faults(f"{member}[{index}]", action)
        if action.get("type") == "forward":
            yield from _forward_faults(f"{member}[{index}]", action)


_CONFIGS = {
    "redirect": "redirectConfig",
    "fixed-response": "fixedResponseConfig",
    "authenticate-oidc": "authenticateOidcConfig",
    "authenticate-cognito": "authenticateCognitoConfig",
    "jwt-validation": "jwtValidationConfig",
}


def _config_faults(path: str, action: Spec) -> Iterable[Fault]:
    own = _CONFIGS.get(str(action.get("type")))
    if own and not action.get(own):
        yield Fault(path, f"an action of type {action['type']} needs {own}")
    for kind, config in _CONFIGS.items():
        if config != own and action.get(config):
            yield Fault(
                f"{path}.{config}", f"belongs to an action of type {kind}, and this one is {action.get('type')}"
            )


def _forward_faults(path: str, action: Spec) -> Iterable[Fault]:
    config = action.get("forwardConfig") or {}
    targets = config.get("targetGroups") or []
    direct = action.get("targetGroupArn")
    if not targets and not direct:
        yield Fault(path, "a forward action needs a target group: targetGroup, or forwardConfig.targetGroups")
    if direct and targets and [target.get("targetGroupArn") for target in targets] != [direct]:
        yield Fault(
            f"{path}.forwardConfig", "names other target groups than targetGroupArn beside it: keep one of the two"
        )
    if len(targets) > 5:
        yield Fault(f"{path}.forwardConfig.targetGroups", f"{len(targets)} target groups; AWS takes 5 in one action")
    for index, target in enumerate(targets):
        weight = target.get("weight", 1)
        if isinstance(weight, int) and not 0 <= weight <= 999:
            yield Fault(f"{path}.forwardConfig.targetGroups[{index}].weight", f"{weight} is not from 0 to 999")
    stickiness = config.get("targetGroupStickinessConfig") or {}
    if stickiness.get("enabled") is True and not stickiness.get("durationSeconds"):
        yield Fault(f"{path}.forwardConfig.targetGroupStickinessConfig", "stickiness that is on needs durationSeconds")
