"""Cluster: where services run, with its capacity providers and default strategy."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.call import Answer, Call, batches
from reconciler.core.fields import Effect, Field, Removal, Reset
from reconciler.core.kind import Change, Creation, Input, Kind, Permissions, ReadRequest
from reconciler.core.live import Health, HealthState, Live
from reconciler.core.resource import Resource
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, tags_by_key, with_tags

CLUSTER_BATCH = 100  # DescribeClusters takes no more

_MODEL = "botocore model"
_ECHO = "DescribeClusters echoes the account's setting"

FIELDS = (
    Field("clusterName", effect=Effect.REPLACE, removed=Removal.KEEP, source=_MODEL),
    Field("settings", key=("name",), complete=False, source=_ECHO),
    Field("settings[].value", computed=True, source=_ECHO),
    Field("configuration", removed=Removal.KEEP, source="UpdateCluster keeps what it is not sent"),
    Field("configuration.executeCommandConfiguration.logging", default="DEFAULT", source="ECS API reference"),
    Field("capacityProviders", unordered=True, removed=Reset([]), source="PutClusterCapacityProviders replaces"),
    Field("defaultCapacityProviderStrategy", removed=Reset([]), source="PutClusterCapacityProviders replaces"),
    Field("defaultCapacityProviderStrategy[].base", default=0, source="ECS API reference"),
    Field("defaultCapacityProviderStrategy[].weight", default=0, source="ECS API reference"),
    Field("serviceConnectDefaults.namespace", removed=Reset(""), source="an empty namespace removes the default"),
    TAGS_FIELD,
)

PERMISSIONS = Permissions(
    read=("ecs:ListClusters", "ecs:DescribeClusters"),
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
    """Two calls for up to a hundred clusters: the list, then their descriptions with tags."""
    wanted = {KIND.physical_name(resource) for resource in request.desired.values()}
    arns = request.reader.pages(Call("ecs", "ListClusters", {"maxResults": 100}), "clusterArns")
    include = ["TAGS", "SETTINGS", "CONFIGURATIONS"]
    calls = [
        Call("ecs", "DescribeClusters", {"clusters": batch, "include": include})
        for batch in batches(arns, CLUSTER_BATCH)
    ]
    for answer in request.reader.read_many(calls):
        for described in answer["clusters"]:
            live = _live(described)
            ours = live.environment == request.environment or live.natural in wanted
            if ours and described["status"] != "INACTIVE":
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
