"""The edge: dispatch, accounts and regions, call records, the clock, what is missing, the control API."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.emulator.server import Emulator

REGION = "us-east-1"


def control(emulator: Any, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the emulator's own URL
        f"{emulator.url}/_emulator/{path}",
        data=json.dumps(body).encode() if body is not None else None,
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.load(answer)


def assume(emulator: Any, account: str, session: str = "deploy") -> dict[str, str]:
    credentials = emulator.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/deployer", RoleSessionName=session
    )["Credentials"]
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "session_token": credentials["SessionToken"],
    }


def test_an_unknown_access_key_is_the_root_of_the_given_account(emulator: Any) -> None:
    caller = emulator.client("sts").get_caller_identity()
    assert (caller["Account"], caller["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")


def test_an_assumed_role_sees_its_own_account_only(emulator: Any) -> None:
    emulator.client("ecs").create_cluster(clusterName="ours")
    theirs = emulator.client("ecs", **assume(emulator, "210987654321"))
    theirs.create_cluster(clusterName="theirs")
    assert theirs.list_clusters()["clusterArns"] == ["arn:aws:ecs:us-east-1:210987654321:cluster/theirs"]
    assert emulator.client("ecs").list_clusters()["clusterArns"] == ["arn:aws:ecs:us-east-1:123456789012:cluster/ours"]
    assert emulator.calls[-2].account == "210987654321"
    assert emulator.calls[-2].principal == "arn:aws:sts::210987654321:assumed-role/deployer/deploy"


def test_an_assumed_role_says_who_it_is(emulator: Any) -> None:
    caller = emulator.client("sts", **assume(emulator, "210987654321", "alice@example.com")).get_caller_identity()
    assert caller["Arn"] == "arn:aws:sts::210987654321:assumed-role/deployer/alice@example.com"


def test_an_unsigned_call_finds_its_service(emulator: Any) -> None:
    credentials = emulator.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::210987654321:role/ci", RoleSessionName="build", WebIdentityToken="token" * 10
    )["Credentials"]
    build = emulator.client(
        "sts",
        access_key=credentials["AccessKeyId"],
        secret_key=credentials["SecretAccessKey"],
        session_token=credentials["SessionToken"],
    )
    assert build.get_caller_identity()["Account"] == "210987654321"


def test_regions_are_apart(emulator: Any) -> None:
    emulator.client("ecs", "eu-west-1").create_cluster(clusterName="west")
    assert emulator.client("ecs", "eu-central-1").list_clusters()["clusterArns"] == []
    assert len(emulator.client("ecs", "eu-west-1").list_clusters()["clusterArns"]) == 1


def test_calls_are_recorded_with_what_was_asked_and_what_came_of_it(emulator: Any) -> None:
    emulator.client("ecs").create_cluster(clusterName="shop")
    with pytest.raises(ClientError):
        emulator.client("elbv2").describe_load_balancers(Names=["nope"])
    created, described = emulator.calls
    assert (created.name, created.mutating, created.outcome) == ("ecs:CreateCluster", True, "ok")
    assert created.parameters == {"clusterName": "shop"}
    assert (described.name, described.mutating) == ("elbv2:DescribeLoadBalancers", False)
    assert (described.outcome, described.status) == ("LoadBalancerNotFound", 400)
    assert described.parameters == {"Names": ["nope"]}


def test_calls_are_counted_by_glob(emulator: Any) -> None:
    ecs = emulator.client("ecs")
    ecs.create_cluster(clusterName="a")
    ecs.create_cluster(clusterName="b")
    ecs.list_clusters()
    assert emulator.count("ecs:CreateCluster") == 2
    assert emulator.count("ecs:*") == 3
    assert emulator.count("elbv2:*") == 0
    assert len(emulator.mutations("ecs:*")) == 2


def test_a_reset_forgets_resources_calls_and_time(emulator: Any) -> None:
    emulator.client("ecs").create_cluster(clusterName="shop")
    start = emulator.world.now()
    emulator.tick(60)
    emulator.reset()
    assert emulator.world.now() == start
    assert emulator.calls == []
    assert emulator.client("ecs").list_clusters()["clusterArns"] == []


def test_the_clock_moves_only_by_ticks_and_tells_its_listeners(emulator: Any) -> None:
    seen: list[Any] = []
    listen_no_more = emulator.world.on_tick(seen.append)
    start = emulator.world.now()
    emulator.tick(seconds=2, steps=3)
    listen_no_more()
    emulator.tick(0)
    assert seen == [start + timedelta(seconds=2 * step) for step in (1, 2, 3)]
    assert emulator.world.now() == start + timedelta(seconds=6)


def test_what_is_due_later_happens_once_at_its_time(emulator: Any) -> None:
    done: list[str] = []
    emulator.world.later(5, lambda: done.append("five"))
    emulator.world.later(3, lambda: done.append("three"))
    emulator.tick(2)
    assert done == []
    emulator.tick(4)
    assert done == ["three", "five"]
    emulator.tick(10)
    assert done == ["three", "five"]


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("codedeploy", "list_git_hub_account_token_names"),
        ("elbv2", "describe_trust_stores"),
        ("cloudformation", "list_stacks"),
    ],
)
def test_what_moto_cannot_do_is_a_clean_error_and_is_remembered(emulator: Any, service: str, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(emulator.client(service), operation)()
    answer = error.value.response
    assert answer["Error"]["Code"] == "EmulatorUnimplemented"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(emulator.unimplemented) == 1
    assert emulator.unimplemented[0].startswith(f"{service}:")


def test_a_crash_in_moto_is_a_clean_error_and_is_remembered(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.logs.responses import LogsResponse  # noqa: PLC0415 - patched in this test only

    def crash(_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(LogsResponse, "describe_log_groups", crash)
    with pytest.raises(ClientError) as error:
        emulator.client("logs").describe_log_groups()
    assert error.value.response["Error"]["Code"] == "EmulatorUnimplemented"
    assert "ZeroDivisionError: a bug" in emulator.unimplemented[0]


def test_bodies_and_odd_paths_arrive_whole(emulator: Any) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a b/ü+%2F", Body=b"x" * 100_000)
    assert s3.get_object(Bucket="bucket", Key="a b/ü+%2F")["Body"].read() == b"x" * 100_000
    assert s3.head_object(Bucket="bucket", Key="a b/ü+%2F")["ContentLength"] == 100_000


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("acm", "list_certificates"),
        ("autoscaling", "describe_auto_scaling_groups"),
        ("cloudwatch", "describe_alarms"),
        ("ec2", "describe_vpcs"),
        ("ecr", "describe_repositories"),
        ("events", "list_rules"),
        ("iam", "list_roles"),
        ("lambda", "list_functions"),
        ("logs", "describe_log_groups"),
        ("resourcegroupstaggingapi", "get_resources"),
        ("route53", "list_hosted_zones"),
        ("secretsmanager", "list_secrets"),
        ("servicediscovery", "list_namespaces"),
        ("sns", "list_topics"),
        ("ssm", "describe_parameters"),
    ],
)
def test_every_protocol_and_neighbouring_service_is_served(emulator: Any, service: str, operation: str) -> None:
    getattr(emulator.client(service, "eu-west-1"), operation)()
    assert emulator.calls[-1].service == service
    assert emulator.calls[-1].region in {"eu-west-1", REGION}  # global services are signed for one region
    assert emulator.unimplemented == []


def test_a_long_poll_does_not_keep_the_sender_out(emulator: Any) -> None:
    sqs = emulator.client("sqs")
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    started = time.monotonic()
    sender = threading.Thread(target=lambda: sqs.send_message(QueueUrl=queue, MessageBody="hello"))
    receiver_sees: list[str] = []

    def receive() -> None:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
        receiver_sees.extend(message["Body"] for message in answer.get("Messages", []))

    receiver = threading.Thread(target=receive)
    receiver.start()
    sender.start()
    sender.join(10)
    receiver.join(10)
    assert receiver_sees == ["hello"]
    assert time.monotonic() - started < 10


def test_a_connection_is_kept_for_the_next_call(emulator: Any) -> None:
    import http.client  # noqa: PLC0415 - the only test that speaks HTTP by hand

    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        for _ in range(2):
            connection.request("GET", "/_emulator/health")
            answer = connection.getresponse()
            assert json.loads(answer.read()) == {"status": "ok"}
            assert not answer.will_close
    finally:
        connection.close()


def test_another_process_can_drive_it(emulator: Any) -> None:
    emulator.client("ecs").create_cluster(clusterName="shop")
    calls = control(emulator, "GET", "calls?operation=ecs:*")
    assert [(call["operation"], call["parameters"]) for call in calls] == [("CreateCluster", {"clusterName": "shop"})]
    before = control(emulator, "GET", "clock")["now"]
    after = control(emulator, "POST", "tick", {"seconds": 30, "steps": 2})["now"]
    assert after == (emulator.world.now()).isoformat()
    assert after > before
    control(emulator, "POST", "faults", {"operation": "ecs:ListClusters", "kind": "access_denied"})
    with pytest.raises(ClientError, match="AccessDenied"):
        emulator.client("ecs").list_clusters()
    assert control(emulator, "GET", "unimplemented") == []
    control(emulator, "POST", "reset", {})
    assert emulator.calls == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", {"operation": "ecs:*", "kind": "earthquake"}, 400),
        ("POST", "faults", {"operation": "ecs:*", "kind": "500", "sevrity": 1}, 400),
        ("POST", "tick", {"seconds": "soon"}, 400),
        ("GET", "nothing", None, 404),
    ],
)
def test_a_control_request_that_makes_no_sense_says_why(
    emulator: Any, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        control(emulator, method, path, body)
    with error.value as answer:
        assert answer.code == status
        assert json.load(answer)["error"]


def test_a_second_emulator_in_the_process_is_refused(emulator: Any) -> None:
    with pytest.raises(RuntimeError, match="already"):
        Emulator().start()
    emulator.client("ecs").list_clusters()


def test_the_same_seed_gives_the_same_names(emulator: Any) -> None:
    def make() -> list[str]:
        emulator.reset()
        subnets = [subnet["SubnetId"] for subnet in emulator.client("ec2").describe_subnets()["Subnets"]]
        made = emulator.client("elbv2").create_load_balancer(Name="shop", Subnets=subnets[:2])
        return [*subnets, made["LoadBalancers"][0]["LoadBalancerArn"]]

    assert make() == make()


def test_a_clock_that_runs_by_itself_ticks_until_the_end(emulator: Any) -> None:
    ticked = threading.Event()
    listen_no_more = emulator.world.on_tick(lambda _: ticked.set())
    emulator.run_clock(real_seconds_per_tick=0.001, virtual_seconds=1)
    try:
        assert ticked.wait(10)
        with pytest.raises(RuntimeError, match="already"):
            emulator.run_clock()
    finally:
        emulator.stop_clock()
        listen_no_more()
    now = emulator.world.now()
    assert not emulator.clock_runs
    assert emulator.world.now() == now
