"""How ECS gives a registered task definition back: canonical units, defaults, and the empty members that it adds.

Called by `definitions`. Source: the facts marked (live) in aws-behaviour.md, section 1. A client that compares what it
sent with what it gets must cope with all of this, so the emulator does all of it, and reorders `environment` too.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from reconciler.emulator.ecs.errors import client
from reconciler.emulator.ecs.model import Json

__all__ = ["canonical_size", "echoed_container", "echoed_definition"]

_EMPTY_LISTS = (
    "command",
    "entryPoint",
    "environment",
    "environmentFiles",
    "secrets",
    "links",
    "mountPoints",
    "portMappings",
    "volumesFrom",
    "dependsOn",
    "dnsServers",
    "dnsSearchDomains",
    "extraHosts",
    "ulimits",
    "systemControls",
    "credentialSpecs",
    "resourceRequirements",
    "dockerSecurityOptions",
)
_HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
_CPU = re.compile(r"(\d+(?:\.\d+)?)\s*vcpus?", re.IGNORECASE)
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*gb", re.IGNORECASE)


def canonical_size(member: str, value: str) -> str:
    """Return `cpu` in units or `memory` in MiB: "0.25 vCPU" is "256", "1 GB" is "1024". Raises ClientException."""
    text = value.strip()
    found = (_CPU if member == "cpu" else _MEMORY).fullmatch(text)
    if found:
        return str(int(float(found.group(1)) * 1024))
    if not text.isdigit():
        raise client(f"Invalid '{member}' setting for task.")
    return str(int(text))


def echoed_definition(params: Json) -> Json:
    """Return the members of a TaskDefinition that follow from the request (not its ARN, revision, status, times)."""
    content = {key: deepcopy(value) for key, value in params.items() if key != "tags"}
    fargate = "FARGATE" in (content.get("requiresCompatibilities") or ())
    content.setdefault("networkMode", "bridge")
    content["containerDefinitions"] = [
        echoed_container(container, content["networkMode"]) for container in content["containerDefinitions"]
    ]
    content["volumes"] = [_echoed_volume(volume) for volume in content.get("volumes") or ()]
    content["placementConstraints"] = content.get("placementConstraints") or []
    content["inferenceAccelerators"] = content.get("inferenceAccelerators") or []
    content["compatibilities"] = ["EC2", "FARGATE"] if fargate else ["EXTERNAL", "EC2"]
    content["requiresAttributes"] = _attributes(content)
    return content


def echoed_container(container: Json, network_mode: str) -> Json:
    """Return a container definition as ECS gives it back."""
    echo: Json = {"cpu": 0, "essential": True, "dockerLabels": {}, **container}
    for member in _EMPTY_LISTS:
        echo[member] = list(echo.get(member) or ())
    echo["portMappings"] = [_echoed_port(mapping, network_mode) for mapping in echo["portMappings"]]
    echo["environment"] = sorted(echo["environment"], key=lambda pair: str(pair.get("name")), reverse=True)
    if "healthCheck" in echo:
        echo["healthCheck"] = {**_HEALTH_CHECK, **echo["healthCheck"]}
    return echo


def _echoed_port(mapping: Json, network_mode: str) -> Json:
    echo = {"protocol": "tcp", **mapping}
    if "containerPort" in echo:
        awsvpc_or_host = network_mode in {"awsvpc", "host"}
        echo["hostPort"] = echo["containerPort"] if awsvpc_or_host else echo.get("hostPort", 0)
    return echo


def _echoed_volume(volume: Json) -> Json:
    echo: Json = {**volume}
    if "efsVolumeConfiguration" in echo:
        echo["efsVolumeConfiguration"] = {"rootDirectory": "/", **echo["efsVolumeConfiguration"]}
    elif not set(echo) - {"name"}:
        echo["host"] = {}
    return echo


def _attributes(content: Json) -> list[Any]:
    """Return the capabilities that an instance must have, in so far as the definition shows them."""
    names = ["com.amazonaws.ecs.capability.docker-remote-api.1.18"]
    if content.get("taskRoleArn"):
        names.append("com.amazonaws.ecs.capability.task-iam-role")
    if content["networkMode"] == "awsvpc":
        names.append("ecs.capability.task-eni")
    drivers = {(c.get("logConfiguration") or {}).get("logDriver") for c in content["containerDefinitions"]}
    drivers.discard(None)
    names += [f"com.amazonaws.ecs.capability.logging-driver.{driver}" for driver in sorted(map(str, drivers))]
    return [{"name": name} for name in names]
