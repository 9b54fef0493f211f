"""Attributes of load balancers, listeners and target groups: which keys there are, and their defaults.

Source: the "attributes" sections of the Elastic Load Balancing API reference (LoadBalancerAttribute, ListenerAttribute,
TargetGroupAttribute) and the recorded defaults in the project's notes on AWS. Values are strings, as on the wire.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.elbv2.errors import ElbError, validation
from reconciler.emulator.elbv2.state import Record, Store

__all__ = ["OPERATIONS", "listener_defaults", "load_balancer_defaults", "target_group_defaults"]

_ALL_BALANCERS = {"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false"}
_LOGS = {"access_logs.s3.enabled": "false", "access_logs.s3.bucket": "", "access_logs.s3.prefix": ""}
_APPLICATION = {
    **_ALL_BALANCERS,
    **_LOGS,
    "load_balancing.cross_zone.enabled": "true",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_NETWORK = {
    **_ALL_BALANCERS,
    **_LOGS,
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}
_MTLS_HEADERS = {
    f"routing.http.request.{name.lower().replace('-', '_')}.header_name": name
    for name in (
        "X-Amzn-Mtls-Clientcert",
        "X-Amzn-Mtls-Clientcert-Issuer",
        "X-Amzn-Mtls-Clientcert-Leaf",
        "X-Amzn-Mtls-Clientcert-Serial-Number",
        "X-Amzn-Mtls-Clientcert-Subject",
        "X-Amzn-Mtls-Clientcert-Validity",
        "X-Amzn-Tls-Cipher-Suite",
        "X-Amzn-Tls-Version",
    )
}
_RESPONSE_HEADERS = {
    f"routing.http.response.{name}.header_value": ""
    for name in (
        "access_control_allow_credentials",
        "access_control_allow_headers",
        "access_control_allow_methods",
        "access_control_allow_origin",
        "access_control_expose_headers",
        "access_control_max_age",
        "content_security_policy",
        "strict_transport_security",
        "x_content_type_options",
        "x_frame_options",
    )
}
_SERVER_HEADER = {"routing.http.response.server.enabled": "true"}

_HEALTH_ACTIONS = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_GROUPS = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
_HTTP_GROUP = {
    **_GROUPS,
    **_HEALTH_ACTIONS,
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "slow_start.duration_seconds": "0",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
}
_NETWORK_GROUP = {
    **_GROUPS,
    **_HEALTH_ACTIONS,
    "deregistration_delay.connection_termination.enabled": "false",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.type": "source_ip",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
_GATEWAY_GROUP = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip_dest_ip_proto",
    "target_failover.on_deregistration": "no_rebalance",
    "target_failover.on_unhealthy": "no_rebalance",
}


def load_balancer_defaults(kind: str) -> dict[str, str]:
    """Return the attributes of a new load balancer of a type."""
    return dict({"application": _APPLICATION, "network": _NETWORK}.get(kind, _ALL_BALANCERS))


def listener_defaults(protocol: str) -> dict[str, str]:
    """Return the attributes of a new listener."""
    match protocol:
        case "HTTP":
            return {**_SERVER_HEADER, **_RESPONSE_HEADERS}
        case "HTTPS":
            return {**_SERVER_HEADER, **_RESPONSE_HEADERS, **_MTLS_HEADERS}
        case "TCP" | "":
            return {"tcp.idle_timeout.seconds": "350"}
        case _:
            return {}


def target_group_defaults(view: dict[str, Any]) -> dict[str, str]:
    """Return the attributes of a new target group, by its target type and protocol."""
    protocol, target_type = view.get("Protocol", ""), view["TargetType"]
    if target_type == "lambda":
        return {"lambda.multi_value_headers.enabled": "false", **_HEALTH_ACTIONS}
    if protocol == "GENEVE":
        return dict(_GATEWAY_GROUP)
    if protocol in {"HTTP", "HTTPS"}:
        return dict(_HTTP_GROUP)
    found = dict(_NETWORK_GROUP)
    if target_type == "ip" and protocol in {"TCP", "TLS"}:
        found["preserve_client_ip.enabled"] = "false"
    return found


def _modify(record: Record, given: list[dict[str, Any]], what: str) -> dict[str, Any]:
    changes = {attribute.get("Key", ""): attribute.get("Value", "") for attribute in given}
    for key, value in changes.items():
        if key not in record.attributes:
            raise ElbError("InvalidConfigurationRequest", f"{what} attribute key '{key}' is not recognized")
        default_is_empty = key.endswith((".bucket", ".prefix", ".cookie_name", ".header_value"))
        if value == "" and not default_is_empty:
            raise validation(f"{what} attribute value must be specified for '{key}'")
        if record.attributes[key] in {"true", "false"} and value not in {"true", "false"}:
            raise validation(f"'{key}' must be 'true' or 'false', not '{value}'")
        if key.endswith("seconds") and not value.isdigit():
            raise validation(f"'{key}' must be a number of seconds, not '{value}'")
    record.attributes.update(changes)
    return _answer(record)


def _answer(record: Record) -> dict[str, Any]:
    return {"Attributes": [{"Key": key, "Value": value} for key, value in record.attributes.items()]}


def _describe_balancer(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    return _answer(store.get("loadbalancer", parameters["LoadBalancerArn"]))


def _modify_balancer(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    record = store.get("loadbalancer", parameters["LoadBalancerArn"])
    return _modify(record, parameters["Attributes"], "Load balancer")


def _describe_listener(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    return _answer(store.get("listener", parameters["ListenerArn"]))


def _modify_listener(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    return _modify(store.get("listener", parameters["ListenerArn"]), parameters["Attributes"], "Listener")


def _describe_group(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    return _answer(store.get("targetgroup", parameters["TargetGroupArn"]))


def _modify_group(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    return _modify(store.get("targetgroup", parameters["TargetGroupArn"]), parameters["Attributes"], "Target group")


OPERATIONS = {
    "describe_load_balancer_attributes": _describe_balancer,
    "modify_load_balancer_attributes": _modify_balancer,
    "describe_listener_attributes": _describe_listener,
    "modify_listener_attributes": _modify_listener,
    "describe_target_group_attributes": _describe_group,
    "modify_target_group_attributes": _modify_group,
}
