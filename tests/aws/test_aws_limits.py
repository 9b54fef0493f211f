"""The rate limiter's arithmetic, in virtual time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from reconciler.aws.casing import SERVICES
from reconciler.aws.limits import LIMITS, Bucket, Limits, limit_of
from reconciler.aws.models import service_model
from tests.aws.conftest import START


@pytest.fixture
def limits(virtual):
    return Limits(virtual.clock, virtual.sleep)


def seconds_for(limits: Limits, service, operation, calls) -> float:
    return sum(limits.wait(service, operation) for _ in range(calls))


def test_a_burst_within_four_fifths_of_the_bucket_waits_for_nothing(limits):
    assert seconds_for(limits, "ecs", "RegisterTaskDefinition", 16) == 0


def test_after_the_burst_calls_come_at_four_fifths_of_the_rate(limits):
    seconds_for(limits, "ecs", "RegisterTaskDefinition", 16)
    assert [limits.wait("ecs", "RegisterTaskDefinition") for _ in range(3)] == pytest.approx([1.25, 1.25, 1.25])


def test_in_any_second_no_more_calls_are_made_than_aws_allows(limits, virtual):
    made = []
    for _ in range(200):
        limits.wait("elbv2", "DescribeRules")
        made.append(virtual.now)
    limit = limit_of("elbv2", "DescribeRules")
    for seconds in (1, 5, 20):
        most = max(sum(start <= moment < start + timedelta(seconds=seconds) for moment in made) for start in made)
        assert most <= limit.burst + limit.sustained * seconds


def test_a_pause_fills_the_bucket_and_never_above_its_size(limits, virtual):
    seconds_for(limits, "ecs", "RegisterTaskDefinition", 16)
    virtual.now += timedelta(hours=1)
    assert seconds_for(limits, "ecs", "RegisterTaskDefinition", 16) == 0
    assert limits.wait("ecs", "RegisterTaskDefinition") > 0


def test_actions_of_one_bucket_share_it_and_others_do_not(limits):
    seconds_for(limits, "ecs", "RegisterTaskDefinition", 16)
    assert limits.wait("ecs", "DeregisterTaskDefinition") > 0
    assert limits.wait("ecs", "DescribeTaskDefinition") == 0
    assert limits.wait("elbv2", "CreateRule") == 0


def test_services_without_a_row_have_a_bucket_each(limits):
    assert seconds_for(limits, "sqs", "GetQueueAttributes", 17) > 0
    assert limits.wait("sns", "GetTopicAttributes") == 0


def test_throttling_empties_the_bucket(limits):
    limits.wait("ecs", "DescribeServices")
    limits.throttled("ecs", "DescribeServices")
    assert limits.wait("ecs", "DescribeServices") == pytest.approx(1 / 16)


def test_a_clock_that_is_set_back_takes_no_tokens_away(virtual):
    bucket = Bucket(10, 1, START)
    bucket.take(START)
    assert bucket.take(START - timedelta(days=1)) == 0
    assert [bucket.take(START - timedelta(days=1)) for _ in range(8)] == [0] * 8


def test_threads_get_turns_of_their_own():
    waits, lock = [], threading.Lock()

    def note(seconds):
        with lock:
            waits.append(round(seconds, 6))

    limits = Limits(lambda: START, note)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: limits.wait("ecs", "RegisterTaskDefinition"), range(20)))
    assert sorted(waits) == [1.25, 2.5, 3.75, 5.0]


@pytest.mark.parametrize(
    ("service", "operation", "name"),
    [
        ("ecs", "CreateService", "service modify"),
        ("ecs", "UpdateService", "service modify"),
        ("ecs", "StopServiceDeployment", "service modify"),
        ("ecs", "DescribeServices", "service read"),
        ("ecs", "ListServices", "service read"),
        ("ecs", "DescribeServiceRevisions", "revision read"),
        ("ecs", "ListServiceDeployments", "deployment read"),
        ("ecs", "DeleteTaskDefinitions", "delete task definitions"),
        ("ecs", "ListTaskDefinitionFamilies", "task definition read"),
        ("ecs", "PutClusterCapacityProviders", "cluster modify"),
        ("ecs", "UpdateClusterSettings", "cluster modify"),
        ("ecs", "CreateCapacityProvider", "capacity provider modify"),
        ("ecs", "TagResource", "tag modify"),
        ("elbv2", "CreateLoadBalancer", "load balancer create"),
        ("elbv2", "DescribeTargetHealth", "read"),
        ("elbv2", "SetRulePriorities", "modify"),
        ("iam", "ListRoles", "read"),
        ("iam", "CreateRole", "modify"),
    ],
)
def test_each_action_draws_on_the_bucket_that_aws_says(service, operation, name):
    assert limit_of(service, operation).name == name


def test_every_row_of_the_table_is_some_actions_bucket():
    used = {limit_of(name, op) for name in (*SERVICES, "cloudtrail") for op in service_model(name).operation_names}
    assert used == set(LIMITS)
