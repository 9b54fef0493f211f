"""One spelling for all APIs: the rule, the committed table, and the translation along the shapes."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.aws import casing
from reconciler.aws.casing import SERVICES, from_api, from_json, lower, structures, table, to_api

COMMITTED = Path(__file__).parents[2] / "schemas" / "casing.json"


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("TargetGroupArn", "targetGroupArn"),
        ("VPCZoneIdentifier", "vpcZoneIdentifier"),
        ("OKActions", "okActions"),
        ("TTL", "ttl"),
        ("DNSName", "dnsName"),
        ("MD5OfBody", "md5OfBody"),
        ("clientToken", "clientToken"),
        ("A", "a"),
    ],
)
def test_a_leading_run_of_capitals_is_lowered_but_for_the_start_of_a_word(name, spelled):
    assert lower(name) == spelled


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_members_of_a_structure_share_a_spelling(service):
    collisions = [
        (shape.name, spelled)
        for shape in structures(service)
        for spelled, count in Counter(map(lower, shape.members)).items()
        if count > 1
    ]
    assert collisions == []


def test_the_committed_table_is_what_the_rule_makes_of_the_models():
    assert json.loads(COMMITTED.read_text()) == table()


def test_the_committed_table_is_what_the_module_prints(capsys):
    casing.main()
    assert capsys.readouterr().out == COMMITTED.read_text()


def test_nested_members_are_renamed_both_ways():
    ours = {"name": "web", "matcher": {"httpCode": "200"}, "tags": [{"key": "Team", "value": "Shop"}]}
    theirs = {"Name": "web", "Matcher": {"HttpCode": "200"}, "Tags": [{"Key": "Team", "Value": "Shop"}]}
    assert to_api("elbv2", "CreateTargetGroup", ours) == theirs
    answer = {"TargetGroups": [{"TargetGroupName": "web", "Matcher": {"HttpCode": "200"}}], "ResponseMetadata": {}}
    assert from_api("elbv2", "CreateTargetGroup", answer) == {
        "targetGroups": [{"targetGroupName": "web", "matcher": {"httpCode": "200"}}]
    }


def test_keys_of_maps_are_left_alone():
    ours = {"queueName": "jobs", "attributes": {"DelaySeconds": "5"}, "tags": {"Team": "Shop"}}
    assert to_api("sqs", "CreateQueue", ours) == {
        "QueueName": "jobs",
        "Attributes": {"DelaySeconds": "5"},
        "tags": {"Team": "Shop"},
    }
    assert from_api("sqs", "GetQueueAttributes", {"Attributes": {"QueueArn": "arn"}}) == {
        "attributes": {"QueueArn": "arn"}
    }


def test_json_documents_are_left_alone():
    document = '{"Version": "2012-10-17", "Statement": []}'
    given = {"roleName": "r", "assumeRolePolicyDocument": document}
    assert to_api("iam", "CreateRole", given)["AssumeRolePolicyDocument"] == document
    decoded = {"Role": {"RoleName": "r", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}
    assert from_api("iam", "GetRole", decoded) == {
        "role": {"roleName": "r", "assumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    }


def test_ecs_is_lower_camel_case_already_and_is_not_copied():
    answer = {"services": [{"serviceName": "web"}]}
    assert from_api("ecs", "DescribeServices", answer)["services"] is answer["services"]


def test_what_the_api_does_not_know_or_cannot_hold_is_left_for_its_own_validation():
    given = {"nmae": "x", "matcher": "200", "tags": {"a": "b"}, "port": None}
    assert to_api("elbv2", "CreateTargetGroup", given) == {
        "nmae": "x",
        "Matcher": "200",
        "Tags": {"a": "b"},
        "Port": None,
    }


def test_the_parameters_given_are_not_changed():
    given = {"name": "web", "matcher": {"httpCode": "200"}}
    to_api("elbv2", "CreateTargetGroup", given)
    assert given == {"name": "web", "matcher": {"httpCode": "200"}}


def test_a_shape_that_contains_itself_is_followed_to_any_depth():
    rule = {"Not": {"Dimensions": {"Key": "k", "Values": ["v"]}}}
    answer = {"AnomalyMonitors": [{"MonitorName": "m", "MonitorType": "CUSTOM", "MonitorSpecification": {"Not": rule}}]}
    found = from_api("ce", "GetAnomalyMonitors", answer)
    deep = found["anomalyMonitors"][0]["monitorSpecification"]["not"]["not"]
    assert deep == {"dimensions": {"key": "k", "values": ["v"]}}


def test_only_timestamps_are_turned_back_from_json():
    kept = {"taskDefinition": {"family": "2024-01-01T00:00:00+00:00", "registeredAt": "2024-01-01T00:00:00.5+00:00"}}
    assert from_json("ecs", "DescribeTaskDefinition", kept) == {
        "taskDefinition": {
            "family": "2024-01-01T00:00:00+00:00",
            "registeredAt": datetime(2024, 1, 1, 0, 0, 0, 500000, tzinfo=UTC),
        }
    }


def test_timestamps_of_a_pascal_case_api_are_found_under_their_new_names():
    kept = {"loadBalancers": [{"createdTime": "2024-01-01T00:00:00+00:00"}]}
    found = from_json("elbv2", "DescribeLoadBalancers", kept)
    assert found["loadBalancers"][0]["createdTime"] == datetime(2024, 1, 1, tzinfo=UTC)


def test_structures_inside_maps_are_renamed_and_their_keys_are_not():
    ours = {
        "queueUrl": "u",
        "messageBody": "b",
        "messageAttributes": {"Kind": {"dataType": "String", "stringValue": "x"}},
    }
    theirs = {
        "QueueUrl": "u",
        "MessageBody": "b",
        "MessageAttributes": {"Kind": {"DataType": "String", "StringValue": "x"}},
    }
    assert to_api("sqs", "SendMessage", ours) == theirs
    assert to_api("sqs", "SendMessage", {"messageAttributes": ["wrong"]}) == {"MessageAttributes": ["wrong"]}
