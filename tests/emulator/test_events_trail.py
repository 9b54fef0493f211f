"""Events and the trail: from the emulated world to queues, and from each write to CloudTrail with its author."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError


def queue_of(emulator: Any, pattern: dict[str, Any], region: str = "us-east-1", **target: Any) -> Any:
    """Make a rule with a queue behind it; return what reads the queue empty and answers the events."""
    sqs, events = emulator.client("sqs", region), emulator.client("events", region)
    url = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="to-queue", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="to-queue", Targets=[{"Id": "queue", "Arn": arn, **target}])

    def read() -> list[Any]:
        found: list[Any] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    return read


def lookup(emulator: Any, region: str = "us-east-1", **kw: Any) -> list[dict[str, Any]]:
    pages = emulator.client("cloudtrail", region).get_paginator("lookup_events").paginate(**kw)
    return [event for page in pages for event in page["Events"]]


def by(key: str, value: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


def test_an_event_of_the_world_reaches_the_queue_with_its_envelope(emulator: Any) -> None:
    read = queue_of(emulator, {"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"]}})
    arn = "arn:aws:ecs:us-east-1:123456789012:task/shop/1"
    emulator.tick(5)
    event = emulator.world.emit("aws.ecs", "ECS Task State Change", {"lastStatus": "STOPPED"}, [arn])
    emulator.world.emit("aws.ecs", "ECS Task State Change", {"lastStatus": "RUNNING"}, [arn])
    assert read() == [
        {
            "version": "0",
            "id": event.id,
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "account": "123456789012",
            "time": emulator.world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": "us-east-1",
            "resources": [arn],
            "detail": {"lastStatus": "STOPPED"},
        }
    ]


def test_events_stay_in_their_account_and_region(emulator: Any) -> None:
    read = queue_of(emulator, {"source": ["aws.ecs"]}, "eu-west-1")
    emulator.world.emit("aws.ecs", "ECS Service Action", {}, region="us-east-1")
    emulator.world.emit("aws.ecs", "ECS Service Action", {}, region="eu-west-1", account="210987654321")
    assert read() == []
    emulator.world.emit("aws.ecs", "ECS Service Action", {}, region="eu-west-1")
    assert len(read()) == 1


def test_a_disabled_rule_delivers_nothing(emulator: Any) -> None:
    read = queue_of(emulator, {"source": ["aws.ecs"]})
    emulator.client("events").disable_rule(Name="to-queue")
    emulator.world.emit("aws.ecs", "ECS Service Action", {})
    assert read() == []


def test_a_target_can_ask_for_a_part_or_a_template(emulator: Any) -> None:
    transformer = {
        "InputPathsMap": {"name": "$.detail.name", "one": "$.resources[0]"},
        "InputTemplate": '{"text": "<name> of <one>"}',
    }
    read = queue_of(emulator, {"source": ["shop"]}, InputTransformer=transformer)
    emulator.world.emit("shop", "Sale", {"name": "bike"}, ["arn:one"])
    assert read() == [{"text": "bike of arn:one"}]


def test_put_events_takes_the_same_way(emulator: Any) -> None:
    read = queue_of(emulator, {"source": ["shop"]})
    entry = {"Source": "shop", "DetailType": "Sale", "Detail": json.dumps({"price": 3}), "Resources": ["r"]}
    emulator.client("events").put_events(Entries=[entry])
    (event,) = read()
    assert (event["account"], event["detail"], event["resources"]) == ("123456789012", {"price": 3}, ["r"])


def test_a_bus_of_another_account_gets_what_a_rule_sends_it(emulator: Any) -> None:
    credentials = emulator.client("sts").assume_role(
        RoleArn="arn:aws:iam::210987654321:role/hub", RoleSessionName="hub"
    )["Credentials"]
    hub = {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "session_token": credentials["SessionToken"],
    }
    sqs, events = emulator.client("sqs", **hub), emulator.client("events", **hub)
    url = sqs.create_queue(QueueName="hub")["QueueUrl"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.ecs"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:210987654321:hub"}])
    ours = emulator.client("events")
    ours.put_rule(Name="to-hub", EventPattern=json.dumps({"source": ["aws.ecs"]}))
    bus = "arn:aws:events:us-east-1:210987654321:event-bus/default"
    ours.put_targets(Rule="to-hub", Targets=[{"Id": "bus", "Arn": bus}])
    emulator.world.emit("aws.ecs", "ECS Service Action", {"eventName": "SERVICE_STEADY_STATE"})
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["account"] == "123456789012"


def test_a_write_is_on_the_bus_with_its_author_and_a_read_is_not(emulator: Any) -> None:
    read = queue_of(emulator, {"detail-type": ["AWS API Call via CloudTrail"], "source": ["aws.ecs"]})
    ecs = emulator.client("ecs")
    ecs.list_clusters()
    answer = ecs.create_cluster(clusterName="shop")
    (event,) = read()
    detail = event["detail"]
    assert (event["source"], detail["eventSource"], detail["eventName"]) == (
        "aws.ecs",
        "ecs.amazonaws.com",
        "CreateCluster",
    )
    assert detail["userIdentity"]["type"] == "Root"
    assert detail["userIdentity"]["arn"] == "arn:aws:iam::123456789012:root"
    assert detail["requestParameters"] == {"clusterName": "shop"}
    assert detail["responseElements"]["cluster"]["clusterName"] == "shop"
    assert detail["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert detail["sourceIPAddress"] == "127.0.0.1"
    assert "Boto3" in detail["userAgent"]
    assert detail["readOnly"] is False


def test_an_iam_user_is_named(emulator: Any) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    alice = emulator.client("ecs", access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
    alice.create_cluster(clusterName="shop")
    (event,) = lookup(emulator, **by("Username", "alice"))
    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "alice")
    assert identity["arn"] == "arn:aws:iam::123456789012:user/alice"
    assert (event["EventName"], event["AccessKeyId"]) == ("CreateCluster", key["AccessKeyId"])


def test_an_assumed_role_is_named_with_its_session(emulator: Any) -> None:
    emulator.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument="{}")
    credentials = emulator.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/deployer", RoleSessionName="bob@example.com"
    )["Credentials"]
    client = emulator.client(
        "ecs",
        access_key=credentials["AccessKeyId"],
        secret_key=credentials["SecretAccessKey"],
        session_token=credentials["SessionToken"],
    )
    client.create_cluster(clusterName="shop")
    (event,) = lookup(emulator, **by("EventName", "CreateCluster"))
    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert event["Username"] == "bob@example.com"
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == "arn:aws:sts::123456789012:assumed-role/deployer/bob@example.com"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "deployer"
    assert identity["principalId"] == identity["sessionContext"]["sessionIssuer"]["principalId"] + ":bob@example.com"


def test_a_query_protocol_call_is_told_in_camel_case(emulator: Any) -> None:
    elb = emulator.client("elbv2")
    vpc = emulator.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    arn = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    (event,) = lookup(emulator, **by("ResourceName", arn))
    detail = json.loads(event["CloudTrailEvent"])
    assert detail["eventSource"] == "elasticloadbalancing.amazonaws.com"
    assert detail["requestParameters"] == {"name": "web", "protocol": "HTTP", "port": 80, "vpcId": vpc}
    assert detail["responseElements"]["targetGroups"][0]["targetGroupArn"] == arn
    assert [one["EventName"] for one in lookup(emulator, **by("ResourceName", "web"))] == ["CreateTargetGroup"]


def test_a_refused_write_is_recorded_with_its_error(emulator: Any) -> None:
    with pytest.raises(ClientError):
        emulator.client("elbv2").delete_rule(
            RuleArn="arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/x"
        )
    detail = json.loads(lookup(emulator)[0]["CloudTrailEvent"])
    assert detail["errorCode"] == "RuleNotFound"
    assert detail["errorMessage"]
    assert detail["responseElements"] is None


def test_events_are_looked_up_by_time_and_id_newest_first(emulator: Any) -> None:
    ecs = emulator.client("ecs")
    start = emulator.world.now()
    for name in ("one", "two", "three"):
        emulator.tick(10)
        ecs.create_cluster(clusterName=name)
    found = lookup(emulator)
    assert [json.loads(one["CloudTrailEvent"])["requestParameters"]["clusterName"] for one in found] == [
        "three",
        "two",
        "one",
    ]
    middle = lookup(emulator, StartTime=start + timedelta(seconds=15), EndTime=start + timedelta(seconds=25))
    assert middle == [found[1]]
    assert lookup(emulator, **by("EventId", found[2]["EventId"])) == [found[2]]
    assert found[0]["EventTime"] == start + timedelta(seconds=30)


def test_events_come_in_pages(emulator: Any) -> None:
    ecs = emulator.client("ecs")
    for number in range(5):
        ecs.create_cluster(clusterName=f"c{number}")
    client = emulator.client("cloudtrail")
    first = client.lookup_events(MaxResults=2)
    assert len(first["Events"]) == 2
    assert len(lookup(emulator, PaginationConfig={"PageSize": 2})) == 5


def test_two_attributes_or_a_reversed_range_are_refused(emulator: Any) -> None:
    client = emulator.client("cloudtrail")
    two = by("EventName", "a")["LookupAttributes"] * 2
    with pytest.raises(client.exceptions.InvalidLookupAttributesException):
        client.lookup_events(LookupAttributes=two)
    now = emulator.world.now()
    with pytest.raises(client.exceptions.InvalidTimeRangeException):
        client.lookup_events(StartTime=now, EndTime=now - timedelta(hours=1))


def test_the_trail_can_be_late(emulator: Any) -> None:
    emulator.trail.delay = 120.0
    try:
        emulator.client("ecs").create_cluster(clusterName="shop")
        emulator.tick(119)
        assert lookup(emulator) == []
        emulator.tick(1)
        (event,) = lookup(emulator)
        assert emulator.world.now() - event["EventTime"] == timedelta(seconds=120)
    finally:
        emulator.trail.delay = 0.0


def test_iam_is_recorded_in_one_region_and_regions_are_apart(emulator: Any) -> None:
    emulator.client("iam", "eu-west-1").create_user(UserName="alice")
    emulator.client("ecs", "eu-west-1").create_cluster(clusterName="shop")
    assert [one["EventName"] for one in lookup(emulator, "us-east-1")] == ["CreateUser"]
    assert [one["EventName"] for one in lookup(emulator, "eu-west-1")] == ["CreateCluster"]


def test_data_calls_are_not_recorded(emulator: Any) -> None:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert [one["EventName"] for one in lookup(emulator)] == ["CreateQueue"]


def test_fifo_queues_and_log_groups_get_events_and_a_missing_queue_harms_nobody(emulator: Any) -> None:
    sqs, logs, events = emulator.client("sqs"), emulator.client("logs"), emulator.client("events")
    url = sqs.create_queue(QueueName="alerts.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    logs.create_log_group(logGroupName="/events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["shop"]}))
    prefix = "us-east-1:123456789012"
    events.put_targets(
        Rule="all",
        Targets=[
            {"Id": "gone", "Arn": f"arn:aws:sqs:{prefix}:gone"},
            {"Id": "logs", "Arn": f"arn:aws:logs:{prefix}:log-group:/events"},
            {"Id": "fifo", "Arn": f"arn:aws:sqs:{prefix}:alerts.fifo", "SqsParameters": {"MessageGroupId": "g"}},
        ],
    )
    emulator.world.emit("shop", "Sale", {"name": "bike"})
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"name": "bike"}
    (logged,) = logs.filter_log_events(logGroupName="/events")["events"]
    assert json.loads(logged["message"])["detail"] == {"name": "bike"}


@pytest.mark.parametrize(
    ("key", "value", "count"),
    [("EventSource", "ecs.amazonaws.com", 1), ("ReadOnly", "true", 0), ("AccessKeyId", "AKIDTEST", 1)],
)
def test_other_attributes_are_looked_up_too(emulator: Any, key: str, value: str, count: int) -> None:
    emulator.client("ecs").create_cluster(clusterName="shop")
    assert len(lookup(emulator, **by(key, value))) == count
