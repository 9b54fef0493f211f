"""Rollouts that fail on the emulated ECS: crashes, sick targets, missing images, alarms; rollback and its record."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.ecs.site import Site

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
NO_ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}


def settled(shop: Any, configuration: Any = BREAKER, desired: int = 2) -> str:
    """Settle `web` at revision 1 behind a target group. Returns the revision's ARN."""
    balancer = [{"targetGroupArn": shop.target_group(), "containerName": "app", "containerPort": 8080}]
    arn = shop.define("1")
    shop.create(desiredCount=desired, loadBalancers=balancer, deploymentConfiguration=configuration)
    shop.settle()
    return str(arn)


def ended(shop: Any, within: int = 120) -> Any:
    """Tick until the newest service deployment has ended. Returns it."""
    for _ in range(within):
        shop.aws.tick()
        deployment = shop.deployment()
        if "finishedAt" in deployment:
            return deployment
    raise AssertionError(deployment)


REASONS = [
    ("crash", "EssentialContainerExited", "Essential container in task exited", 1),
    ("missing", "TaskFailedToStart", "CannotPullContainerError", None),
    ("unhealthy", "ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group arn:", 0),
]


@pytest.mark.parametrize(("tag", "code", "reason", "exit_code"), REASONS)
def test_a_broken_image_is_rolled_back_and_its_tasks_say_why(shop, tag, code, reason, exit_code):
    good = settled(shop)
    bad = shop.define(tag)
    shop.update(taskDefinition=bad)
    deployment = ended(shop)
    assert deployment["status"] == "ROLLBACK_SUCCESSFUL"
    assert "circuit breaker" in deployment["statusReason"]
    assert shop.describe()["taskDefinition"] == good
    broken = [task for task in shop.tasks("STOPPED") if task["taskDefinitionArn"] == bad and task["stopCode"] == code]
    assert len(broken) >= 3
    assert all(reason in task["stoppedReason"] for task in broken)
    assert {task["containers"][0].get("exitCode") for task in broken} == {exit_code}
    if tag == "missing":
        assert "CannotPullContainerError" in broken[0]["containers"][0]["reason"]


def test_the_record_of_a_rollback_names_both_revisions(shop):
    good = settled(shop)
    old = shop.describe()["currentServiceRevisions"][0]["arn"]
    bad = shop.define("crash")
    shop.update(taskDefinition=bad)
    target = shop.deployment()["targetServiceRevision"]["arn"]
    seen = []
    for _ in range(60):
        shop.aws.tick()
        deployment = shop.deployment()
        if deployment["status"] not in seen:
            seen.append(deployment["status"])
    assert seen == ["IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    assert deployment["targetServiceRevision"]["arn"] == target
    assert [source["arn"] for source in deployment["sourceServiceRevisions"]] == [old]
    assert deployment["rollback"]["serviceRevisionArn"] == old
    breaker = deployment["deploymentCircuitBreaker"]
    assert (breaker["status"], breaker["threshold"]) == ("TRIGGERED", 3)
    assert breaker["failureCount"] >= 3
    revisions = shop.ecs.describe_service_revisions(serviceRevisionArns=[old, target])["serviceRevisions"]
    assert [revision["taskDefinition"] for revision in revisions] == [good, bad]


def test_during_a_rollback_the_failed_deployment_is_marked(shop):
    settled(shop)
    first = shop.describe()["deployments"][0]["id"]
    shop.define("crash")
    second = shop.update(taskDefinition="web")["deployments"][0]["id"]
    shop.until(lambda service: service["deployments"][0]["id"] == first)
    primary, failed = shop.describe()["deployments"]
    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert primary["rolloutStateReason"] == f"ECS deployment circuit breaker: rolling back to deploymentId {first}."
    assert (failed["id"], failed["status"], failed["rolloutState"]) == (second, "ACTIVE", "FAILED")
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert f"(service web) (deployment {second}) deployment failed: tasks failed to start." in shop.messages()
    assert f"(service web) rolling back to deployment {first}." in shop.messages()
    shop.settle()
    assert shop.messages()[-1] == "(service web) has reached a steady state."


def test_the_old_tasks_serve_through_a_failed_rollout(shop):
    settled(shop)
    before = {task["taskArn"] for task in shop.tasks()}
    shop.define("unhealthy")
    shop.update(taskDefinition="web")
    ended(shop)
    assert {task["taskArn"] for task in shop.tasks()} == before


def test_a_rollback_restores_every_member_of_the_revision(shop):
    settled(shop)
    before = shop.describe()
    shop.define("crash")
    network = {"awsvpcConfiguration": {"subnets": shop.subnets[:1]}}
    shop.update(taskDefinition="web", networkConfiguration=network, platformVersion="1.3.0", loadBalancers=[])
    ended(shop)
    after = shop.describe()
    for member in ("taskDefinition", "networkConfiguration", "platformVersion", "loadBalancers"):
        assert after[member] == before[member]


def test_a_rollback_starts_the_old_revision_again_where_it_had_to_stop_first(shop):
    good = settled(shop, BREAKER | {"minimumHealthyPercent": 0, "maximumPercent": 100}, desired=1)
    shop.define("crash")
    shop.update(taskDefinition="web")
    assert ended(shop)["status"] == "ROLLBACK_SUCCESSFUL"
    assert [task["taskDefinitionArn"] for task in shop.tasks()] == [good]


def test_a_rollback_that_fails_too_ends_there(shop):
    settled(shop, BREAKER | {"minimumHealthyPercent": 0, "maximumPercent": 100}, desired=1)
    site = Site.of("123456789012", "us-east-1")
    shop.define("crash")
    shop.update(taskDefinition="web")
    for container in site.backend.task_definitions["web"][1].container_definitions:
        container["image"] = "registry.example/web:missing"  # gone from the registry since
    assert ended(shop)["status"] == "ROLLBACK_FAILED"
    assert shop.describe()["deployments"][0]["rolloutState"] == "FAILED"


def test_without_rollback_a_failed_deployment_just_stops(shop):
    settled(shop, NO_ROLLBACK)
    bad = shop.define("crash")
    shop.update(taskDefinition="web")
    deployment = ended(shop)
    assert deployment["status"] == "STOPPED"
    assert "stoppedAt" in deployment
    assert shop.describe()["taskDefinition"] == bad
    started = len(shop.tasks("STOPPED"))
    shop.aws.tick(steps=30)
    assert len(shop.tasks("STOPPED")) == started, "a failed deployment launches nothing"
    assert shop.describe()["runningCount"] == 2, "the old tasks run on"


def test_without_a_circuit_breaker_a_broken_deployment_goes_on_for_ever(shop):
    settled(shop, {})
    shop.define("crash")
    shop.update(taskDefinition="web")
    shop.aws.tick(seconds=300)
    primary = shop.describe()["deployments"][0]
    assert primary["rolloutState"] == "IN_PROGRESS"
    assert primary["failedTasks"] > 3
    assert shop.deployment()["status"] == "IN_PROGRESS"
    assert any("unable to consistently start tasks successfully" in message for message in shop.messages())


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(shop):
    shop.define("crash")
    shop.create(deploymentConfiguration=BREAKER)
    assert ended(shop)["status"] == "ROLLBACK_FAILED"
    shop.define("2")
    shop.update(taskDefinition="web")
    shop.settle()
    assert shop.deployment()["status"] == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("desired", "configured", "threshold"),
    [(1, None, 3), (10, None, 5), (1000, None, 200), (4, ("COUNT", 1), 1), (4, ("UNBOUNDED_PERCENT", 50), 2)],
)
def test_the_threshold_of_the_circuit_breaker(shop, desired, configured, threshold):
    breaker: dict[str, Any] = {"enable": True, "rollback": True}
    if configured is not None:
        breaker["thresholdConfiguration"] = {"type": configured[0], "value": configured[1]}
    shop.define()
    shop.create(desiredCount=desired, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    assert shop.deployment()["deploymentCircuitBreaker"]["threshold"] == threshold


def test_the_grace_period_lets_a_sick_target_be(shop):
    balancer = [{"targetGroupArn": shop.target_group(), "containerName": "app", "containerPort": 8080}]
    shop.define("unhealthy")
    shop.create(desiredCount=1, loadBalancers=balancer, healthCheckGracePeriodSeconds=60)
    shop.aws.tick(steps=50)
    assert shop.tasks("STOPPED") == []
    shop.aws.tick(steps=30)
    assert "Task failed ELB health checks" in shop.tasks("STOPPED")[0]["stoppedReason"]


def test_a_failing_container_health_check_replaces_the_task(shop):
    shop.define("unhealthy", healthCheck={"command": ["CMD", "true"]})
    shop.create(desiredCount=1)
    shop.aws.tick(steps=9)
    assert shop.tasks("STOPPED")[0]["stoppedReason"] == "Task failed container health checks"


def test_an_alarm_rolls_a_deployment_back(shop):
    alarms = {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}
    cloudwatch = shop.aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="Errors",
        Namespace="shop",
        Period=60,
        Statistic="Sum",
        Threshold=1.0,
    )
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="test")
    good = settled(shop, alarms)
    shop.define("2")
    shop.update(taskDefinition="web")
    shop.aws.tick(steps=4)
    assert shop.deployment()["alarms"]["status"] == "MONITORING"
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    deployment = ended(shop)
    assert deployment["status"] == "ROLLBACK_SUCCESSFUL"
    assert deployment["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["errors"],
        "triggeredAlarmNames": ["errors"],
    }
    assert shop.describe()["taskDefinition"] == good
    assert any(message.endswith("deployment failed: alarm detected.") for message in shop.messages())


def test_a_crash_after_the_rollout_is_repaired_without_a_new_deployment(shop):
    settled(shop)
    deployment = shop.describe()["deployments"][0]["id"]
    shop.ecs.stop_task(cluster="shop", task=shop.tasks()[0]["taskArn"], reason="by hand")
    shop.until(lambda service: service["runningCount"] == 1)
    shop.until(lambda service: service["runningCount"] == 2)
    assert [d["id"] for d in shop.describe()["deployments"]] == [deployment]
    (stopped,) = shop.tasks("STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "by hand")
