"""Listeners and their certificates: create, describe, modify, delete."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends
from moto.elbv2.ssl_policies import SSL_POLICIES

from reconciler.emulator.elbv2 import actions, rules, tags
from reconciler.emulator.elbv2.attributes import listener_defaults
from reconciler.emulator.elbv2.errors import ElbError, validation
from reconciler.emulator.elbv2.pages import page
from reconciler.emulator.elbv2.state import Record, Store, hex_id

__all__ = ["OPERATIONS"]

_PROTOCOLS = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"),
    "gateway": (),
}
_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
_MOST_LISTENERS = 50
_MOST_CERTIFICATES = 25
_SETTINGS = ("Protocol", "SslPolicy", "Certificates", "DefaultActions", "AlpnPolicy", "MutualAuthentication")


def _create(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    balancer = store.get("loadbalancer", parameters["LoadBalancerArn"])
    new_tags = tags.checked(parameters.get("Tags", []))
    arn = parameters["LoadBalancerArn"].replace(":loadbalancer/", ":listener/") + f"/{hex_id()}"
    view = {"ListenerArn": arn, "LoadBalancerArn": parameters["LoadBalancerArn"]}
    view |= _settings(store, balancer, parameters)
    siblings = store.listeners_of(parameters["LoadBalancerArn"])
    for known in siblings:
        if known.view.get("Port") == view.get("Port"):
            if all(known.view.get(key) == view.get(key) for key in _SETTINGS) and known.tags == new_tags:
                return {"Listeners": [known.view]}
            raise ElbError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if len(siblings) >= _MOST_LISTENERS:
        raise ElbError("TooManyListeners", f"The maximum number of listeners has been reached: {_MOST_LISTENERS}")
    record = Record(view, listener_defaults(view.get("Protocol", "")))
    tags.put(record, new_tags)
    store.listeners[arn] = record
    rule = rules.default_rule(view)
    store.put_rule(rule.view["RuleArn"], rule)
    return {"Listeners": [view]}


def _settings(store: Store, balancer: Record, given: dict[str, Any]) -> dict[str, Any]:
    """Check and complete what a listener is made of, from a create, or a modify merged over what there is."""
    kind = balancer.view["Type"]
    view: dict[str, Any] = {}
    if kind == "gateway":
        if "Port" in given or "Protocol" in given:
            raise validation("A port and a protocol cannot be specified for gateway listeners")
    else:
        for key, label in (("Port", "port"), ("Protocol", "protocol")):
            if key not in given:
                raise validation(f"A listener {label} must be specified")
            view[key] = given[key]
        if given["Protocol"] not in _PROTOCOLS[kind]:
            allowed = ", ".join(_PROTOCOLS[kind])
            raise validation(f"Protocol '{given['Protocol']}' must be one of '{allowed}'")
    protocol = view.get("Protocol", "")
    if protocol in {"HTTPS", "TLS"}:
        view |= _tls(store, protocol, given)
    elif given.get("Certificates") or given.get("SslPolicy"):
        raise ElbError(
            "InvalidConfigurationRequest", f"Certificates and policies cannot be specified for protocol '{protocol}'"
        )
    view["DefaultActions"] = actions.accepted(store, balancer, given["DefaultActions"])
    return view


def _tls(store: Store, protocol: str, given: dict[str, Any]) -> dict[str, Any]:
    certificates = given.get("Certificates", [])
    if len(certificates) != 1:
        raise validation(f"A certificate must be specified for {protocol} listeners, exactly one")
    _check_certificates(store, certificates)
    policy = given.get("SslPolicy", _DEFAULT_POLICY)
    if policy not in SSL_POLICIES:
        raise ElbError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    view: dict[str, Any] = {
        "SslPolicy": policy,
        "Certificates": [{"CertificateArn": certificates[0]["CertificateArn"]}],
    }
    if protocol == "TLS":
        return view | ({"AlpnPolicy": given["AlpnPolicy"]} if given.get("AlpnPolicy") else {})
    mutual = {"Mode": "off", **given.get("MutualAuthentication", {})}
    if mutual["Mode"] not in {"off", "passthrough", "verify"}:
        raise validation(f"Mutual authentication mode '{mutual['Mode']}' must be one of 'off, passthrough, verify'")
    if mutual["Mode"] == "verify":
        if "TrustStoreArn" not in mutual:
            raise validation("A trust store ARN must be specified with mutual authentication mode 'verify'")
        mutual = {"IgnoreClientCertificateExpiry": False, "AdvertiseTrustStoreCaNames": "off", **mutual}
    return view | {"MutualAuthentication": mutual}


def _check_certificates(store: Store, certificates: list[dict[str, Any]]) -> None:
    moto = elbv2_backends[store.account][store.region]
    for certificate in certificates:
        arn = certificate["CertificateArn"]
        if not moto._certificate_exists(certificate_arn=arn):
            raise ElbError("CertificateNotFound", f"Certificate '{arn}' not found")


def _describe(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    balancer, arns = parameters.get("LoadBalancerArn"), parameters.get("ListenerArns")
    if bool(balancer) == bool(arns):
        raise validation("You must specify either listener ARNs or a load balancer ARN")
    if arns:
        records = [store.get("listener", arn) for arn in dict.fromkeys(arns)]
    else:
        store.get("loadbalancer", str(balancer))
        records = store.listeners_of(str(balancer))
    return page(parameters, [record.view for record in records], "Listeners")


def _modify(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["ListenerArn"]
    record = store.get("listener", arn)
    balancer = store.get("loadbalancer", record.view["LoadBalancerArn"])
    kept = {key: value for key, value in record.view.items() if key not in {"ListenerArn", "LoadBalancerArn"}}
    if parameters.get("Protocol", kept.get("Protocol")) not in {"HTTPS", "TLS"}:
        kept = {key: kept[key] for key in ("Port", "Protocol", "DefaultActions") if key in kept}
    merged = kept | {key: value for key, value in parameters.items() if key != "ListenerArn"}
    identity = {key: record.view[key] for key in ("ListenerArn", "LoadBalancerArn")}
    view = identity | _settings(store, balancer, merged)
    for other in store.listeners_of(record.view["LoadBalancerArn"]):
        if other is not record and other.view.get("Port") == view.get("Port"):
            raise ElbError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if view.get("Protocol") != record.view.get("Protocol"):
        defaults = listener_defaults(view["Protocol"])
        record.attributes = defaults | {key: record.attributes[key] for key in defaults if key in record.attributes}
    record.view = view
    for rule_arn in store.rules_of[arn]:
        rule = store.rules[rule_arn]
        if rule.view["IsDefault"]:
            store.put_rule(rule_arn, Record({**rule.view, "Actions": view["DefaultActions"]}, tags=rule.tags))
    return {"Listeners": [view]}


def _delete(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    store.get("listener", parameters["ListenerArn"])
    store.drop_listener(parameters["ListenerArn"])
    return {}


def _add_certificates(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["ListenerArn"]
    store.get("listener", arn)
    _check_certificates(store, parameters["Certificates"])
    known = store.certificates.setdefault(arn, [])
    new = [given["CertificateArn"] for given in parameters["Certificates"] if given["CertificateArn"] not in known]
    if len(known) + len(new) > _MOST_CERTIFICATES:
        raise ElbError("TooManyCertificates", f"The maximum number of certificates is {_MOST_CERTIFICATES}")
    known += new
    return {"Certificates": [{"CertificateArn": certificate, "IsDefault": False} for certificate in new]}


def _describe_certificates(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["ListenerArn"]
    record = store.get("listener", arn)
    default = [{**certificate, "IsDefault": True} for certificate in record.view.get("Certificates", [])]
    others = [{"CertificateArn": certificate, "IsDefault": False} for certificate in store.certificates.get(arn, [])]
    return page(parameters, default + others, "Certificates")


def _remove_certificates(store: Store, parameters: dict[str, Any]) -> dict[str, Any]:
    arn = parameters["ListenerArn"]
    record = store.get("listener", arn)
    gone = {given["CertificateArn"] for given in parameters["Certificates"]}
    if gone & {certificate["CertificateArn"] for certificate in record.view.get("Certificates", [])}:
        raise ElbError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    store.certificates[arn] = [known for known in store.certificates.get(arn, []) if known not in gone]
    return {}


OPERATIONS = {
    "create_listener": _create,
    "describe_listeners": _describe,
    "modify_listener": _modify,
    "delete_listener": _delete,
    "add_listener_certificates": _add_certificates,
    "describe_listener_certificates": _describe_certificates,
    "remove_listener_certificates": _remove_certificates,
}
