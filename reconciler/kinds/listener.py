"""Listener: a port of a load balancer, its certificates, and what happens to requests that no rule takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Call
from reconciler.core.fields import Effect, Field
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest, Reference
from reconciler.core.live import Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, with_tags
from reconciler.core.values import ABSENT, Json, Ref, Spec, canonical
from reconciler.kinds import _elb, _elb_actions

NAME = "Listener"
MEMBERS = (
    "loadBalancerArn", "port", "protocol", "sslPolicy", "certificates", "defaultActions", "alpnPolicy",
    "mutualAuthentication",
)  # fmt: skip
SECURE = ("HTTPS", "TLS")
SECURE_MEMBERS = ("sslPolicy", "certificates", "alpnPolicy", "mutualAuthentication")
SSL_POLICY = "ELBSecurityPolicy-2016-08"


def _ssl_policy(spec: Spec) -> Json:
    return SSL_POLICY if spec.get("protocol") in SECURE else ABSENT


ALWAYS: Mapping[str, str] = {
    "tcp.idle_timeout.seconds": "350",
    "send_tcp_reset.on_idle_timeout.enabled": "false",
    "routing.http.response.server.enabled": "true",
    **{
        f"routing.http.request.{name.lower().replace('-', '_')}.header_name": name
        for name in (
            "X-Amzn-Mtls-Clientcert-Serial-Number", "X-Amzn-Mtls-Clientcert-Issuer", "X-Amzn-Mtls-Clientcert-Subject",
            "X-Amzn-Mtls-Clientcert-Validity", "X-Amzn-Mtls-Clientcert-Leaf", "X-Amzn-Mtls-Clientcert",
            "X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite",
        )
    },
}  # fmt: skip
"""Attributes with a documented default. A header that the load balancer may add has none: not to add it."""

FIELDS = (
    Field("loadBalancerArn", effect=Effect.REPLACE, source="ModifyListener has no such member"),
    Field("port", source="ModifyListener"),
    Field("protocol", source="ModifyListener"),
    Field("sslPolicy", default=_ssl_policy, removed=_elb.GONE, source="aws-behaviour: listener"),
    Field("certificates", key=("certificateArn",), removed=_elb.GONE, source="Add- and RemoveListenerCertificates"),
    Field("certificates[].isDefault", default=False, source="DescribeListenerCertificates"),
    Field("alpnPolicy", default=["None"], removed=_elb.GONE, source="API reference: ModifyListener"),
    Field("mutualAuthentication", removed=_elb.GONE, source="ModifyListener replaces it whole"),
    Field("mutualAuthentication.mode", default="off", source="aws-behaviour: mutual TLS off"),
    Field("mutualAuthentication.ignoreClientCertificateExpiry", default=False, source="API reference"),
    Field("mutualAuthentication.advertiseTrustStoreCaNames", default="off", source="API reference"),
    *_elb_actions.action_fields("defaultActions"),
    *_elb.attribute_fields(ALWAYS, "API reference: ListenerAttribute"),
    TAGS_FIELD,
)


def prepare(spec: Spec) -> Spec:
    """Actions in one form, the default certificate named as such, without the status that AWS adds to a trust store."""
    result = dict(spec)
    if "defaultActions" in spec:
        result["defaultActions"] = _elb_actions.one_form(spec["defaultActions"])
    if spec.get("certificates"):
        result["certificates"] = certificates(spec)
    if isinstance(mutual := spec.get("mutualAuthentication"), dict):
        result["mutualAuthentication"] = {k: v for k, v in mutual.items() if k != "trustStoreAssociationStatus"}
    return result


def certificates(spec: Spec) -> list[Spec]:
    """Each certificate once, `isDefault` on exactly one: the one that says so, else the first.

    AWS lists a default certificate twice when it stands in the certificate list too.
    """
    given = [item for item in spec.get("certificates") or () if item.get("certificateArn")]
    if not given:
        return []
    default = next((item for item in given if item.get("isDefault")), given[0])["certificateArn"]
    arns = {canonical(item["certificateArn"]): item["certificateArn"] for item in given}.values()
    return [{"certificateArn": arn, "isDefault": True} if arn == default else {"certificateArn": arn} for arn in arns]


def _default_certificate(listed: list[Spec]) -> list[Spec]:
    """As CreateListener and ModifyListener take it: exactly one, without `isDefault`."""
    return [{"certificateArn": item["certificateArn"]} for item in listed if item.get("isDefault")]


def natural(resource: Resource) -> str:
    arn = resource.spec.get("loadBalancerArn")
    return _natural(resource.spec) if isinstance(arn, str) else ""


def _natural(spec: Mapping[str, Json]) -> str:
    return f"{spec['loadBalancerArn']}:{spec.get('port', '')}"


# -- reading -----------------------------------------------------------------------------------------------------------


def read(request: ReadRequest) -> Iterable[Live]:
    """The listeners of the load balancers that were read, and of those that a manifest names by ARN."""
    parents = [live.arn for live in request.lives.of_kind("LoadBalancer")]
    found = _elb.children(request, "DescribeListeners", "loadBalancerArn", "listeners", parents)
    by_arn = {listener["listenerArn"]: listener for _, listener in found}
    tags = _elb.tags_of(request.reader, list(by_arn))
    wanted = _elb.candidates(request, {arn: _natural(each) for arn, each in by_arn.items()}, tags, natural)
    attributes = _elb.cached_attributes(request, "DescribeListenerAttributes", "listenerArn", wanted, tags, ALWAYS)
    listed = _certificates_of(request, {arn: by_arn[arn] for arn in wanted}, wanted)
    return [_live(by_arn[arn], tags.get(arn, {}), attributes[arn], listed.get(arn)) for arn in wanted]


def _certificates_of(
    request: ReadRequest, listeners: Mapping[str, Json], wanted: Mapping[str, Resource | None]
) -> dict[str, list[Json]]:
    """All certificates of the listeners whose manifests declare some; DescribeListeners tells the default one only."""

    def doubtful(arn: str, remembered: list[Json]) -> bool:
        resource = wanted[arn]
        declared = certificates(resource.spec) if resource else []
        default = _default_certificate(certificates({"certificates": remembered}))
        stale = default != _default_certificate(certificates(listeners[arn]))
        return stale or _by_arn(declared) != _by_arn(certificates({"certificates": remembered}))

    calls = {
        arn: _elb.call("DescribeListenerCertificates", listenerArn=arn, pageSize=_elb.PAGE)
        for arn, resource in wanted.items()
        if resource and resource.spec.get("certificates") and listeners[arn].get("protocol") in SECURE
    }
    return _elb.cached_lists(request, calls, "certificates", doubtful)


def _by_arn(listed: list[Spec]) -> dict[str, bool]:
    return {canonical(item["certificateArn"]): bool(item.get("isDefault")) for item in listed}


def _live(
    listener: Mapping[str, Json], tags: Mapping[str, str], attributes: list[Json], listed: list[Json] | None
) -> Live:
    arn = listener["listenerArn"]
    spec = {**_elb.members(listener, MEMBERS), "attributes": attributes, **own_tags(tags)}
    if listed:
        spec["certificates"] = listed
    return Live(kind=NAME, arn=arn, natural=_natural(spec), spec=spec, tags=tags, attributes={"arn": arn})


# -- writing -----------------------------------------------------------------------------------------------------------


def create(creation: Creation) -> tuple[Call, ...]:
    params = _elb.given(creation.spec, "certificates", "attributes", "tags", "defaultActions")
    listed = certificates(creation.spec)
    if listed:
        params["certificates"] = _default_certificate(listed)
    params["defaultActions"] = _elb_actions.sent(creation.spec["defaultActions"], existing=False)
    params["tags"] = with_tags(creation)
    made = _elb.making("CreateListener", params, {"arn": "listeners.0.listenerArn"})
    more = [item for item in listed if not item.get("isDefault")]
    arn = Ref(creation.resource, "arn")
    added = (_elb.call("AddListenerCertificates", listenerArn=arn, certificates=more),) if more else ()
    return (made, *added, *_elb.set_attributes("ModifyListenerAttributes", "listenerArn", creation))


def update(change: Change) -> tuple[Call, ...]:
    arn = change.live.arn
    params = _modified(change)
    before, after = certificates(change.live.spec), certificates(change.spec)
    secure = change.spec.get("protocol") in SECURE and "certificates" in change.changed()
    added = [item for item in after if not item.get("isDefault") and not _listed(item, before)]
    removed = [item for item in before if not item.get("isDefault") and not _has(item, after)]
    calls: list[Call] = []
    if params:
        calls.append(_elb.call("ModifyListener", listenerArn=arn, **params))
    if secure and added:
        calls.append(_elb.call("AddListenerCertificates", listenerArn=arn, certificates=added))
    if secure and removed:
        calls.append(_elb.call("RemoveListenerCertificates", listenerArn=arn, certificates=removed))
    calls += _elb.change_attributes("ModifyListenerAttributes", "listenerArn", change, ALWAYS)
    return (*calls, *tag_changes(change, _elb.SERVICE))


def _listed(item: Spec, listed: list[Spec]) -> bool:
    """Whether the certificate stands in the certificate list: the default one need not."""
    return any(other["certificateArn"] == item["certificateArn"] and not other.get("isDefault") for other in listed)


def _has(item: Spec, listed: list[Spec]) -> bool:
    return any(other["certificateArn"] == item["certificateArn"] for other in listed)


def _modified(change: Change) -> Spec:
    """What ModifyListener shall set: members that it is not given stay as they are."""
    spec, changed = change.spec, set(change.changed())
    secure = spec.get("protocol") in SECURE
    if secure and "protocol" in changed:
        changed |= {"sslPolicy", "certificates"}  # AWS wants both when a listener becomes secure
    params: Spec = {name: spec[name] for name in ("port", "protocol") if name in changed and name in spec}
    if "defaultActions" in changed:
        params["defaultActions"] = _elb_actions.sent(spec["defaultActions"], existing=True)
    if not secure:
        return params
    if "certificates" in changed:
        default = _default_certificate(certificates(spec))
        if default != _default_certificate(certificates(change.live.spec)):
            params["certificates"] = default
    resets: Spec = {"sslPolicy": SSL_POLICY, "alpnPolicy": ["None"], "mutualAuthentication": {"mode": "off"}}
    for name, reset in resets.items():
        if name in changed:
            params[name] = spec.get(name) or reset
    if params.get("mutualAuthentication", {}).get("mode") == "off":
        params["mutualAuthentication"] = {"mode": "off"}  # AWS refuses a trust store beside it
    return params


def delete(live: Live) -> tuple[Call, ...]:
    return (_elb.call("DeleteListener", listenerArn=live.arn),)


def check(spec: Spec) -> Iterable[Fault]:
    yield from _elb.attribute_faults(spec)
    yield from _elb_actions.action_faults("defaultActions", spec.get("defaultActions"))
    protocol = spec.get("protocol")
    listed = spec.get("certificates") or []
    if protocol in SECURE and not listed:
        yield Fault("certificates", f"a listener with protocol {protocol} needs at least one certificate")
    if isinstance(protocol, str) and protocol not in SECURE:
        for name in SECURE_MEMBERS:
            if spec.get(name):
                yield Fault(name, f"applies to the protocols {' and '.join(SECURE)} only; this listener has {protocol}")
        for index, action in enumerate(spec.get("defaultActions") or ()):
            if action.get("type") in _elb_actions.SECURE_ONLY:
                yield Fault(f"defaultActions[{index}].type", f"{action['type']} needs a listener with protocol HTTPS")
    if sum(bool(item.get("isDefault")) for item in listed) > 1:
        yield Fault("certificates", "only one certificate can be the default")
    mutual = spec.get("mutualAuthentication") or {}
    if mutual.get("mode") == "verify" and not mutual.get("trustStoreArn"):
        yield Fault("mutualAuthentication.trustStoreArn", "is needed when the mode is verify")
    if protocol != "GENEVE":
        for name in ("port", "protocol"):
            if name not in spec:
                yield Fault(name, "is needed but on a gateway load balancer")


KIND = Kind(
    name=NAME,
    summary="A port of a load balancer, with its certificates and the actions for requests that no rule takes.",
    service=_elb.SERVICE,
    inputs=(Input("CreateListener"), Input("ModifyListenerAttributes", only=("attributes",))),
    fields=FIELDS,
    permissions=Permissions(
        read=_elb.actions(
            "DescribeListeners", "DescribeListenerAttributes", "DescribeListenerCertificates", "DescribeTags"
        ),
        write=(
            *_elb.actions(
                "CreateListener", "ModifyListener", "ModifyListenerAttributes", "AddListenerCertificates",
                "RemoveListenerCertificates", "AddTags", "RemoveTags",
            ),
            "cognito-idp:DescribeUserPoolClient",  # for authenticate-cognito
        ),
        delete=_elb.actions("DeleteListener"),
    ),
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    references=(Reference("loadBalancerArn", "LoadBalancer"), *_elb_actions.action_references("defaultActions")),
    reads_after=("LoadBalancer",),
    schema={"properties": {"alpnPolicy": {"maxItems": 1}}},
    check=check,
    prepare=prepare,
)  # fmt: skip
