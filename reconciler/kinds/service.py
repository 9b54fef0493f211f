"""Service: tasks kept running, behind load balancers, rolled out by deployments that are tracked by their ARN."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.call import Call
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, Reference, Yielded
from reconciler.core.live import Live
from reconciler.core.resource import Resource, Users
from reconciler.core.tags import tag_changes, with_tags
from reconciler.core.values import Ref, ResourceId, Spec
from reconciler.kinds._service_fields import FIELDS, prepare
from reconciler.kinds._service_reading import read
from reconciler.kinds._service_rollout import abort, health, rollout

PERMISSIONS = Permissions(
    read=(
        "ecs:ListServices",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:ListServiceDeployments",
        "ecs:DescribeServiceRevisions",
        "application-autoscaling:DescribeScalableTargets",
    ),
    write=(
        "ecs:CreateService",
        "ecs:UpdateService",
        "ecs:StopServiceDeployment",
        "ecs:TagResource",
        "ecs:UntagResource",
        "iam:PassRole",
    ),
    delete=("ecs:UpdateService", "ecs:DeleteService"),
)


def check(spec: Spec) -> Iterable[Fault]:
    """What the schema cannot say about a service alone."""
    if spec.get("schedulingStrategy") == "DAEMON" and "desiredCount" in spec:
        yield Fault("desiredCount", "a DAEMON runs one task on each instance: leave desiredCount out")
    if spec.get("launchType") and spec.get("capacityProviderStrategy"):
        yield Fault("launchType", "leave out launchType or capacityProviderStrategy: a service has one of them")
    content = spec.get("taskDefinition")
    if not isinstance(content, dict):
        return
    needs_subnets = spec.get("launchType") == "FARGATE" or content.get("networkMode") == "awsvpc"
    if needs_subnets and not (spec.get("networkConfiguration") or {}).get("awsvpcConfiguration"):
        yield Fault("networkConfiguration", "tasks with awsvpc networking need awsvpcConfiguration with subnets")
    yield from _check_load_balancers(spec.get("loadBalancers") or [], content)


def _check_load_balancers(entries: Sequence[Spec], content: Spec) -> Iterable[Fault]:
    containers = {container.get("name"): container for container in content.get("containerDefinitions") or []}
    for index, entry in enumerate(entries):
        container = containers.get(entry.get("containerName"))
        if container is None:
            known = ", ".join(str(name) for name in containers)
            yield Fault(f"loadBalancers[{index}].containerName", f"the task definition's containers are: {known}")
            continue
        ports = [port.get("containerPort") for port in container.get("portMappings") or []]
        if entry.get("containerPort") not in ports:
            listed = ", ".join(str(port) for port in ports) or "none"
            yield Fault(f"loadBalancers[{index}].containerPort", f"the container's portMappings have: {listed}")


def create(creation: Creation) -> tuple[Call, ...]:
    """A client token makes a repeated create answer with the first one's service."""
    params = creation.spec | {
        "serviceName": creation.name,
        "clientToken": creation.token,
        "tags": with_tags(creation),
    }
    if params.get("schedulingStrategy") != "DAEMON":
        params.setdefault("desiredCount", 1)
    captures = {"arn": "service.serviceArn", "name": "service.serviceName"}
    return (Call("ecs", "CreateService", params, captures=captures),)


def update(change: Change) -> tuple[Call, ...]:
    """One UpdateService with whole members, then the tags, which are no input of it."""
    cluster, _, name = change.live.natural.partition("/")
    members = {name: value for name, value in change.members().items() if name != "tags"}
    calls: list[Call] = []
    if members:
        if "capacityProviderStrategy" in members:
            members["forceNewDeployment"] = True  # AWS has refused the strategy without it
        if "taskDefinition" in members and change.spec.get("volumeConfigurations"):
            members["volumeConfigurations"] = change.spec["volumeConfigurations"]  # needed in every such update
        calls.append(Call("ecs", "UpdateService", {"cluster": cluster, "service": name, **members}))
    return (*calls, *tag_changes(change, "ecs"))


def delete(live: Live) -> tuple[Call, ...]:
    """Scale to nothing, then delete; the name is free again when the tasks are gone."""
    cluster, _, name = live.natural.partition("/")
    target = {"cluster": cluster, "service": name}
    scale = Call("ecs", "UpdateService", target | {"desiredCount": 0})
    counted = live.spec.get("schedulingStrategy") != "DAEMON" and live.facts.get("desired") != 0
    return (*((scale,) if counted else ()), Call("ecs", "DeleteService", target))


def yields(live: Live) -> Iterable[Yielded]:
    if live.facts.get("autoscaled"):
        yield Yielded("desiredCount", "a scalable target owns the count")
    if (live.spec.get("deploymentController") or {}).get("type") == "CODE_DEPLOY":
        yield Yielded("loadBalancers", "CodeDeploy moves the traffic")
        yield Yielded("taskDefinition", "CodeDeploy deploys the revisions")


def after(resource: Resource, users: Users) -> Iterable[ResourceId]:
    """A target group serves only once a listener or a rule forwards to it; CreateService refuses it before."""
    groups = {ref.target for ref in resource.references if ref.target.kind == "TargetGroup"}
    for group in sorted(groups):
        yield from (user for user in users.get(group, ()) if user.kind in ("Listener", "ListenerRule"))


def natural(resource: Resource) -> str:
    cluster = resource.spec.get("cluster", "default")
    return "" if isinstance(cluster, Ref) else f"{str(cluster).rpartition('/')[2]}/{KIND.physical_name(resource)}"


KIND = Kind(
    name="Service",
    summary="Tasks kept running, with their load balancers, network and rollout policy.",
    service="ecs",
    inputs=(Input("CreateService", omit=("clientToken",)),),
    fields=FIELDS,
    permissions=PERMISSIONS,
    read=read,
    create=create,
    update=update,
    delete=delete,
    natural=natural,
    name_field="serviceName",
    references=(
        Reference("cluster", "Cluster", "name", native=True),
        Reference("taskDefinition", "TaskDefinition", "arn", native=True, inline=True),
        Reference("loadBalancers[].targetGroupArn", "TargetGroup"),
        Reference("loadBalancers[].advancedConfiguration.alternateTargetGroupArn", "TargetGroup"),
        Reference("loadBalancers[].advancedConfiguration.productionListenerRule", "ListenerRule", native=True),
        Reference("loadBalancers[].advancedConfiguration.testListenerRule", "ListenerRule", native=True),
    ),
    reads_after=("Cluster", "TargetGroup", "ListenerRule", "Listener"),
    attributes=("arn", "name"),
    rolls_out=True,
    check=check,
    prepare=prepare,
    after=after,
    yields=yields,
    health=health,
    rollout=rollout,
    abort=abort,
)
