"""Load balancers: create, describe, delete, and the three Set calls."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from moto.ec2.models import ec2_backends

from reconciler.emulator.elbv2 import tags
from reconciler.emulator.elbv2.attributes import load_balancer_defaults
from reconciler.emulator.elbv2.errors import ElbError, not_found, not_permitted, validation
from reconciler.emulator.elbv2.pages import page
from reconciler.emulator.elbv2.state import Record, Store, hex_id
from reconciler.emulator.world import World

__all__ = ["OPERATIONS", "PROVISIONING_SECONDS"]

PROVISIONING_SECONDS = 5.0  # minutes on AWS

_NAME = re.compile(r"^(?!internal-)(?!-)(?!.*-$)[A-Za-z0-9-]{1,32}$")
_ARN_PART = {"application": "app", "network": "net", "gateway": "gwy"}
# What a second create of the same name must repeat to be answered with the existing one.
_SETTINGS = (
    "Type",
    "Scheme",
    "IpAddressType",
    "SecurityGroups",
    "AvailabilityZones",
    "CustomerOwnedIpv4Pool",
    "IpamPools",
)


def _create(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    name = parameters["Name"]
    if not _NAME.match(name):
        raise validation(
            f"The load balancer name '{name}' must have at most 32 characters, only letters, digits and hyphens, "
            "not begin or end with a hyphen, and not begin with 'internal-'"
        )
    new_tags = tags.checked(parameters.get("Tags", []))
    view = _view(store, name, parameters)
    for known in store.load_balancers.values():
        if known.view["LoadBalancerName"] != name:
            continue
        if all(known.view.get(key) == view.get(key) for key in _SETTINGS) and known.tags == new_tags:
            return {"LoadBalancers": [_answer(known)]}
        raise ElbError(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{name}' exists, but with different settings",
        )
    record = Record(view, load_balancer_defaults(view["Type"]))
    tags.put(record, new_tags)
    store.load_balancers[view["LoadBalancerArn"]] = record
    return {"LoadBalancers": [_answer(record)]}


def _view(store: Store, name: str, given: dict[str, Any]) -> dict[str, Any]:
    kind, scheme = given.get("Type", "application"), given.get("Scheme", "internet-facing")
    zones, vpc = _zones(store, given, kind)
    identity = hex_id()
    dns = f"internal-{name}" if scheme == "internal" and kind == "application" else name
    host = f"elb.{store.region}" if kind == "network" else f"{store.region}.elb"
    view = {
        "LoadBalancerArn": (
            f"arn:aws:elasticloadbalancing:{store.region}:{store.account}:"
            f"loadbalancer/{_ARN_PART[kind]}/{name}/{identity}"
        ),
        "DNSName": f"{dns}-{int(identity[:8], 16)}.{host}.amazonaws.com",
        "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
        "CreatedTime": World.current().now(),
        "LoadBalancerName": name,
        "Scheme": scheme,
        "VpcId": vpc,
        "Type": kind,
        "AvailabilityZones": zones,
        "IpAddressType": given.get("IpAddressType", "ipv4"),
    }
    groups = given.get("SecurityGroups", [])
    if kind == "gateway":
        for key in ("DNSName", "CanonicalHostedZoneId", "Scheme"):
            del view[key]
    elif kind == "application" or groups:
        view["SecurityGroups"] = _security_groups(store, groups, vpc)
    if kind == "network":
        view["EnablePrefixForIpv6SourceNat"] = given.get("EnablePrefixForIpv6SourceNat", "off")
        if groups:
            view["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "on"
    return view | {key: given[key] for key in ("CustomerOwnedIpv4Pool", "IpamPools") if key in given}


def _zones(store: Store, given: dict[str, Any], kind: str) -> tuple[list[dict[str, Any]], str]:
    mappings = given.get("SubnetMappings") or [{"SubnetId": subnet} for subnet in given.get("Subnets", [])]
    if not mappings:
        raise validation("A subnet must be specified")
    zones: dict[str, dict[str, Any]] = {}
    vpc = ""
    for mapping in mappings:
        subnet = _subnet(store, mapping.get("SubnetId", ""))
        if subnet.availability_zone in zones:
            raise ElbError(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            )
        if vpc and subnet.vpc_id != vpc:
            raise ElbError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
        vpc = subnet.vpc_id
        address = {key: mapping[key] for key in ("AllocationId", "PrivateIPv4Address", "IPv6Address") if key in mapping}
        zones[subnet.availability_zone] = {
            "ZoneName": subnet.availability_zone,
            "SubnetId": subnet.id,
            "LoadBalancerAddresses": [address] if address else [],
        }
        if "SourceNatIpv6Prefix" in mapping:
            zones[subnet.availability_zone]["SourceNatIpv6Prefixes"] = [mapping["SourceNatIpv6Prefix"]]
    if kind == "application" and len(zones) < 2:
        raise validation("At least two subnets in two different Availability Zones must be specified")
    return [zones[zone] for zone in sorted(zones)], vpc


def _subnet(store: Store, subnet_id: str) -> Any:
    for subnets in ec2_backends[store.account][store.region].subnets.values():
        if subnet_id in subnets:
            return subnets[subnet_id]
    raise ElbError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")


def _security_groups(store: Store, groups: list[str], vpc: str) -> list[str]:
    ec2 = ec2_backends[store.account][store.region]
    for group in groups:
        found = ec2.get_security_group_from_id(group)
        if found is None:
            raise ElbError("InvalidSecurityGroup", f"Security group '{group}' does not exist")
        if found.vpc_id != vpc:
            raise ElbError("InvalidConfigurationRequest", f"Security group '{group}' does not belong to VPC '{vpc}'")
    if groups:
        return groups
    default = ec2.get_security_group_from_name("default", vpc)
    return [default.id] if default is not None else []


def _answer(record: Record) -> dict[str, Any]:
    active = World.current().now() >= record.view["CreatedTime"] + timedelta(seconds=PROVISIONING_SECONDS)
    return {**record.view, "State": {"Code": "active" if active else "provisioning"}}


def _describe(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arns, names = parameters.get("LoadBalancerArns"), parameters.get("Names")
    if arns and names:
        raise validation("Load balancer ARNs and names cannot be specified at the same time")
    records = list(store.load_balancers.values())
    if arns:
        records = [store.get("loadbalancer", arn) for arn in dict.fromkeys(arns)]
    elif names:
        by_name = {record.view["LoadBalancerName"]: record for record in records}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise ElbError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        records = [by_name[name] for name in dict.fromkeys(names)]
    return page(parameters, [_answer(record) for record in records], "LoadBalancers")


def _delete(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["LoadBalancerArn"]
    record = store.load_balancers.get(arn)
    if record is None:
        return {}  # the API reference: deleting what does not exist succeeds
    if record.attributes["deletion_protection.enabled"] == "true":
        raise not_permitted(f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
    for listener in store.listeners_of(arn):
        store.drop_listener(listener.view["ListenerArn"])
    del store.load_balancers[arn]
    return {}


def _set_ip_address_type(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("loadbalancer", parameters["LoadBalancerArn"])
    record.view["IpAddressType"] = parameters["IpAddressType"]
    return {"IpAddressType": parameters["IpAddressType"]}


def _set_security_groups(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("loadbalancer", parameters["LoadBalancerArn"])
    if record.view["Type"] == "network" and "SecurityGroups" not in record.view:
        raise ElbError(
            "InvalidConfigurationRequest", "A network load balancer without security groups cannot be given any"
        )
    groups = _security_groups(store, parameters["SecurityGroups"], record.view["VpcId"])
    record.view["SecurityGroups"] = groups
    answer: dict[str, Any] = {"SecurityGroupIds": groups}
    key = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    if record.view["Type"] == "network":
        record.view[key] = answer[key] = parameters.get(key, record.view.get(key, "on"))
    return answer


def _set_subnets(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.load_balancers.get(parameters["LoadBalancerArn"])
    if record is None:
        raise not_found("loadbalancer", parameters["LoadBalancerArn"])
    zones, _ = _zones(store, parameters, record.view["Type"])
    record.view["AvailabilityZones"] = zones
    record.view.update({key: parameters[key] for key in ("IpAddressType",) if key in parameters})
    answer = {"AvailabilityZones": zones, "IpAddressType": record.view["IpAddressType"]}
    if "EnablePrefixForIpv6SourceNat" in record.view:
        key = "EnablePrefixForIpv6SourceNat"
        record.view[key] = answer[key] = parameters.get(key, record.view[key])
    return answer


OPERATIONS = {
    "create_load_balancer": _create,
    "describe_load_balancers": _describe,
    "delete_load_balancer": _delete,
    "set_ip_address_type": _set_ip_address_type,
    "set_security_groups": _set_security_groups,
    "set_subnets": _set_subnets,
}
