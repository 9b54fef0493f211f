"""Service: tasks kept running, behind load balancers, rolled out by deployments that are tracked by their ARN."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.call import Call
from reconciler.core.difference import Cause
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, Reference, Yielded
from reconciler.core.live import Live
from reconciler.core.resource import Resource, Users
from reconciler.core.tags import tag_changes, with_tags
from reconciler.core.values import Ref, ResourceId, Spec
from reconciler.kinds._service_fields import DAEMON_BOUNDS, FIELDS, prepare
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
    if _on_fargate(spec) and spec.get("placementStrategy"):
        yield Fault("placementStrategy", "Fargate takes none: leave it out")
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
    for name in ("placementStrategy", "placementConstraints"):
        if not params.get(name):
            params.pop(name, None)  # Fargate refuses even empty ones
    if params.get("schedulingStrategy") != "DAEMON":
        params.setdefault("desiredCount", 1)
    captures = {"arn": "service.serviceArn", "name": "service.serviceName"}
    return (Call("ecs", "CreateService", params, captures=captures),)


def update(change: Change) -> tuple[Call, ...]:
    """One UpdateService with what changes, then the tags, which are no input of it."""
    cluster, _, name = change.live.natural.partition("/")
    members = _members(change)
    target = {"cluster": cluster, "service": name}
    calls = (Call("ecs", "UpdateService", target | members | _volumes(change.spec)),) if members else ()
    return (*calls, *tag_changes(change, "ecs"))


def _members(change: Change) -> Spec:
    """What AWS takes of what changes. A member that it refuses for this service is left out, even to empty it."""
    refused = {"tags"}
    if change.live.spec.get("schedulingStrategy") == "DAEMON":
        refused.add("desiredCount")
    if _on_fargate(change.spec):
        refused |= {"placementStrategy", "placementConstraints"}
    members = {name: value for name, value in change.members().items() if name not in refused}
    if "deploymentConfiguration" in members and not (sent := _rollout_settings(change)):
        del members["deploymentConfiguration"]
    elif "deploymentConfiguration" in members:
        members["deploymentConfiguration"] = sent
    if connect := members.get("serviceConnectConfiguration"):
        members["serviceConnectConfiguration"] = {name: value for name, value in connect.items() if value != []}
    if "capacityProviderStrategy" in members:
        members["forceNewDeployment"] = True  # AWS has refused the strategy without it
    return members


def _rollout_settings(change: Change) -> Spec:
    """The members of deploymentConfiguration that change: UpdateService merges it at its top level, and no deeper."""
    inside = [item for item in change.differences if item.path[0] == "deploymentConfiguration"]
    wanted: Spec = change.spec["deploymentConfiguration"]
    sent = {name: wanted[name] for name in dict.fromkeys(item.path[1] for item in inside) if name in wanted}
    for name, parts in _REQUIRED.items():
        if name in sent:
            sent[name] = parts | sent[name]
    for name, strategy in _OF_STRATEGY.items():
        if wanted.get("strategy") != strategy:
            sent.pop(name, None)  # the other strategies refuse it, and do not look at it
    if change.live.spec.get("schedulingStrategy") == "DAEMON":
        gone = {item.path[1] for item in inside if item.cause is Cause.REMOVED}
        sent |= {name: value for name, value in DAEMON_BOUNDS.items() if name in gone}
    return sent


_REQUIRED: dict[str, Spec] = {  # a circuit breaker without `rollback` would lose it
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "alarms": {"alarmNames": [], "enable": False, "rollback": False},
}
_OF_STRATEGY = {"linearConfiguration": "LINEAR", "canaryConfiguration": "CANARY"}


def _on_fargate(spec: Spec) -> bool:
    """Whether tasks run on Fargate, which refuses placement strategies, even empty ones."""
    if strategy := spec.get("capacityProviderStrategy"):
        return any(str(item.get("capacityProvider")).startswith("FARGATE") for item in strategy)
    return bool(spec.get("launchType") == "FARGATE")


def _volumes(spec: Spec) -> Spec:
    """What every update carries while the task definition has volumes that are configured at launch."""
    volumes = spec.get("volumeConfigurations")
    return {"volumeConfigurations": volumes} if volumes else {}


def delete(live: Live) -> tuple[Call, ...]:
    """Scale to nothing, then delete; the name is free again when the tasks are gone."""
    cluster, _, name = live.natural.partition("/")
    target = {"cluster": cluster, "service": name}
    scale = Call("ecs", "UpdateService", target | {"desiredCount": 0} | _volumes(live.spec))
    counted = live.spec.get("schedulingStrategy") != "DAEMON" and live.facts.get("desired") != 0
    return (*((scale,) if counted else ()), Call("ecs", "DeleteService", target))


_BY_DEPLOYMENTS = (
    "taskDefinition loadBalancers networkConfiguration platformVersion capacityProviderStrategy serviceRegistries "
    "serviceConnectConfiguration volumeConfigurations vpcLatticeConfigurations gatewayConnectors"
).split()


def yields(live: Live) -> Iterable[Yielded]:
    """What autoscaling owns, and what UpdateService refuses where another controller deploys."""
    if live.facts.get("autoscaled"):
        yield Yielded("desiredCount", "a scalable target owns the count")
    match (live.spec.get("deploymentController") or {}).get("type"):
        case "CODE_DEPLOY":
            yield Yielded("loadBalancers", "CodeDeploy moves the traffic")
            yield from (Yielded(name, "CodeDeploy deploys it") for name in _BY_DEPLOYMENTS if name != "loadBalancers")
        case "EXTERNAL":
            yield from (Yielded(name, "task sets have it") for name in (*_BY_DEPLOYMENTS, "deploymentConfiguration"))


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
