"""How services are read: lists, descriptions ten at a time, and a closer look only at those that are moving.

Part of `service`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.core.call import Answer, Call, Reader, batches
from reconciler.core.errors import NotFoundError
from reconciler.core.kind import ReadRequest
from reconciler.core.live import TAG_APPLYING, Live
from reconciler.core.tags import own_tags, tags_by_key
from reconciler.core.values import Spec
from reconciler.kinds import task_definition

SERVICE_BATCH = 10  # DescribeServices takes no more
SCALABLE_BATCH = 50  # DescribeScalableTargets takes no more
REVISION_BATCH = 20  # DescribeServiceRevisions takes no more
RECENT_DEPLOYMENTS = 10

_FROM_SERVICE = (
    "serviceName loadBalancers serviceRegistries desiredCount launchType capacityProviderStrategy platformVersion "
    "deploymentConfiguration placementConstraints placementStrategy networkConfiguration "
    "healthCheckGracePeriodSeconds schedulingStrategy deploymentController enableECSManagedTags propagateTags "
    "enableExecuteCommand availabilityZoneRebalancing taskDefinition"
).split()
_PRIMARY = ("id", "rolloutState", "rolloutStateReason", "failedTasks")
_FROM_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
_FROM_REVISION = ("gatewayConnectors", "monitoring")  # told by nothing else, so read only where git has them


def read(request: ReadRequest) -> Iterable[Live]:
    """Lists each cluster's services, describes them ten at a time, and looks closer only at those that are moving."""
    described = _describe(request.reader, _clusters(request))
    arns = sorted({service["taskDefinition"] for service in described if service.get("taskDefinition")})
    contents = task_definition.describe(request.reader, arns)
    autoscaled = _autoscaled(request.reader, described)
    deployments = _deployments(request.reader, [service for service in described if _moving(service)])
    revised = _revised(request, described)
    for service in described:
        arn = service["serviceArn"]
        live = _live(service, contents, autoscaled=arn in autoscaled, deployments=deployments.get(arn, []))
        yield replace(live, spec=live.spec | revised[arn]) if arn in revised else live


def _revised(request: ReadRequest, services: Sequence[Answer]) -> dict[str, Spec]:
    """The members that only a service's newest revision tells, by the service's ARN."""
    having = (one for one in request.desired.values() if any(name in one.spec for name in _FROM_REVISION))
    names = {one.spec.get("serviceName", one.id.name) for one in having}
    current = (service.get("currentServiceRevisions", []) for service in services if service["serviceName"] in names)
    arns = sorted(revision["arn"] for revisions in current for revision in revisions)
    calls = [
        Call("ecs", "DescribeServiceRevisions", {"serviceRevisionArns": batch})
        for batch in batches(arns, REVISION_BATCH)
    ]
    revisions = [one for answer in request.reader.read_many(calls) for one in answer["serviceRevisions"]]
    return {
        one["serviceArn"]: {name: one[name] for name in _FROM_REVISION if name in one}
        for one in sorted(revisions, key=lambda one: str(one["createdAt"]))
    }


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
