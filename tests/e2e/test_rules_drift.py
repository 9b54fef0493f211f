"""Drift of services: shown field by field, put back by the revision that is there, and what is nobody's to touch."""

from __future__ import annotations

from tests.e2e.rules_kit import AUTO, causes, content, during, held, names, status, tag, tags_of, the_service
from tests.e2e.stage import Stage, environment

_READ_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
)


def change_by_hand(stage: Stage, service: str = "web", **variables: str) -> str:
    """Register another revision with other environment variables, and deploy it, as a hurried person does."""
    ecs = stage.client("ecs")
    live = {key: value for key, value in content(stage).items() if key not in _READ_ONLY}
    [container] = live["containerDefinitions"]
    kept = {item["name"]: item["value"] for item in container["environment"]} | variables
    container["environment"] = [{"name": name, "value": value} for name, value in kept.items()]
    arn = str(ecs.register_task_definition(**live)["taskDefinition"]["taskDefinitionArn"])
    ecs.update_service(cluster="shop", service=service, taskDefinition=arn)
    return arn


def variables(stage: Stage) -> dict[str, str]:
    return {item["name"]: item["value"] for item in content(stage)["containerDefinitions"][0]["environment"]}


def let_pass(stage: Stage, seconds: int = 60) -> None:
    for _ in range(seconds // 5):
        stage.tick()


def test_a_variable_and_a_count_changed_by_hand_are_shown_field_by_field_and_put_back(small: Stage) -> None:
    small.settle()
    first = the_service(small)["taskDefinition"]
    change_by_hand(small, LOG_LEVEL="debug", EXTRA="1")
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    let_pass(small)
    start = len(small.aws.calls)
    report = small.run(AUTO)
    assert causes(report, "Service/web") == {
        "desiredCount": "drifted",
        "taskDefinition.containerDefinitions[app].environment[LOG_LEVEL].value": "drifted",
        "taskDefinition.containerDefinitions[app].environment[EXTRA].name": "drifted",
        "taskDefinition.containerDefinitions[app].environment[EXTRA].value": "drifted",
    }
    level = next(item for item in status(report, "Service/web").differences if "LOG_LEVEL" in item.field)
    assert (level.desired, level.live) == ("info", "debug")
    small.settle(order=AUTO)
    assert names(small.writes(start)) == ["UpdateService"]  # the revision is there: none is registered
    assert the_service(small)["taskDefinition"] == first
    assert (the_service(small)["desiredCount"], variables(small)) == (2, {"LOG_LEVEL": "info"})
    small.assert_no_differences()


def test_without_self_heal_drift_is_told_and_left(small: Stage) -> None:
    small.write({"environments/test.yaml": environment("{mode: auto}")})
    small.commit("only watch")
    small.settle()
    change_by_hand(small, LOG_LEVEL="debug")
    let_pass(small)
    report, writes = during(small)
    assert writes == []
    assert set(causes(report, "Service/web").values()) == {"drifted"}
    assert report.sync.value == "OutOfSync"
    assert report.settled


def test_a_new_image_over_drift_says_what_its_revision_carries_along(small: Stage) -> None:
    small.write({"environments/test.yaml": environment("{mode: auto}")})
    small.commit("only commits")
    small.settle()
    change_by_hand(small, LOG_LEVEL="debug")
    let_pass(small)
    small.edit("base/service.yaml", ("web:1", "web:2"))
    small.commit("a new image")
    report = small.run(AUTO)
    [update] = [action for action in report.plan.actions if action.id == "Service/web:update"]
    assert any("also puts back" in note and "LOG_LEVEL" in note for note in update.notes)
    small.settle(order=AUTO)
    assert variables(small) == {"LOG_LEVEL": "info"}


def test_equal_content_in_another_revision_is_no_drift(small: Stage) -> None:
    small.settle()
    change_by_hand(small)
    let_pass(small)
    report, writes = during(small)
    assert (causes(report, "Service/web"), writes) == ({}, [])


def test_a_count_is_never_touched_while_a_scalable_target_lives_whoever_made_it(small: Stage) -> None:
    small.settle()
    scaling = small.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=5)
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=4)
    let_pass(small)
    start = len(small.aws.calls)
    report, writes = during(small)
    assert (causes(report, "Service/web"), writes) == ({}, [])
    small.edit("base/service.yaml", ("desiredCount: 2", "desiredCount: 3"), ("web:1", "web:2"))
    small.commit("another count and another image")
    small.settle(order=AUTO)
    [update] = [call.parameters for call in small.writes(start) if call.operation == "UpdateService"]
    assert "desiredCount" not in update
    assert the_service(small)["desiredCount"] == 4
    small.assert_no_differences()
    scaling.deregister_scalable_target(**target)
    small.settle(order=AUTO)
    assert the_service(small)["desiredCount"] == 3


def test_tags_of_others_are_left_alone_and_declared_ones_are_put_back(small: Stage) -> None:
    small.edit("base/service.yaml", ("spec:\n  cluster", "spec:\n  tags: [{key: team, value: shop}]\n  cluster"))
    small.commit("a tag")
    small.settle()
    arn = the_service(small)["serviceArn"]
    ecs = small.client("ecs")
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "cost", "value": "42"}, {"key": "team", "value": "other"}])
    report, writes = during(small)
    assert causes(report, "Service/web") == {"tags[team].value": "drifted"}
    assert writes[0].operation == "TagResource"
    found = tags_of(small, arn)
    assert (found["cost"], found["team"]) == ("42", "shop")


def test_drift_while_the_controller_was_away_is_found_by_the_next_process(small: Stage) -> None:
    small.settle()
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=5)
    small.restart()
    report = small.run(AUTO)
    assert causes(report, "Service/web") == {"desiredCount": "drifted"}
    small.settle(order=AUTO)
    assert the_service(small)["desiredCount"] == 2


def test_a_count_changed_by_hand_during_a_rollout_does_not_stop_the_rollout(small: Stage) -> None:
    small.settle()
    small.edit("base/service.yaml", ("web:1", "web:2"))
    small.commit("a rollout")
    small.run(AUTO)
    small.tick()
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=3)
    report, writes = during(small)
    assert writes == []
    assert "under way" in held(report)["Service/web"]
    small.settle(order=AUTO)
    assert the_service(small)["desiredCount"] == 2
    assert content(small)["containerDefinitions"][0]["image"].endswith(":2")


def test_an_object_deleted_by_hand_is_made_again(small: Stage) -> None:
    small.settle()
    elb = small.client("elbv2")
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    [arn] = [rule["RuleArn"] for rule in rules if rule["Priority"] == "10"]
    elb.delete_rule(RuleArn=arn)
    _, writes = during(small)
    assert names(writes) == ["CreateRule"]
    small.settle(order=AUTO)
    small.assert_no_differences()


def test_a_copied_tag_on_another_kind_makes_nothing_ours(small: Stage) -> None:
    small.settle()
    arn = small.client("ecs").create_cluster(clusterName="foreign")["cluster"]["clusterArn"]
    tag(small, arn, environment="acme/test", resource="Service/foreign", commit=small.head)
    report, writes = during(small)
    assert writes == []
    assert "foreign" not in str(report.plan.to_json())
