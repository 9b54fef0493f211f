"""Scalable targets of the emulated Application Auto Scaling, and the tagging API over what the emulator keeps."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.emulator.elbv2.patch import GHOST_SECONDS

TABLES = {"ServiceNamespace": "dynamodb", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
SERVICES = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def register(emulator: Any, number: int = 0, **kw: Any) -> Any:
    given = {**TABLES, "ResourceId": f"table/t{number}", "MinCapacity": 1, "MaxCapacity": 4}
    return emulator.client("application-autoscaling").register_scalable_target(**{**given, **kw})


def described(emulator: Any, **kw: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = emulator.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="dynamodb", **kw
    )["ScalableTargets"]
    return found


def tagged(emulator: Any, **kw: Any) -> list[str]:
    pages = emulator.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(**kw)
    return [one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]]


def group(emulator: Any, name: str, tags: dict[str, str]) -> str:
    vpc = emulator.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = emulator.client("elbv2").create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=vpc,
        **({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}),
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def test_a_scalable_target_has_aws_own_role_and_nothing_suspended(emulator: Any) -> None:
    register(emulator, RoleARN="arn:aws:iam::123456789012:role/mine")
    target = described(emulator)[0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert "/aws-service-role/dynamodb." in target["RoleARN"]
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    assert target["CreationTime"] == emulator.world.now()


def test_scalable_targets_come_in_pages_and_by_resource(emulator: Any) -> None:
    for number in range(7):
        register(emulator, number)
    pages = emulator.client("application-autoscaling").get_paginator("describe_scalable_targets")
    sizes = [
        [target["ResourceId"] for target in page["ScalableTargets"]]
        for page in pages.paginate(ServiceNamespace="dynamodb", PaginationConfig={"PageSize": 3})
    ]
    assert sizes == [
        ["table/t0", "table/t1", "table/t2"],
        ["table/t3", "table/t4", "table/t5"],
        ["table/t6"],
    ]
    chosen = described(emulator, ResourceIds=["table/t5", "table/t1", "table/nope"])
    assert [target["ResourceId"] for target in chosen] == ["table/t1", "table/t5"]


def test_registering_again_changes_only_what_is_named(emulator: Any) -> None:
    register(emulator)
    client = emulator.client("application-autoscaling")
    client.register_scalable_target(**TABLES, ResourceId="table/t0", MaxCapacity=9)
    client.register_scalable_target(**TABLES, ResourceId="table/t0", SuspendedState={"ScheduledScalingSuspended": True})
    target = described(emulator)[0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert target["SuspendedState"]["ScheduledScalingSuspended"] is True


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({**TABLES, "ResourceId": "table/new", "MinCapacity": 1}, "ValidationException"),
        ({**TABLES, "ResourceId": "table/new", "MinCapacity": 5, "MaxCapacity": 2}, "ValidationException"),
        ({**SERVICES, "ResourceId": "service/shop/web", "MinCapacity": 1, "MaxCapacity": 2}, "ValidationException"),
    ],
)
def test_scalable_targets_that_make_no_sense_are_refused(emulator: Any, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        emulator.client("application-autoscaling").register_scalable_target(**given)
    assert error.value.response["Error"]["Code"] == code


def test_a_deregistered_scalable_target_is_gone_and_not_found_again(emulator: Any) -> None:
    register(emulator)
    client = emulator.client("application-autoscaling")
    client.deregister_scalable_target(**TABLES, ResourceId="table/t0")
    assert described(emulator) == []
    with pytest.raises(client.exceptions.ObjectNotFoundException):
        client.deregister_scalable_target(**TABLES, ResourceId="table/t0")


def test_scalable_targets_have_tags(emulator: Any) -> None:
    arn = register(emulator, Tags={"team": "shop"})["ScalableTargetARN"]
    client = emulator.client("application-autoscaling")
    client.tag_resource(ResourceARN=arn, Tags={"stage": "prod"})
    client.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "prod"}


def test_tagged_resources_are_found_by_type_key_and_value(emulator: Any) -> None:
    emulator.client("ecs").create_cluster(clusterName="shop", tags=[{"key": "team", "value": "shop"}])
    web, api = group(emulator, "web", {"team": "shop"}), group(emulator, "api", {"team": "api", "stage": "prod"})
    untagged = group(emulator, "plain", {})
    everything = tagged(emulator, ResourceTypeFilters=["ecs", "elasticloadbalancing"])
    assert {web, api} < set(everything)
    assert len(everything) == 3
    assert untagged not in everything
    assert tagged(emulator, ResourceTypeFilters=["elasticloadbalancing:targetgroup"]) == sorted([web, api])
    assert tagged(emulator, ResourceTypeFilters=["elasticloadbalancing:loadbalancer"]) == []
    by_value = [{"Key": "team", "Values": ["api", "other"]}]
    assert tagged(emulator, TagFilters=by_value) == [api]
    both = [{"Key": "team"}, {"Key": "stage", "Values": ["prod"]}]
    assert tagged(emulator, TagFilters=both) == [api]
    assert tagged(emulator, ResourceARNList=[web]) == [web]


def test_every_tagged_resource_is_listed_once_over_all_pages(emulator: Any) -> None:
    arns = [group(emulator, f"group-{number}", {"n": str(number), "team": "shop"}) for number in range(7)]
    for size in (1, 2, 3, 7):
        assert tagged(emulator, ResourcesPerPage=size, TagFilters=[{"Key": "team"}]) == sorted(arns)


def test_a_deleted_rule_is_listed_for_a_while(emulator: Any) -> None:
    elb = emulator.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in emulator.client("ec2").describe_subnets()["Subnets"]]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group(emulator, "web", {})}]
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward, Tags=[{"Key": "team", "Value": "a"}]
    )["Listeners"][0]["ListenerArn"]
    assert tagged(emulator, TagFilters=[{"Key": "team"}]) == [listener]
    elb.delete_listener(ListenerArn=listener)
    emulator.tick(GHOST_SECONDS - 1)
    assert tagged(emulator, TagFilters=[{"Key": "team"}]) == [listener]
    emulator.tick(1)
    assert tagged(emulator, TagFilters=[{"Key": "team"}]) == []


def test_tags_are_set_across_services_and_a_failure_is_told_by_resource(emulator: Any) -> None:
    arn = group(emulator, "web", {"team": "shop"})
    gone = arn.replace("/web/", "/gone/")
    api = emulator.client("resourcegroupstaggingapi")
    failed = api.tag_resources(ResourceARNList=[gone, arn], Tags={"stage": "prod"})["FailedResourcesMap"]
    assert list(failed) == [gone]
    api.untag_resources(ResourceARNList=[arn], TagKeys=["team"])
    described = emulator.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert described == [{"Key": "stage", "Value": "prod"}]


def test_filters_that_aws_does_not_combine_are_refused(emulator: Any) -> None:
    with pytest.raises(ClientError) as error:
        tagged(emulator, ResourceARNList=["arn:aws:ecs:us-east-1:123456789012:cluster/a"], TagFilters=[{"Key": "a"}])
    assert error.value.response["Error"]["Code"] == "InvalidParameterException"
