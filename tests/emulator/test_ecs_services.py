"""Creating, describing, listing and deleting services on the emulated ECS, over HTTP."""

from __future__ import annotations

from typing import Any

HIDDEN = {"serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"}
"""Not members of Service: they are read from its deployments."""
REVISION_ONLY = {"gatewayConnectors", "monitoring"}
"""Read from the service's revision only."""


def example(shape: Any, name: str) -> Any:
    """Return a value of a botocore shape with every member set."""
    match shape.type_name:
        case "structure":
            return {key: example(member, key) for key, member in shape.members.items()}
        case "list":
            return [example(shape.member, name)]
        case "boolean":
            return True
        case "integer":
            return 60
    return shape.enum[0] if getattr(shape, "enum", None) else f"arn:aws:{name}"


def full(shop: Any) -> dict[str, Any]:
    """Return a CreateService request with every member that a rolling service on Fargate can have."""
    shop.ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )
    volume = {"name": "data", "configuredAtLaunch": True}
    shop.ecs.register_task_definition(
        family="web",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        volumes=[volume],
        containerDefinitions=[
            {"name": "app", "image": "a:1", "portMappings": [{"containerPort": 8080, "name": "http"}]}
        ],
    )
    model = shop.ecs.meta.service_model
    groups = shop.aws.client("ec2").describe_security_groups()["SecurityGroups"]
    request = {
        "cluster": "shop",
        "serviceName": "web",
        "taskDefinition": "web",
        "availabilityZoneRebalancing": "DISABLED",
        "loadBalancers": [{"targetGroupArn": shop.target_group(), "containerName": "app", "containerPort": 8080}],
        "serviceRegistries": [
            {"registryArn": "arn:aws:servicediscovery:r", "containerName": "app", "containerPort": 8080}
        ],
        "desiredCount": 2,
        "clientToken": "token",
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
        "platformVersion": "1.4.0",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 150,
            "minimumHealthyPercent": 50,
            "alarms": {"alarmNames": ["bad"], "rollback": True, "enable": False},
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 1,
        },
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": shop.subnets,
                "securityGroups": [groups[0]["GroupId"]],
                "assignPublicIp": "ENABLED",
            }
        },
        "healthCheckGracePeriodSeconds": 30,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "tags": [{"key": "team", "value": "shop"}],
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": True,
        "serviceConnectConfiguration": {"enabled": True, "namespace": "shop", "services": [{"portName": "http"}]},
        "volumeConfigurations": [
            {"name": "data", "managedEBSVolume": {"sizeInGiB": 20, "roleArn": "arn:aws:iam::123456789012:role/ebs"}}
        ],
        "vpcLatticeConfigurations": [
            {"roleArn": "arn:aws:iam::1:role/l", "targetGroupArn": "arn:t", "portName": "http"}
        ],
    }
    members = model.operation_model("CreateService").input_shape.members
    return request | {member: example(members[member], member) for member in REVISION_ONLY if member in members}


def contains(answer: Any, sent: Any) -> bool:
    """Whether everything that was sent came back; more may have."""
    if isinstance(sent, dict):
        return all(key in answer and contains(answer[key], sent[key]) for key in sent)
    if isinstance(sent, list):
        return len(answer) == len(sent) and all(contains(a, s) for a, s in zip(answer, sent, strict=True))
    return bool(answer == sent)


ELSEWHERE = {"launchType", "role", "placementConstraints", "placementStrategy"}
"""Members that a Fargate service with a capacity provider strategy cannot have."""


def test_every_member_of_create_service_comes_back(shop):
    request = full(shop)
    model = shop.ecs.meta.service_model.operation_model("CreateService").input_shape
    assert set(model.members) - set(request) == ELSEWHERE, "the model has a new member: is it kept?"
    shop.ecs.create_service(**request)
    service = shop.describe(include=["TAGS"])
    revision_arn = service["currentServiceRevisions"][0]["arn"]
    revision = shop.ecs.describe_service_revisions(serviceRevisionArns=[revision_arn])["serviceRevisions"][0]
    computed = {"cluster", "clientToken", "taskDefinition", "deploymentConfiguration"}
    for member, value in request.items():
        if member in computed:
            continue
        place = service["deployments"][0] if member in HIDDEN else revision if member in REVISION_ONLY else service
        assert contains(place[member], value), member
    assert service["taskDefinition"].endswith(":task-definition/web:1")
    configuration = service["deploymentConfiguration"]
    breaker = configuration.pop("deploymentCircuitBreaker")
    assert (breaker["enable"], breaker["rollback"]) == (True, True)
    sent = dict(request["deploymentConfiguration"])
    del sent["deploymentCircuitBreaker"]
    assert configuration == sent


def test_a_service_that_declares_nothing_comes_back_with_the_defaults_of_aws(shop):
    shop.define()
    group = shop.target_group()
    shop.create(loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}])
    service = shop.describe()
    breaker = service["deploymentConfiguration"].pop("deploymentCircuitBreaker")
    assert (breaker["enable"], breaker["rollback"]) == (False, False)
    assert service["deploymentConfiguration"] == {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "alarms": {"alarmNames": [], "enable": False, "rollback": False},
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    expected = {
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "propagateTags": "NONE",
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "healthCheckGracePeriodSeconds": 0,
        "availabilityZoneRebalancing": "ENABLED",
        "placementConstraints": [],
        "placementStrategy": [],
        "serviceRegistries": [],
        "roleArn": "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    }
    assert {member: service[member] for member in expected} == expected
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == "DISABLED"
    assert len(network["securityGroups"]) == 1
    assert "tags" not in service


def test_without_a_launch_type_the_clusters_default_strategy_is_echoed(shop):
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    shop.ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=strategy
    )
    shop.define()
    service = shop.create(launchType=None)
    assert service["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    assert "launchType" not in service
    shop.aws.tick()
    assert {task["capacityProviderName"] for task in shop.tasks()} == {"FARGATE_SPOT"}


def test_accounts_and_regions_have_services_of_their_own(shop):
    shop.define()
    here = shop.create()
    assert here["createdBy"] == "arn:aws:iam::123456789012:root"
    role = shop.aws.client("sts").assume_role(RoleArn="arn:aws:iam::999999999999:role/ship", RoleSessionName="tests")
    keys = role["Credentials"]
    session = {
        "access_key": keys["AccessKeyId"],
        "secret_key": keys["SecretAccessKey"],
        "session_token": keys["SessionToken"],
    }
    for client in (shop.aws.client("ecs", region="eu-west-1"), shop.aws.client("ecs", **session)):
        client.create_cluster(clusterName="shop")
        answer = client.describe_services(cluster="shop", services=["web", here["serviceArn"]])
        assert answer["services"] == []
        assert client.list_task_definitions()["taskDefinitionArns"] == []
        app = {"name": "app", "image": "registry.example/web:1", "memory": 128}
        definition = client.register_task_definition(family="web", containerDefinitions=[app])["taskDefinition"]
        service = client.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=0)[
            "service"
        ]
        account = client.meta.region_name if client.meta.region_name != "us-east-1" else "999999999999"
        assert account in service["serviceArn"]
        assert definition["taskDefinitionArn"] == service["taskDefinition"]
    assert service["createdBy"] == "arn:aws:iam::999999999999:role/ship"
    shop.settle()
    assert shop.describe()["runningCount"] == 3


def test_placement_strategies_come_back_in_the_form_of_aws(shop):
    shop.define(fargate=False)
    given = [{"type": "spread", "field": "host"}, {"type": "binpack", "field": "memory"}]
    service = shop.create_on_ec2(placementStrategy=given)
    assert service["placementStrategy"] == [
        {"type": "spread", "field": "instanceId"},
        {"type": "binpack", "field": "MEMORY"},
    ]


def test_a_second_create_with_the_same_token_returns_the_first(shop):
    shop.define()
    first = shop.create(clientToken="one")
    assert shop.create(clientToken="one")["serviceArn"] == first["serviceArn"]
    assert len(shop.describe()["deployments"]) == 1
    not_idempotent = ("InvalidParameterException", "Creation of service was not idempotent.")
    assert shop.refused(shop.create, clientToken="one", desiredCount=4) == not_idempotent
    assert shop.refused(shop.create, clientToken="two") == not_idempotent
    assert shop.refused(shop.create) == not_idempotent


def test_describe_takes_ten_and_lists_what_is_missing(shop):
    shop.define()
    shop.create()
    answer = shop.ecs.describe_services(cluster="shop", services=["web", "none"])
    assert [service["serviceName"] for service in answer["services"]] == ["web"]
    missing = {"arn": "arn:aws:ecs:us-east-1:123456789012:service/shop/none", "reason": "MISSING"}
    assert answer["failures"] == [missing]
    by_arn = shop.ecs.describe_services(cluster="shop", services=[answer["services"][0]["serviceArn"]])["services"]
    assert by_arn[0]["serviceName"] == "web"
    eleven = shop.refused(shop.ecs.describe_services, cluster="shop", services=[f"s{n}" for n in range(11)])
    assert eleven[0] == "InvalidParameterException"


def test_services_are_listed_ten_to_a_page_unless_asked_otherwise(shop):
    shop.define()
    for number in range(12):
        shop.create(serviceName=f"s{number:02}", desiredCount=0)
    first = shop.ecs.list_services(cluster="shop")
    assert len(first["serviceArns"]) == 10
    rest = shop.ecs.list_services(cluster="shop", nextToken=first["nextToken"])
    assert len(rest["serviceArns"]) == 2
    assert "nextToken" not in rest
    assert len(shop.ecs.list_services(cluster="shop", maxResults=100)["serviceArns"]) == 12
    assert shop.ecs.list_services(cluster="shop", launchType="EC2")["serviceArns"] == []
    assert shop.refused(shop.ecs.list_services, cluster="shop", nextToken="bad")[0] == "InvalidParameterException"


def test_a_service_drains_before_it_is_inactive_and_its_name_free(shop):
    shop.define()
    shop.create()
    shop.settle()
    assert shop.refused(shop.ecs.delete_service, cluster="shop", service="web") == (
        "InvalidParameterException",
        "The service cannot be stopped while it is scaled above 0.",
    )
    assert shop.ecs.delete_service(cluster="shop", service="web", force=True)["service"]["status"] == "DRAINING"
    assert "still Draining" in shop.refused(shop.create)[1]
    shop.until(lambda service: service["status"] == "INACTIVE", within=10)
    assert shop.ecs.list_services(cluster="shop")["serviceArns"] == []
    assert shop.refused(shop.update, desiredCount=1) == ("ServiceNotActiveException", "Service was not ACTIVE.")
    assert shop.create()["status"] == "ACTIVE"
    history = shop.ecs.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]
    assert [entry["status"] for entry in history] == ["PENDING", "SUCCESSFUL"]


def test_a_service_of_old_arns_can_be_seen_but_not_tagged(shop):
    shop.ecs.put_account_setting(name="serviceLongArnFormat", value="disabled")
    shop.define()
    arn = shop.create()["serviceArn"]
    assert arn == "arn:aws:ecs:us-east-1:123456789012:service/web"
    refusal = shop.refused(shop.ecs.tag_resource, resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    assert "Long arn format must be used" in refusal[1]


def test_application_auto_scaling_finds_the_service(shop):
    shop.define()
    shop.create()
    scaling = shop.aws.client("application-autoscaling")
    members = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 1,
        "MaxCapacity": 4,
    }
    scaling.register_scalable_target(ResourceId="service/shop/web", **members)
    assert shop.refused(scaling.register_scalable_target, ResourceId="service/shop/none", **members)


def test_defaults_of_service_connect_and_volumes_are_filled_in(shop):
    shop.ecs.create_service(**full(shop))
    deployment = shop.describe()["deployments"][0]
    assert deployment["serviceConnectConfiguration"]["services"] == [{"portName": "http", "discoveryName": "http"}]
    volume = deployment["volumeConfigurations"][0]["managedEBSVolume"]
    assert (volume["encrypted"], volume["filesystemType"], volume["volumeType"]) == (True, "xfs", "gp3")


def test_a_service_under_another_controller_keeps_task_sets_and_runs_nothing(shop):
    shop.define()
    network = {"awsvpcConfiguration": {"subnets": shop.subnets}}
    shop.create(
        deploymentController={"type": "EXTERNAL"}, taskDefinition=None, networkConfiguration=None, launchType=None
    )
    made = shop.ecs.create_task_set(
        cluster="shop",
        service="web",
        taskDefinition="web",
        launchType="FARGATE",
        networkConfiguration=network,
        scale={"value": 50.0, "unit": "PERCENT"},
    )["taskSet"]
    shop.ecs.update_service_primary_task_set(cluster="shop", service="web", primaryTaskSet=made["taskSetArn"])
    shop.aws.tick(steps=5)
    service = shop.describe()
    assert [(item["taskSetArn"], item["status"]) for item in service["taskSets"]] == [(made["taskSetArn"], "PRIMARY")]
    assert service["taskDefinition"].endswith("/web:1")
    assert service["deployments"] == []
    assert shop.ecs.list_tasks(cluster="shop")["taskArns"] == []


def test_services_of_a_namespace_are_listed(shop):
    shop.define()
    arn = shop.create(serviceConnectConfiguration={"enabled": True, "namespace": "shop"})["serviceArn"]
    shop.create(serviceName="other")
    assert shop.ecs.list_services_by_namespace(namespace="shop")["serviceArns"] == [arn]
