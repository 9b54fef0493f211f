"""Load balancers and target groups of the emulated ELB: defaults, idempotency, refusals, attributes, tags, health."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.emulator.elbv2 import targets
from reconciler.emulator.elbv2.load_balancers import PROVISIONING_SECONDS


class Site:
    """The default VPC with an ELB client, and short ways to make things."""

    def __init__(self, emulator: Any) -> None:
        self.elb = emulator.client("elbv2")
        self.ec2 = emulator.client("ec2")
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.vpc = subnets[0]["VpcId"]
        self.subnets = [subnet["SubnetId"] for subnet in subnets]

    def balancer(self, name: str = "shop", **kw: Any) -> dict[str, Any]:
        made = self.elb.create_load_balancer(**{"Name": name, "Subnets": self.subnets[:2], **kw})
        balancer: dict[str, Any] = made["LoadBalancers"][0]
        return balancer

    def group(self, name: str = "web", **kw: Any) -> dict[str, Any]:
        given = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip"}
        given = {key: value for key, value in {**given, **kw}.items() if value is not None}
        group: dict[str, Any] = self.elb.create_target_group(**given)["TargetGroups"][0]
        return group

    def serve(self, group: dict[str, Any]) -> str:
        """Put a group behind a listener of a new load balancer; return the listener's ARN."""
        made = self.elb.create_listener(
            LoadBalancerArn=self.balancer()["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def states(self, group: dict[str, Any]) -> list[str]:
        found = self.elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        return [one["TargetHealth"]["State"] for one in found]


@pytest.fixture
def site(emulator: Any) -> Site:
    return Site(emulator)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def attributes_of(answer: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}


def test_a_load_balancer_is_provisioning_and_then_active(site: Site, emulator: Any) -> None:
    balancer = site.balancer()
    assert (balancer["State"]["Code"], balancer["Type"], balancer["Scheme"]) == (
        "provisioning",
        "application",
        "internet-facing",
    )
    emulator.tick(PROVISIONING_SECONDS)
    described = site.elb.describe_load_balancers()["LoadBalancers"][0]
    assert described["State"]["Code"] == "active"
    assert described["SecurityGroups"]
    assert [zone["SubnetId"] for zone in described["AvailabilityZones"]] == site.subnets[:2]


def test_the_same_load_balancer_again_is_the_first_and_another_of_its_name_is_refused(site: Site) -> None:
    first = site.balancer(Tags=[{"Key": "team", "Value": "shop"}])
    again = site.balancer(Tags=[{"Key": "team", "Value": "shop"}])
    assert again["LoadBalancerArn"] == first["LoadBalancerArn"]
    with pytest.raises(ClientError) as error:
        site.balancer(Scheme="internal")
    assert code_of(error) == "DuplicateLoadBalancerName"
    with pytest.raises(ClientError) as error:
        site.balancer(Tags=[{"Key": "team", "Value": "other"}])
    assert code_of(error) == "DuplicateLoadBalancerName"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Name": "x" * 33}, "ValidationError"),
        ({"Name": "-shop"}, "ValidationError"),
        ({"Name": "internal-shop"}, "ValidationError"),
        ({"Subnets": ["subnet-0"]}, "SubnetNotFound"),
        ({"Scheme": "sideways"}, "ValidationError"),
        ({"SecurityGroups": ["sg-0"]}, "InvalidSecurityGroup"),
    ],
)
def test_load_balancers_that_make_no_sense_are_refused(site: Site, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        site.balancer(**change)
    assert code_of(error) == code


def test_an_application_load_balancer_needs_two_zones_and_a_network_one_does_not(site: Site) -> None:
    with pytest.raises(ClientError) as error:
        site.balancer(Subnets=site.subnets[:1])
    assert code_of(error) == "ValidationError"
    network = site.balancer(Subnets=site.subnets[:1], Type="network")
    assert ":loadbalancer/net/shop/" in network["LoadBalancerArn"]


def test_deletion_protection_protects_and_deleting_again_is_fine(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    protect = {"Key": "deletion_protection.enabled", "Value": "true"}
    site.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[protect])
    with pytest.raises(ClientError) as error:
        site.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code_of(error) == "OperationNotPermitted"
    site.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{**protect, "Value": "false"}])
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert site.elb.describe_load_balancers()["LoadBalancers"] == []


def test_a_deleted_load_balancer_takes_its_listeners_along_and_frees_the_target_group(site: Site) -> None:
    group = site.group()
    listener = site.serve(group)
    arn = site.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["LoadBalancerArn"]
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    with pytest.raises(ClientError) as error:
        site.elb.describe_listeners(ListenerArns=[listener])
    assert code_of(error) == "ListenerNotFound"
    site.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "application",
            {
                "idle_timeout.timeout_seconds": "60",
                "client_keep_alive.seconds": "3600",
                "routing.http2.enabled": "true",
                "routing.http.desync_mitigation_mode": "defensive",
                "deletion_protection.enabled": "false",
                "load_balancing.cross_zone.enabled": "true",
            },
        ),
        ("network", {"load_balancing.cross_zone.enabled": "false", "deletion_protection.enabled": "false"}),
    ],
)
def test_a_new_load_balancer_has_its_types_attributes(site: Site, kind: str, expected: dict[str, str]) -> None:
    arn = site.balancer(Type=kind)["LoadBalancerArn"]
    found = attributes_of(site.elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
    assert expected.items() <= found.items()


def test_attributes_that_do_not_exist_or_say_nothing_are_refused(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    for attribute, code in (
        ({"Key": "warp.enabled", "Value": "true"}, "InvalidConfigurationRequest"),
        ({"Key": "idle_timeout.timeout_seconds", "Value": ""}, "ValidationError"),
        ({"Key": "routing.http2.enabled", "Value": "maybe"}, "ValidationError"),
    ):
        with pytest.raises(ClientError) as error:
            site.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
        assert code_of(error) == code


def test_a_listener_has_attributes_of_its_protocol(site: Site) -> None:
    listener = site.serve(site.group())
    found = attributes_of(site.elb.describe_listener_attributes(ListenerArn=listener))
    assert found["routing.http.response.server.enabled"] == "true"
    assert "tcp.idle_timeout.seconds" not in found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {},
            {
                "ProtocolVersion": "HTTP1",
                "HealthCheckPath": "/",
                "HealthCheckPort": "traffic-port",
                "HealthCheckTimeoutSeconds": 5,
                "HealthCheckIntervalSeconds": 30,
                "HealthyThresholdCount": 5,
                "UnhealthyThresholdCount": 2,
                "Matcher": {"HttpCode": "200"},
                "IpAddressType": "ipv4",
            },
        ),
        (
            {"ProtocolVersion": "GRPC"},
            {"HealthCheckPath": "/AWS.ALB/healthcheck", "Matcher": {"GrpcCode": "12"}},
        ),
        (
            {"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "0-99"}, "TargetControlPort": 3000},
            {"Matcher": {"GrpcCode": "0-99"}, "TargetControlPort": 3000},
        ),
        ({"Protocol": "TCP"}, {"HealthCheckProtocol": "TCP", "HealthCheckTimeoutSeconds": 10}),
        (
            {"TargetType": "lambda", "Protocol": None, "Port": None, "VpcId": None},
            {"HealthCheckEnabled": False, "HealthCheckIntervalSeconds": 35, "UnhealthyThresholdCount": 5},
        ),
        ({"TargetType": None}, {"TargetType": "instance"}),
    ],
)
def test_a_new_target_group_has_the_defaults_of_its_sort(
    site: Site, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    group = site.group(**given)
    assert expected.items() <= group.items()
    described = site.elb.describe_target_groups(TargetGroupArns=[group["TargetGroupArn"]])["TargetGroups"][0]
    assert {key: described.get(key) for key in group if key != "LoadBalancerArns"} == {
        key: value for key, value in group.items() if key != "LoadBalancerArns"
    }


def test_the_same_target_group_again_is_the_first_and_another_of_its_name_is_refused(site: Site) -> None:
    assert site.group()["TargetGroupArn"] == site.group()["TargetGroupArn"]
    with pytest.raises(ClientError) as error:
        site.group(Port=81)
    assert code_of(error) == "DuplicateTargetGroupName"


@pytest.mark.parametrize(
    "change",
    [
        {"Name": "x" * 33},
        {"Name": "under_score"},
        {"Port": None},
        {"Port": 70000},
        {"Protocol": "SMTP"},
        {"VpcId": "vpc-0"},
        {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5},
        {"HealthCheckPath": "no-slash"},
        {"Matcher": {"HttpCode": "fine"}},
    ],
)
def test_target_groups_that_make_no_sense_are_refused(site: Site, change: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        site.group(**change)
    assert code_of(error) == "ValidationError"


def test_a_modified_health_check_keeps_what_the_call_does_not_name(site: Site) -> None:
    group = site.group()
    site.elb.modify_target_group(TargetGroupArn=group["TargetGroupArn"], HealthCheckPath="/up")
    changed = site.elb.describe_target_groups(Names=["web"])["TargetGroups"][0]
    assert (changed["HealthCheckPath"], changed["HealthCheckIntervalSeconds"]) == ("/up", 30)


def test_target_group_attributes_have_defaults_and_can_be_changed(site: Site) -> None:
    arn = site.group()["TargetGroupArn"]
    found = attributes_of(site.elb.describe_target_group_attributes(TargetGroupArn=arn))
    assert found["deregistration_delay.timeout_seconds"] == "300"
    assert found["stickiness.type"] == "lb_cookie"
    assert found["load_balancing.algorithm.anomaly_mitigation"] == "off"
    change = [{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}]
    site.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=change)
    found = attributes_of(site.elb.describe_target_group_attributes(TargetGroupArn=arn))
    assert found["deregistration_delay.timeout_seconds"] == "10"


def test_what_is_described_comes_in_pages(site: Site) -> None:
    for number in range(5):
        site.group(f"group-{number}")
    pages = list(site.elb.get_paginator("describe_target_groups").paginate(PageSize=2))
    names = [[group["TargetGroupName"] for group in page["TargetGroups"]] for page in pages]
    assert names == [["group-0", "group-1"], ["group-2", "group-3"], ["group-4"]]


def test_what_is_asked_for_by_name_must_exist(site: Site) -> None:
    site.group()
    with pytest.raises(ClientError) as error:
        site.elb.describe_target_groups(Names=["web", "nope"])
    assert code_of(error) == "TargetGroupNotFound"


def test_tags_of_all_sorts_are_described_twenty_at_a_time(site: Site) -> None:
    group = site.group(Tags=[{"Key": "team", "Value": "shop"}])
    listener = site.serve(group)
    site.elb.add_tags(ResourceArns=[listener], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    site.elb.remove_tags(ResourceArns=[listener], TagKeys=["a"])
    described = site.elb.describe_tags(ResourceArns=[group["TargetGroupArn"], listener])["TagDescriptions"]
    assert [one["Tags"] for one in described] == [
        [{"Key": "team", "Value": "shop"}],
        [{"Key": "b", "Value": "2"}],
    ]
    with pytest.raises(ClientError) as error:
        site.elb.describe_tags(ResourceArns=[listener] * 21)
    assert code_of(error) == "ValidationError"
    with pytest.raises(ClientError) as error:
        site.elb.describe_tags(ResourceArns=[group["TargetGroupArn"] + "0"])
    assert code_of(error) == "TargetGroupNotFound"


def test_tags_that_aws_reserves_or_that_repeat_are_refused(site: Site) -> None:
    arn = site.group()["TargetGroupArn"]
    with pytest.raises(ClientError) as error:
        site.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "aws:mine", "Value": "1"}])
    assert code_of(error) == "ValidationError"
    with pytest.raises(ClientError) as error:
        site.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])
    assert code_of(error) == "DuplicateTagKeys"


def test_a_target_is_unused_until_something_forwards_to_its_group(site: Site, emulator: Any) -> None:
    group = site.group()
    arn = group["TargetGroupArn"]
    site.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
    emulator.tick(60)
    assert site.states(group) == ["unused"]
    assert targets.load_balancers_of(arn) == []
    site.serve(group)
    assert site.states(group) == ["initial"]
    emulator.tick(targets.CHECK_SECONDS)
    assert site.states(group) == ["healthy"]
    assert len(targets.load_balancers_of(arn)) == 1


def test_one_instance_with_two_ports_is_two_targets(site: Site, emulator: Any) -> None:
    group = site.group()
    site.serve(group)
    arn = group["TargetGroupArn"]
    targets.register(arn, "i-1", 32768, "us-east-1a")
    targets.register(arn, "i-1", 32769, "us-east-1a", healthy=False)
    emulator.tick(targets.CHECK_SECONDS)
    assert targets.health(arn) == {("i-1", 32768): "healthy", ("i-1", 32769): "unhealthy"}
    found = site.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert found[1] == {
        "Target": {"Id": "i-1", "Port": 32769, "AvailabilityZone": "us-east-1a"},
        "HealthCheckPort": "32769",
        "TargetHealth": {
            "State": "unhealthy",
            "Reason": "Target.FailedHealthChecks",
            "Description": "Health checks failed",
        },
    }


def test_a_deregistered_target_drains_for_the_groups_delay_and_is_gone(site: Site, emulator: Any) -> None:
    group = site.group()
    site.serve(group)
    arn = group["TargetGroupArn"]
    change = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    site.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=change)
    targets.register(arn, "10.0.0.1", 80)
    emulator.tick(targets.CHECK_SECONDS)
    targets.deregister(arn, "10.0.0.1", 80)
    emulator.tick(29)
    assert site.states(group) == ["draining"]
    emulator.tick(1)
    assert site.states(group) == []
    targets.deregister(arn, "10.0.0.1", 80)


def test_a_target_that_begins_to_fail_is_noticed_after_its_checks(site: Site, emulator: Any) -> None:
    group = site.group()
    site.serve(group)
    arn = group["TargetGroupArn"]
    targets.register(arn, "10.0.0.1", 80)
    emulator.tick(targets.CHECK_SECONDS)
    targets.set_health(arn, "10.0.0.1", 80, healthy=False)
    assert site.states(group) == ["healthy"]
    emulator.tick(targets.CHECK_SECONDS)
    assert site.states(group) == ["unhealthy"]
    targets.set_health(arn, "10.0.0.1", 80, healthy=True)
    assert site.states(group) == ["unhealthy"]
    emulator.tick(targets.CHECK_SECONDS)
    assert site.states(group) == ["healthy"]


def test_a_target_that_was_never_registered_is_described_as_such(site: Site) -> None:
    group = site.group()
    found = site.elb.describe_target_health(
        TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": "10.9.9.9", "Port": 80}]
    )["TargetHealthDescriptions"]
    assert found[0]["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_instances_are_registered_only_while_they_run_and_leave_when_terminated(site: Site, emulator: Any) -> None:
    group = site.group(TargetType="instance")
    site.serve(group)
    arn = group["TargetGroupArn"]
    image = site.ec2.describe_images()["Images"][0]["ImageId"]
    instance = site.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    site.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance}])
    assert targets.health(arn) == {(instance, 80): "initial"}
    site.ec2.terminate_instances(InstanceIds=[instance])
    assert targets.health(arn) == {(instance, 80): "draining"}
    with pytest.raises(ClientError) as error:
        site.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "i-0123456789abcdef0"}])
    assert code_of(error) == "InvalidTarget"


def test_load_balancers_of_other_accounts_and_regions_are_not_seen(site: Site, emulator: Any) -> None:
    site.balancer()
    assert emulator.client("elbv2", "eu-west-1").describe_load_balancers()["LoadBalancers"] == []


def test_subnets_security_groups_and_address_type_can_be_set(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    group = site.ec2.create_security_group(GroupName="web", Description="web", VpcId=site.vpc)["GroupId"]
    answer = site.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group])
    assert answer["SecurityGroupIds"] == [group]
    zones = site.elb.set_subnets(LoadBalancerArn=arn, Subnets=site.subnets[1:3])["AvailabilityZones"]
    assert [zone["SubnetId"] for zone in zones] == site.subnets[1:3]
    site.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
    described = site.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    assert described["SecurityGroups"] == [group]
    assert described["IpAddressType"] == "dualstack"
    assert [zone["SubnetId"] for zone in described["AvailabilityZones"]] == site.subnets[1:3]


def test_targets_are_deregistered_by_port_or_all_of_an_id(site: Site, emulator: Any) -> None:
    group = site.group()
    site.serve(group)
    arn = group["TargetGroupArn"]
    three = [{"Id": "10.0.0.1", "Port": port} for port in (1, 2, 3)]
    site.elb.register_targets(TargetGroupArn=arn, Targets=three)
    site.elb.deregister_targets(TargetGroupArn=arn, Targets=three[:1])
    assert list(targets.health(arn).values()) == ["draining", "initial", "initial"]
    site.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1"}])
    assert set(targets.health(arn).values()) == {"draining"}
    site.elb.register_targets(TargetGroupArn=arn, Targets=three[:1])
    assert targets.health(arn)["10.0.0.1", 1] == "initial"
    with pytest.raises(ClientError) as error:
        site.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "not-an-ip", "Port": 1}])
    assert code_of(error) == "ValidationError"


def test_an_unused_target_leaves_without_draining(site: Site) -> None:
    arn = site.group()["TargetGroupArn"]
    targets.register(arn, "10.0.0.1", 80)
    targets.deregister(arn, "10.0.0.1", 80)
    assert targets.health(arn) == {}


def test_an_auto_scaling_group_registers_and_deregisters_its_instances(site: Site, emulator: Any) -> None:
    group = site.group(TargetType="instance")
    site.serve(group)
    arn = group["TargetGroupArn"]
    scaling = emulator.client("autoscaling")
    image = site.ec2.describe_images()["Images"][0]["ImageId"]
    scaling.create_launch_configuration(LaunchConfigurationName="lc", ImageId=image, InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="fleet",
        LaunchConfigurationName="lc",
        MinSize=2,
        MaxSize=2,
        VPCZoneIdentifier=site.subnets[0],
        TargetGroupARNs=[arn],
    )
    assert list(targets.health(arn).values()) == ["initial", "initial"]
    scaling.detach_load_balancer_target_groups(AutoScalingGroupName="fleet", TargetGroupARNs=[arn])
    assert list(targets.health(arn).values()) == ["draining", "draining"]
    assert emulator.unimplemented == []


@pytest.mark.parametrize("kind", ["loadbalancer/app/shop/0", "listener/app/shop/0/0", "listener-rule/app/shop/0/0/0"])
def test_tags_of_what_is_gone_are_not_found(site: Site, kind: str) -> None:
    arn = f"arn:aws:elasticloadbalancing:us-east-1:123456789012:{kind}"
    with pytest.raises(ClientError) as error:
        site.elb.describe_tags(ResourceArns=[arn])
    assert code_of(error).endswith("NotFound")


@pytest.mark.parametrize("marker", [{"Marker": "%%%"}, {"PageSize": 401}])
def test_pages_that_make_no_sense_are_refused(site: Site, marker: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        site.elb.describe_load_balancers(**marker)
    assert code_of(error) == "ValidationError"
