"""TaskDefinition: what a task runs. A revision is immutable, so content is looked up before any is registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.call import Answer, Call, Reader, Repeat
from reconciler.core.content import same_content
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest
from reconciler.core.live import Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, with_tags
from reconciler.core.values import ResourceId, Spec
from reconciler.kinds._task_definition_fields import FIELDS, prepare, units

NEWEST_REVISIONS = 10  # of a family that are searched for equal content before one more is registered
MAX_CONTAINERS = 10

PERMISSIONS = Permissions(
    read=("ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"),
    write=("ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"),
    delete=(),
)


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
    known: dict[str, Spec] = {}  # the content of what runs, by ARN
    running: dict[str, list[str]] = {}
    for service in request.lives.of_kind("Service"):
        arn = str(service.facts.get("taskDefinition", ""))
        if arn not in known and "taskDefinition" in service.contents:
            known[arn] = service.contents["taskDefinition"]
            running.setdefault(family_of(arn), []).append(arn)
    for identity, resource in request.desired.items():
        family = KIND.physical_name(resource)
        wanted = resource.spec | {"family": family}
        arns = sorted(running.get(family, ()), key=revision_of, reverse=True)
        live = _of_its_service(request, resource, known) or _equal(identity, wanted, {arn: known[arn] for arn in arns})
        if live is None:
            newest = [arn for arn in _newest(request.reader, family) if arn not in arns]
            live = _equal(identity, wanted, describe(request.reader, newest))
        if live is not None:
            yield live


def _of_its_service(request: ReadRequest, resource: Resource, known: Mapping[str, Spec]) -> Live | None:
    """What the service that it stands in runs, if only the family is another: that name is ours to give, as long as
    the manifest gives none, so a service that is renamed or adopted keeps its family until its content changes.
    """
    service = request.lives.get(resource.part_of) if resource.part_of else None
    arn = str(service.facts.get("taskDefinition", "")) if service else ""
    if arn not in known or "family" in resource.spec:
        return None
    return _equal(resource.id, resource.spec | {"family": family_of(arn)}, {arn: known[arn]})


def _newest(reader: Reader, family: str) -> list[str]:
    params = {"familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": NEWEST_REVISIONS}
    answer = reader.read(Call("ecs", "ListTaskDefinitions", params))
    return [arn for arn in answer["taskDefinitionArns"] if family_of(arn) == family]


def _equal(identity: ResourceId, wanted: Spec, contents: Mapping[str, Spec]) -> Live | None:
    for arn, content in contents.items():
        if same_content(KIND, wanted, content):
            return Live(
                kind="TaskDefinition",
                arn=arn,
                natural=family_of(arn),
                spec=content,
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
