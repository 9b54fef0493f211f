"""What AWS would refuse of a load balancing manifest is said before anything is sent."""

from __future__ import annotations

import pytest

from reconciler.core.values import Ref, ResourceId, Spec, Template
from reconciler.kinds import KINDS

FORWARD = {"type": "forward", "targetGroupArn": "tg-1"}
FIXED = {"type": "fixed-response", "fixedResponseConfig": {"statusCode": "404"}}
OIDC = {"type": "authenticate-oidc", "order": 1, "authenticateOidcConfig": {"issuer": "i"}}
GROUP: Spec = {"protocol": "HTTP", "port": 80, "vpcId": "vpc-1"}
BALANCER: Spec = {"subnets": ["a", "b"]}
LISTENER: Spec = {"loadBalancerArn": "lb", "port": 80, "protocol": "HTTP", "defaultActions": [FORWARD]}
RULE: Spec = {
    "listenerArn": "li",
    "priority": 1,
    "conditions": [{"field": "path-pattern", "values": ["/"]}],
    "actions": [FORWARD],
}


def conditions(*given: Spec) -> Spec:
    return RULE | {"conditions": list(given)}


def actions(*given: Spec) -> Spec:
    return RULE | {"actions": list(given)}


def weighted(*weights: int) -> Spec:
    groups = [{"targetGroupArn": f"tg-{index}", "weight": weight} for index, weight in enumerate(weights)]
    return {"type": "forward", "forwardConfig": {"targetGroups": groups}}


STICKY = {"targetGroupStickinessConfig": {"enabled": True}}
FAULTS: list[tuple[str, Spec, str, str]] = [
    ("TargetGroup", GROUP | {"name": "a" * 26}, "name", "at most 25"),
    ("TargetGroup", GROUP | {"name": "a_b"}, "name", "letters, digits and hyphens"),
    ("TargetGroup", GROUP | {"name": "-a"}, "name", "no hyphen at either end"),
    ("TargetGroup", {"protocol": "HTTP", "port": 80}, "vpcId", "is needed"),
    ("TargetGroup", {"targetType": "lambda", "port": 80}, "port", "remove it"),
    ("TargetGroup", GROUP | {"protocol": "TCP", "protocolVersion": "GRPC"}, "protocolVersion", "HTTP and HTTPS only"),
    ("TargetGroup", GROUP | {"healthCheckTimeoutSeconds": 30}, "healthCheckTimeoutSeconds", "less than the interval"),
    ("TargetGroup", GROUP | {"matcher": {"httpCode": "200", "grpcCode": "0"}}, "matcher", "not both"),
    (
        "TargetGroup",
        GROUP | {"attributes": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]},
        "attributes[1].key",
        "set twice",
    ),
    ("LoadBalancer", BALANCER | {"name": "a" * 33}, "name", "at most 32"),
    ("LoadBalancer", BALANCER | {"name": "internal-a"}, "name", "AWS reserves"),
    ("LoadBalancer", {}, "subnets", "exactly one"),
    ("LoadBalancer", BALANCER | {"subnetMappings": [{"subnetId": "a"}]}, "subnets", "exactly one"),
    ("LoadBalancer", BALANCER | {"securityGroups": list("abcdef")}, "securityGroups", "AWS takes 5"),
    ("LoadBalancer", BALANCER | {"type": "gateway", "securityGroups": ["a"]}, "securityGroups", "remove it"),
    (
        "LoadBalancer",
        BALANCER | {"enablePrefixForIpv6SourceNat": "on"},
        "enablePrefixForIpv6SourceNat",
        "needs ipAddressType: dualstack",
    ),
    ("Listener", LISTENER | {"protocol": "HTTPS"}, "certificates", "at least one certificate"),
    ("Listener", LISTENER | {"sslPolicy": "x"}, "sslPolicy", "this listener has HTTP"),
    (
        "Listener",
        LISTENER | {"defaultActions": [OIDC, {**FORWARD, "order": 2}]},
        "defaultActions[0].type",
        "needs a listener with protocol HTTPS",
    ),
    ("Listener", {"loadBalancerArn": "lb", "defaultActions": [FORWARD], "protocol": "TCP"}, "port", "is needed"),
    (
        "Listener",
        LISTENER
        | {
            "protocol": "HTTPS",
            "certificates": [{"certificateArn": name, "isDefault": True} for name in "ab"],
        },
        "certificates",
        "only one",
    ),
    (
        "Listener",
        LISTENER
        | {"protocol": "HTTPS", "certificates": [{"certificateArn": "a"}], "mutualAuthentication": {"mode": "verify"}},
        "mutualAuthentication.trustStoreArn",
        "is needed",
    ),
    ("ListenerRule", RULE | {"priority": 50001}, "priority", "not from 1 to 50000"),
    ("ListenerRule", actions({"type": "forward"}), "actions[0]", "needs a target group"),
    ("ListenerRule", actions(weighted(1000)), "actions[0].forwardConfig.targetGroups[0].weight", "from 0 to 999"),
    ("ListenerRule", actions(weighted(*range(6))), "actions[0].forwardConfig.targetGroups", "AWS takes 5"),
    ("ListenerRule", actions(weighted(1) | {"targetGroupArn": "tg-9"}), "actions[0].forwardConfig", "keep one"),
    (
        "ListenerRule",
        actions({"type": "forward", "targetGroupArn": "t", "forwardConfig": STICKY}),
        "actions[0].forwardConfig.targetGroupStickinessConfig",
        "needs durationSeconds",
    ),
    ("ListenerRule", actions(FORWARD | {"order": 1}, FIXED | {"order": 2}), "actions", "there are 2"),
    ("ListenerRule", actions(OIDC), "actions", "there are 0"),
    ("ListenerRule", actions({**OIDC, "order": 2}, {**FORWARD, "order": 1}), "actions[1].order", "must be the last"),
    ("ListenerRule", actions(OIDC, FORWARD), "actions", "each needs an order"),
    ("ListenerRule", actions({"type": "redirect"}), "actions[0]", "needs redirectConfig"),
    (
        "ListenerRule",
        actions(FORWARD | {"redirectConfig": {"host": "a"}}),
        "actions[0].redirectConfig",
        "type redirect",
    ),
    ("ListenerRule", conditions({"field": "path", "values": ["/"]}), "conditions[0].field", "is none of"),
    (
        "ListenerRule",
        conditions({"field": "path-pattern"}),
        "conditions[0].pathPatternConfig",
        "needs values",
    ),
    (
        "ListenerRule",
        conditions({"field": "path-pattern", "values": ["/" * 129]}),
        "conditions[0].pathPatternConfig.values[0]",
        "128 characters",
    ),
    (
        "ListenerRule",
        conditions({"field": "http-request-method", "httpRequestMethodConfig": {"values": ["A" * 41]}}),
        "conditions[0].httpRequestMethodConfig.values[0]",
        "40 characters",
    ),
    (
        "ListenerRule",
        conditions({"field": "http-header", "httpHeaderConfig": {"values": ["x"]}}),
        "conditions[0].httpHeaderConfig.httpHeaderName",
        "is needed",
    ),
    ("ListenerRule", conditions({"field": "path-pattern", "values": list("abcdef")}), "conditions", "AWS takes 5"),
    (
        "ListenerRule",
        conditions(*({"field": "path-pattern", "values": [value]} for value in "ab")),
        "conditions",
        "more than one condition on path-pattern",
    ),
]


@pytest.mark.parametrize(("kind", "spec", "path", "says"), FAULTS)
def test_a_fault_is_named_by_its_place_and_its_reason(kind, spec, path, says):
    found = [fault for fault in KINDS[kind].check(spec) if fault.path == path]
    assert [fault.message for fault in found if says in fault.message], list(KINDS[kind].check(spec))


@pytest.mark.parametrize(
    ("kind", "spec"),
    [("TargetGroup", GROUP), ("LoadBalancer", BALANCER), ("Listener", LISTENER), ("ListenerRule", RULE)],
)
def test_what_is_right_has_no_faults(kind, spec):
    assert list(KINDS[kind].check(spec)) == []


def test_what_is_not_known_yet_is_no_fault():
    later = Ref(ResourceId("TargetGroup", "later"), "arn")
    values = [Template(("/", later))]
    spec = conditions({"field": "path-pattern", "values": values}) | {"actions": [FORWARD | {"targetGroupArn": later}]}
    assert list(KINDS["ListenerRule"].check(spec)) == []
    assert list(KINDS["TargetGroup"].check(GROUP | {"name": later, "healthCheckIntervalSeconds": later})) == []
