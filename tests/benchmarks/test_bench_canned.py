"""The canned AWS answers what AWS would, so that what is measured against it means something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from benchmarks.canned import calls, running
from benchmarks.generate import write_repository

SERVICES = 120  # two load balancers, and more than a page of services
Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The commit and the address of the AWS that runs it."""
    folder = tmp_path_factory.mktemp("fleet")
    commit = write_repository(folder, SERVICES)
    with running(folder, SERVICES) as address:
        yield commit, address


@pytest.fixture
def client(fleet: tuple[str, str]) -> Iterator[Clients]:
    made: list[Any] = []

    def make(service: str) -> Any:
        keys = {"aws_access_key_id": "AKIDTEST", "aws_secret_access_key": "made-up"}
        made.append(boto3.client(service, region_name="eu-west-1", endpoint_url=fleet[1], **keys))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_same_number_of_services_gives_the_same_commit(fleet: tuple[str, str], tmp_path: Path) -> None:
    assert write_repository(tmp_path, SERVICES) == fleet[0]


def test_the_caller_is_of_the_environments_account_and_the_answer_carries_the_date(client: Clients) -> None:
    answer = client("sts").get_caller_identity()
    assert answer["Account"] == "123456789012"
    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"].endswith("GMT")


def test_services_are_listed_in_pages_of_ten_unless_more_are_asked_for(client: Clients) -> None:
    ecs = client("ecs")
    assert len(ecs.list_services(cluster="fleet-0")["serviceArns"]) == 10
    first = ecs.list_services(cluster="fleet-0", maxResults=100)
    rest = ecs.list_services(cluster="fleet-0", maxResults=100, nextToken=first["nextToken"])
    assert (len(first["serviceArns"]), len(rest["serviceArns"]), "nextToken" in rest) == (100, 20, False)


def test_a_described_service_has_a_hundred_events_and_our_tags(fleet: tuple[str, str], client: Clients) -> None:
    names = ["svc-00007", "svc-00002", "svc-00003"]
    answer = client("ecs").describe_services(cluster="fleet-0", services=[*names, "unknown"], include=["TAGS"])
    assert [service["serviceName"] for service in answer["services"]] == names
    assert answer["failures"] == [{"arn": "unknown", "reason": "MISSING"}]
    service = answer["services"][0]
    tags = {tag["key"]: tag["value"] for tag in service["tags"]}
    assert len(service["events"]) == 100
    assert tags["reconciler:commit"] == fleet[0]
    assert tags["reconciler:resource"] == "Service/svc-00007"
    assert tags["reconciler:digest"].startswith("v1:")


def test_tags_of_services_come_only_when_they_are_asked_for(client: Clients) -> None:
    answer = client("ecs").describe_services(cluster="fleet-0", services=["svc-00007"])
    assert "tags" not in answer["services"][0]


def test_more_than_the_batch_limits_is_refused(client: Clients) -> None:
    names = [f"svc-{number:05}" for number in range(11)]
    with pytest.raises(ClientError, match="InvalidParameterException"):
        client("ecs").describe_services(cluster="fleet-0", services=names)
    arns = [group["TargetGroupArn"] for group in client("elbv2").describe_target_groups()["TargetGroups"]]
    assert len(client("elbv2").describe_tags(ResourceArns=arns[:20])["TagDescriptions"]) == 20
    with pytest.raises(ClientError, match="ValidationError"):
        client("elbv2").describe_tags(ResourceArns=arns[:21])


def test_target_groups_come_in_pages(client: Clients) -> None:
    pages = list(client("elbv2").get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 50}))
    assert [len(page["TargetGroups"]) for page in pages] == [50, 50, 20]


def test_a_listener_has_its_rules_with_both_forms_and_the_default_rule(client: Clients) -> None:
    elb = client("elbv2")
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    counts = []
    for balancer in balancers:
        [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        assert rules[0]["Conditions"][0]["Values"] == rules[0]["Conditions"][0]["PathPatternConfig"]["Values"]
        counts.append((len(rules), sum(rule["IsDefault"] for rule in rules)))
    assert counts == [(101, 1), (21, 1)]


def test_one_service_in_four_has_a_scalable_target(client: Clients) -> None:
    names = [f"service/fleet-0/svc-{number:05}" for number in range(8)]
    answer = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=names)
    assert [target["ResourceId"] for target in answer["ScalableTargets"]] == [names[0], names[4]]


def test_a_write_is_refused(client: Clients) -> None:
    with pytest.raises(ClientError, match="InvalidAction"):
        client("ecs").update_service(cluster="fleet-0", service="svc-00001", desiredCount=0)


def test_what_was_asked_is_recorded_as_boto3_takes_it(fleet: tuple[str, str], client: Clients) -> None:
    calls(fleet[1])
    elb = client("elbv2")
    elb.describe_load_balancers(PageSize=400)
    [named] = elb.describe_load_balancers(Names=["alb-001"], PageSize=1)["LoadBalancers"]
    client("ecs").list_clusters(maxResults=100)
    assert named["LoadBalancerName"] == "alb-001"
    assert calls(fleet[1]) == [
        ("elbv2", "DescribeLoadBalancers", {"PageSize": 400}),
        ("elbv2", "DescribeLoadBalancers", {"Names": ["alb-001"], "PageSize": 1}),
        ("ecs", "ListClusters", {"maxResults": 100}),
    ]
    assert calls(fleet[1]) == []
