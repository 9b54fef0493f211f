"""No false drift: after any sync of the examples a second plan differs in nothing and makes no mutating call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.kind import Kind
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import AUTO, held, names, tasks
from tests.e2e.stage import ACCOUNT, EXAMPLES, HOSTS, REGION, Stage, summary

ALL = sorted(
    (folder.name, manifest.stem)
    for folder in EXAMPLES.iterdir()
    if folder.is_dir()
    for manifest in (folder / "environments").iterdir()
)


@pytest.fixture(params=ALL, ids="/".join)
def example(stage: Stage, request: Any) -> Stage:
    """An example in one of its environments, synced."""
    name, environment = request.param
    stage.use_example(name, environment)
    path = f"environments/{environment}.yaml"
    lines = (stage.root / path).read_text().splitlines()
    moved = {"account": f'  account: "{ACCOUNT}"', "region": f"  region: {REGION}"}
    stage.write({path: "\n".join(moved.get(line.strip().partition(":")[0], line) for line in lines) + "\n"})
    stage.hosts = HOSTS
    stage.commit(f"the example {name} in {environment}")
    report = stage.settle()
    assert {item.sync.value for item in report.statuses.values()} == {"Synced"}, summary(report)
    return stage


def test_a_second_plan_after_a_sync_has_no_difference(example: Stage) -> None:
    example.assert_no_differences()
    [cluster] = example.client("ecs").list_clusters()["clusterArns"]
    before = tasks(example, cluster)
    for _ in range(5):
        start = len(example.aws.calls)
        report = example.run(AUTO)
        assert example.writes(start) == []
        assert (report.plan.actions, held(report), report.sync.value) == ((), {}, "Synced")
        example.tick(120)
    assert tasks(example, cluster) == before


def test_a_plan_that_is_only_shown_is_what_a_sync_then_does(stage: Stage) -> None:
    stage.use_example("shop", "production")
    stage.hosts = HOSTS
    stage.commit("the shop")
    start = len(stage.aws.calls)
    shown = stage.plan()
    assert [call for call in stage.aws.calls[start:] if call.mutating] == []
    planned = sorted(call.operation for action in shown.actions for call in action.calls)
    done = stage.run()
    assert done.plan.digest == shown.digest
    assert sorted(call.operation for call in stage.writes(start)) == planned


def test_another_version_of_the_tables_redeploys_nothing(small: Stage) -> None:
    """An upgrade may know more fields and other defaults: what runs is compared anew, and is still equal."""
    small.settle()
    before = tasks(small)
    small.restart()
    engine = small.engine
    engine.kinds = {name: _without_some_rows(kind) for name, kind in engine.kinds.items()}
    engine.renderings.version = "a later one"
    start = len(small.aws.calls)
    report = small.run(AUTO, engine)
    assert [name for name in names(small.writes(start)) if name.startswith(("Update", "Register", "Create"))] == []
    assert report.plan.actions == ()
    assert tasks(small) == before


def _without_some_rows(kind: Kind) -> Kind:
    """The kind as an older version had it: it does not know the newer members."""
    newer = ("resetOnHealthyTask", "thresholdConfiguration", "availabilityZoneRebalancing", "versionConsistency")
    return replace(kind, fields=tuple(row for row in kind.fields if not any(name in row.path for name in newer)))


def test_a_dry_run_makes_no_write_whatever_is_to_be_done(small: Stage) -> None:
    for order in (Order(write=False), replace(AUTO, write=False)):
        start = len(small.aws.calls)
        report = small.run(order)
        assert [call for call in small.aws.calls[start:] if call.mutating] == []
        assert report.plan.actions
        assert report.applied == ()
