"""The deployments and revisions API of the emulated ECS, which moto lacks."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def twice(shop):
    """A service that was deployed twice."""
    shop.define("1")
    shop.create(desiredCount=1)
    shop.settle()
    shop.define("2")
    shop.update(taskDefinition="web")
    shop.settle()
    return shop


def listed(shop: Any, **filters: Any) -> Any:
    return shop.ecs.list_service_deployments(cluster="shop", service="web", **filters)["serviceDeployments"]


def test_deployments_are_listed_newest_first_and_by_status_time_and_page(twice):
    new, old = listed(twice)
    assert new["createdAt"] > old["createdAt"]
    assert listed(twice, status=["IN_PROGRESS"]) == []
    assert len(listed(twice, status=["SUCCESSFUL"])) == 2
    assert listed(twice, createdAt={"after": new["createdAt"]}) == [new]
    assert listed(twice, createdAt={"before": old["createdAt"]}) == [old]
    page = twice.ecs.list_service_deployments(cluster="shop", service="web", maxResults=1)
    rest = twice.ecs.list_service_deployments(cluster="shop", service="web", maxResults=1, nextToken=page["nextToken"])
    assert page["serviceDeployments"] + rest["serviceDeployments"] == [new, old]


def test_history_reaches_back_ninety_days(twice):
    twice.aws.tick(seconds=91 * 86400)
    assert listed(twice) == []


def test_a_deployment_is_described_with_all_that_is_known_of_it(twice):
    new, old = (entry["serviceDeploymentArn"] for entry in listed(twice))
    answer = twice.ecs.describe_service_deployments(serviceDeploymentArns=[new, old, new + "x"])
    assert answer["failures"] == [{"arn": new + "x", "reason": "MISSING"}]
    second, first = answer["serviceDeployments"]
    assert first["sourceServiceRevisions"] == []
    assert second["sourceServiceRevisions"][0]["arn"] == first["targetServiceRevision"]["arn"]
    assert second["targetServiceRevision"]["runningTaskCount"] == 1
    assert second["createdAt"] < second["startedAt"] < second["finishedAt"]
    assert second["deploymentCircuitBreaker"] == {"status": "DISABLED", "failureCount": 0, "threshold": 3}
    assert second["alarms"]["status"] == "DISABLED"
    assert second["deploymentConfiguration"]["maximumPercent"] == 200
    assert "rollback" not in second
    assert twice.describe()["currentServiceDeployment"] == new


def test_a_revision_holds_what_was_deployed(twice):
    entry = listed(twice)[1]
    answer = twice.ecs.describe_service_revisions(serviceRevisionArns=[entry["targetServiceRevisionArn"], "arn:x"])
    (revision,) = answer["serviceRevisions"]
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert revision["taskDefinition"].endswith("/web:1")
    assert revision["launchType"] == "FARGATE"
    (image,) = revision["containerImages"]
    assert (image["containerName"], image["image"]) == ("app", "registry.example/web:1")
    assert image["imageDigest"].startswith("sha256:")


def test_at_most_twenty_are_described_at_once(twice):
    many = ["arn:x"] * 21
    code = "InvalidParameterException"
    assert twice.refused(twice.ecs.describe_service_deployments, serviceDeploymentArns=many)[0] == code
    assert twice.refused(twice.ecs.describe_service_revisions, serviceRevisionArns=many)[0] == code


def test_stopping_a_deployment_rolls_it_back(twice):
    twice.define("3")
    twice.update(taskDefinition="web")
    twice.aws.tick(steps=3)
    arn = twice.deployment()["serviceDeploymentArn"]
    assert twice.ecs.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    assert twice.deployment()["status"] == "ROLLBACK_REQUESTED"
    twice.settle()
    assert twice.deployment()["status"] == "ROLLBACK_SUCCESSFUL"
    assert twice.describe()["taskDefinition"].endswith("/web:2")


def test_a_deployment_that_has_ended_cannot_be_stopped(twice):
    arn = twice.deployment()["serviceDeploymentArn"]
    stop = twice.ecs.stop_service_deployment
    assert twice.refused(stop, serviceDeploymentArn=arn)[0] == "ConflictException"
    assert twice.refused(stop, serviceDeploymentArn=arn + "x")[0] == "ServiceDeploymentNotFoundException"
    assert twice.refused(stop, serviceDeploymentArn=arn, stopType="ABORT")[0] == "InvalidParameterException"


def test_a_first_deployment_cannot_be_stopped_as_there_is_nothing_to_go_back_to(shop):
    shop.define()
    shop.create()
    arn = shop.deployment()["serviceDeploymentArn"]
    assert shop.refused(shop.ecs.stop_service_deployment, serviceDeploymentArn=arn)[0] == "ConflictException"


def test_continuing_is_refused_as_no_rolling_deployment_waits(twice):
    arn = twice.deployment()["serviceDeploymentArn"]
    refusal = twice.refused(twice.ecs.continue_service_deployment, serviceDeploymentArn=arn, hookId="hook")
    assert refusal[0] == "InvalidParameterException"
