"""Clusters on the emulated ECS, over HTTP."""

from __future__ import annotations

FULL = {
    "clusterName": "full",
    "tags": [{"key": "team", "value": "shop"}],
    "settings": [{"name": "containerInsights", "value": "enhanced"}],
    "configuration": {
        "executeCommandConfiguration": {
            "kmsKeyId": "key",
            "logging": "OVERRIDE",
            "logConfiguration": {"cloudWatchLogGroupName": "exec", "cloudWatchEncryptionEnabled": True},
        },
        "managedStorageConfiguration": {"kmsKeyId": "key2", "fargateEphemeralStorageKmsKeyId": "key3"},
    },
    "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
    "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 2}],
    "serviceConnectDefaults": {"namespace": "shop"},
}
ALL = ["TAGS", "SETTINGS", "CONFIGURATIONS", "STATISTICS", "ATTACHMENTS"]


def test_every_member_of_create_cluster_comes_back(emulator):
    ecs = emulator.client("ecs")
    ecs.create_cluster(**FULL)
    described = ecs.describe_clusters(clusters=["full"], include=ALL)["clusters"][0]
    assert {member: described[member] for member in FULL} == FULL
    accepted = set(ecs.meta.service_model.operation_model("CreateCluster").input_shape.members)
    assert accepted == set(FULL), "the model has a new member: is it kept?"


def test_what_include_does_not_name_comes_back_empty(emulator):
    ecs = emulator.client("ecs")
    ecs.create_cluster(**FULL)
    described = ecs.describe_clusters(clusters=["full"])["clusters"][0]
    assert (described["tags"], described["settings"], described["statistics"]) == ([], [], [])
    assert "configuration" not in described
    assert described["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


def test_a_second_create_of_the_same_name_returns_the_first_unchanged(emulator):
    ecs = emulator.client("ecs")
    ecs.create_cluster(**FULL)
    again = ecs.create_cluster(clusterName="full", settings=[{"name": "containerInsights", "value": "disabled"}])
    assert again["cluster"]["settings"] == FULL["settings"]
    assert len(ecs.list_clusters()["clusterArns"]) == 1


def test_a_missing_cluster_is_a_failure_in_describe_and_an_error_elsewhere(shop):
    answer = shop.ecs.describe_clusters(clusters=["shop", "none"])
    assert [cluster["clusterName"] for cluster in answer["clusters"]] == ["shop"]
    assert answer["failures"] == [
        {"arn": "arn:aws:ecs:us-east-1:123456789012:cluster/none", "reason": "MISSING"},
    ]
    assert shop.refused(shop.ecs.list_services, cluster="none")[0] == "ClusterNotFoundException"


def test_accounts_and_regions_do_not_see_each_other(emulator):
    emulator.client("ecs").create_cluster(clusterName="shop")
    arn = "arn:aws:ecs:us-east-1:123456789012:cluster/shop"
    elsewhere = emulator.client("ecs", region="eu-west-1")
    assert elsewhere.describe_clusters(clusters=["shop", arn])["clusters"] == []
    sts = emulator.client("sts")
    role = sts.assume_role(RoleArn="arn:aws:iam::999999999999:role/deployer", RoleSessionName="tests")["Credentials"]
    other = emulator.client(
        "ecs",
        access_key=role["AccessKeyId"],
        secret_key=role["SecretAccessKey"],
        session_token=role["SessionToken"],
    )
    assert other.describe_clusters(clusters=["shop", arn])["clusters"] == []


def test_settings_are_merged_by_name_and_the_rest_is_kept(emulator):
    ecs = emulator.client("ecs")
    ecs.create_cluster(**FULL)
    ecs.update_cluster(cluster="full", serviceConnectDefaults={"namespace": "other"})
    settings = [{"name": "containerInsights", "value": "disabled"}]
    ecs.update_cluster_settings(cluster="full", settings=settings)
    described = ecs.describe_clusters(clusters=["full"], include=ALL)["clusters"][0]
    assert described["settings"] == settings
    assert described["serviceConnectDefaults"] == {"namespace": "other"}
    assert described["configuration"] == FULL["configuration"]


def test_put_cluster_capacity_providers_replaces_both_lists(shop):
    providers = shop.ecs.put_cluster_capacity_providers
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 3}]
    providers(cluster="shop", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=strategy)
    cluster = providers(cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[])["cluster"]
    assert (cluster["capacityProviders"], cluster["defaultCapacityProviderStrategy"]) == (["FARGATE"], [])
    unknown = shop.refused(providers, cluster="shop", capacityProviders=["x"], defaultCapacityProviderStrategy=[])
    assert unknown[0] == "InvalidParameterException"
    foreign = shop.refused(
        providers, cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy
    )
    assert "not associated with the cluster" in foreign[1]


def test_a_provider_that_a_service_uses_cannot_be_taken_away(shop):
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    shop.ecs.put_cluster_capacity_providers(
        cluster="shop", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )
    shop.define()
    shop.create(launchType=None, capacityProviderStrategy=strategy)
    refusal = shop.refused(
        shop.ecs.put_cluster_capacity_providers,
        cluster="shop",
        capacityProviders=[],
        defaultCapacityProviderStrategy=[],
    )
    assert refusal[0] == "ResourceInUseException"


def test_a_cluster_with_services_or_tasks_is_not_deleted(shop):
    shop.define()
    shop.create(desiredCount=1)
    assert shop.refused(shop.ecs.delete_cluster, cluster="shop")[0] == "ClusterContainsServicesException"
    shop.ecs.delete_service(cluster="shop", service="web", force=True)
    shop.ecs.run_task(
        cluster="shop",
        taskDefinition="web",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": shop.subnets}},
    )
    shop.aws.tick(steps=2)
    assert shop.refused(shop.ecs.delete_cluster, cluster="shop")[0] == "ClusterContainsTasksException"
    task = shop.ecs.list_tasks(cluster="shop")["taskArns"][0]
    shop.ecs.stop_task(cluster="shop", task=task)
    shop.aws.tick(steps=5)
    assert shop.ecs.delete_cluster(cluster="shop")["cluster"]["status"] == "INACTIVE"


def test_a_deleted_cluster_is_described_as_inactive_listed_nowhere_and_can_be_made_again(shop):
    shop.ecs.delete_cluster(cluster="shop")
    assert shop.ecs.describe_clusters(clusters=["shop"])["clusters"][0]["status"] == "INACTIVE"
    assert shop.ecs.list_clusters()["clusterArns"] == []
    assert shop.refused(shop.ecs.delete_cluster, cluster="shop")[0] == "ClusterNotFoundException"
    assert shop.ecs.create_cluster(clusterName="shop")["cluster"]["status"] == "ACTIVE"


def test_clusters_are_listed_by_pages(emulator):
    ecs = emulator.client("ecs")
    for number in range(5):
        ecs.create_cluster(clusterName=f"c{number}")
    pages = list(ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["clusterArns"]) for page in pages] == [2, 2, 1]


def test_counts_follow_the_tasks_and_services_that_there_are(shop):
    shop.define()
    shop.create(desiredCount=2)
    shop.aws.tick()
    cluster = shop.ecs.describe_clusters(clusters=["shop"])["clusters"][0]
    assert (cluster["activeServicesCount"], cluster["pendingTasksCount"], cluster["runningTasksCount"]) == (1, 2, 0)
    shop.settle()
    cluster = shop.ecs.describe_clusters(clusters=["shop"], include=["STATISTICS"])["clusters"][0]
    assert (cluster["pendingTasksCount"], cluster["runningTasksCount"]) == (0, 2)
    assert {"name": "runningFargateTasksCount", "value": "2"} in cluster["statistics"]
