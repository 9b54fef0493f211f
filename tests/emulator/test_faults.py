"""Faults: each kind in each protocol as botocore sees it, when they fire, and on which side of the effect."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from reconciler.emulator.faults import Fault

# one operation for each protocol: JSON, query, EC2, REST-JSON, REST-XML
PROTOCOLS = [
    ("ecs", "ListClusters", "list_clusters"),
    ("elbv2", "DescribeLoadBalancers", "describe_load_balancers"),
    ("ec2", "DescribeVpcs", "describe_vpcs"),
    ("lambda", "ListFunctions", "list_functions"),
    ("s3", "ListBuckets", "list_buckets"),
]


@pytest.mark.parametrize(("service", "operation", "method"), PROTOCOLS)
@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle", 400, "Throttling"),
        ("500", 500, ""),
        ("503", 503, "ServiceUnavailable"),
        ("access_denied", None, "AccessDenied"),
    ],
)
def test_an_error_is_told_in_the_protocol_of_the_call(
    emulator: Any, service: str, operation: str, method: str, kind: Any, status: int | None, code: str
) -> None:
    emulator.faults.add(Fault(operation=f"{service}:{operation}", kind=kind))
    with pytest.raises(ClientError) as error:
        getattr(emulator.client(service), method)()
    answer = error.value.response
    assert answer["Error"]["Code"].startswith(code)
    assert answer["Error"]["Message"]
    assert status is None or answer["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(emulator.client(service), method)()


def test_botocore_knows_a_throttle_and_retries_it(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="ecs:ListClusters", kind="throttle"))
    patient = emulator.client("ecs", config=Config(retries={"total_max_attempts": 2, "mode": "standard"}))
    assert patient.list_clusters()["clusterArns"] == []
    assert emulator.count("ecs:ListClusters") == 2


def test_html_in_the_place_of_an_answer_is_what_botocore_cannot_parse(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="elbv2:DescribeLoadBalancers", kind="html500"))
    with pytest.raises(ResponseParserError):
        emulator.client("elbv2").describe_load_balancers()
    assert emulator.calls[-1].outcome == "html500"


def test_a_connection_dropped_before_the_effect_leaves_nothing(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="ecs:CreateCluster", kind="drop_before"))
    ecs = emulator.client("ecs")
    with pytest.raises(ConnectionClosedError):
        ecs.create_cluster(clusterName="shop")
    assert ecs.list_clusters()["clusterArns"] == []
    assert emulator.calls[0].outcome == "dropped"


def test_a_connection_dropped_after_the_effect_leaves_it(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="ecs:CreateCluster", kind="drop_after"))
    ecs = emulator.client("ecs")
    with pytest.raises(ConnectionClosedError):
        ecs.create_cluster(clusterName="shop")
    assert len(ecs.list_clusters()["clusterArns"]) == 1
    assert (emulator.calls[0].outcome, emulator.calls[0].status) == ("dropped", 200)


def test_the_nth_matching_call_fails_and_so_many_after_it(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="ecs:*Cluster*", kind="500", nth=2, times=2))
    ecs = emulator.client("ecs")
    outcomes = []
    for _ in range(5):
        try:
            ecs.list_clusters()
            outcomes.append("ok")
        except ClientError:
            outcomes.append("failed")
    assert outcomes == ["ok", "failed", "failed", "ok", "ok"]


def test_a_fault_without_end_lasts_until_it_is_cleared(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="ecs:ListClusters", kind="500", times=None))
    ecs = emulator.client("ecs")
    for _ in range(4):
        with pytest.raises(ClientError):
            ecs.list_clusters()
    emulator.faults.clear()
    ecs.list_clusters()


def test_seeded_faults_fall_on_the_same_calls_each_time(emulator: Any) -> None:
    def run() -> list[str]:
        emulator.reset()
        emulator.faults.add(Fault(operation="ecs:ListClusters", kind="500", times=None, probability=0.5))
        ecs = emulator.client("ecs")
        for _ in range(20):
            try:
                ecs.list_clusters()
            except ClientError:
                continue
        return [call.outcome for call in emulator.calls]

    first = run()
    assert run() == first
    assert len(set(first)) == 2


def test_a_delay_lets_virtual_time_pass_and_the_call_through(emulator: Any) -> None:
    emulator.faults.add(Fault(operation="ecs:ListClusters", kind="delay", seconds=30))
    before = emulator.world.now()
    emulator.client("ecs").list_clusters()
    assert (emulator.world.now() - before).total_seconds() == 30


def test_an_error_of_ones_own_has_its_code(emulator: Any) -> None:
    emulator.faults.add(
        Fault(operation="ecs:DescribeServices", kind="error", code="ClusterNotFoundException", message="Gone.")
    )
    ecs = emulator.client("ecs")
    with pytest.raises(ecs.exceptions.ClusterNotFoundException, match="Gone"):
        ecs.describe_services(services=["web"])


def test_a_foreign_writer_acts_between_a_read_and_a_write(emulator: Any) -> None:
    ecs, foreign = emulator.client("ecs"), emulator.client("ecs", access_key="AKIDFOREIGN")
    emulator.faults.add(
        Fault(operation="ecs:CreateCluster", kind="before", hook=lambda _: foreign.create_cluster(clusterName="theirs"))
    )
    assert ecs.list_clusters()["clusterArns"] == []
    ecs.create_cluster(clusterName="ours")
    order = [call.parameters["clusterName"] for call in emulator.mutations()]
    assert order == ["theirs", "ours"]


def test_a_hook_after_the_effect_sees_it(emulator: Any) -> None:
    seen: list[Any] = []
    ecs = emulator.client("ecs")
    emulator.faults.add(
        Fault(
            operation="ecs:CreateCluster", kind="after", hook=lambda _: seen.append(ecs.list_clusters()["clusterArns"])
        )
    )
    ecs.create_cluster(clusterName="shop")
    assert len(seen[0]) == 1


def test_a_fault_can_be_narrowed_by_what_is_asked(emulator: Any) -> None:
    emulator.faults.add(
        Fault(operation="ecs:CreateCluster", kind="500", match=lambda call: call.parameters["clusterName"] == "bad")
    )
    ecs = emulator.client("ecs")
    ecs.create_cluster(clusterName="good")
    with pytest.raises(ClientError):
        ecs.create_cluster(clusterName="bad")


def test_an_unknown_kind_of_fault_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="earthquake"):
        Fault(operation="*", kind="earthquake")  # type: ignore[arg-type]
