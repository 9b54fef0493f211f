"""What the load balancing kinds send for a change: the least that does it, with what AWS wants beside it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.call import Call
from reconciler.core.difference import Cause, Difference
from reconciler.core.live import Live
from reconciler.core.resource import Resource
from reconciler.core.values import ResourceId, Spec
from reconciler.kinds import KINDS

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
GROUP = {"protocol": "HTTP", "port": 80, "vpcId": "vpc-1"}
FORWARD = [{"type": "forward", "targetGroupArn": "tg-1"}]
LISTENER = {"loadBalancerArn": "lb-1", "port": 80, "protocol": "HTTP", "defaultActions": FORWARD}
SECURE = LISTENER | {"protocol": "HTTPS", "port": 443, "certificates": [{"certificateArn": "a"}]}
RULE: Spec = {
    "listenerArn": "li-1",
    "priority": 10,
    "conditions": [{"field": "path-pattern", "values": ["/a"]}],
    "actions": FORWARD,
}
BALANCER = {"name": "x", "subnets": ["a", "b"]}
MAPPED = {"subnetMappings": [{"subnetId": "a"}, {"subnetId": "b"}]}


@pytest.fixture
def sent(tools):
    """The calls for a change from what AWS and git had to what git has, without the object's own ARN."""

    def plan(kind: str, before: Spec, after: Spec, live: Spec | None = None) -> list[tuple[str, Spec]]:
        resource, base = (Resource(ResourceId(kind, "x"), spec) for spec in (after, before))
        there = Live(kind, f"{ARN}x", "x", before | (live or {}))
        differences: tuple[Difference, ...] = tools.differences_of(KINDS[kind], resource, there, base=base)
        calls: tuple[Call, ...] = KINDS[kind].update(tools.change_of(KINDS[kind], resource, there, differences))
        return [(call.operation, _without_arn(call.params)) for call in calls]

    def _without_arn(params: Any) -> Spec:
        return {name: value for name, value in params.items() if value not in (f"{ARN}x", [f"{ARN}x"])}

    return plan


def test_a_health_check_that_git_no_longer_has_gets_the_default_of_its_protocol(sent):
    before = GROUP | {"healthCheckIntervalSeconds": 5, "healthCheckPath": "/x"}
    assert sent("TargetGroup", before, GROUP) == [
        ("ModifyTargetGroup", {"healthCheckIntervalSeconds": 30, "healthCheckPath": "/"})
    ]


def test_a_matcher_that_git_no_longer_has_gets_the_default_of_its_version(sent):
    grpc = GROUP | {"protocolVersion": "GRPC"}
    before = grpc | {"matcher": {"grpcCode": "0-5"}}
    assert sent("TargetGroup", before, grpc) == [("ModifyTargetGroup", {"matcher": {"grpcCode": "12"}})]


def test_only_the_attributes_that_differ_are_written(sent):
    def attributes(**values: str) -> Spec:
        return {"attributes": [{"key": key.replace("__", "."), "value": value} for key, value in values.items()]}

    before = GROUP | attributes(stickiness__enabled="true", slow_start__duration_seconds="30")
    after = GROUP | attributes(stickiness__enabled="true")
    others = attributes(stickiness__enabled="true", slow_start__duration_seconds="30", somebody__elses="7")
    assert sent("TargetGroup", before, after, others) == [
        ("ModifyTargetGroupAttributes", {"attributes": [{"key": "slow_start.duration_seconds", "value": "0"}]})
    ]


def test_an_attribute_without_a_known_default_stays_when_git_no_longer_has_it(sent):
    before = GROUP | {"attributes": [{"key": "stickiness.app_cookie.cookie_name", "value": "shop"}]}
    assert sent("TargetGroup", before, GROUP) == []


def test_a_new_port_of_a_target_group_is_a_replacement(tools):
    resource = Resource(ResourceId("TargetGroup", "x"), GROUP | {"port": 81})
    live = Live("TargetGroup", "x", "x", GROUP)
    [difference] = tools.differences_of(KINDS["TargetGroup"], resource, live, base=Resource(resource.id, GROUP))
    assert (difference.field, difference.effect.value) == ("port", "replacement")


def test_subnets_and_address_type_change_in_one_call(sent):
    after = {"name": "x", "subnets": ["b", "c"], "ipAddressType": "dualstack"}
    assert sent("LoadBalancer", BALANCER | {"ipAddressType": "ipv4"}, after, MAPPED) == [
        ("SetSubnets", {"subnets": ["b", "c"], "ipAddressType": "dualstack"})
    ]


def test_the_other_spelling_of_the_same_subnets_changes_nothing(sent):
    mapped = {"name": "x", "subnetMappings": [{"subnetId": "b"}, {"subnetId": "a"}]}
    assert sent("LoadBalancer", BALANCER, mapped, MAPPED) == []
    assert sent("LoadBalancer", {"name": "x"} | MAPPED, BALANCER, BALANCER) == []


def test_subnets_that_change_with_their_spelling_are_written_in_the_new_one(sent):
    after = {"name": "x", "subnets": ["a", "c"]}
    assert sent("LoadBalancer", {"name": "x"} | MAPPED, after, BALANCER) == [("SetSubnets", {"subnets": ["a", "c"]})]


def test_pools_that_git_no_longer_has_are_taken_away(sent):
    pools = {"ipamPools": {"ipv4IpamPoolId": "ipam-pool-1"}}
    assert sent("LoadBalancer", BALANCER | pools, BALANCER) == [("ModifyIpPools", {"removeIpamPools": ["ipv4"]})]


def test_a_new_default_certificate_keeps_the_old_one_listed_when_git_still_has_it(sent):
    after = SECURE | {"certificates": [{"certificateArn": "b"}, {"certificateArn": "a"}]}
    assert sent("Listener", SECURE, after) == [
        ("ModifyListener", {"certificates": [{"certificateArn": "b"}]}),
        ("AddListenerCertificates", {"certificates": [{"certificateArn": "a"}]}),
    ]


def test_a_certificate_that_was_added_by_hand_is_taken_away(sent):
    live = {"certificates": [{"certificateArn": "a", "isDefault": True}, {"certificateArn": "z"}]}
    assert sent("Listener", SECURE, SECURE, live) == [
        ("RemoveListenerCertificates", {"certificates": [{"certificateArn": "z"}]})
    ]


def test_a_listener_that_becomes_secure_gets_a_policy_and_a_certificate_with_it(sent):
    after = LISTENER | {"protocol": "HTTPS", "certificates": [{"certificateArn": "a"}]}
    assert sent("Listener", LISTENER, after) == [
        (
            "ModifyListener",
            {"protocol": "HTTPS", "certificates": [{"certificateArn": "a"}], "sslPolicy": "ELBSecurityPolicy-2016-08"},
        )
    ]


def test_a_listener_that_becomes_plain_says_nothing_of_certificates(sent):
    live = {"certificates": [{"certificateArn": "a"}], "sslPolicy": "ELBSecurityPolicy-2016-08"}
    assert sent("Listener", SECURE, LISTENER | {"port": 443}, live) == [("ModifyListener", {"protocol": "HTTP"})]


def test_mutual_tls_that_git_no_longer_has_is_switched_off_without_its_trust_store(sent):
    mutual = {"mutualAuthentication": {"mode": "verify", "trustStoreArn": "ts-1"}}
    assert sent("Listener", SECURE | mutual, SECURE) == [("ModifyListener", {"mutualAuthentication": {"mode": "off"}})]


def test_a_new_priority_alone_leaves_the_rule_as_it_is(sent):
    assert sent("ListenerRule", RULE, RULE | {"priority": 5}) == [
        ("SetRulePriorities", {"rulePriorities": [{"ruleArn": f"{ARN}x", "priority": 5}]})
    ]


def test_a_condition_that_was_added_by_hand_is_taken_away(sent):
    by_hand = {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X", "values": ["1"]}}
    expected = [{"field": "path-pattern", "pathPatternConfig": {"values": ["/a"]}}]
    assert sent("ListenerRule", RULE, RULE, {"conditions": [by_hand, *RULE["conditions"]]}) == [
        ("ModifyRule", {"conditions": expected})
    ]


def test_the_order_of_host_names_counts_and_that_of_paths_does_not(sent):
    def on(field: str, *values: str) -> Spec:
        return RULE | {"conditions": [{"field": field, "values": list(values)}]}

    assert sent("ListenerRule", on("path-pattern", "/a", "/b"), on("path-pattern", "/b", "/a")) == []
    assert [name for name, _ in sent("ListenerRule", on("host-header", "a", "b"), on("host-header", "b", "a"))] == [
        "ModifyRule"
    ]


def test_stickiness_that_git_no_longer_has_is_left_out_of_the_forward(sent):
    def forward(**more: Any) -> Spec:
        return RULE | {"actions": [{"type": "forward", "forwardConfig": {"targetGroups": TARGETS, **more}}]}

    before = forward(targetGroupStickinessConfig={"enabled": True, "durationSeconds": 60})
    [(name, params)] = sent("ListenerRule", before, forward())
    assert name == "ModifyRule"
    assert params == {"actions": [{"type": "forward", "order": 1, "forwardConfig": {"targetGroups": TARGETS}}]}


TARGETS = [{"targetGroupArn": "tg-1", "weight": 90}, {"targetGroupArn": "tg-2", "weight": 10}]


def test_a_secret_that_aws_keeps_is_never_a_difference_and_is_not_lost_by_a_change(sent):
    oidc = {"issuer": "i", "authorizationEndpoint": "a", "tokenEndpoint": "t", "userInfoEndpoint": "u", "clientId": "c"}

    def actions(config: Spec) -> list[Spec]:
        return [{"type": "authenticate-oidc", "order": 1, "authenticateOidcConfig": config}, {**FORWARD[0], "order": 2}]

    declared, live = RULE | {"actions": actions(oidc | {"clientSecret": "made-up"})}, {"actions": actions(oidc)}
    assert sent("ListenerRule", declared, declared, live) == []
    [(_, params)] = sent("ListenerRule", declared, declared | {"actions": actions(oidc | {"scope": "email"})}, live)
    assert params["actions"][0]["authenticateOidcConfig"] == oidc | {"scope": "email", "useExistingClientSecret": True}


def test_a_client_secret_is_masked_in_what_is_shown(tools):
    row = next(row for row in KINDS["ListenerRule"].fields if row.path.endswith("clientSecret"))
    shown = Difference(("actions",), Cause.PENDING, "made-up", "other", row=row).to_json()
    assert "made-up" not in str(shown)


def test_transforms_that_git_no_longer_has_are_reset(sent):
    rewrite = {"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "a", "replace": "b"}]}}
    before = RULE | {"transforms": [rewrite]}
    assert sent("ListenerRule", before, RULE) == [("ModifyRule", {"resetTransforms": True})]
    assert sent("ListenerRule", before, RULE | {"transforms": []}) == [("ModifyRule", {"resetTransforms": True})]
