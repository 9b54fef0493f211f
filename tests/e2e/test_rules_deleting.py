"""Deleting: off unless asked for, slowed by brakes, in order, and never what is protected or not ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.policy import Intent
from reconciler.core.pruning import deletions_digest
from reconciler.core.report import PassReport
from reconciler.core.values import ResourceId
from reconciler.emulator.faults import Fault
from reconciler.engine import marks
from reconciler.engine.passes import Order
from tests.e2e.rules_kit import (
    AUTO,
    WEB,
    during,
    group,
    held,
    names,
    one_group,
    status,
    tag,
    tags_of,
    tasks,
    the_group,
    the_service,
    verbs,
)
from tests.e2e.stage import Stage, environment, summary

PRUNE = "{mode: auto, prune: true}"
SERVICE = "Service/web"


def groups(stage: Stage, count: int, sync: str = PRUNE) -> None:
    """An environment of some target groups, applied: web, and g1, g2, …"""
    one_group(stage, sync)
    stage.write({f"base/g{number}.yaml": group(stage, name=f"g{number}") for number in range(1, count)})
    stage.commit("more of them")
    stage.settle()


def left(stage: Stage) -> int:
    return len(stage.client("elbv2").describe_target_groups()["TargetGroups"])


def drop(stage: Stage, *files: str) -> None:
    stage.write(dict.fromkeys(files))
    stage.commit(f"without {', '.join(files)}")


def test_nothing_is_deleted_unless_the_environment_says_so(stage: Stage) -> None:
    groups(stage, 2, "{mode: auto}")
    drop(stage, "base/g1.yaml")
    for order in (AUTO, Order(Intent.ORDER)):
        report, writes = during(stage, order)
        assert writes == []
        assert held(report) == {"TargetGroup/g1": "git no longer has it, and the environment does not prune"}


def test_what_git_no_longer_has_is_deleted_where_pruning_is_on(stage: Stage) -> None:
    groups(stage, 2)
    drop(stage, "base/g1.yaml")
    report, writes = during(stage)
    assert (verbs(report), names(writes)) == (["TargetGroup/g1:delete"], ["DeleteTargetGroup"])
    stage.settle(order=AUTO)
    stage.assert_no_differences()


def test_more_deletions_than_allowed_stop_until_a_person_approves_exactly_these(stage: Stage) -> None:
    groups(stage, 6)
    drop(stage, *(f"base/g{number}.yaml" for number in range(1, 5)))
    report, writes = during(stage)
    assert writes == []
    digest = deletions_digest(report.plan.deletions)
    assert "deletes 4 resources, and the environment allows 3" in held(report)["TargetGroup/g1"]
    assert digest in report.plan.held[0].next
    stage.run(Order(Intent.ORDER, approved="d1:0000000000000000"))
    assert left(stage) == 6
    stage.run(Order(Intent.ORDER, approved=digest))
    assert left(stage) == 2


def test_the_brake_counts_per_commit_and_not_per_pass(stage: Stage) -> None:
    groups(stage, 6, "{mode: auto, prune: true, maxDeletions: 2}")
    drop(stage, *(f"base/g{number}.yaml" for number in range(1, 5)))
    for _ in range(5):
        stage.run(AUTO)
        stage.tick()
    assert left(stage) == 6


def test_an_approval_of_other_deletions_is_none(stage: Stage) -> None:
    groups(stage, 6)
    drop(stage, *(f"base/g{number}.yaml" for number in range(1, 5)))
    digest = deletions_digest(stage.run(AUTO).plan.deletions)
    drop(stage, "base/g5.yaml")
    stage.run(Order(Intent.ORDER, approved=digest))
    assert left(stage) == 6


def test_an_empty_desired_state_deletes_nothing(stage: Stage) -> None:
    groups(stage, 1)
    stage.write({"base/web.yaml": "# all gone\n"})
    stage.commit("an accident")
    report, writes = during(stage)
    assert writes == []
    assert "no resources at all" in held(report)[WEB]


def test_what_its_last_manifest_protected_is_never_deleted(stage: Stage) -> None:
    groups(stage, 2)
    stage.edit("base/g1.yaml", ("spec:\n", "reconcile: {protect: true}\nspec:\n"))
    stage.commit("precious")
    stage.settle()
    drop(stage, "base/g1.yaml")
    for order in (AUTO, Order(Intent.ORDER)):
        report, writes = during(stage, order)
        assert writes == []
        assert "protect: true" in held(report)["TargetGroup/g1"]
    digest = deletions_digest([ResourceId.parse("TargetGroup/g1")])
    assert during(stage, Order(Intent.ORDER, approved=digest))[1] == []


def test_a_kind_that_could_not_be_read_stops_every_deletion(small: Stage) -> None:
    small.settle()
    small.write({"base/api.yaml": group(small, name="api")})
    small.commit("one more")
    small.settle()
    drop(small, "base/api.yaml")
    small.aws.faults.add(Fault("ecs:DescribeServices", "access_denied", times=None))
    report, writes = during(small)
    assert writes == []
    assert "could not be read" in held(report)["TargetGroup/api"]
    assert status(report, SERVICE).sync.value == "Unknown"
    small.aws.faults.clear()
    assert names(during(small)[1]) == ["DeleteTargetGroup"]


def test_an_invalid_commit_deletes_and_writes_nothing(stage: Stage) -> None:
    groups(stage, 2)
    stage.write({"base/g1.yaml": None, "base/web.yaml": "kind: TargetGroup\n"})
    stage.commit("broken")
    start = len(stage.aws.calls)
    with pytest.raises(Exception, match="apiVersion"):
        stage.run(AUTO)
    assert stage.aws.calls[start:] == []


def test_a_service_is_drained_before_it_and_what_it_used_are_deleted_in_order(small: Stage) -> None:
    small.settle()
    small.write({"base/service.yaml": None, "base/web.yaml": None, "base/keep.yaml": group(small, name="keep")})
    small.commit("the shop closes")
    start = len(small.aws.calls)
    small.settle(order=AUTO)
    made = names(small.writes(start))
    order = ["DeleteService", "DeleteRule", "DeleteTargetGroup"]
    assert [name for name in made if name in order] == order
    assert made.index("UpdateService") < made.index("DeleteService")  # scaled to nothing first
    assert tasks(small) == set()
    assert left(small) == 1
    small.assert_no_differences()


def test_a_service_that_comes_back_while_it_drains_is_made_anew(small: Stage) -> None:
    small.settle()
    text = (small.root / "base/service.yaml").read_text()
    drop(small, "base/service.yaml")
    small.run(AUTO)
    small.write({"base/service.yaml": text})
    small.commit("on second thoughts")
    report = small.run(AUTO)
    assert "being deleted" in held(report)[SERVICE]
    small.settle(order=AUTO)
    assert the_service(small)["runningCount"] == 2
    assert names(small.writes()).count("CreateService") == 2
    small.assert_no_differences()


def destroy(stage: Stage) -> PassReport:
    """As the command does it, after the name was typed."""
    for _ in range(40):
        desired = stage.desired()
        sync = replace(desired.environment.sync, prune=True)
        empty = replace(desired, resources={}, environment=replace(desired.environment, sync=sync))
        report = stage.engine.run(empty, Order(destroying=True))
        if report.settled:
            return report
        stage.tick()
    raise AssertionError(f"not destroyed: {summary(report)}")


def test_destroy_leaves_nothing_of_ours_and_touches_nothing_of_others(small: Stage) -> None:
    elb, ecs = small.client("elbv2"), small.client("ecs")
    small.settle()
    foreign = elb.create_target_group(Name="foreign", Protocol="HTTP", Port=80, VpcId=small.vpc, TargetType="ip")
    arn = foreign["TargetGroups"][0]["TargetGroupArn"]
    ecs.create_cluster(clusterName="foreign")
    tag(small, arn, environment="acme/other", resource="TargetGroup/web")
    start = len(small.aws.calls)
    report = destroy(small)
    assert report.plan.held == ()
    assert [one["TargetGroupName"] for one in elb.describe_target_groups()["TargetGroups"]] == ["foreign"]
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    assert [one["clusterName"] for one in clusters if one["status"] == "ACTIVE"] == ["foreign"]
    touched = str([call.parameters for call in small.writes(start)])
    assert "foreign" not in touched
    assert tags_of(small, arn) == {"reconciler:environment": "acme/other", "reconciler:resource": "TargetGroup/web"}


def test_destroy_keeps_what_is_protected_and_what_it_needs(small: Stage) -> None:
    small.edit(
        "base/edge.yaml",
        (
            "kind: LoadBalancer\nmetadata: {name: shop}",
            "kind: LoadBalancer\nmetadata: {name: shop}\nreconcile: {protect: true}",
        ),
    )
    small.commit("a precious load balancer")
    small.settle()
    report = destroy(small)
    assert held(report) == {"LoadBalancer/shop": "its last manifest says protect: true"}
    assert len(small.client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


def test_an_environment_without_its_manifest_deletes_nothing(stage: Stage) -> None:
    groups(stage, 2)
    stage.write({"environments/test.yaml": None, "environments/other.yaml": environment(PRUNE, "other")})
    stage.commit("another environment")
    stage.restart()
    start = len(stage.aws.calls)
    stage.run(AUTO)
    assert [name for name in names(stage.writes(start)) if name.startswith("Delete")] == []


def test_disown_removes_our_tags_and_touches_nothing_else(small: Stage) -> None:
    small.settle()
    before, arn = tasks(small), the_service(small)["serviceArn"]
    small.client("ecs").tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "shop"}])
    start = len(small.aws.calls)
    marks.disown(small.engine, small.desired(), [ResourceId.parse(SERVICE)])
    assert [call.name for call in small.writes(start)] == ["ecs:UntagResource"]
    assert tags_of(small, arn) == {"team": "shop"}
    assert tasks(small) == before
    report, writes = during(small)
    assert writes == []
    assert "not ours" in held(report)[SERVICE]


# ----------------------------------------------------------------------------------------------------------- owned only


def test_two_objects_with_one_resource_tag_are_both_left_alone_until_one_is_untagged(stage: Stage) -> None:
    one_group(stage, "{mode: auto, selfHeal: true, prune: true}")
    ours = the_group(stage)["TargetGroupArn"]
    elb = stage.client("elbv2")
    made = elb.create_target_group(Name="copy", Protocol="HTTP", Port=80, VpcId=stage.vpc, TargetType="ip")
    copy = made["TargetGroups"][0]["TargetGroupArn"]
    tag(stage, copy, **{key.partition(":")[2]: value for key, value in tags_of(stage, ours).items()})
    stage.edit("base/web.yaml", ("/a", "/b"))
    stage.commit("another path")
    report, writes = during(stage)
    assert writes == []
    assert ours in held(report)[WEB]
    assert copy in held(report)[WEB]
    drop(stage, "base/web.yaml")
    stage.write({"base/other.yaml": group(stage, name="other")})
    stage.commit("and gone")
    report, _ = during(stage)
    assert {ours, copy} <= {one["TargetGroupArn"] for one in elb.describe_target_groups()["TargetGroups"]}
    assert "2 objects carry its tag" in held(report)[WEB]


def test_a_tag_that_names_another_kind_proves_nothing(stage: Stage) -> None:
    one_group(stage, PRUNE)
    elb = stage.client("elbv2")
    made = elb.create_target_group(Name="copied", Protocol="HTTP", Port=80, VpcId=stage.vpc, TargetType="ip")
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    tag(stage, arn, environment="acme/test", resource="Service/web", commit=stage.head, digest="v1:1")
    report, writes = during(stage)
    assert writes == []
    assert len(report.statuses) == 1


def test_an_object_of_another_environment_with_the_same_name_is_refused(stage: Stage) -> None:
    one_group(stage)
    arn = stage.client("ecs").create_cluster(clusterName="shop")["cluster"]["clusterArn"]
    tag(stage, arn, environment="acme/other", resource="Cluster/shop")
    stage.write({"base/cluster.yaml": "apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: shop}\nspec: {}\n"})
    stage.commit("a cluster that somebody has")
    report, writes = during(stage)
    assert writes == []
    assert "belongs to acme/other and stays there" in held(report)["Cluster/shop"]


def test_credentials_of_another_account_neither_read_nor_write(stage: Stage) -> None:
    stage.write(
        {
            "reconciler.yaml": "installation: acme\nenvironments: environments\n",
            "environments/test.yaml": environment(PRUNE).replace("123456789012", "210987654321"),
            "base/web.yaml": group(stage),
        }
    )
    stage.commit("another account")
    engine = stage.another_engine()
    engine.gate._account = "210987654321"  # type: ignore[attr-defined]  # as the commands give it
    start = len(stage.aws.calls)
    with pytest.raises(Exception, match="nothing was read or written"):
        engine.run(stage.desired(engine), AUTO)
    assert [call.name for call in stage.aws.calls[start:]] == ["sts:GetCallerIdentity"]
