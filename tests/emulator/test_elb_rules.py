"""Rules and listeners of the emulated ELB: nothing is lost, AWS's echoes are there, AWS's refusals too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


class Shop:
    """An application load balancer with a listener and some target groups, made through the API."""

    def __init__(self, emulator: Any) -> None:
        self.elb = emulator.client("elbv2")
        subnets = emulator.client("ec2").describe_subnets()["Subnets"]
        self.vpc = subnets[0]["VpcId"]
        self.subnets = [subnet["SubnetId"] for subnet in subnets]
        self.balancer = self.new_balancer("shop")
        self.blue = self.group("blue")
        self.green = self.group("green")
        self.listener = self.new_listener(80)

    def new_balancer(self, name: str, **kw: Any) -> str:
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets[:2], **kw)
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def new_listener(self, port: int, **kw: Any) -> str:
        given: dict[str, Any] = {
            "LoadBalancerArn": self.balancer,
            "Protocol": "HTTP",
            "Port": port,
            "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        }
        return str(self.elb.create_listener(**{**given, **kw})["Listeners"][0]["ListenerArn"])

    def group(self, name: str, **kw: Any) -> str:
        given = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip"}
        return str(self.elb.create_target_group(**{**given, **kw})["TargetGroups"][0]["TargetGroupArn"])

    def rule(self, priority: int = 1, path: str = "/", **kw: Any) -> dict[str, Any]:
        given = {
            "ListenerArn": self.listener,
            "Priority": priority,
            "Conditions": [{"Field": "path-pattern", "Values": [path]}],
            "Actions": [{"Type": "forward", "TargetGroupArn": self.blue}],
        }
        made: dict[str, Any] = self.elb.create_rule(**{**given, **kw})["Rules"][0]
        return made

    def described(self, rule: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"][0]
        return found


@pytest.fixture
def shop(emulator: Any) -> Shop:
    return Shop(emulator)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_short_forward_comes_back_in_both_forms(shop: Shop) -> None:
    rule = shop.described(shop.rule())
    assert rule["Actions"] == [
        {
            "Type": "forward",
            "TargetGroupArn": shop.blue,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": shop.blue, "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": False},
            },
        }
    ]


def test_a_forward_to_two_groups_comes_back_without_the_short_form(shop: Shop) -> None:
    groups = [{"TargetGroupArn": shop.blue, "Weight": 100}, {"TargetGroupArn": shop.green, "Weight": 0}]
    rule = shop.described(shop.rule(Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]))
    assert "TargetGroupArn" not in rule["Actions"][0]
    assert rule["Actions"][0]["ForwardConfig"]["TargetGroups"] == groups


def test_conditions_come_back_sorted_with_values_beside_each_config(shop: Shop) -> None:
    given = [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/b", "/a"]}},
        {"Field": "host-header", "Values": ["shop.example"]},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Beta", "Values": ["1"]}},
    ]
    rule = shop.described(shop.rule(Conditions=given))
    assert rule["Conditions"] == [
        {"Field": "host-header", "Values": ["shop.example"], "HostHeaderConfig": {"Values": ["shop.example"]}},
        {"Field": "http-header", "Values": [], "HttpHeaderConfig": {"HttpHeaderName": "X-Beta", "Values": ["1"]}},
        {"Field": "path-pattern", "Values": ["/a", "/b"], "PathPatternConfig": {"Values": ["/a", "/b"]}},
    ]
    assert rule["Priority"] == "1"
    assert rule["Transforms"] == []


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "x"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/v[0-9]+/"]}},
    ],
)
def test_every_kind_of_condition_is_kept(shop: Shop, condition: dict[str, Any]) -> None:
    kept = shop.described(shop.rule(Conditions=[condition]))["Conditions"][0]
    assert condition.items() <= kept.items()


def test_transforms_are_kept_and_reset(shop: Shop) -> None:
    transforms = [
        {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/old/(.*)$", "Replace": "/new/$1"}]}}
    ]
    rule = shop.rule(Transforms=transforms)
    assert shop.described(rule)["Transforms"] == transforms
    shop.elb.modify_rule(RuleArn=rule["RuleArn"], ResetTransforms=True)
    assert shop.described(rule)["Transforms"] == []


def test_a_redirect_comes_back_with_all_its_parts(shop: Shop) -> None:
    action = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    kept = shop.described(shop.rule(Actions=[action]))["Actions"][0]["RedirectConfig"]
    assert kept == {
        "Protocol": "HTTPS",
        "Port": "443",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    }


def test_an_authentication_comes_back_with_defaults_and_without_its_secret(shop: Shop) -> None:
    config = {
        "Issuer": "https://id.example",
        "AuthorizationEndpoint": "https://id.example/a",
        "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u",
        "ClientId": "shop",
        "ClientSecret": "hidden",
    }
    given = [
        {"Type": "forward", "TargetGroupArn": shop.blue, "Order": 2},
        {"Type": "authenticate-oidc", "AuthenticateOidcConfig": config, "Order": 1},
    ]
    first, second = shop.described(shop.rule(Actions=given))["Actions"]
    assert (first["Type"], second["Type"]) == ("authenticate-oidc", "forward")
    assert "ClientSecret" not in first["AuthenticateOidcConfig"]
    assert first["AuthenticateOidcConfig"]["SessionTimeout"] == 604800


def test_a_priority_in_use_is_refused(shop: Shop) -> None:
    shop.rule(7)
    with pytest.raises(ClientError) as error:
        shop.rule(7, "/other")
    assert code_of(error) == "PriorityInUse"


def test_priorities_can_be_swapped_but_not_taken(shop: Shop) -> None:
    one, two, three = shop.rule(1), shop.rule(2, "/2"), shop.rule(3, "/3")
    swap = [{"RuleArn": one["RuleArn"], "Priority": 2}, {"RuleArn": two["RuleArn"], "Priority": 1}]
    shop.elb.set_rule_priorities(RulePriorities=swap)
    rules = shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"]
    order = [(rule["RuleArn"], rule["Priority"]) for rule in rules[:3]]
    assert order == [(two["RuleArn"], "1"), (one["RuleArn"], "2"), (three["RuleArn"], "3")]
    with pytest.raises(ClientError) as error:
        shop.elb.set_rule_priorities(RulePriorities=[{"RuleArn": one["RuleArn"], "Priority": 3}])
    assert code_of(error) == "PriorityInUse"


def test_the_default_rule_follows_its_listener_and_cannot_be_changed_or_deleted(shop: Shop) -> None:
    shop.elb.modify_listener(
        ListenerArn=shop.listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": shop.green}]
    )
    default = shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"][-1]
    assert (default["Priority"], default["IsDefault"], default["Conditions"]) == ("default", True, [])
    assert default["Actions"][0]["TargetGroupArn"] == shop.green
    arn = default["RuleArn"]
    with pytest.raises(ClientError) as error:
        shop.elb.delete_rule(RuleArn=arn)
    assert code_of(error) == "OperationNotPermitted"
    with pytest.raises(ClientError) as error:
        shop.elb.modify_rule(RuleArn=arn, Conditions=[{"Field": "path-pattern", "Values": ["/"]}])
    assert code_of(error) == "OperationNotPermitted"


def test_a_modified_rule_keeps_what_the_call_does_not_name(shop: Shop) -> None:
    rule = shop.rule(1, "/kept")
    shop.elb.modify_rule(RuleArn=rule["RuleArn"], Actions=[{"Type": "forward", "TargetGroupArn": shop.green}])
    changed = shop.described(rule)
    assert changed["Conditions"][0]["Values"] == ["/kept"]
    assert changed["Actions"][0]["TargetGroupArn"] == shop.green


def test_a_target_group_serves_one_load_balancer_only(shop: Shop) -> None:
    shop.rule()
    other = shop.new_balancer("other")
    with pytest.raises(ClientError) as error:
        shop.new_listener(80, LoadBalancerArn=other, DefaultActions=[{"Type": "forward", "TargetGroupArn": shop.blue}])
    assert code_of(error) == "TargetGroupAssociationLimit"


def test_a_target_group_in_use_cannot_be_deleted_until_its_last_rule_is_gone(shop: Shop) -> None:
    rule = shop.rule()
    with pytest.raises(ClientError) as error:
        shop.elb.delete_target_group(TargetGroupArn=shop.blue)
    assert code_of(error) == "ResourceInUse"
    shop.elb.delete_rule(RuleArn=rule["RuleArn"])
    shop.elb.delete_target_group(TargetGroupArn=shop.blue)
    with pytest.raises(ClientError) as error:
        shop.elb.describe_target_groups(TargetGroupArns=[shop.blue])
    assert code_of(error) == "TargetGroupNotFound"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Actions": [{"Type": "teleport"}]}, "ValidationError"),
        ({"Actions": [{"Type": "redirect"}]}, "InvalidLoadBalancerAction"),
        ({"Conditions": [{"Field": "moon-phase", "Values": ["full"]}]}, "ValidationError"),
        (
            {"Conditions": [{"Field": "path-pattern", "Values": ["/1", "/2", "/3", "/4", "/5", "/6"]}]},
            "ValidationError",
        ),
        ({"Conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1/8"]}}]}, "ValidationError"),
        (
            {"Conditions": [{"Field": "path-pattern", "Values": ["/"], "PathPatternConfig": {"Values": ["/"]}}]},
            "ValidationError",
        ),
        ({"Priority": 50001}, "ValidationError"),
    ],
)
def test_rules_that_make_no_sense_are_refused(shop: Shop, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        shop.rule(**change)
    assert code_of(error) == code


def test_an_unknown_target_group_or_listener_is_named_as_not_found(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.rule(Actions=[{"Type": "forward", "TargetGroupArn": shop.blue + "0"}])
    assert code_of(error) == "TargetGroupNotFound"
    with pytest.raises(ClientError) as error:
        shop.rule(ListenerArn=shop.listener + "0")
    assert code_of(error) == "ListenerNotFound"
    with pytest.raises(ClientError) as error:
        shop.elb.describe_rules(RuleArns=[shop.listener.replace(":listener/", ":listener-rule/") + "/0"])
    assert code_of(error) == "RuleNotFound"


def test_a_second_listener_on_a_port_is_refused_and_the_same_again_is_the_first(shop: Shop) -> None:
    assert shop.new_listener(80) == shop.listener
    with pytest.raises(ClientError) as error:
        shop.new_listener(80, DefaultActions=[{"Type": "forward", "TargetGroupArn": shop.blue}])
    assert code_of(error) == "DuplicateListener"
    other = shop.new_listener(81)
    with pytest.raises(ClientError) as error:
        shop.elb.modify_listener(ListenerArn=other, Port=80)
    assert code_of(error) == "DuplicateListener"


def test_an_https_listener_needs_a_certificate_and_gets_its_defaults(shop: Shop, emulator: Any) -> None:
    with pytest.raises(ClientError) as error:
        shop.new_listener(443, Protocol="HTTPS")
    assert code_of(error) == "ValidationError"
    acm = emulator.client("acm")
    certificate, second = (
        acm.request_certificate(DomainName=name)["CertificateArn"] for name in ("shop.example", "b.example")
    )
    with pytest.raises(ClientError) as error:
        shop.new_listener(443, Protocol="HTTPS", Certificates=[{"CertificateArn": certificate + "0"}])
    assert code_of(error) == "CertificateNotFound"
    arn = shop.new_listener(443, Protocol="HTTPS", Certificates=[{"CertificateArn": certificate}])
    listener = shop.elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    assert listener["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert listener["MutualAuthentication"] == {"Mode": "off"}
    assert listener["Certificates"] == [{"CertificateArn": certificate}]
    shop.elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": second}])
    both = shop.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    assert [(one["CertificateArn"], one["IsDefault"]) for one in both] == [(certificate, True), (second, False)]
    shop.elb.modify_listener(ListenerArn=arn, Protocol="HTTP")
    assert "Certificates" not in shop.elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]


def test_the_hundred_and_first_rule_of_a_load_balancer_is_refused(shop: Shop) -> None:
    second = shop.new_listener(81)
    for number in range(1, 51):
        shop.rule(number, f"/{number}")
        shop.rule(number, f"/{number}", ListenerArn=second)
    with pytest.raises(ClientError) as error:
        shop.rule(51, "/51")
    assert code_of(error) == "TooManyRules"


def test_rules_come_in_pages(shop: Shop) -> None:
    for number in range(1, 8):
        shop.rule(number, f"/{number}")
    pages = list(shop.elb.get_paginator("describe_rules").paginate(ListenerArn=shop.listener, PageSize=3))
    assert [len(page["Rules"]) for page in pages] == [3, 3, 2]
    assert [rule["Priority"] for page in pages for rule in page["Rules"]] == [*"1234567", "default"]


def test_nothing_of_this_needed_what_the_emulator_lacks(shop: Shop, emulator: Any) -> None:
    shop.rule()
    shop.elb.describe_ssl_policies()
    assert emulator.unimplemented == []


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([{"Type": "forward"}], "ValidationError"),
        (
            [{"Type": "forward", "TargetGroupArn": "BLUE"}, {"Type": "forward", "TargetGroupArn": "GREEN"}],
            "ValidationError",
        ),
        (
            [
                {"Type": "forward", "TargetGroupArn": "BLUE", "Order": 1},
                {"Type": "forward", "TargetGroupArn": "GREEN", "Order": 2},
            ],
            "InvalidLoadBalancerAction",
        ),
        (
            [
                {
                    "Type": "forward",
                    "TargetGroupArn": "BLUE",
                    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "GREEN"}]},
                }
            ],
            "ValidationError",
        ),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "BLUE", "Weight": 1000}]}}],
            "ValidationError",
        ),
        (
            [
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": "BLUE"}],
                        "TargetGroupStickinessConfig": {"Enabled": True},
                    },
                }
            ],
            "ValidationError",
        ),
        ([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}], "InvalidLoadBalancerAction"),
        ([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "302"}}], "ValidationError"),
        ([{"Type": "forward", "TargetGroupArn": "TCP"}], "InvalidConfigurationRequest"),
        ([{"Type": "forward", "TargetGroupArn": "ELSEWHERE"}], "InvalidConfigurationRequest"),
    ],
)
def test_actions_that_make_no_sense_are_refused(shop: Shop, emulator: Any, actions: Any, code: str) -> None:
    elsewhere = emulator.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    names = {
        "BLUE": shop.blue,
        "GREEN": shop.green,
        "TCP": shop.group("tcp", Protocol="TCP"),
        "ELSEWHERE": shop.group("elsewhere", VpcId=elsewhere),
    }
    text = json.dumps(actions)
    for name, arn in names.items():
        text = text.replace(f'"{name}"', f'"{arn}"')
    unchecked = emulator.client("elbv2", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as error:
        unchecked.create_rule(
            ListenerArn=shop.listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/"]}],
            Actions=json.loads(text),
        )
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Protocol": "TCP"}, "ValidationError"),
        ({"SslPolicy": "ELBSecurityPolicy-2016-08"}, "InvalidConfigurationRequest"),
        (
            {"LoadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/0"},
            "LoadBalancerNotFound",
        ),
    ],
)
def test_listeners_that_make_no_sense_are_refused(shop: Shop, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        shop.new_listener(8080, **change)
    assert code_of(error) == code
