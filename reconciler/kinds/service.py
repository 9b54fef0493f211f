"""Service: tasks kept running, behind load balancers, rolled out by deployments that are tracked by their ARN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.core.call import Answer, Call, Reader, batches
from reconciler.core.errors import NotFoundError
from reconciler.core.fields import Effect, Field, Removal, Reset
from reconciler.core.kind import Change, Creation, Fault, Input, Kind, Permissions, ReadRequest, Reference, Yielded
from reconciler.core.live import TAG_APPLYING, Health, HealthState, Live, Rollout, RolloutState
from reconciler.core.resource import Resource, Users
from reconciler.core.tags import TAGS_FIELD, own_tags, tag_changes, tags_by_key, with_tags
from reconciler.core.values import Json, Ref, ResourceId, Spec
from reconciler.kinds import task_definition

SERVICE_BATCH = 10  # DescribeServices takes no more
SCALABLE_BATCH = 50  # DescribeScalableTargets takes no more
REVISION_BATCH = 20  # DescribeServiceRevisions takes no more
RECENT_DEPLOYMENTS = 10
CLOCK_SKEW = timedelta(minutes=1)  # between us and AWS, when a deployment is told from an earlier one
CRASH_LOOP = 5  # failed tasks of one deployment without a circuit breaker

_MODEL = "botocore model"
_DOCS = "ECS API reference"
_MERGES = "UpdateService keeps what it is not sent"
_DEPLOYS = Effect.DEPLOYMENT

FIELDS = (
    *(row.under("taskDefinition") for row in task_definition.FIELDS),
    Field("taskDefinition", effect=_DEPLOYS, removed=Removal.REFUSE, source=_MODEL),
    Field("cluster", effect=Effect.REPLACE, source=_MODEL),
    Field("serviceName", effect=Effect.REPLACE, source=_MODEL),
    Field("role", effect=Effect.REPLACE, normal=lambda role: str(role).rpartition("/")[2], computed=True, source=_DOCS),
    Field("schedulingStrategy", effect=Effect.REPLACE, default="REPLICA", source=_DOCS),
    Field("launchType", effect=Effect.REPLACE, computed=True, removed=Removal.KEEP, source="echoes the cluster's"),
    Field("desiredCount", computed=True, removed=Removal.KEEP, source="people and autoscalers change it"),
    Field("availabilityZoneRebalancing", computed=True, removed=Removal.KEEP, source="the default depends on its age"),
    Field("deploymentController.type", default="ECS", source=_DOCS),
    Field(
        "loadBalancers",
        key=("containerName", "containerPort", "targetGroupArn"),
        effect=_DEPLOYS,
        removed=Reset([]),
        source=_MERGES,
    ),
    Field("serviceRegistries", key=("registryArn",), effect=_DEPLOYS, removed=Reset([]), source=_MERGES),
    Field(
        "capacityProviderStrategy",
        key=("capacityProvider",),
        effect=Effect.NEW_TASKS,
        computed=True,
        removed=Removal.KEEP,
        source="echoes the cluster's default",
    ),
    Field("capacityProviderStrategy[].base", default=0, source=_DOCS),
    Field("capacityProviderStrategy[].weight", default=0, source=_DOCS),
    Field("platformVersion", effect=_DEPLOYS, computed=True, removed=Removal.KEEP, source="LATEST or resolved"),
    Field("deploymentConfiguration.deploymentCircuitBreaker", removed=Reset(False), source=_MERGES),
    Field("deploymentConfiguration.deploymentCircuitBreaker.enable", default=False, source=_DOCS),
    Field("deploymentConfiguration.deploymentCircuitBreaker.rollback", default=False, source=_DOCS),
    Field(
        "deploymentConfiguration.deploymentCircuitBreaker.resetOnHealthyTask",
        default=True,
        removed=Reset(True),
        source=_DOCS,
    ),
    Field(
        "deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration",
        removed=Removal.KEEP,
        source="50 BOUNDED_PERCENT when nobody sets it",
    ),
    Field(
        "deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration.type",
        default="BOUNDED_PERCENT",
        source=_DOCS,
    ),
    Field("deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration.value", default=50, source=_DOCS),
    Field("deploymentConfiguration.maximumPercent", default=200, removed=Reset(200), source="100 for DAEMON, prepared"),
    Field("deploymentConfiguration.minimumHealthyPercent", default=100, removed=Reset(100), source="0 for DAEMON"),
    Field("deploymentConfiguration.alarms.alarmNames", unordered=True, removed=Reset([]), source=_DOCS),
    Field("deploymentConfiguration.alarms.enable", default=False, removed=Reset(False), source=_DOCS),
    Field("deploymentConfiguration.alarms.rollback", default=False, removed=Reset(False), source=_DOCS),
    Field("deploymentConfiguration.strategy", default="ROLLING", removed=Reset("ROLLING"), source=_DOCS),
    Field("deploymentConfiguration.bakeTimeInMinutes", default=0, removed=Reset(0), source=_DOCS),
    Field("deploymentConfiguration.lifecycleHooks", removed=Reset([]), source="hooks are replaced whole"),
    Field("deploymentConfiguration.lifecycleHooks[].targetType", default="AWS_LAMBDA", source=_DOCS),
    Field("deploymentConfiguration.linearConfiguration.stepPercent", default=10.0, source=_DOCS),
    Field("deploymentConfiguration.linearConfiguration.stepBakeTimeInMinutes", default=6, source=_DOCS),
    Field("deploymentConfiguration.canaryConfiguration.canaryPercent", default=5.0, source=_DOCS),
    Field("deploymentConfiguration.canaryConfiguration.canaryBakeTimeInMinutes", default=10, source=_DOCS),
    Field("placementConstraints", unordered=True, removed=Reset([]), source=_DOCS),
    Field("placementStrategy", removed=Reset([]), source="the order counts"),
    Field("placementStrategy[].type", normal=lambda text: str(text).lower(), source="case-insensitive"),
    Field("placementStrategy[].field", normal=lambda text: _place(str(text)), source="host becomes instanceId"),
    Field("networkConfiguration", effect=_DEPLOYS, removed=Removal.KEEP, source=_MERGES),
    Field("networkConfiguration.awsvpcConfiguration.subnets", unordered=True, source=_DOCS),
    Field(
        "networkConfiguration.awsvpcConfiguration.securityGroups", unordered=True, computed=True, source="VPC's default"
    ),
    Field("networkConfiguration.awsvpcConfiguration.assignPublicIp", default="DISABLED", source=_DOCS),
    Field("healthCheckGracePeriodSeconds", default=0, removed=Reset(0), source=_DOCS),
    Field("enableECSManagedTags", default=False, effect=Effect.NEW_TASKS, removed=Reset(False), source=_DOCS),
    Field("enableExecuteCommand", default=False, effect=Effect.NEW_TASKS, removed=Reset(False), source=_DOCS),
    Field("propagateTags", default="NONE", effect=Effect.NEW_TASKS, removed=Reset("NONE"), source=_DOCS),
    Field("serviceConnectConfiguration", effect=_DEPLOYS, removed=Removal.KEEP, source=_MERGES),
    Field("serviceConnectConfiguration.enabled", default=False, removed=Reset(False), source=_DOCS),
    Field("serviceConnectConfiguration.services", key=("portName",), source=_DOCS),
    Field("serviceConnectConfiguration.logConfiguration.options", open_map=True, source=_DOCS),
    Field("volumeConfigurations", key=("name",), effect=_DEPLOYS, removed=Reset([]), source=_DOCS),
    Field("volumeConfigurations[].managedEBSVolume.encrypted", default=True, source=_DOCS),
    Field("volumeConfigurations[].managedEBSVolume.filesystemType", default="xfs", source=_DOCS),
    Field("volumeConfigurations[].managedEBSVolume.volumeType", default="gp3", source=_DOCS),
    Field("volumeConfigurations[].managedEBSVolume.iops", default=3000, source=_DOCS),
    Field("volumeConfigurations[].managedEBSVolume.throughput", default=125, source=_DOCS),
    Field("vpcLatticeConfigurations", key=("targetGroupArn",), effect=_DEPLOYS, removed=Reset([]), source=_DOCS),
    TAGS_FIELD,
)

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


def _place(text: str) -> str:
    return "instanceid" if text.lower() in ("host", "instanceid") else text.lower()


def prepare(spec: Spec) -> Spec:
    """The defaults of a DAEMON differ; the content of the task definition has a form of its own."""
    prepared = dict(spec)
    if spec.get("schedulingStrategy") == "DAEMON":
        prepared.pop("desiredCount", None)
        rollout = dict(spec.get("deploymentConfiguration") or {})
        for name, usual in (("maximumPercent", 100), ("minimumHealthyPercent", 0)):
            if rollout.get(name) == usual:
                del rollout[name]
        prepared["deploymentConfiguration"] = rollout
    content = spec.get("taskDefinition")
    if isinstance(content, dict):
        prepared["taskDefinition"] = task_definition.prepare(content)
    elif isinstance(content, str):
        prepared["taskDefinition"] = content.rpartition("/")[2]
    if isinstance(cluster := spec.get("cluster"), str):
        prepared["cluster"] = cluster.rpartition("/")[2]
    return prepared


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


# ------------------------------------------------------------------------------------------------------------- reading

_FROM_SERVICE = (
    "serviceName loadBalancers serviceRegistries desiredCount launchType capacityProviderStrategy platformVersion "
    "deploymentConfiguration placementConstraints placementStrategy networkConfiguration "
    "healthCheckGracePeriodSeconds schedulingStrategy deploymentController enableECSManagedTags propagateTags "
    "enableExecuteCommand availabilityZoneRebalancing taskDefinition"
).split()
_PRIMARY = ("id", "rolloutState", "rolloutStateReason", "failedTasks")
_FROM_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")


def read(request: ReadRequest) -> Iterable[Live]:
    """Lists each cluster's services, describes them ten at a time, and looks closer only at those that are moving."""
    described = _describe(request.reader, _clusters(request))
    arns = sorted({service["taskDefinition"] for service in described if service.get("taskDefinition")})
    contents = task_definition.describe(request.reader, arns)
    autoscaled = _autoscaled(request.reader, described)
    deployments = _deployments(request.reader, [service for service in described if _moving(service)])
    for service in described:
        arn = service["serviceArn"]
        yield _live(service, contents, autoscaled=arn in autoscaled, deployments=deployments.get(arn, []))


def _clusters(request: ReadRequest) -> list[str]:
    """Every cluster that may hold services of ours, by name."""
    named = {str(resource.spec.get("cluster", "default")) for resource in request.desired.values()}
    ours = {cluster.natural for cluster in request.lives.of_kind("Cluster")}
    return sorted({name.rpartition("/")[2] for name in named if not name.startswith("${")} | ours)


def _describe(reader: Reader, clusters: Iterable[str]) -> list[Answer]:
    calls: list[Call] = []
    for cluster in clusters:
        try:
            arns = reader.pages(Call("ecs", "ListServices", {"cluster": cluster, "maxResults": 100}), "serviceArns")
        except NotFoundError:
            continue  # a cluster that this commit creates
        calls += [
            Call("ecs", "DescribeServices", {"cluster": cluster, "services": batch, "include": ["TAGS"]})
            for batch in batches(arns, SERVICE_BATCH)
        ]
    answers = reader.read_many(calls)
    return [service for answer in answers for service in answer["services"] if service["status"] != "INACTIVE"]


def _autoscaled(reader: Reader, services: Sequence[Answer]) -> set[str]:
    """ARNs of the services whose count a scalable target owns, whoever made it."""
    names = {f"service/{_cluster_of(service)}/{service['serviceName']}": service["serviceArn"] for service in services}
    calls = [
        Call("application-autoscaling", "DescribeScalableTargets", {"serviceNamespace": "ecs", "resourceIds": batch})
        for batch in batches(sorted(names), SCALABLE_BATCH)
    ]
    answers = reader.read_many(calls)
    targets = (target for answer in answers for target in answer["scalableTargets"])
    return {
        names[target["resourceId"]]
        for target in targets
        if target["resourceId"] in names and target.get("scalableDimension") == "ecs:service:DesiredCount"
    }


def _moving(service: Answer) -> bool:
    """Whether a rollout of ours may be under way: only then its deployments are worth calls."""
    controller = (service.get("deploymentController") or {}).get("type", "ECS")
    return controller == "ECS" and TAG_APPLYING in tags_by_key(service.get("tags", []))


def _deployments(reader: Reader, services: Sequence[Answer]) -> dict[str, list[Spec]]:
    """The recent deployments of each service, newest first, each with the task definition that it carries."""
    calls = [
        Call("ecs", "ListServiceDeployments", {"service": arn, "cluster": cluster, "maxResults": RECENT_DEPLOYMENTS})
        for arn, cluster in ((service["serviceArn"], service["clusterArn"]) for service in services)
    ]
    listed = [answer["serviceDeployments"] for answer in reader.read_many(calls)]
    targets = sorted({brief["targetServiceRevisionArn"] for briefs in listed for brief in briefs})
    described = reader.read_many(
        [
            Call("ecs", "DescribeServiceRevisions", {"serviceRevisionArns": batch})
            for batch in batches(targets, REVISION_BATCH)
        ]
    )
    revisions = {
        revision["serviceRevisionArn"]: revision.get("taskDefinition", "")
        for answer in described
        for revision in answer["serviceRevisions"]
    }
    return {
        service["serviceArn"]: sorted(
            (_deployment(brief, revisions) for brief in briefs), key=lambda item: item["createdAt"], reverse=True
        )
        for service, briefs in zip(services, listed, strict=True)
    }


def _deployment(brief: Answer, revisions: Mapping[str, str]) -> Spec:
    return {
        "arn": brief["serviceDeploymentArn"],
        "status": brief["status"],
        "reason": brief.get("statusReason", ""),
        "createdAt": brief["createdAt"],
        "taskDefinition": revisions.get(brief["targetServiceRevisionArn"], ""),
    }


def _cluster_of(service: Answer) -> str:
    return str(service["clusterArn"]).rpartition("/")[2]


def _live(service: Answer, contents: Mapping[str, Spec], *, autoscaled: bool, deployments: list[Spec]) -> Live:
    tags = tags_by_key(service.get("tags", []))
    cluster, arn = _cluster_of(service), service["serviceArn"]
    primary: Spec = next((item for item in service.get("deployments", []) if item["status"] == "PRIMARY"), {})
    spec: Spec = {"cluster": cluster} | {name: service[name] for name in _FROM_SERVICE if name in service}
    spec |= {name: primary[name] for name in _FROM_DEPLOYMENT if name in primary}
    if service.get("roleArn"):
        spec["role"] = service["roleArn"]
    running = service.get("taskDefinition", "")
    return Live(
        kind="Service",
        arn=arn,
        natural=f"{cluster}/{service['serviceName']}",
        spec=spec | own_tags(tags),
        tags=tags,
        attributes={"arn": arn, "name": service["serviceName"]},
        facts={
            "status": service["status"],
            "leaving": service["status"] == "DRAINING",
            "taskDefinition": running,
            "running": service.get("runningCount", 0),
            "pending": service.get("pendingCount", 0),
            "desired": service.get("desiredCount", 0),
            "autoscaled": autoscaled,
            "primary": {
                name: primary.get(name) for name in ("id", "rolloutState", "rolloutStateReason", "failedTasks")
            },
            "deployments": deployments,
        },
        contents={"taskDefinition": contents[running]} if running in contents else {},
    )


# ------------------------------------------------------------------------------------------------------------- writing


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


def abort(live: Live, rollout: Rollout) -> tuple[Call, ...]:
    """Ends a rollout that will not succeed; AWS puts the previous revision back, where there was one."""
    first = len(live.facts.get("deployments", ())) <= 1
    if first or rollout.rolling_back or not rollout.deployment:
        return ()
    params = {"serviceDeploymentArn": rollout.deployment, "stopType": "ROLLBACK"}
    return (Call("ecs", "StopServiceDeployment", params),)


# ------------------------------------------------------------------------------------------------------------- judging

_RUNNING = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED")
_ROLLING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def rollout(live: Live, content: Spec) -> Rollout:
    """How the deployment that carries the wanted task definition stands, if a change of ours is under way."""
    since = live.applying_since
    recent: list[Spec] = [
        item
        for item in live.facts.get("deployments", ())
        if since is None or _time(item["createdAt"]) >= since - CLOCK_SKEW
    ]
    wanted = content.get("taskDefinition")
    ours = next((item for item in recent if item["taskDefinition"] == wanted), None)
    if ours is None:
        return Rollout(RolloutState.NONE)
    started, arn, status = _time(ours["createdAt"]), ours["arn"], ours["status"]
    reason = ours["reason"] or status
    if status == "SUCCESSFUL":
        return Rollout(RolloutState.SUCCEEDED, arn, reason, started)
    if status in _RUNNING:
        return _running(live, arn, started)
    if status == "STOPPED" and recent[0] is not ours:
        return Rollout(RolloutState.NONE)  # somebody else's deployment took over: that is drift, not our failure
    return Rollout(RolloutState.FAILED, arn, reason, started, rolling_back=True)


def _running(live: Live, arn: str, started: datetime) -> Rollout:
    failed = int(live.facts.get("primary", {}).get("failedTasks") or 0)
    configuration = live.spec.get("deploymentConfiguration") or {}
    breaker = (configuration.get("deploymentCircuitBreaker") or {}).get("enable", False)
    if failed >= CRASH_LOOP and not breaker:
        return Rollout(RolloutState.FAILED, arn, f"crash loop: {failed} tasks have failed", started)
    running, desired = live.facts.get("running", 0), live.facts.get("desired", 0)
    return Rollout(RolloutState.RUNNING, arn, f"{running} tasks running, {desired} wanted", started)


def _time(value: Json) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def health(live: Live) -> Health:
    facts = live.facts
    if facts.get("leaving"):
        return Health(HealthState.PROGRESSING, "draining before it is deleted")
    primary = facts.get("primary", {})
    running, desired = int(facts.get("running", 0)), int(facts.get("desired", 0))
    counts = f"{running} of {desired} tasks running"
    match primary.get("rolloutState"):
        case "FAILED":
            return Health(HealthState.DEGRADED, primary.get("rolloutStateReason") or "the deployment failed")
        case "IN_PROGRESS":
            failed = int(primary.get("failedTasks") or 0)
            return Health(HealthState.PROGRESSING, counts + (f", {failed} have failed" if failed else ""))
        case _ if desired == 0 and running == 0:
            return Health(HealthState.SUSPENDED, "scaled to zero")
        case _ if running < desired:
            return Health(HealthState.DEGRADED, counts)
        case _:
            return Health(HealthState.HEALTHY, counts)


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
