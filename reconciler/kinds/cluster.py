"""Cluster: where services run, with its capacity providers and default strategy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.core.call import Answer, Call, Reader, batches
from reconciler.core.fields import Effect, Field, Removal, Reset
from reconciler.core.kind import Change, Creation, Input, Kind, Permissions, ReadRequest
from reconciler.core.live import Health, HealthState, Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, tags_by_key, with_tags

CLUSTER_BATCH = 100  # DescribeClusters takes no more
FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})

_MODEL = "botocore model"
_DOCS = "ECS API reference"
_EXECUTE = "configuration.executeCommandConfiguration"
_ECHO = "DescribeClusters echoes the account's setting"

FIELDS = (
    Field("clusterName", effect=Effect.REPLACE, removed=Removal.KEEP, source=_MODEL),
    Field("settings", key=("name",), complete=False, computed=True, source=_ECHO),
    Field("configuration", removed=Removal.KEEP, source="UpdateCluster keeps what it is not sent"),
    Field(_EXECUTE, removed=Reset({"logging": "DEFAULT"}), source="UpdateCluster replaces it whole"),
    Field(f"{_EXECUTE}.logging", default="DEFAULT", source=_DOCS),
    Field(f"{_EXECUTE}.logConfiguration.cloudWatchEncryptionEnabled", default=False, source=_DOCS),
    Field(f"{_EXECUTE}.logConfiguration.s3EncryptionEnabled", default=False, source=_DOCS),
    *(
        Field(f"configuration.{name}", source=_MODEL)
        for name in (
            "executeCommandConfiguration.kmsKeyId",
            "executeCommandConfiguration.logConfiguration.cloudWatchLogGroupName",
            "executeCommandConfiguration.logConfiguration.s3BucketName",
            "executeCommandConfiguration.logConfiguration.s3KeyPrefix",
            "managedStorageConfiguration.kmsKeyId",
            "managedStorageConfiguration.fargateEphemeralStorageKmsKeyId",
        )
    ),
    Field("capacityProviders", unordered=True, removed=Reset([]), source="PutClusterCapacityProviders replaces"),
    Field("defaultCapacityProviderStrategy", removed=Reset([]), source="PutClusterCapacityProviders replaces"),
    Field("defaultCapacityProviderStrategy[].base", default=0, source=_DOCS),
    Field("defaultCapacityProviderStrategy[].weight", default=0, source=_DOCS),
    Field("serviceConnectDefaults.namespace", removed=Reset(""), source="an empty namespace removes the default"),
    TAGS_FIELD,
)

PERMISSIONS = Permissions(
    read=("ecs:ListClusters", "ecs:DescribeClusters", "ecs:DescribeCapacityProviders"),
    write=(
        "ecs:CreateCluster",
        "ecs:UpdateCluster",
        "ecs:PutClusterCapacityProviders",
        "ecs:TagResource",
        "ecs:UntagResource",
    ),
    delete=("ecs:DeleteCluster",),
)

_MEMBERS = (
    "clusterName",
    "settings",
    "configuration",
    "capacityProviders",
    "defaultCapacityProviderStrategy",
    "serviceConnectDefaults",
)


def read(request: ReadRequest) -> Iterable[Live]:
    """Two calls for up to a hundred clusters: the list, then their descriptions with tags.

    A third one for a cluster whose list of capacity providers has one that git does not: it may be a provider of
    Managed Instances, which puts itself there.
    """
    declared = {
        KIND.physical_name(resource): resource.spec.get("capacityProviders", [])
        for resource in request.desired.values()
    }
    arns = request.reader.pages(Call("ecs", "ListClusters", {"maxResults": 100}), "clusterArns")
    include = ["TAGS", "SETTINGS", "CONFIGURATIONS"]
    calls = [
        Call("ecs", "DescribeClusters", {"clusters": batch, "include": include})
        for batch in batches(arns, CLUSTER_BATCH)
    ]
    lives = [_live(described) for answer in request.reader.read_many(calls) for described in answer["clusters"]]
    ours = [live for live in lives if live.environment == request.environment or live.natural in declared]
    there = [live for live in ours if live.facts["status"] != "INACTIVE"]
    yield from _without_managed(request.reader, there, declared)


def _without_managed(reader: Reader, lives: Sequence[Live], declared: Mapping[str, Sequence[str]]) -> Iterable[Live]:
    """The clusters without the providers of Managed Instances: those are in the list as long as they exist, and
    PutClusterCapacityProviders refuses to take them (hashicorp/terraform-provider-aws issue 44783).
    """
    listed = {live.natural: live.spec.get("capacityProviders", []) for live in lives}
    others = [name for name, names in listed.items() if set(names) - FARGATE - set(declared.get(name, ()))]
    answers = reader.read_many([Call("ecs", "DescribeCapacityProviders", {"cluster": name}) for name in others])
    managed = {
        name: {one["name"] for one in answer["capacityProviders"] if one.get("managedInstancesProvider")}
        for name, answer in zip(others, answers, strict=True)
    }
    for live in lives:
        if hidden := managed.get(live.natural):
            kept = [name for name in listed[live.natural] if name not in hidden]
            yield replace(live, spec=live.spec | {"capacityProviders": kept})
        else:
            yield live


def _live(described: Answer) -> Live:
    tags = tags_by_key(described.get("tags", []))
    arn, name = described["clusterArn"], described["clusterName"]
    return Live(
        kind="Cluster",
        arn=arn,
        natural=name,
        spec={member: described[member] for member in _MEMBERS if described.get(member)} | own_tags(tags),
        tags=tags,
        attributes={"arn": arn, "name": name},
        facts={"status": described["status"]},
    )


def create(creation: Creation) -> tuple[Call, ...]:
    params = creation.spec | {"clusterName": creation.name, "tags": with_tags(creation)}
    captures = {"arn": "cluster.clusterArn", "name": "cluster.clusterName"}
    return (Call("ecs", "CreateCluster", params, captures=captures),)


def update(change: Change) -> tuple[Call, ...]:
    changed = set(change.changed())
    calls: list[Call] = []
    if settings := {"settings", "configuration", "serviceConnectDefaults"} & changed:
        sent = {name: change.spec[name] for name in sorted(settings) if name in change.spec}
        calls.append(Call("ecs", "UpdateCluster", {"cluster": change.live.natural, **sent}))
    providers = ("capacityProviders", "defaultCapacityProviderStrategy")
    if changed & set(providers):
        sent = {name: change.spec.get(name, []) for name in providers}
        calls.append(Call("ecs", "PutClusterCapacityProviders", {"cluster": change.live.natural, **sent}))
    return (*calls, *tag_changes(change, "ecs"))


def delete(live: Live) -> tuple[Call, ...]:
    return (Call("ecs", "DeleteCluster", {"cluster": live.arn}),)


def health(live: Live) -> Health:
    match live.facts.get("status"):
        case "ACTIVE":
            return Health(HealthState.HEALTHY)
        case "PROVISIONING" | "DEPROVISIONING" as status:
            return Health(HealthState.PROGRESSING, status.lower())
        case status:
            return Health(HealthState.DEGRADED, str(status).lower())


def natural(resource: Resource) -> str:
    return KIND.physical_name(resource)


KIND = Kind(
    name="Cluster",
    summary="An ECS cluster with its settings, capacity providers and default strategy.",
    service="ecs",
    inputs=(Input("CreateCluster"),),
    fields=FIELDS,
    permissions=PERMISSIONS,
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    name_field="clusterName",
    attributes=("arn", "name"),
    health=health,
)
