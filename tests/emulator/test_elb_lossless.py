"""Nothing is lost: every member that a create call takes and Describe returns comes back, by the loaded botocore model.

The tables below must name a value for each such member: when botocore grows one, a test here fails and says which.
"""

from __future__ import annotations

from typing import Any

import pytest

NOT_ECHOED = {"Tags"}


def common_members(client: Any, create: str, described: str) -> set[str]:
    """Return the members that the create call and the described structure have in common."""
    model = client.meta.service_model
    return set(model.operation_model(create).input_shape.members) & set(model.shape_for(described).members) - NOT_ECHOED


@pytest.fixture
def vpc(emulator: Any) -> tuple[str, list[str]]:
    subnets = emulator.client("ec2").describe_subnets()["Subnets"]
    return subnets[0]["VpcId"], [subnet["SubnetId"] for subnet in subnets]


def certificate(emulator: Any) -> str:
    return str(emulator.client("acm").request_certificate(DomainName="shop.example")["CertificateArn"])


def balancer(emulator: Any, subnets: list[str], kind: str = "application") -> str:
    made = emulator.client("elbv2").create_load_balancer(Name="shop", Subnets=subnets[:2], Type=kind)
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def group(emulator: Any, vpc_id: str, protocol: str = "HTTP", name: str = "web") -> str:
    made = emulator.client("elbv2").create_target_group(Name=name, Protocol=protocol, Port=80, VpcId=vpc_id)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def test_every_member_of_a_target_group_is_kept(emulator: Any, vpc: tuple[str, list[str]]) -> None:
    given = {
        "Protocol": "HTTPS",
        "ProtocolVersion": "GRPC",
        "Port": 8443,
        "VpcId": vpc[0],
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "9000",
        "HealthCheckEnabled": True,
        "HealthCheckPath": "/pkg.Health/Check",
        "HealthCheckIntervalSeconds": 17,
        "HealthCheckTimeoutSeconds": 11,
        "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 4,
        "Matcher": {"GrpcCode": "0,12"},
        "TargetType": "ip",
        "IpAddressType": "ipv6",
        "TargetControlPort": 3000,
    }
    elb = emulator.client("elbv2")
    assert set(given) == common_members(elb, "CreateTargetGroup", "TargetGroup")
    elb.create_target_group(Name="web", **given)
    described = elb.describe_target_groups(Names=["web"])["TargetGroups"][0]
    assert {key: described.get(key) for key in given} == given


def test_every_member_of_a_modified_target_group_is_kept(emulator: Any, vpc: tuple[str, list[str]]) -> None:
    given = {
        "HealthCheckProtocol": "HTTPS",
        "HealthCheckPort": "9000",
        "HealthCheckEnabled": True,
        "HealthCheckPath": "/up",
        "HealthCheckIntervalSeconds": 17,
        "HealthCheckTimeoutSeconds": 11,
        "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 4,
        "Matcher": {"HttpCode": "200-204,301"},
    }
    elb = emulator.client("elbv2")
    assert set(given) == common_members(elb, "ModifyTargetGroup", "TargetGroup") - {"TargetGroupArn"}
    elb.modify_target_group(TargetGroupArn=group(emulator, vpc[0]), **given)
    described = elb.describe_target_groups(Names=["web"])["TargetGroups"][0]
    assert {key: described.get(key) for key in given} == given


def test_every_member_of_a_load_balancer_is_kept(emulator: Any, vpc: tuple[str, list[str]]) -> None:
    ec2, elb = emulator.client("ec2"), emulator.client("elbv2")
    security_group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc[0])["GroupId"]
    given = {
        "Scheme": "internal",
        "SecurityGroups": [security_group],
        "Type": "network",
        "IpAddressType": "dualstack",
        "CustomerOwnedIpv4Pool": "ipv4pool-coip-1",
        "EnablePrefixForIpv6SourceNat": "on",
        "IpamPools": {"Ipv4IpamPoolId": "ipam-pool-1"},
    }
    assert set(given) == common_members(elb, "CreateLoadBalancer", "LoadBalancer")
    mapping = {"SubnetId": vpc[1][0], "PrivateIPv4Address": "172.31.0.9"}
    elb.create_load_balancer(Name="net", SubnetMappings=[mapping], **given)
    described = elb.describe_load_balancers(Names=["net"])["LoadBalancers"][0]
    assert {key: described.get(key) for key in given} == given
    assert described["AvailabilityZones"][0]["LoadBalancerAddresses"] == [{"PrivateIPv4Address": "172.31.0.9"}]


def test_every_member_of_a_listener_is_kept(emulator: Any, vpc: tuple[str, list[str]]) -> None:
    elb = emulator.client("elbv2")
    arn = balancer(emulator, vpc[1])
    given = {
        "LoadBalancerArn": arn,
        "Protocol": "HTTPS",
        "Port": 443,
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Certificates": [{"CertificateArn": certificate(emulator)}],
        "DefaultActions": [
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "Later."},
            }
        ],
        "MutualAuthentication": {
            "Mode": "verify",
            "TrustStoreArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/t/1",
            "IgnoreClientCertificateExpiry": True,
            "AdvertiseTrustStoreCaNames": "on",
        },
    }
    assert set(given) == common_members(elb, "CreateListener", "Listener") - {"AlpnPolicy"}  # that one is TLS only
    made = elb.create_listener(**given)["Listeners"][0]
    described = elb.describe_listeners(ListenerArns=[made["ListenerArn"]])["Listeners"][0]
    assert {key: described.get(key) for key in given} == given


def test_a_tls_listener_keeps_its_alpn_policy(emulator: Any, vpc: tuple[str, list[str]]) -> None:
    elb = emulator.client("elbv2")
    made = elb.create_listener(
        LoadBalancerArn=balancer(emulator, vpc[1], "network"),
        Protocol="TLS",
        Port=443,
        AlpnPolicy=["HTTP2Preferred"],
        Certificates=[{"CertificateArn": certificate(emulator)}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group(emulator, vpc[0], "TCP")}],
    )["Listeners"][0]
    assert elb.describe_listeners(ListenerArns=[made["ListenerArn"]])["Listeners"][0]["AlpnPolicy"] == [
        "HTTP2Preferred"
    ]


def test_every_member_of_a_rule_is_kept(emulator: Any, vpc: tuple[str, list[str]]) -> None:
    elb = emulator.client("elbv2")
    first, second = (group(emulator, vpc[0], name=name) for name in ("one", "two"))
    listener = elb.create_listener(
        LoadBalancerArn=balancer(emulator, vpc[1]),
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": first}],
    )["Listeners"][0]["ListenerArn"]
    claims = [{"Format": "single-string", "Name": "aud", "Values": ["shop"]}]
    given: dict[str, Any] = {
        "Conditions": [
            {
                "Field": "host-header",
                "Values": ["b.example", "a.example"],
                "HostHeaderConfig": {"Values": ["b.example", "a.example"]},
            },
            {"Field": "query-string", "Values": [], "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
        ],
        "Actions": [
            {
                "Type": "jwt-validation",
                "Order": 1,
                "JwtValidationConfig": {
                    "JwksEndpoint": "https://id.example/jwks",
                    "Issuer": "https://id.example",
                    "AdditionalClaims": claims,
                },
            },
            {
                "Type": "forward",
                "Order": 2,
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": first, "Weight": 90},
                        {"TargetGroupArn": second, "Weight": 10},
                    ],
                    "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
                },
            },
        ],
        "Transforms": [
            {
                "Type": "host-header-rewrite",
                "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "^(.*)$", "Replace": "x.$1"}]},
            },
        ],
    }
    assert set(given) == common_members(elb, "CreateRule", "Rule") - {
        "Priority"
    }  # a number going in, a string coming out
    sent = {**given, "Conditions": [{**one, "Values": []} for one in given["Conditions"]]}  # one form only, going in
    rule = elb.create_rule(ListenerArn=listener, Priority=5, **sent)["Rules"][0]
    described = elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"][0]
    assert {key: described.get(key) for key in given} == given
    assert described["Priority"] == "5"
