"""ListenerRule: which requests a listener sends where.

Everything but the listener can be changed in place. The default rule of a listener is the listener's own
`defaultActions` and never appears here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Call
from reconciler.core.fields import Effect, Field
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest, Reference
from reconciler.core.live import Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, with_tags
from reconciler.core.values import Json, Spec
from reconciler.kinds import _elb, _elb_actions

NAME = "ListenerRule"
MEMBERS = ("conditions", "actions", "transforms")
CONFIGS = {
    "host-header": "hostHeaderConfig",
    "path-pattern": "pathPatternConfig",
    "http-header": "httpHeaderConfig",
    "http-request-method": "httpRequestMethodConfig",
    "query-string": "queryStringConfig",
    "source-ip": "sourceIpConfig",
}
ONCE = ("host-header", "path-pattern", "http-request-method", "source-ip")
LONGEST = {"http-request-method": 40}  # characters of one value; 128 for the other fields
MOST_VALUES = 5  # aws-behaviour: quotas

_SETS = "aws-behaviour: value lists other than of host-header are sets"

FIELDS = (
    Field("listenerArn", effect=Effect.REPLACE, source="ModifyRule has no such member"),
    Field("priority", normal=lambda value: int(value) if str(value).isdigit() else value, source="a string (live)"),
    Field("conditions", unordered=True, removed=_elb.GONE, source="returned reordered (live); ModifyRule: whole list"),
    Field("conditions[].hostHeaderConfig.regexValues", unordered=True, source=_SETS),
    Field("conditions[].pathPatternConfig.values", unordered=True, source=_SETS),
    Field("conditions[].pathPatternConfig.regexValues", unordered=True, source=_SETS),
    Field("conditions[].httpHeaderConfig.values", unordered=True, source=_SETS),
    Field("conditions[].httpHeaderConfig.regexValues", unordered=True, source=_SETS),
    Field("conditions[].httpRequestMethodConfig.values", unordered=True, source=_SETS),
    Field("conditions[].queryStringConfig.values", unordered=True, source=_SETS),
    Field("conditions[].sourceIpConfig.values", unordered=True, source=_SETS),
    Field("transforms", key=("type",), removed=_elb.GONE, source="one of each type; ModifyRule: whole list"),
    *_elb_actions.action_fields("actions"),
    TAGS_FIELD,
)


def prepare(spec: Spec) -> Spec:
    """Actions in one form, and each condition in its `*Config` only.

    AWS answers `values` beside the `*Config`, empty lists, and members of other fields' conditions as empty.
    """
    result = dict(spec)
    if "actions" in spec:
        result["actions"] = _elb_actions.one_form(spec["actions"])
    if isinstance(conditions := spec.get("conditions"), list):
        result["conditions"] = [_condition(each) if isinstance(each, dict) else each for each in conditions]
    return result


def _condition(condition: Spec) -> Spec:
    field = condition.get("field") or next((name for name, own in CONFIGS.items() if condition.get(own)), None)
    own = CONFIGS.get(str(field))
    if own is None:
        return {name: value for name, value in condition.items() if value not in (None, [], {})}
    config = {name: value for name, value in (condition.get(own) or {}).items() if value not in (None, [])}
    for short in ("values", "regexValues"):
        if condition.get(short) and not config.get(short):
            config[short] = condition[short]
    return {"field": field, own: config}


def natural(resource: Resource) -> str:
    arn, priority = resource.spec.get("listenerArn"), resource.spec.get("priority")
    return f"{arn}:{priority}" if isinstance(arn, str) else ""


def read(request: ReadRequest) -> Iterable[Live]:
    """The rules of the listeners that were read, and of those that a manifest names by ARN; never a default rule."""
    parents = [live.arn for live in request.lives.of_kind("Listener")]
    found = _elb.children(request, "DescribeRules", "listenerArn", "rules", parents)
    listener_of = {rule["ruleArn"]: listener for listener, rule in found if not _is_default(rule)}
    rules = {rule["ruleArn"]: rule for _, rule in found if not _is_default(rule)}
    tags = _elb.tags_of(request.reader, list(rules))
    naturals = {arn: f"{listener_of[arn]}:{rule['priority']}" for arn, rule in rules.items()}
    wanted = _elb.candidates(request, naturals, tags, natural)
    return [_live(rules[arn], listener_of[arn], tags.get(arn, {})) for arn in wanted]


def _is_default(rule: Mapping[str, Json]) -> bool:
    return bool(rule.get("isDefault")) or rule.get("priority") == "default"


def _live(rule: Mapping[str, Json], listener: str, tags: Mapping[str, str]) -> Live:
    arn, priority = rule["ruleArn"], int(rule["priority"])
    spec = {
        "listenerArn": listener,
        "priority": priority,
        **_elb.members(rule, MEMBERS),
        **own_tags(tags),
    }
    return Live(
        kind=NAME,
        arn=arn,
        natural=f"{listener}:{priority}",
        spec=spec,
        tags=tags,
        attributes={"arn": arn},
        facts={"targetGroups": _elb_actions.target_groups(spec.get("actions") or [])},
    )


def create(creation: Creation) -> tuple[Call, ...]:
    params = _elb.given(creation.spec, "actions", "tags")
    params["actions"] = _elb_actions.sent(creation.spec["actions"], existing=False)
    params["tags"] = with_tags(creation)
    return (_elb.making("CreateRule", params, {"arn": "rules.0.ruleArn"}),)


def update(change: Change) -> tuple[Call, ...]:
    """ModifyRule for whole members, SetRulePriorities for the priority, each only where something differs."""
    arn, spec, changed = change.live.arn, change.spec, change.changed()
    calls: list[Call] = []
    if "priority" in changed:
        calls.append(_elb.call("SetRulePriorities", rulePriorities=[{"ruleArn": arn, "priority": spec["priority"]}]))
    params: Spec = {}
    if "conditions" in changed:
        params["conditions"] = prepare({"conditions": spec["conditions"]})["conditions"]
    if "actions" in changed:
        params["actions"] = _elb_actions.sent(spec["actions"], existing=True)
    if "transforms" in changed:
        transforms = spec.get("transforms")
        params |= {"transforms": transforms} if transforms else {"resetTransforms": True}
    if params:
        calls.append(_elb.call("ModifyRule", ruleArn=arn, **params))
    return (*calls, *tag_changes(change, _elb.SERVICE))


def delete(live: Live) -> tuple[Call, ...]:
    return (_elb.call("DeleteRule", ruleArn=live.arn),)


# -- what AWS would refuse ---------------------------------------------------------------------------------------------


def check(spec: Spec) -> Iterable[Fault]:
    priority = spec.get("priority")
    if isinstance(priority, int) and not 1 <= priority <= 50000:
        yield Fault("priority", f"{priority} is not from 1 to 50000")
    yield from _elb_actions.action_faults("actions", spec.get("actions"))
    conditions = [item for item in prepare(spec).get("conditions") or () if isinstance(item, dict)]
    for index, condition in enumerate(conditions):
        yield from _condition_faults(f"conditions[{index}]", condition)
    for field in ONCE:
        if sum(condition.get("field") == field for condition in conditions) > 1:
            yield Fault("conditions", f"more than one condition on {field}: put the values into one of them")
    count = sum(len(_values(condition)) for condition in conditions)
    if count > MOST_VALUES:
        yield Fault("conditions", f"{count} values in all conditions together; AWS takes {MOST_VALUES} in one rule")


def _values(condition: Spec) -> list[Json]:
    config = condition.get(CONFIGS.get(str(condition.get("field")), "")) or {}
    return [*(config.get("values") or ()), *(config.get("regexValues") or ())]


def _condition_faults(path: str, condition: Spec) -> Iterable[Fault]:
    field = condition.get("field")
    own = CONFIGS.get(str(field))
    if own is None:
        yield Fault(f"{path}.field", f"{field!r} is none of {', '.join(CONFIGS)}")
        return
    config = condition.get(own) or {}
    if not _values(condition) and "ipAddressType" not in config:
        yield Fault(f"{path}.{own}", f"a condition on {field} needs values")
    if field == "http-header" and not config.get("httpHeaderName"):
        yield Fault(f"{path}.{own}.httpHeaderName", "is needed")
    elif len(str(config.get("httpHeaderName", ""))) > 40:
        yield Fault(f"{path}.{own}.httpHeaderName", "has more than the 40 characters that AWS takes")
    longest = LONGEST.get(str(field), 128)
    for index, value in enumerate(_values(condition)):
        texts = value.values() if isinstance(value, dict) else (value,)
        if any(isinstance(text, str) and len(text) > longest for text in texts):
            yield Fault(f"{path}.{own}.values[{index}]", f"has more than the {longest} characters that AWS takes")


def together(call: Call) -> str:
    """Priorities of one listener are set at once: one after the other, each would be in use by the other rule."""
    if call.operation != "SetRulePriorities":
        return ""
    rule = str(call.params["rulePriorities"][0]["ruleArn"])
    return f"{call.name} {rule.rpartition('/')[0]}"


KIND = Kind(
    name=NAME,
    summary="A rule of a listener: conditions on requests, and what is done with those that meet them.",
    service=_elb.SERVICE,
    inputs=(Input("CreateRule"),),
    fields=FIELDS,
    permissions=Permissions(
        read=_elb.actions("DescribeRules", "DescribeTags"),
        write=(
            *_elb.actions("CreateRule", "ModifyRule", "SetRulePriorities", "AddTags", "RemoveTags"),
            "cognito-idp:DescribeUserPoolClient",  # for authenticate-cognito
        ),
        delete=_elb.actions("DeleteRule"),
    ),
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    references=(Reference("listenerArn", "Listener"), *_elb_actions.action_references("actions")),
    reads_after=("Listener",),
    schema={"properties": {"priority": {"minimum": 1, "maximum": 50000}}},
    together=together,
    check=check,
    prepare=prepare,
)
