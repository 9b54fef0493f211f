"""TargetGroup: where a load balancer sends requests, and how it finds out who is well.

ECS owns the targets in it: they are never written here. A target group that serves cannot be deleted, and most of it
cannot be changed, so a replacement stands beside it for a while: its physical name carries a suffix. Only for the two
of such a pair the targets that are well are counted, because requests move over when the successor's are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Call
from reconciler.core.fields import Effect, Field
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest, Replacement
from reconciler.core.live import TAG_REPLACES, Live
from reconciler.core.names import physical_name
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, with_tags
from reconciler.core.values import ABSENT, Json, Spec
from reconciler.kinds import _elb

NAME = "TargetGroup"
LONGEST_NAME = 25  # of AWS's 32: a hyphen and six characters of suffix follow
MEMBERS = (
    "protocol", "protocolVersion", "port", "vpcId", "healthCheckProtocol", "healthCheckPort", "healthCheckEnabled",
    "healthCheckPath", "healthCheckIntervalSeconds", "healthCheckTimeoutSeconds", "healthyThresholdCount",
    "unhealthyThresholdCount", "matcher", "targetType", "ipAddressType", "targetControlPort",
)  # fmt: skip
CHANGEABLE = tuple(name for name in MEMBERS if name.startswith(("healthCheck", "healthy", "unhealthy", "matcher")))

WEB = ("HTTP", "HTTPS")
DATAGRAM = ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC")


def _is_lambda(spec: Spec) -> bool:
    return spec.get("targetType") == "lambda"


def _is_web(spec: Spec) -> bool:
    return spec.get("protocol") in WEB


def _checks_by_http(spec: Spec) -> bool:
    return _is_lambda(spec) or spec.get("healthCheckProtocol", _check_protocol(spec)) in WEB


def _check_protocol(spec: Spec) -> Json:
    if _is_lambda(spec):
        return ABSENT
    return "HTTP" if _is_web(spec) or spec.get("targetType") == "alb" else "TCP"


def _check_port(spec: Spec) -> Json:
    if _is_lambda(spec):
        return ABSENT
    return "80" if spec.get("protocol") == "GENEVE" else "traffic-port"


def _check_path(spec: Spec) -> Json:
    if spec.get("protocolVersion") == "GRPC":
        return "/AWS.ALB/healthcheck"
    return "/" if _checks_by_http(spec) else ABSENT


def _interval(spec: Spec) -> Json:
    if _is_lambda(spec):
        return 35
    return 10 if spec.get("protocol") == "GENEVE" else 30


def _timeout(spec: Spec) -> Json:
    if _is_lambda(spec):
        return 30
    if _is_web(spec) or spec.get("protocol") == "GENEVE":
        return 5
    return 6 if _checks_by_http(spec) else 10


def default_of(name: str, spec: Spec) -> Json:
    """What AWS takes for a member that is not set, in the given spec; ABSENT where that is nothing."""
    if name == "matcher":
        return _matcher(spec)
    row = KIND.table.at(name).row
    value = row.default if row else ABSENT
    return value(spec) if callable(value) else value


def _matcher(spec: Spec) -> Json:
    if spec.get("protocolVersion") == "GRPC":
        return {"grpcCode": "12"}
    if not _checks_by_http(spec):
        return ABSENT
    return {"httpCode": "200" if _is_web(spec) or _is_lambda(spec) else "200-399"}


_DOCS = "aws-behaviour: target group"
_FIXED = "ModifyTargetGroup has no such member"
_LATER = "ModifyTargetGroup"

ALWAYS: Mapping[str, str] = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.duration_seconds": "86400",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "slow_start.duration_seconds": "0",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "lambda.multi_value_headers.enabled": "false",
    "proxy_protocol_v2.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
    "target_failover.on_deregistration": "no_rebalance",
    "target_failover.on_unhealthy": "no_rebalance",
}
"""Attributes whose default is the same for every type of target group, or that only one type has."""

FIELDS = (
    Field("name", computed=True, source="carries a suffix of ours: found by tag, never compared"),
    Field("protocol", effect=Effect.REPLACE, source=_FIXED),
    Field(
        "protocolVersion",
        default=lambda spec: "HTTP1" if _is_web(spec) else ABSENT,
        effect=Effect.REPLACE,
        source=_DOCS,
    ),
    Field("port", effect=Effect.REPLACE, source=_FIXED),
    Field("vpcId", effect=Effect.REPLACE, source=_FIXED),
    Field("targetType", default="instance", effect=Effect.REPLACE, source=_DOCS),
    Field("ipAddressType", default="ipv4", effect=Effect.REPLACE, source=_DOCS),
    Field("targetControlPort", effect=Effect.REPLACE, source=_FIXED),
    Field("healthCheckProtocol", default=_check_protocol, removed=_elb.GONE, source=_LATER),
    Field("healthCheckPort", default=_check_port, normal=str, removed=_elb.GONE, source=_LATER),
    Field("healthCheckEnabled", default=lambda spec: not _is_lambda(spec), removed=_elb.GONE, source=_LATER),
    Field("healthCheckPath", default=_check_path, removed=_elb.GONE, source=_DOCS),
    Field("healthCheckIntervalSeconds", default=_interval, removed=_elb.GONE, source=_DOCS),
    Field("healthCheckTimeoutSeconds", default=_timeout, removed=_elb.GONE, source="5 for HTTP (live; the docs say 6)"),
    Field("healthyThresholdCount", default=5, removed=_elb.GONE, source=_DOCS),
    Field(
        "unhealthyThresholdCount", default=lambda spec: 5 if _is_lambda(spec) else 2, removed=_elb.GONE, source=_DOCS
    ),
    Field("matcher", removed=_elb.GONE, source=_DOCS),
    *_elb.attribute_fields(ALWAYS, "API reference: TargetGroupAttribute"),
    TAGS_FIELD,
)


def attribute_defaults(spec: Spec) -> Mapping[str, str]:
    """AWS's default for each attribute of a target group like this one."""
    protocol = spec.get("protocol")
    by_address = spec.get("targetType") == "ip" and protocol in ("TCP", "TLS")
    return {
        **ALWAYS,
        "stickiness.type": {"GENEVE": "source_ip_dest_ip"}.get(
            str(protocol), "lb_cookie" if _is_web(spec) else "source_ip"
        ),
        "preserve_client_ip.enabled": "false" if by_address else "true",
        "deregistration_delay.connection_termination.enabled": "true" if protocol in DATAGRAM else "false",
    }


def natural(resource: Resource) -> str:
    return KIND.physical_name(resource)


def read(request: ReadRequest) -> Iterable[Live]:
    """All pages of target groups, tags of all of them, attributes (remembered for an hour) of those that matter.

    The health of targets is read only for the two of a replacement under way: it decides when traffic may move.
    """
    groups = request.reader.pages(_elb.call("DescribeTargetGroups", pageSize=_elb.PAGE), "targetGroups")
    by_arn = {group["targetGroupArn"]: group for group in groups}
    tags = _elb.tags_of(request.reader, list(by_arn))
    names = {arn: group["targetGroupName"] for arn, group in by_arn.items()}
    wanted = _elb.candidates(
        request,
        names,
        tags,
        natural,
        also=lambda resource: physical_name(KIND, resource, request.environment, resource.spec),
    )
    attributes = _elb.cached_attributes(
        request, "DescribeTargetGroupAttributes", "targetGroupArn", wanted, tags, ALWAYS
    )
    healthy = _healthy_targets(request, {names[arn]: arn for arn in wanted}, tags)
    return [_live(by_arn[arn], tags.get(arn, {}), attributes[arn], healthy.get(arn)) for arn in wanted]


def _healthy_targets(
    request: ReadRequest, by_name: Mapping[str, str], tags: Mapping[str, Mapping[str, str]]
) -> dict[str, int]:
    """How many targets are healthy, by ARN: of successors and of what they replace, which no batch call tells."""
    pairs = {arn: before for arn in by_name.values() if (before := tags.get(arn, {}).get(TAG_REPLACES))}
    arns = sorted({*pairs, *(by_name[name] for name in pairs.values() if name in by_name)})
    answers = request.reader.read_many([_elb.call("DescribeTargetHealth", targetGroupArn=arn) for arn in arns])
    return {
        arn: sum(target["targetHealth"]["state"] == "healthy" for target in answer["targetHealthDescriptions"])
        for arn, answer in zip(arns, answers, strict=True)
    }


def _live(
    group: Mapping[str, Json], tags: Mapping[str, str], attributes: list[Json], healthy: int | None = None
) -> Live:
    arn, name = group["targetGroupArn"], group["targetGroupName"]
    spec = {
        "name": name,
        **_elb.members(group, MEMBERS),
        "attributes": attributes,
        **own_tags(tags),
    }
    return Live(
        kind=NAME,
        arn=arn,
        natural=name,
        spec=spec,
        tags=tags,
        attributes={"arn": arn, "name": name, "fullName": _elb.full_name(arn)},
        facts={"loadBalancers": group.get("loadBalancerArns", [])} | ({} if healthy is None else {"healthy": healthy}),
    )


def create(creation: Creation) -> tuple[Call, ...]:
    params = _elb.given(creation.spec, "name", "attributes", "tags")
    made = _elb.making(
        "CreateTargetGroup",
        {"name": creation.name, **params, "tags": with_tags(creation)},
        {"arn": "targetGroups.0.targetGroupArn", "name": "targetGroups.0.targetGroupName"},
    )
    return (made, *_elb.set_attributes("ModifyTargetGroupAttributes", "targetGroupArn", creation))


def update(change: Change) -> tuple[Call, ...]:
    wanted = {name: _wanted(name, change.spec) for name in change.changed() if name in CHANGEABLE}
    values = {name: value for name, value in wanted.items() if value is not ABSENT}
    modified = (_elb.call("ModifyTargetGroup", targetGroupArn=change.live.arn, **values),) if values else ()
    defaults = attribute_defaults(change.spec)
    return (
        *modified,
        *_elb.change_attributes("ModifyTargetGroupAttributes", "targetGroupArn", change, defaults),
        *tag_changes(change, _elb.SERVICE),
    )


def _wanted(name: str, spec: Spec) -> Json:
    value = spec.get(name)
    return default_of(name, spec) if value is None or value == {} else value


def delete(live: Live) -> tuple[Call, ...]:
    return (_elb.call("DeleteTargetGroup", targetGroupArn=live.arn),)


def check(spec: Spec) -> Iterable[Fault]:
    yield from _elb.name_faults(spec, LONGEST_NAME, ", because a replacement's name gets a suffix")
    yield from _elb.attribute_faults(spec)
    if _is_lambda(spec):
        for name in ("protocol", "port", "vpcId"):
            if name in spec:
                yield Fault(name, "does not apply to a target group of type lambda: remove it")
    else:
        for name in ("protocol", "port", "vpcId"):
            if name not in spec:
                yield Fault(name, "is needed unless targetType is lambda")
    if spec.get("protocolVersion") not in (None, "HTTP1") and not _is_web(spec):
        yield Fault("protocolVersion", "applies to the protocols HTTP and HTTPS only")
    interval = spec.get("healthCheckIntervalSeconds", _interval(spec))
    timeout = spec.get("healthCheckTimeoutSeconds", _timeout(spec))
    if _is_web(spec) and isinstance(interval, int) and isinstance(timeout, int) and timeout >= interval:
        yield Fault("healthCheckTimeoutSeconds", f"{timeout} s must be less than the interval of {interval} s")
    matcher = spec.get("matcher") or {}
    if len(matcher) > 1:
        yield Fault("matcher", "takes httpCode or grpcCode, not both")


KIND = Kind(
    name=NAME,
    summary="A group of targets that listeners and rules of a load balancer forward to, with its health checks.",
    service=_elb.SERVICE,
    inputs=(Input("CreateTargetGroup"), Input("ModifyTargetGroupAttributes", only=("attributes",))),
    fields=FIELDS,
    permissions=Permissions(
        read=_elb.actions(
            "DescribeTargetGroups", "DescribeTargetGroupAttributes", "DescribeTags", "DescribeTargetHealth"
        ),
        write=_elb.actions(
            "CreateTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "AddTags", "RemoveTags"
        ),
        delete=_elb.actions("DeleteTargetGroup"),
    ),
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    name_field="name",
    attributes=("arn", "name", "fullName"),
    replacement=Replacement.NEW_FIRST,
    suffixed=True,
    schema={"properties": {"name": {"maxLength": LONGEST_NAME}, "port": {"minimum": 1, "maximum": 65535}}},
    check=check,
)
