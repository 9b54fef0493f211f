"""LoadBalancer: an application, network or gateway load balancer with its attributes.

Subnets and security groups are literal ids. Listeners and rules are kinds of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Call
from reconciler.core.difference import Cause
from reconciler.core.fields import Effect, Field, Removal
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest
from reconciler.core.live import Health, HealthState, Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, with_tags
from reconciler.core.values import Json, Spec
from reconciler.kinds import _elb

NAME = "LoadBalancer"
MEMBERS = (
    "scheme", "type", "securityGroups", "ipAddressType", "customerOwnedIpv4Pool", "enablePrefixForIpv6SourceNat",
    "ipamPools",
)  # fmt: skip

ALWAYS: Mapping[str, str] = {
    "deletion_protection.enabled": "false",
    "access_logs.s3.enabled": "false",
    "connection_logs.s3.enabled": "false",
    "health_check_logs.s3.enabled": "false",
    "zonal_shift.config.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "client_keep_alive.seconds": "3600",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "secondary_ips.auto_assigned.per_subnet": "0",
}
"""Attributes whose default is the same for every type of load balancer, or that only one type has."""

_DOCS = "aws-behaviour: load balancer"
_FIXED = "no call changes it"

FIELDS = (
    Field("name", effect=Effect.REPLACE, source=_FIXED),
    Field("subnets", unordered=True, computed=True, source="DescribeLoadBalancers: availabilityZones"),
    Field("subnetMappings", key=("subnetId",), computed=True, source="DescribeLoadBalancers: availabilityZones"),
    Field("subnetMappings[].subnetId", computed=True, source="answered for `subnets` too"),
    Field("subnetMappings[].allocationId", computed=True, source="loadBalancerAddresses"),
    Field("subnetMappings[].privateIPv4Address", computed=True, source="loadBalancerAddresses"),
    Field("subnetMappings[].iPv6Address", computed=True, source="loadBalancerAddresses"),
    Field("subnetMappings[].sourceNatIpv6Prefix", computed=True, source="sourceNatIpv6Prefixes"),
    Field("securityGroups", unordered=True, computed=True, source="the VPC's default group when none is set"),
    Field("scheme", default="internet-facing", effect=Effect.REPLACE, source=_DOCS),
    Field("type", default="application", effect=Effect.REPLACE, source=_DOCS),
    Field("ipAddressType", default="ipv4", removed=_elb.GONE, source=_DOCS),
    Field("customerOwnedIpv4Pool", effect=Effect.REPLACE, source=_FIXED),
    Field("enablePrefixForIpv6SourceNat", default="off", removed=_elb.GONE, source="API: SetSubnets"),
    Field("ipamPools", removed=_elb.GONE, source="ModifyIpPools"),
    *_elb.attribute_fields(ALWAYS, "API reference: LoadBalancerAttribute"),
    TAGS_FIELD,
)


def attribute_defaults(spec: Spec) -> Mapping[str, str]:
    """AWS's default for each attribute of a load balancer like this one."""
    return {
        **ALWAYS,
        "load_balancing.cross_zone.enabled": "true" if spec.get("type", "application") == "application" else "false",
        "ipv6.deny_all_igw_traffic": "true" if spec.get("scheme") == "internal" else "false",
    }


def natural(resource: Resource) -> str:
    return KIND.physical_name(resource)


def read(request: ReadRequest) -> Iterable[Live]:
    """All pages of load balancers, tags of all of them, attributes of those that matter."""
    answered = request.reader.pages(_elb.call("DescribeLoadBalancers", pageSize=_elb.PAGE), "loadBalancers")
    by_arn = {balancer["loadBalancerArn"]: balancer for balancer in answered}
    tags = _elb.tags_of(request.reader, list(by_arn))
    names = {arn: balancer["loadBalancerName"] for arn, balancer in by_arn.items()}
    wanted = list(_elb.candidates(request, names, tags, natural))
    answers = request.reader.read_many(
        [_elb.call("DescribeLoadBalancerAttributes", loadBalancerArn=arn) for arn in wanted]
    )
    return [
        _live(by_arn[arn], tags.get(arn, {}), answer.get("attributes", []))
        for arn, answer in zip(wanted, answers, strict=True)
    ]


def _live(balancer: Mapping[str, Json], tags: Mapping[str, str], attributes: list[Json]) -> Live:
    arn, name = balancer["loadBalancerArn"], balancer["loadBalancerName"]
    zones = balancer.get("availabilityZones") or []
    spec = {
        "name": name,
        **_elb.members(balancer, MEMBERS),
        "subnets": [zone["subnetId"] for zone in zones],
        "subnetMappings": [_mapping(zone) for zone in zones],
        "attributes": attributes,
        **own_tags(tags),
    }
    return Live(
        kind=NAME,
        arn=arn,
        natural=name,
        spec=spec,
        tags=tags,
        attributes={
            "arn": arn,
            "dnsName": balancer.get("dnsName", ""),
            "canonicalHostedZoneId": balancer.get("canonicalHostedZoneId", ""),
            "name": name,
            "fullName": _elb.full_name(arn),
        },
        facts={"state": balancer.get("state") or {}, "vpcId": balancer.get("vpcId", "")},
    )


def _mapping(zone: Mapping[str, Json]) -> Spec:
    """A zone of the answer as the subnet mapping that asked for it."""
    mapping = {"subnetId": zone["subnetId"]}
    for address in zone.get("loadBalancerAddresses") or ():
        mapping |= _elb.members(address, ("allocationId", "privateIPv4Address", "iPv6Address"))
    for prefix in zone.get("sourceNatIpv6Prefixes") or ():
        mapping["sourceNatIpv6Prefix"] = prefix
    return mapping


def create(creation: Creation) -> tuple[Call, ...]:
    params = _elb.given(creation.spec, "name", "attributes", "tags")
    made = _elb.making(
        "CreateLoadBalancer",
        {"name": creation.name, **params, "tags": with_tags(creation)},
        {
            "arn": "loadBalancers.0.loadBalancerArn",
            "dnsName": "loadBalancers.0.dnsName",
            "canonicalHostedZoneId": "loadBalancers.0.canonicalHostedZoneId",
            "name": "loadBalancers.0.loadBalancerName",
        },
    )
    return (made, *_elb.set_attributes("ModifyLoadBalancerAttributes", "loadBalancerArn", creation))


def update(change: Change) -> tuple[Call, ...]:
    arn, spec, changed = change.live.arn, change.spec, _changed(change)
    calls: list[Call] = []
    if changed & {"subnets", "subnetMappings", "enablePrefixForIpv6SourceNat"}:
        calls.append(_set_subnets(change, changed))
    elif "ipAddressType" in changed:
        calls.append(
            _elb.call("SetIpAddressType", loadBalancerArn=arn, ipAddressType=spec.get("ipAddressType") or "ipv4")
        )
    if "securityGroups" in changed:
        calls.append(
            _elb.call("SetSecurityGroups", loadBalancerArn=arn, securityGroups=spec.get("securityGroups") or [])
        )
    if "ipamPools" in changed:
        pools = spec.get("ipamPools")
        wanted: Spec = {"ipamPools": pools} if pools else {"removeIpamPools": ["ipv4"]}
        calls.append(_elb.call("ModifyIpPools", loadBalancerArn=arn, **wanted))
    defaults = attribute_defaults(spec)
    calls += _elb.change_attributes("ModifyLoadBalancerAttributes", "loadBalancerArn", change, defaults)
    return (*calls, *tag_changes(change, _elb.SERVICE))


def _changed(change: Change) -> set[str]:
    """The members that are written; a spelling of the subnets that git dropped for the other is not one of them."""
    return {
        difference.path[0]
        for difference in change.differences
        if difference.cause is not Cause.REMOVED or difference.removed is not Removal.KEEP
    }


def _set_subnets(change: Change, changed: set[str]) -> Call:
    """One call for what it can carry: subnets move and the address type changes in the same step, or AWS refuses both.

    SetSubnets replaces the whole list. `change.spec` has both spellings of it, of which one is still the live one.
    """
    by_id = "subnets" in changed and "subnetMappings" not in changed
    params: Spec = {"subnets": change.spec["subnets"]} if by_id else {"subnetMappings": change.spec["subnetMappings"]}
    for name, default in (("ipAddressType", "ipv4"), ("enablePrefixForIpv6SourceNat", "off")):
        if name in changed:
            params[name] = change.spec.get(name) or default
    return _elb.call("SetSubnets", loadBalancerArn=change.live.arn, **params)


def delete(live: Live) -> tuple[Call, ...]:
    """Deletion protection is left on: whoever set it has the last word, and AWS refuses the call."""
    return (_elb.call("DeleteLoadBalancer", loadBalancerArn=live.arn),)


def check(spec: Spec) -> Iterable[Fault]:
    yield from _elb.name_faults(spec, 32)
    name = spec.get("name")
    if isinstance(name, str) and name.startswith("internal-"):
        yield Fault("name", f"{name!r} begins with internal-, which AWS reserves")
    yield from _elb.attribute_faults(spec)
    given = [member for member in ("subnets", "subnetMappings") if spec.get(member)]
    if len(given) != 1:
        yield Fault("subnets", "exactly one of subnets and subnetMappings is needed")
    if spec.get("type") == "gateway" and spec.get("securityGroups"):
        yield Fault("securityGroups", "a gateway load balancer has none: remove it")
    if len(spec.get("securityGroups") or ()) > 5:
        yield Fault("securityGroups", f"{len(spec['securityGroups'])} security groups; AWS takes 5")
    if spec.get("enablePrefixForIpv6SourceNat") == "on" and spec.get("ipAddressType") != "dualstack":
        yield Fault("enablePrefixForIpv6SourceNat", "needs ipAddressType: dualstack")


def health(live: Live) -> Health:
    """AWS's own state of it; https://docs.aws.amazon.com/elasticloadbalancing → LoadBalancerState."""
    state = live.facts.get("state") or {}
    reason = state.get("reason") or ""
    match state.get("code"):
        case "active" | None:
            return Health(HealthState.HEALTHY)
        case "provisioning":
            return Health(HealthState.PROGRESSING, reason or "being set up")
        case "active_impaired":
            return Health(HealthState.DEGRADED, reason or "routes traffic, but cannot scale as it should")
        case "failed":
            return Health(HealthState.DEGRADED, reason or "could not be set up")
        case other:
            return Health(HealthState.UNKNOWN, f"AWS says {other}")


KIND = Kind(
    name=NAME,
    summary="An application, network or gateway load balancer, with its attributes.",
    service=_elb.SERVICE,
    inputs=(Input("CreateLoadBalancer"), Input("ModifyLoadBalancerAttributes", only=("attributes",))),
    fields=FIELDS,
    permissions=Permissions(
        read=_elb.actions("DescribeLoadBalancers", "DescribeLoadBalancerAttributes", "DescribeTags"),
        write=(
            *_elb.actions(
                "CreateLoadBalancer", "ModifyLoadBalancerAttributes", "SetSubnets", "SetIpAddressType",
                "SetSecurityGroups", "ModifyIpPools", "AddTags", "RemoveTags",
            ),
            "iam:CreateServiceLinkedRole",  # the account's first load balancer
        ),
        delete=_elb.actions("DeleteLoadBalancer"),
    ),
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    name_field="name",
    attributes=("arn", "dnsName", "canonicalHostedZoneId", "name", "fullName"),
    schema={"properties": {"name": {"maxLength": 32}}},
    check=check,
    health=health,
)  # fmt: skip
