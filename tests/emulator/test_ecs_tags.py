"""Tags of ECS resources in the emulator."""

from __future__ import annotations

import pytest

from reconciler.emulator.ecs import add_instance

TEAM = [{"key": "team", "value": "shop"}]


@pytest.fixture(params=["cluster", "service", "task-definition", "task", "container-instance", "capacity-provider"])
def arn(request, shop):
    """The ARN of one thing of each kind that takes tags."""
    match request.param:
        case "cluster":
            return "arn:aws:ecs:us-east-1:123456789012:cluster/shop"
        case "task-definition":
            return shop.define()
        case "container-instance":
            return add_instance("shop", "123456789012", "us-east-1")
        case "capacity-provider":
            group = {"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:x:autoScalingGroupName/g"}
            made = shop.ecs.create_capacity_provider(name="pool", autoScalingGroupProvider=group)
            return made["capacityProvider"]["capacityProviderArn"]
        case "service":
            shop.define()
            return shop.create()["serviceArn"]
    shop.define()
    shop.create()
    shop.aws.tick()
    return shop.ecs.list_tasks(cluster="shop")["taskArns"][0]


def test_tags_are_added_replaced_and_removed_by_arn(shop, arn):
    shop.ecs.tag_resource(resourceArn=arn, tags=[*TEAM, {"key": "tier", "value": "1"}])
    shop.ecs.tag_resource(resourceArn=arn, tags=[{"key": "tier", "value": "2"}])
    tags = shop.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [*TEAM, {"key": "tier", "value": "2"}]
    shop.ecs.untag_resource(resourceArn=arn, tagKeys=["tier", "none"])
    assert shop.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == TEAM


def test_reserved_keys_and_the_fifty_first_tag_are_refused(shop, arn):
    code = "InvalidParameterException"
    reserved = shop.refused(shop.ecs.tag_resource, resourceArn=arn, tags=[{"key": "aws:x", "value": "1"}])
    assert reserved[0] == code
    fifty = [{"key": f"k{number}", "value": ""} for number in range(50)]
    shop.ecs.tag_resource(resourceArn=arn, tags=fifty)
    assert shop.refused(shop.ecs.tag_resource, resourceArn=arn, tags=TEAM)[0] == code
    assert len(shop.ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == 50


def test_an_arn_of_another_account_or_region_or_of_nothing_is_refused(shop):
    prefix = "arn:aws:ecs:us-east-1:123456789012"
    for arn, code in (
        ("arn:aws:ecs:us-east-1:999999999999:cluster/shop", "InvalidParameterException"),
        ("arn:aws:ecs:eu-west-1:123456789012:cluster/shop", "InvalidParameterException"),
        (f"{prefix}:cluster/none", "ClusterNotFoundException"),
        (f"{prefix}:service/shop/none", "ServiceNotFoundException"),
        (f"{prefix}:task-definition/none:1", "ClientException"),
        (f"{prefix}:nonsense/none", "InvalidParameterException"),
    ):
        assert shop.refused(shop.ecs.list_tags_for_resource, resourceArn=arn)[0] == code


def test_the_tagging_api_sees_and_sets_tags_of_services_and_clusters(shop):
    shop.define()
    arn = shop.create(tags=TEAM)["serviceArn"]
    tagging = shop.aws.client("resourcegroupstaggingapi")
    found = tagging.get_resources(TagFilters=[{"Key": "team", "Values": ["shop"]}])["ResourceTagMappingList"]
    assert [item["ResourceARN"] for item in found] == [arn]
    tagging.tag_resources(ResourceARNList=[arn], Tags={"tier": "1"})
    assert {tag["key"] for tag in shop.describe(include=["TAGS"])["tags"]} == {"team", "tier"}
    tagging.untag_resources(ResourceARNList=[arn], TagKeys=["team"])
    assert [tag["key"] for tag in shop.describe(include=["TAGS"])["tags"]] == ["tier"]
