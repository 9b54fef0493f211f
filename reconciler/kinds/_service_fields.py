"""The table of a service: what AWS fills in, what a change costs, and what happens to a field that git drops.

Part of `service`; the rows of the embedded task definition come from `task_definition`.
"""

from __future__ import annotations

from reconciler.core.fields import Effect, Field, Removal, Reset
from reconciler.core.tags import TAGS_FIELD
from reconciler.core.values import Spec
from reconciler.kinds import task_definition


def _place(text: str) -> str:
    return "instanceid" if text.lower() in ("host", "instanceid") else text.lower()


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
