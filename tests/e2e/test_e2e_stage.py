"""The stage itself: that its oracles see what they are for."""

from __future__ import annotations

from tests.e2e.end_state import difference
from tests.e2e.stage import Stage


def test_the_shop_is_synced_whole_and_then_left_alone(shop: Stage) -> None:
    report = shop.settle()
    assert {item.sync.value for item in report.statuses.values()} == {"Synced"}
    assert {item.health.state.value for item in report.statuses.values()} == {"Healthy"}
    shop.assert_no_differences()
    assert shop.counts("Create", "Register") == {
        ("ecs:CreateCluster", "Cluster/shop"): 1,
        ("elbv2:CreateLoadBalancer", "LoadBalancer/shop"): 1,
        ("elbv2:CreateListener", "Listener/http"): 1,
        **{("elbv2:CreateTargetGroup", f"TargetGroup/{name}"): 1 for name in ("api", "web")},
        **{("elbv2:CreateRule", f"ListenerRule/{name}"): 1 for name in ("api-host", "api-path", "web")},
        **{("ecs:RegisterTaskDefinition", f"TaskDefinition/{name}"): 1 for name in ("api", "web", "worker")},
        **{("ecs:CreateService", f"Service/{name}"): 1 for name in ("api", "web", "worker")},
    }


def test_two_first_syncs_end_in_the_same_masked_state(small: Stage) -> None:
    small.settle()
    first = small.state()
    small.begin_anew()
    small.settle()
    assert difference(first, small.state()) == []


def test_the_masked_state_shows_a_change_by_hand(small: Stage) -> None:
    small.settle()
    before = small.state()
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    assert any(".desiredCount: 2 ≠ 1" in line for line in difference(before, small.state()))
