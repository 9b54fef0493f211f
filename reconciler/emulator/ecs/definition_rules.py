"""What RegisterTaskDefinition refuses. Called by `definitions` before a revision is made.

The words are AWS's where they are known. Sources: ECS API reference (RegisterTaskDefinition), ECS developer guide
("Task definition parameters for Fargate", task size).
"""

from __future__ import annotations

import json
import re

from reconciler.emulator.ecs.errors import client
from reconciler.emulator.ecs.model import Json

__all__ = ["check_definition"]

MAX_CONTAINERS = 10
MAX_BYTES = 65536
_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")

_GB = 1024
FARGATE_MEMORY: dict[int, range | tuple[int, ...]] = {
    256: (512, _GB, 2 * _GB),
    512: range(_GB, 4 * _GB + 1, _GB),
    1024: range(2 * _GB, 8 * _GB + 1, _GB),
    2048: range(4 * _GB, 16 * _GB + 1, _GB),
    4096: range(8 * _GB, 30 * _GB + 1, _GB),
    8192: range(16 * _GB, 60 * _GB + 1, 4 * _GB),
    16384: range(32 * _GB, 120 * _GB + 1, 8 * _GB),
}
"""CPU units → MiB that Fargate offers with them (ECS developer guide, "Task size")."""


def check_definition(params: Json) -> None:
    """Raise ClientException for the first thing that ECS would refuse. `params`: cpu and memory already canonical."""
    if not _FAMILY.fullmatch(params["family"]):
        raise client("Invalid family name. Up to 255 letters, numbers, hyphens, and underscores are allowed.")
    containers = params["containerDefinitions"]
    _check_containers(params, containers)
    _check_references(params, containers)
    if "FARGATE" in (params.get("requiresCompatibilities") or ()):
        _check_fargate(params, containers)
    if params.get("networkMode") in {"awsvpc", "host"}:
        _check_host_ports(params["networkMode"], containers)
    size = len(json.dumps({k: v for k, v in params.items() if k != "tags"}, separators=(",", ":")))
    if size > MAX_BYTES:
        raise client(f"Actual length: '{size}'. Max allowed length is '{MAX_BYTES}' bytes.")


def _check_containers(params: Json, containers: list[Json]) -> None:
    if not containers:
        raise client("Container list cannot be empty.")
    if len(containers) > MAX_CONTAINERS:
        raise client(f"A task definition can have at most {MAX_CONTAINERS} containers; {len(containers)} were given.")
    names = []
    for container in containers:
        for member in ("name", "image"):
            if not container.get(member):
                raise client(f"Container.{member} should not be null or empty.")
        names.append(container["name"])
        if not (params.get("memory") or container.get("memory") or container.get("memoryReservation")):
            raise client(
                f"Invalid setting for container '{container['name']}'. At least one of 'memory' or "
                "'memoryReservation' must be specified."
            )
    if len(set(names)) != len(names):
        raise client("Container names should be unique within a task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise client("A task definition must have at least one essential container.")
    if params.get("memory") and sum(c.get("memory") or 0 for c in containers) > int(params["memory"]):
        # A container may have the whole of the task's memory, the sum of hard limits may not exceed it.
        raise client("The sum of the memory of all containers must not exceed the memory of the task.")


def _check_references(params: Json, containers: list[Json]) -> None:
    volumes = {volume.get("name") for volume in params.get("volumes") or ()}
    names = {container["name"] for container in containers}
    for container in containers:
        for mount in container.get("mountPoints") or ():
            if mount.get("sourceVolume") not in volumes:
                raise client(f"Unknown volume '{mount.get('sourceVolume')}'.")
        for dependency in container.get("dependsOn") or ():
            if dependency["containerName"] not in names:
                raise client(f"Container '{container['name']}' depends on unknown container.")
        if container.get("secrets") and not params.get("executionRoleArn"):
            raise client(
                "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
            )


def _check_fargate(params: Json, containers: list[Json]) -> None:
    if params.get("networkMode") != "awsvpc":
        raise client("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 - AWS's own quotation marks
    for member in ("cpu", "memory"):
        if not params.get(member):
            raise client(f"Fargate requires that '{member}' be defined at the task level.")
    if int(params["memory"]) not in FARGATE_MEMORY.get(int(params["cpu"]), ()):
        raise client(
            f"No Fargate configuration exists for given values: {params['cpu']} CPU, {params['memory']} memory. "
            "See the Amazon ECS documentation for the valid values."
        )
    if params.get("pidMode") not in {None, "task"}:
        raise client(
            f"Tasks using the Fargate launch type do not support pidMode '{params['pidMode']}'. The supported value "
            "for pidMode is 'task'."
        )
    if params.get("placementConstraints"):
        raise client("Fargate does not support placement constraints.")
    awslogs = any((c.get("logConfiguration") or {}).get("logDriver") == "awslogs" for c in containers)
    if awslogs and not params.get("executionRoleArn"):
        raise client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")


def _check_host_ports(mode: str, containers: list[Json]) -> None:
    for container in containers:
        for mapping in container.get("portMappings") or ():
            if mapping.get("hostPort") not in {None, 0, mapping.get("containerPort")}:
                raise client(
                    f"When networkMode={mode}, the host ports and container ports in port mappings must match."
                )
