"""Target groups: create, describe, modify, delete, and the registration of targets through the API."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from moto.ec2.exceptions import InvalidVPCIdError
from moto.ec2.models import ec2_backends

from reconciler.emulator.elbv2 import tags, targets
from reconciler.emulator.elbv2.attributes import target_group_defaults
from reconciler.emulator.elbv2.errors import ElbError, in_use, validation
from reconciler.emulator.elbv2.pages import page
from reconciler.emulator.elbv2.state import Record, Store, hex_id

__all__ = ["OPERATIONS"]

_NAME = re.compile(r"^(?!-)(?!.*-$)[A-Za-z0-9-]{1,32}$")
_CODES = re.compile(r"^\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*$")
_HEALTH_CHECK = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)


def _create(store: Store, given: dict[str, Any]) -> dict[str, Any]:
    name = given["Name"]
    if len(name) > 32:
        raise validation(f"Target group name '{name}' cannot be longer than '32' characters")
    if not _NAME.match(name):
        raise validation(
            f"Target group name '{name}' can only contain characters that are alphanumeric characters or hyphens(-), "
            "and cannot begin or end with a hyphen"
        )
    new_tags = tags.checked(given.get("Tags", []))
    view = _view(store, given)
    _check_health_check(view)
    for known in store.target_groups.values():
        if known.view["TargetGroupName"] != name:
            continue
        if known.view | {"TargetGroupArn": ""} == view | {"TargetGroupArn": ""} and known.tags == new_tags:
            return {"TargetGroups": [_answer(store, known)]}
        raise ElbError(
            "DuplicateTargetGroupName",
            f"A target group with the same name '{name}' exists, but with different settings",
        )
    record = Record(view, target_group_defaults(view))
    tags.put(record, new_tags)
    store.target_groups[view["TargetGroupArn"]] = record
    return {"TargetGroups": [_answer(store, record)]}


def _view(store: Store, given: dict[str, Any]) -> dict[str, Any]:
    target_type = given.get("TargetType", "instance")
    view = {
        "TargetGroupArn": (
            f"arn:aws:elasticloadbalancing:{store.region}:{store.account}:targetgroup/{given['Name']}/{hex_id()}"
        ),
        "TargetGroupName": given["Name"],
        "TargetType": target_type,
    }
    if target_type == "lambda":
        for key, label in (("Protocol", "Protocol"), ("Port", "Port"), ("VpcId", "VPC ID")):
            if key in given:
                raise validation(f"{label} cannot be specified for target groups with target type 'lambda'")
    else:
        for key, label in (("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")):
            if key not in given:
                raise validation(f"A {label} must be specified")
            view[key] = given[key]
        _check_vpc(store, given["VpcId"])
    protocol = given.get("Protocol", "")
    if protocol in {"HTTP", "HTTPS"}:
        view["ProtocolVersion"] = given.get("ProtocolVersion", "HTTP1")
    if protocol != "GENEVE":
        view["IpAddressType"] = given.get("IpAddressType", "ipv4")
    if "TargetControlPort" in given:
        view["TargetControlPort"] = given["TargetControlPort"]
    defaults = _health_check_defaults(target_type, protocol, given)
    view.update({key: given.get(key, defaults.get(key)) for key in _HEALTH_CHECK if key in given or key in defaults})
    return view


def _check_vpc(store: Store, vpc: str) -> None:
    try:
        ec2_backends[store.account][store.region].get_vpc(vpc)
    except InvalidVPCIdError as error:
        raise validation(f"The VPC ID '{vpc}' is not found") from error


def _health_check_defaults(target_type: str, protocol: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the health check of a group that says nothing about it (API reference of CreateTargetGroup)."""
    found: dict[str, Any] = {
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPort": "traffic-port",
    }
    grpc = given.get("ProtocolVersion") == "GRPC"
    if target_type == "lambda":
        del found["HealthCheckPort"]
        lambda_check = {"HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 30, "UnhealthyThresholdCount": 5}
        path = {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200"}}
        return found | lambda_check | path | {"HealthCheckEnabled": False}
    if target_type == "alb":
        checks = given.get("HealthCheckProtocol", "HTTP")
        found |= {"HealthCheckProtocol": checks, "HealthCheckTimeoutSeconds": 6}
        return found | {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}}
    if protocol == "GENEVE":
        found |= {"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5, "HealthCheckPort": "80"}
        return found | {"HealthCheckProtocol": given.get("HealthCheckProtocol", "TCP")}
    if protocol in {"HTTP", "HTTPS"}:
        path = {"HealthCheckPath": "/AWS.ALB/healthcheck" if grpc else "/"}
        matcher = {"Matcher": {"GrpcCode": "12"} if grpc else {"HttpCode": "200"}}
        return found | {"HealthCheckProtocol": protocol, "HealthCheckTimeoutSeconds": 5} | path | matcher
    checks = given.get("HealthCheckProtocol", "TCP")
    found["HealthCheckProtocol"] = checks
    if checks in {"HTTP", "HTTPS"}:
        path_and_codes = {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}}
        return found | {"HealthCheckTimeoutSeconds": 6} | path_and_codes
    return found | {"HealthCheckTimeoutSeconds": 10}


def _check_health_check(view: dict[str, Any]) -> None:
    interval, timeout = view.get("HealthCheckIntervalSeconds", 30), view.get("HealthCheckTimeoutSeconds", 5)
    if timeout > interval or (timeout == interval and view.get("Protocol") in {"HTTP", "HTTPS"}):
        raise validation(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")
    codes = view.get("Matcher", {}).get("HttpCode")
    if codes is not None and not _CODES.match(codes):
        raise validation("HttpCode must be like 200 | 200-399 | 200,201")
    path = view.get("HealthCheckPath")
    if path is not None and not path.startswith("/"):
        raise validation(f"Health check path '{path}' must begin with a '/' character")
    if path is not None and view.get("HealthCheckProtocol") in {"TCP", "TLS", "UDP", "TCP_UDP"}:
        raise ElbError(
            "InvalidConfigurationRequest", "You cannot specify a health check path for a TCP health check protocol"
        )


def _answer(store: Store, record: Record) -> dict[str, Any]:
    return {**record.view, "LoadBalancerArns": store.load_balancers_of(record.view["TargetGroupArn"])}


def _describe(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arns, names, balancer = (parameters.get(key) for key in ("TargetGroupArns", "Names", "LoadBalancerArn"))
    if sum(bool(given) for given in (arns, names, balancer)) > 1:
        raise validation("Only one of target group ARNs, names and a load balancer ARN can be specified")
    records = list(store.target_groups.values())
    if arns:
        records = [store.get("targetgroup", arn) for arn in dict.fromkeys(arns)]
    elif names:
        by_name = {record.view["TargetGroupName"]: record for record in records}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise ElbError("TargetGroupNotFound", "One or more target groups not found")
        records = [by_name[name] for name in dict.fromkeys(names)]
    elif balancer:
        store.get("loadbalancer", balancer)
        records = [r for r in records if balancer in store.load_balancers_of(r.view["TargetGroupArn"])]
    return page(parameters, [_answer(store, record) for record in records], "TargetGroups")


def _modify(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("targetgroup", parameters["TargetGroupArn"])
    changed = record.view | {key: parameters[key] for key in _HEALTH_CHECK if key in parameters}
    _check_health_check(changed)
    record.view = changed
    return {"TargetGroups": [_answer(store, record)]}


def _delete(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["TargetGroupArn"]
    if store.forwarding.get(arn):
        raise in_use(f"Target group '{arn}' is currently in use by a listener or a rule")
    store.target_groups.pop(arn, None)  # the API reference knows no not-found error here
    store.targets.pop(arn, None)
    store.forwarding.pop(arn, None)
    return {}


def _register(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("targetgroup", parameters["TargetGroupArn"])
    for target in parameters["Targets"]:
        _check_target(store, record, target["Id"])
    for target in parameters["Targets"]:
        port = target.get("Port", record.view.get("Port"))
        targets.register(parameters["TargetGroupArn"], target["Id"], port, target.get("AvailabilityZone"))
    return {}


def _check_target(store: Store, record: Record, identity: str) -> None:
    match record.view["TargetType"]:
        case "instance":
            instance = ec2_backends[store.account][store.region].get_instance_by_id(identity)
            if instance is None:
                raise ElbError("InvalidTarget", f"The following targets are not valid instances: '{identity}'")
            if instance.state != "running":
                message = f"The following targets are not in a running state and cannot be registered: '{identity}'"
                raise ElbError("InvalidTarget", message)
        case "ip":
            try:
                ipaddress.ip_address(identity)
            except ValueError as error:
                raise validation(f"The IP address '{identity}' is not a valid IP address") from error


def _deregister(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("targetgroup", parameters["TargetGroupArn"])
    for target in parameters["Targets"]:
        known = [port for identity, port in targets.health(parameters["TargetGroupArn"]) if identity == target["Id"]]
        for port in [target["Port"]] if "Port" in target else known or [record.view.get("Port")]:
            targets.deregister(parameters["TargetGroupArn"], target["Id"], port)
    return {}


def _health(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    store.get("targetgroup", parameters["TargetGroupArn"])
    return {"TargetHealthDescriptions": targets.describe(parameters["TargetGroupArn"], parameters.get("Targets", []))}


OPERATIONS = {
    "create_target_group": _create,
    "describe_target_groups": _describe,
    "modify_target_group": _modify,
    "delete_target_group": _delete,
    "register_targets": _register,
    "deregister_targets": _deregister,
    "describe_target_health": _health,
}
