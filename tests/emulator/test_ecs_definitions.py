"""Task definitions on the emulated ECS, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

APP: dict[str, Any] = {"name": "app", "image": "registry.example/web:1", "memory": 128}
FARGATE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
EMPTY_LISTS = (
    "command entryPoint environment environmentFiles secrets links mountPoints portMappings volumesFrom dependsOn "
    "dnsServers dnsSearchDomains extraHosts ulimits systemControls credentialSpecs resourceRequirements "
    "dockerSecurityOptions"
).split()
SKIPPED = {"environment", "healthCheck"}


def example(shape: Any, name: str = "", depth: int = 0) -> Any:
    """Return a value of a botocore shape with every member set."""
    match shape.type_name:
        case "structure":
            return {key: example(member, key, depth + 1) for key, member in shape.members.items()} if depth < 9 else {}
        case "list":
            return [example(shape.member, name, depth + 1)]
        case "map":
            return {"key": "value"}
        case "boolean":
            return True
        case "integer" | "long":
            return 7
        case "timestamp":
            return 1_700_000_000
        case "double" | "float":
            return 1.5
    return shape.enum[0] if getattr(shape, "enum", None) else f"{name}-value"


def contains(answer: Any, sent: Any, path: str = "") -> list[str]:
    """Return the paths at which what was sent did not come back."""
    if isinstance(sent, dict):
        missing = [f"{path}.{key}" for key in sent if key not in answer]
        return missing + [
            bad for key in sent if key in answer for bad in contains(answer[key], sent[key], f"{path}.{key}")
        ]
    if isinstance(sent, list):
        if len(sent) != len(answer):
            return [path]
        return [
            bad for i, (a, s) in enumerate(zip(answer, sent, strict=True)) for bad in contains(a, s, f"{path}[{i}]")
        ]
    return [] if answer == sent else [f"{path}: {sent!r} became {answer!r}"]


def test_every_member_of_the_loaded_model_comes_back(emulator):
    ecs = emulator.client("ecs")
    request = example(ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape)
    request |= {"family": "full", "cpu": "1024", "memory": "4096", "networkMode": "bridge", "pidMode": "task"}
    container = request["containerDefinitions"][0]
    container |= {
        "name": "app",
        "dependsOn": [{"containerName": "app", "condition": "START"}],
        "mountPoints": [{"sourceVolume": "name-value", "containerPath": "/x", "readOnly": True}],
    }
    ecs.register_task_definition(**request)
    answer = ecs.describe_task_definition(taskDefinition="full", include=["TAGS"])
    echoed = answer["taskDefinition"] | {"tags": answer["tags"]}
    assert contains(echoed, request) == []
    assert set(container) == set(ecs.meta.service_model.shape_for("ContainerDefinition").members)


def test_a_bare_fargate_definition_comes_back_with_the_empty_members_that_aws_adds(emulator):
    ecs = emulator.client("ecs")
    made = ecs.register_task_definition(family="web", containerDefinitions=[{"name": "app", "image": "a"}], **FARGATE)
    definition = made["taskDefinition"]
    container = definition["containerDefinitions"][0]
    assert {name: container[name] for name in EMPTY_LISTS} == {name: [] for name in EMPTY_LISTS}
    assert (container["cpu"], container["essential"], container["dockerLabels"]) == (0, True, {})
    assert (definition["volumes"], definition["placementConstraints"]) == ([], [])
    assert definition["inferenceAccelerators"] == []
    assert definition["compatibilities"] == ["EC2", "FARGATE"]
    assert "runtimePlatform" not in definition
    assert (definition["status"], definition["revision"]) == ("ACTIVE", 1)


def test_ports_health_checks_and_sizes_come_back_with_their_defaults(emulator):
    ecs = emulator.client("ecs")
    app = {
        "name": "app",
        "image": "a",
        "portMappings": [{"containerPort": 80}],
        "healthCheck": {"command": ["CMD", "x"]},
    }
    sizes = FARGATE | {"cpu": "0.25 vCPU", "memory": "1 GB"}
    definition = ecs.register_task_definition(family="web", containerDefinitions=[app], **sizes)["taskDefinition"]
    container = definition["containerDefinitions"][0]
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    assert container["healthCheck"] == {"command": ["CMD", "x"], "interval": 30, "timeout": 5, "retries": 3}
    assert (definition["cpu"], definition["memory"]) == ("256", "1024")
    bridged = ecs.register_task_definition(family="b", containerDefinitions=[app | {"memory": 64}])["taskDefinition"]
    assert bridged["networkMode"] == "bridge"
    assert bridged["containerDefinitions"][0]["portMappings"][0]["hostPort"] == 0


def test_environment_comes_back_in_another_order(emulator):
    ecs = emulator.client("ecs")
    environment = [{"name": "A", "value": "1"}, {"name": "B", "value": ""}, {"name": "C", "value": "3"}]
    made = ecs.register_task_definition(family="web", containerDefinitions=[APP | {"environment": environment}])
    echoed = made["taskDefinition"]["containerDefinitions"][0]["environment"]
    assert echoed != environment
    assert sorted(echoed, key=lambda pair: pair["name"]) == environment


def test_each_registration_is_a_new_revision_and_no_number_is_used_twice(emulator):
    ecs = emulator.client("ecs")
    for _ in range(2):
        ecs.register_task_definition(family="web", containerDefinitions=[APP])
    ecs.deregister_task_definition(taskDefinition="web:2")
    assert ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["revision"] == 1
    ecs.delete_task_definitions(taskDefinitions=["web:2"])
    third = ecs.register_task_definition(family="web", containerDefinitions=[APP])["taskDefinition"]
    assert third["revision"] == 3


def test_a_deregistered_revision_can_be_described_but_starts_nothing(shop):
    arn = shop.define()
    shop.define()
    gone = shop.ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    assert "deregisteredAt" in gone
    assert shop.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"
    assert shop.refused(shop.create, taskDefinition=arn) == ("ClientException", "TaskDefinition is inactive")
    shop.create()
    assert shop.refused(shop.update, taskDefinition="web:1")[0] == "ClientException"
    assert shop.refused(shop.ecs.describe_task_definition, taskDefinition="web:9") == (
        "ClientException",
        "Unable to describe task definition.",
    )


def test_lists_filter_by_family_and_status_sort_by_number_and_page(emulator):
    ecs = emulator.client("ecs")
    for _ in range(11):
        ecs.register_task_definition(family="web", containerDefinitions=[APP])
    ecs.register_task_definition(family="webby", containerDefinitions=[APP])
    ecs.deregister_task_definition(taskDefinition="web:11")

    def listed(**filters: Any) -> list[str]:
        pages = ecs.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 4}, **filters)
        return [arn.rsplit("/", 1)[-1] for page in pages for arn in page["taskDefinitionArns"]]

    assert listed(familyPrefix="web") == [f"web:{number}" for number in range(1, 11)]
    assert listed(familyPrefix="web", sort="DESC")[0] == "web:10"
    assert listed(status="INACTIVE") == ["web:11"]
    assert ecs.list_task_definition_families(familyPrefix="web")["families"] == ["web", "webby"]
    ecs.deregister_task_definition(taskDefinition="webby:1")
    assert ecs.list_task_definition_families(status="ACTIVE")["families"] == ["web"]


def test_only_inactive_revisions_are_deleted(emulator):
    ecs = emulator.client("ecs")
    for _ in range(2):
        ecs.register_task_definition(family="web", containerDefinitions=[APP])
    ecs.deregister_task_definition(taskDefinition="web:1")
    answer = ecs.delete_task_definitions(taskDefinitions=["web:1", "web:2", "none:1"])
    assert [d["status"] for d in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert [failure["arn"] for failure in answer["failures"]] == ["web:2", "none:1"]


REFUSED = [
    ("containers beyond ten", [APP | {"name": f"c{n}"} for n in range(11)], {}, "at most 10"),
    ("two containers of one name", [APP, APP], {}, "unique"),
    ("no essential container", [APP | {"essential": False}], {}, "essential"),
    ("no memory anywhere", [{"name": "app", "image": "a"}], {}, "'memory' or 'memoryReservation'"),
    ("a Fargate pair that is not sold", [APP], FARGATE | {"memory": "4096"}, "No Fargate configuration exists"),
    ("Fargate without awsvpc", [APP], FARGATE | {"networkMode": "bridge"}, "Fargate only supports network mode"),
    (
        "Fargate without cpu",
        [APP],
        {k: v for k, v in FARGATE.items() if k != "cpu"},
        "'cpu' be defined at the task level",
    ),
    (
        "another host port in awsvpc",
        [APP | {"portMappings": [{"containerPort": 80, "hostPort": 81}]}],
        FARGATE,
        "must match",
    ),
    (
        "a mount of no volume",
        [APP | {"mountPoints": [{"sourceVolume": "v", "containerPath": "/"}]}],
        {},
        "Unknown volume",
    ),
    ("secrets without a role", [APP | {"secrets": [{"name": "S", "valueFrom": "arn"}]}], {}, "executionRoleArn"),
    ("more than 64 KB", [APP | {"command": ["x" * 65536]}], {}, "Max allowed length is '65536' bytes"),
    ("more memory than the task has", [APP | {"memory": 1024}], FARGATE, "must not exceed"),
]


@pytest.mark.parametrize(("containers", "members", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_register_refuses(shop, containers, members, words):
    code, message = shop.refused(
        shop.ecs.register_task_definition, family="web", containerDefinitions=containers, **members
    )
    assert code == "ClientException"
    assert words in message
    assert shop.ecs.list_task_definitions()["taskDefinitionArns"] == []
