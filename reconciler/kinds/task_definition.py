"""TaskDefinition: what a task runs. A revision is immutable, so content is looked up before any is registered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from reconciler.core.call import Answer, Call, Reader, Repeat
from reconciler.core.content import same_content
from reconciler.core.fields import Field
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest
from reconciler.core.live import Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, with_tags
from reconciler.core.values import Json, ResourceId, Spec

NEWEST_REVISIONS = 10  # of a family that are searched for equal content before one more is registered
MAX_CONTAINERS = 10

_LIVE = "recorded from the live API"
_DOCS = "ECS API reference"
_C = "containerDefinitions[]."

_UNITS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(vcpus?|gb|mb|gib|mib)?\s*", re.IGNORECASE)


def units(value: Json) -> Json:
    """`0.25 vCPU` → `256`, `1 GB` → `1024`, 512 → `512`: one text for one size."""
    match = _UNITS.fullmatch(str(value))
    if match is None:
        return value
    number, unit = Decimal(match[1]), (match[2] or "").lower()
    return str(int(number * 1024 if unit.startswith(("vcpu", "g")) else number))


# What nobody needs to set, and what is not there when nobody did: a revision that has it was made by somebody else.
_PLAIN = (
    "taskRoleArn executionRoleArn ipcMode pidMode ephemeralStorage.sizeInGiB "
    "trustedExecutionConfiguration.isolationMode"
).split()
_PLAIN_CONTAINER = (
    "name image memory memoryReservation repositoryCredentials.credentialsParameter entryPoint command startTimeout "
    "hostname user workingDirectory dnsServers dnsSearchDomains environmentFiles "
    "linuxParameters.sharedMemorySize linuxParameters.maxSwap logConfiguration.logDriver healthCheck.command "
    "healthCheck.startPeriod firelensConfiguration.type portMappings[].name portMappings[].appProtocol "
    "environment[].name environment[].value secrets[].name secrets[].valueFrom mountPoints[].containerPath "
    "mountPoints[].sourceVolume portMappings[].containerPort"
).split()
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
    *(Field(_C + path, default=False, source=_DOCS) for path in _FALSE_CONTAINER),
    *(Field(path, unordered=True, source=_LIVE) for path in _SETS),
    Field("family", source=_DOCS),
    Field("cpu", normal=units, source=_DOCS),
    Field("memory", normal=units, source=_DOCS),
    Field("networkMode", default="bridge", source="ECS API reference, EC2"),
    Field("enableFaultInjection", default=False, source=_DOCS),
    Field("runtimePlatform.operatingSystemFamily", default="LINUX", source=_LIVE),
    Field("runtimePlatform.cpuArchitecture", default="X86_64", source=_LIVE),
    Field("proxyConfiguration.type", default="APPMESH", source=_DOCS),
    Field("inferenceAccelerators", key=("deviceName",), source=_DOCS),
    Field("volumes", key=("name",), source=_LIVE),
    Field("volumes[].efsVolumeConfiguration.rootDirectory", default="/", source=_DOCS),
    Field("volumes[].efsVolumeConfiguration.transitEncryption", default="DISABLED", source=_DOCS),
    Field("volumes[].efsVolumeConfiguration.authorizationConfig.iam", default="DISABLED", source=_DOCS),
    Field("volumes[].dockerVolumeConfiguration.driverOpts", open_map=True, source=_DOCS),
    Field("volumes[].dockerVolumeConfiguration.labels", open_map=True, source=_DOCS),
    Field("volumes[].dockerVolumeConfiguration.autoprovision", default=False, source=_DOCS),
    Field("volumes[].configuredAtLaunch", default=False, source=_DOCS),
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
    Field(_C + "linuxParameters.tmpfs", key=("containerPath",), source=_LIVE),
    Field(_C + "linuxParameters.tmpfs[].mountOptions", unordered=True, source=_DOCS),
    Field(_C + "healthCheck.interval", default=30, source=_DOCS),
    Field(_C + "healthCheck.timeout", default=5, source=_DOCS),
    Field(_C + "healthCheck.retries", default=3, source=_DOCS),
    Field(_C + "restartPolicy.restartAttemptPeriod", default=300, source=_DOCS),
)

PERMISSIONS = Permissions(
    read=("ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"),
    write=("ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"),
    delete=(),
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
    logs = container.get("logConfiguration") or {}
    options = logs.get("options") or {}
    if options.get("mode") == "non-blocking":
        kept = {name: value for name, value in options.items() if name != "mode"}
        result = result | {"logConfiguration": logs | {"options": kept}}
    return result


def _direct_port(port: Spec) -> Spec:
    if port.get("hostPort") in (port.get("containerPort"), 0):
        return {name: value for name, value in port.items() if name != "hostPort"}
    return port


def check(spec: Spec) -> Iterable[Fault]:
    """What the schema cannot say: Fargate's sizes, names used twice, an essential container."""
    containers = [container for container in spec.get("containerDefinitions", []) if isinstance(container, dict)]
    seen: set[str] = set()
    for index, container in enumerate(containers):
        name = str(container.get("name"))
        if name in seen:
            yield Fault(f"containerDefinitions[{index}].name", f"there are two containers named {name!r}")
        seen.add(name)
    if containers and not any(container.get("essential", True) for container in containers):
        yield Fault("containerDefinitions", "at least one container must be essential")
    if "FARGATE" in spec.get("requiresCompatibilities", []):
        yield from _check_fargate(spec)


_FARGATE_MEMORY: Mapping[str, tuple[int, ...]] = {  # MiB by CPU units; source: ECS developer guide, task size
    "256": (512, 1024, 2048),
    "512": tuple(range(1024, 4097, 1024)),
    "1024": tuple(range(2048, 8193, 1024)),
    "2048": tuple(range(4096, 16385, 1024)),
    "4096": tuple(range(8192, 30721, 1024)),
    "8192": tuple(range(16384, 61441, 4096)),
    "16384": tuple(range(32768, 122881, 8192)),
}


def _check_fargate(spec: Spec) -> Iterable[Fault]:
    cpu, memory = str(units(spec.get("cpu", ""))), str(units(spec.get("memory", "")))
    if spec.get("networkMode") != "awsvpc":
        yield Fault("networkMode", "Fargate needs networkMode: awsvpc")
    if cpu not in _FARGATE_MEMORY:
        yield Fault("cpu", f"Fargate has no task size with cpu {cpu or 'unset'!r}; it has {', '.join(_FARGATE_MEMORY)}")
    elif not memory.isdigit() or int(memory) not in _FARGATE_MEMORY[cpu]:
        sizes = ", ".join(str(size) for size in _FARGATE_MEMORY[cpu])
        yield Fault("memory", f"with cpu {cpu} Fargate takes one of {sizes} (MiB), not {memory or 'unset'!r}")


def read(request: ReadRequest) -> Iterable[Live]:
    """The revision with equal content: the one that a service runs, else one of the family's newest.

    What services run was read with them and is remembered by ARN, so an unchanged family costs no call at all.
    """
    running: dict[str, set[str]] = {}
    for service in request.lives.of_kind("Service"):
        arn = str(service.facts.get("taskDefinition", ""))
        running.setdefault(family_of(arn), set()).add(arn)
    for identity, resource in request.desired.items():
        family = KIND.physical_name(resource)
        wanted = resource.spec | {"family": family}
        arns = sorted(running.get(family, ()), key=revision_of, reverse=True)
        live = _equal(request.reader, identity, wanted, arns)
        if live is None:
            newest = [arn for arn in _newest(request.reader, family) if arn not in arns]
            live = _equal(request.reader, identity, wanted, newest)
        if live is not None:
            yield live


def _newest(reader: Reader, family: str) -> list[str]:
    params = {"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": NEWEST_REVISIONS}
    answer = reader.read(Call("ecs", "ListTaskDefinitions", params))
    return [arn for arn in answer["taskDefinitionArns"] if family_of(arn) == family]


def _equal(reader: Reader, identity: ResourceId, wanted: Spec, arns: list[str]) -> Live | None:
    contents = describe(reader, arns)
    for arn in arns:
        if same_content(KIND, wanted, contents[arn]):
            return Live(
                kind="TaskDefinition",
                arn=arn,
                natural=family_of(arn),
                spec=contents[arn],
                attributes={"arn": arn, "family": family_of(arn), "revision": revision_of(arn)},
                stands_for=identity,
            )
    return None


def describe(reader: Reader, arns: Iterable[str]) -> dict[str, Spec]:
    """The content of revisions by ARN; a revision never changes, so each is read once and remembered for ever."""
    calls = {f"task-definition/{arn}": Call("ecs", "DescribeTaskDefinition", {"taskDefinition": arn}) for arn in arns}
    answers = reader.cached_many(calls, max_age_seconds=None)
    return {key.partition("/")[2]: content(answer) for key, answer in answers.items()}


_OUTPUT_ONLY = frozenset(
    "taskDefinitionArn revision status requiresAttributes compatibilities registeredAt registeredBy deregisteredAt "
    "deleteRequestedAt".split()
)


def content(answer: Answer) -> Spec:
    """A described task definition as a manifest's spec."""
    described = answer["taskDefinition"]
    return {name: value for name, value in described.items() if name not in _OUTPUT_ONLY}


def family_of(arn: str) -> str:
    """`arn:…:task-definition/web:7` → `web`; a bare `web:7` or `web` as well."""
    return arn.rpartition("/")[2].partition(":")[0]


def revision_of(arn: str) -> int:
    """`arn:…:task-definition/web:7` → 7; 0 where there is none."""
    revision = arn.rpartition("/")[2].partition(":")[2]
    return int(revision) if revision.isdigit() else 0


def create(creation: Creation) -> tuple[Call, ...]:
    """Never repeated blindly: each registration makes a revision more."""
    params = creation.spec | {"family": creation.name, "tags": with_tags(creation)}
    captures = {"arn": "taskDefinition.taskDefinitionArn", "revision": "taskDefinition.revision"}
    return (Call("ecs", "RegisterTaskDefinition", params, repeat=Repeat.OBSERVE, captures=captures),)


def update(_change: Change) -> tuple[Call, ...]:
    return ()  # content never changes: another content is another revision


def delete(_live: Live) -> tuple[Call, ...]:
    return ()  # a rollback may need any revision


def natural(resource: Resource) -> str:
    return KIND.physical_name(resource)


KIND = Kind(
    name="TaskDefinition",
    summary="What a task runs: containers, sizes, roles, volumes. Content is registered once and reused.",
    service="ecs",
    inputs=(Input("RegisterTaskDefinition"),),
    fields=(*FIELDS, TAGS_FIELD),
    permissions=PERMISSIONS,
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    name_field="family",
    reads_after=("Service",),
    attributes=("arn", "family", "revision"),
    content_addressed=True,
    schema={"properties": {"containerDefinitions": {"minItems": 1, "maxItems": MAX_CONTAINERS}}},
    check=check,
    prepare=prepare,
)
