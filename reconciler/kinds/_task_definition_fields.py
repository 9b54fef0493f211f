"""The table of a task definition: which list is a set, which unit means the same, what AWS takes when nothing is said.

Part of `task_definition`, and of `service`, which compares the content that it runs in its own place. A revision is
made of what one call says and of nothing else, so every member of that call has a row: what git does not have, somebody
else put there.
"""

from __future__ import annotations

import re
from decimal import Decimal

from reconciler.core.fields import Field
from reconciler.core.values import Json, Spec

_LIVE = "recorded from the live API"
_DOCS = "ECS API reference"
_EMPTY = "recorded from the live API: empty is absent"
_C = "containerDefinitions[]."
_V = "volumes[]."

_UNITS = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(vcpus?|gb|mb|gib|mib)?\s*", re.IGNORECASE)


def units(value: Json) -> Json:
    """`0.25 vCPU` → `256`, `1 GB` → `1024`, 512 → `512`: one text for one size."""
    match = _UNITS.fullmatch(str(value))
    if match is None:
        return value
    number, unit = Decimal(match[1]), (match[2] or "").lower()
    return str(int(number * 1024 if unit.startswith(("vcpu", "g")) else number))


# What has no default, and is not there when nobody set it.
_PLAIN = (
    "ipcMode pidMode ephemeralStorage.sizeInGiB trustedExecutionConfiguration.attestationPolicy "
    "proxyConfiguration.containerName inferenceAccelerators[].deviceType "
    "volumes[].efsVolumeConfiguration.fileSystemId volumes[].efsVolumeConfiguration.transitEncryptionPort "
    "volumes[].s3filesVolumeConfiguration.fileSystemArn volumes[].s3filesVolumeConfiguration.transitEncryptionPort "
    "volumes[].s3filesVolumeConfiguration.accessPointArn "
    "volumes[].fsxWindowsFileServerVolumeConfiguration.fileSystemId "
    "volumes[].fsxWindowsFileServerVolumeConfiguration.rootDirectory "
    "volumes[].fsxWindowsFileServerVolumeConfiguration.authorizationConfig.credentialsParameter "
    "volumes[].fsxWindowsFileServerVolumeConfiguration.authorizationConfig.domain"
).split()
_PLAIN_CONTAINER = (
    "name image memory memoryReservation startTimeout dnsServers dnsSearchDomains environmentFiles entryPoint command "
    "linuxParameters.sharedMemorySize linuxParameters.maxSwap logConfiguration.logDriver healthCheck.command "
    "firelensConfiguration.type portMappings[].name portMappings[].appProtocol portMappings[].containerPort "
    "environment[].name environment[].value secrets[].name secrets[].valueFrom mountPoints[].containerPath "
    "mountPoints[].sourceVolume ulimits[].softLimit ulimits[].hardLimit systemControls[].value "
    "logConfiguration.secretOptions[].valueFrom linuxParameters.tmpfs[].size"
).split()
# Texts that may be left out: "" says the same, and a revision would be registered again and again if it did not.
_TEXTS = (
    "taskRoleArn executionRoleArn volumes[].host.sourcePath "
    "volumes[].efsVolumeConfiguration.authorizationConfig.accessPointId"
).split()
_TEXTS_CONTAINER = "hostname user workingDirectory repositoryCredentials.credentialsParameter".split()
_FALSE_CONTAINER = (
    "readonlyRootFilesystem disableNetworking privileged interactive pseudoTerminal mountPoints[].readOnly "
    "volumesFrom[].readOnly linuxParameters.initProcessEnabled restartPolicy.enabled"
).split()
_SETS = (
    "placementConstraints requiresCompatibilities proxyConfiguration.properties "
    f"{_C}links {_C}extraHosts {_C}dependsOn {_C}resourceRequirements {_C}dockerSecurityOptions {_C}credentialSpecs "
    f"{_C}linuxParameters.capabilities.add {_C}linuxParameters.capabilities.drop {_C}linuxParameters.devices "
    f"{_C}restartPolicy.ignoredExitCodes"
).split()

FIELDS = (
    *(Field(path, source=_LIVE) for path in _PLAIN),
    *(Field(_C + path, source=_LIVE) for path in _PLAIN_CONTAINER),
    *(Field(path, default="", source=_EMPTY) for path in _TEXTS),
    *(Field(_C + path, default="", source=_EMPTY) for path in _TEXTS_CONTAINER),
    *(Field(_C + path, default=False, source=_DOCS) for path in _FALSE_CONTAINER),
    *(Field(path, unordered=True, source=_LIVE) for path in _SETS),
    Field("family", source=_DOCS),
    Field("cpu", normal=units, source=_DOCS),
    Field("memory", normal=units, source=_DOCS),
    Field("networkMode", default="bridge", source="ECS API reference, EC2"),
    Field("enableFaultInjection", default=False, source=_DOCS),
    Field("runtimePlatform.operatingSystemFamily", default="LINUX", source=_LIVE),
    Field("runtimePlatform.cpuArchitecture", default="X86_64", source=_LIVE),
    Field("trustedExecutionConfiguration.isolationMode", default="SHARED", source=_DOCS),
    Field("proxyConfiguration.type", default="APPMESH", source=_DOCS),
    Field("inferenceAccelerators", key=("deviceName",), source=_DOCS),
    Field("volumes", key=("name",), source=_LIVE),
    Field(_V + "efsVolumeConfiguration.rootDirectory", default="/", source=_DOCS),
    Field(_V + "efsVolumeConfiguration.transitEncryption", default="DISABLED", source=_DOCS),
    Field(_V + "efsVolumeConfiguration.authorizationConfig.iam", default="DISABLED", source=_DOCS),
    Field(_V + "s3filesVolumeConfiguration.rootDirectory", default="/", source=_DOCS),
    Field(_V + "dockerVolumeConfiguration.scope", default="task", source="Docker volumes, ECS developer guide"),
    Field(_V + "dockerVolumeConfiguration.driver", default="local", source="Docker's own default"),
    Field(_V + "dockerVolumeConfiguration.driverOpts", open_map=True, source=_DOCS),
    Field(_V + "dockerVolumeConfiguration.labels", open_map=True, source=_DOCS),
    Field(_V + "dockerVolumeConfiguration.autoprovision", default=False, source=_DOCS),
    Field(_V + "configuredAtLaunch", default=False, source=_DOCS),
    Field("containerDefinitions", key=("name",), source=_LIVE),
    Field(_C + "cpu", default=0, source=_LIVE),
    Field(_C + "essential", default=True, source=_DOCS),
    Field(_C + "versionConsistency", default="enabled", source=_DOCS),
    Field(_C + "stopTimeout", default=30, source=_DOCS),
    Field(_C + "environment", key=("name",), source="AWS reorders it; recorded from the live API"),
    Field(_C + "secrets", key=("name",), source=_LIVE),
    Field(_C + "portMappings", key=("containerPort", "containerPortRange", "protocol"), source=_LIVE),
    Field(_C + "portMappings[].protocol", default="tcp", source=_DOCS),
    Field(_C + "portMappings[].hostPort", default=0, source="ECS API reference: 0 means any"),
    Field(_C + "mountPoints", key=("containerPath",), source=_LIVE),
    Field(_C + "volumesFrom", key=("sourceContainer",), source=_LIVE),
    Field(_C + "ulimits", key=("name",), source=_LIVE),
    Field(_C + "systemControls", key=("namespace",), source=_LIVE),
    Field(_C + "dockerLabels", open_map=True, source=_LIVE),
    Field(_C + "logConfiguration.options", open_map=True, source=_LIVE),
    Field(_C + "logConfiguration.secretOptions", key=("name",), source=_LIVE),
    Field(_C + "firelensConfiguration.options", open_map=True, source=_DOCS),
    Field(_C + "linuxParameters.swappiness", default=60, source=_DOCS),
    Field(
        _C + "linuxParameters.devices[].permissions",
        unordered=True,
        default=["read", "write", "mknod"],
        source=_DOCS,
    ),
    Field(_C + "linuxParameters.tmpfs", key=("containerPath",), source=_LIVE),
    Field(_C + "linuxParameters.tmpfs[].mountOptions", unordered=True, source=_DOCS),
    Field(_C + "healthCheck.interval", default=30, source=_DOCS),
    Field(_C + "healthCheck.timeout", default=5, source=_DOCS),
    Field(_C + "healthCheck.retries", default=3, source=_DOCS),
    Field(_C + "healthCheck.startPeriod", default=0, source="ECS API reference: off unless it is set"),
    Field(_C + "restartPolicy.restartAttemptPeriod", default=300, source=_DOCS),
)


def prepare(spec: Spec) -> Spec:
    """Drops what follows from other fields: the host port under awsvpc and host, the log mode AWS sets by itself."""
    direct = spec.get("networkMode") in ("awsvpc", "host")
    containers = spec.get("containerDefinitions")
    if not isinstance(containers, list):
        return spec
    return spec | {"containerDefinitions": [_container(container, direct=direct) for container in containers]}


def _container(container: Spec, *, direct: bool) -> Spec:
    result = container
    ports = container.get("portMappings")
    if direct and isinstance(ports, list):
        result = result | {"portMappings": [_direct_port(port) for port in ports]}
    if isinstance(logs := container.get("logConfiguration"), dict):
        result = result | {"logConfiguration": without_usual_mode(logs)}
    return result


def without_usual_mode(logs: Spec) -> Spec:
    """A log configuration without the mode that AWS sets where none is asked for (non-blocking since 2025-06-25)."""
    options = logs.get("options") or {}
    if options.get("mode") != "non-blocking":
        return logs
    return logs | {"options": {name: value for name, value in options.items() if name != "mode"}}


def _direct_port(port: Spec) -> Spec:
    if port.get("hostPort") in (port.get("containerPort"), 0):
        return {name: value for name, value in port.items() if name != "hostPort"}
    return port
