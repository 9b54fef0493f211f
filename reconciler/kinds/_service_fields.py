"""The table of a service: what AWS fills in, what a change costs, and what happens to a field that git drops.

Part of `service`; the rows of the embedded task definition come from `_task_definition_fields`. UpdateService keeps
what it is not sent, so a field that git drops has the value here that says "as if it had never been set".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.core.fields import Effect, Field, Removal, Reset
from reconciler.core.tags import TAGS_FIELD
from reconciler.core.values import ABSENT, Json, Spec
from reconciler.kinds import _task_definition_fields as content

_MODEL = "botocore model"
_DOCS = "ECS API reference"
_MERGES = "UpdateService keeps what it is not sent"
_WHOLE = "UpdateService replaces it whole"
_DEPLOYS = Effect.DEPLOYMENT
_CONTROLLER = "another controller is chosen by naming it, not by a line that is missing"

REPLICA_BOUNDS = {"maximumPercent": 200, "minimumHealthyPercent": 100}
DAEMON_BOUNDS = {"maximumPercent": 100, "minimumHealthyPercent": 0}


class _OfDaemon(dict[str, Any]):
    """The deploymentConfiguration of a DAEMON, whose bounds have defaults of their own."""


def _bound(name: str) -> Field:
    def default(configuration: Spec) -> Json:
        return (DAEMON_BOUNDS if isinstance(configuration, _OfDaemon) else REPLICA_BOUNDS)[name]

    path, usual = f"deploymentConfiguration.{name}", REPLICA_BOUNDS[name]
    return Field(path, default=default, removed=Reset(usual), source=f"{_DOCS}; DAEMON: {DAEMON_BOUNDS[name]}")


def _of_gp3(value: int) -> Callable[[Spec], Json]:
    return lambda volume: value if volume.get("volumeType", "gp3") == "gp3" else ABSENT


def _place(text: Json) -> str:
    return "instanceid" if str(text).lower() in ("host", "instanceid") else str(text).lower()


_TASKS = (
    *(row.under("taskDefinition") for row in content.FIELDS),
    Field("taskDefinition", effect=_DEPLOYS, removed=Removal.REFUSE, source=_MODEL),
)

_PLACE = (
    Field("cluster", effect=Effect.REPLACE, default="default", source=_DOCS),
    Field("serviceName", effect=Effect.REPLACE, source=_MODEL),
    Field("role", effect=Effect.REPLACE, normal=lambda role: str(role).rpartition("/")[2], computed=True, source=_DOCS),
    Field("schedulingStrategy", effect=Effect.REPLACE, default="REPLICA", source=_DOCS),
    Field("launchType", effect=Effect.REPLACE, computed=True, removed=Removal.KEEP, source="echoes the cluster's"),
    Field("desiredCount", computed=True, removed=Removal.KEEP, source="people and autoscalers change it"),
    Field("availabilityZoneRebalancing", computed=True, removed=Removal.KEEP, source="the default depends on its age"),
    Field("deploymentController", removed=Removal.KEEP, source=_CONTROLLER),
    Field("deploymentController.type", default="ECS", source=_DOCS),
    Field(
        "capacityProviderStrategy",
        key=("capacityProvider",),
        effect=_DEPLOYS,  # AWS has refused it without forceNewDeployment, so `update` always sends that with it
        computed=True,
        removed=Removal.KEEP,
        source="echoes the cluster's default",
    ),
    Field("capacityProviderStrategy[].base", default=0, source=_DOCS),  # these two are filled in by `prepare`
    Field("capacityProviderStrategy[].weight", default=0, source=_DOCS),
    Field("platformVersion", effect=_DEPLOYS, computed=True, removed=Removal.KEEP, source="LATEST or resolved"),
    Field("placementConstraints", unordered=True, removed=Reset([]), source=_DOCS),
    Field("placementStrategy", removed=Reset([]), source="the order counts"),
    Field("placementStrategy[].type", normal=lambda text: str(text).lower(), source="case-insensitive"),
    Field("placementStrategy[].field", normal=_place, source="host becomes instanceId; case-insensitive"),
)

_D = "deploymentConfiguration."
_BREAKER = {
    "enable": False,
    "rollback": False,
    "resetOnHealthyTask": True,
    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
}
_ROLLOUT = (
    _bound("maximumPercent"),
    _bound("minimumHealthyPercent"),
    Field(_D + "deploymentCircuitBreaker", removed=Reset(_BREAKER), source=_MERGES),
    Field(_D + "deploymentCircuitBreaker.enable", default=False, source=_DOCS),
    Field(_D + "deploymentCircuitBreaker.rollback", default=False, source=_DOCS),
    Field(_D + "deploymentCircuitBreaker.resetOnHealthyTask", default=True, source=_DOCS),
    Field(_D + "deploymentCircuitBreaker.thresholdConfiguration.type", default="BOUNDED_PERCENT", source=_DOCS),
    Field(_D + "deploymentCircuitBreaker.thresholdConfiguration.value", default=50, source=_DOCS),
    Field(_D + "alarms", removed=Reset({"alarmNames": [], "enable": False, "rollback": False}), source=_MERGES),
    Field(_D + "alarms.alarmNames", unordered=True, source=_DOCS),
    Field(_D + "alarms.enable", default=False, source=_DOCS),
    Field(_D + "alarms.rollback", default=False, source=_DOCS),
    Field(_D + "strategy", default="ROLLING", removed=Reset("ROLLING"), source=_DOCS),
    Field(_D + "bakeTimeInMinutes", default=0, removed=Reset(0), source=_DOCS),
    Field(_D + "lifecycleHooks", unordered=True, removed=Reset([]), source="hooks are replaced whole"),
    Field(_D + "lifecycleHooks[].targetType", default="AWS_LAMBDA", source=_DOCS),
    Field(_D + "lifecycleHooks[].lifecycleStages", unordered=True, source="the deployment has an order of its own"),
    Field(_D + "lifecycleHooks[].timeoutConfiguration.timeoutInMinutes", default=1440, source=_DOCS),
    Field(_D + "lifecycleHooks[].timeoutConfiguration.action", default="ROLLBACK", source=_DOCS),
    Field(_D + "linearConfiguration.stepPercent", default=10.0, removed=Reset(10.0), source=_DOCS),
    Field(_D + "linearConfiguration.stepBakeTimeInMinutes", default=6, removed=Reset(6), source=_DOCS),
    Field(_D + "canaryConfiguration.canaryPercent", default=5.0, removed=Reset(5.0), source=_DOCS),
    Field(_D + "canaryConfiguration.canaryBakeTimeInMinutes", default=10, removed=Reset(10), source=_DOCS),
    Field(_D + "earlySuccessCriteria", removed=Reset({"enable": False}), source=_MERGES),
    Field(_D + "earlySuccessCriteria.enable", default=False, source=_DOCS),
    Field(_D + "earlySuccessCriteria.healthyPercent", source=_DOCS),
    Field(_D + "earlySuccessCriteria.sourceServiceRevisionCleanup", source=_DOCS),
)

_L, _N = "loadBalancers[].", "networkConfiguration.awsvpcConfiguration."
_NETWORK = (
    Field(
        "loadBalancers",
        key=("containerName", "containerPort", "targetGroupArn"),
        effect=_DEPLOYS,
        removed=Reset([]),
        source=_MERGES,
    ),
    Field(_L + "loadBalancerName", source=_MODEL),
    *(
        Field(f"{_L}advancedConfiguration.{name}", source=_MODEL)
        for name in ("alternateTargetGroupArn", "productionListenerRule", "testListenerRule", "roleArn")
    ),
    Field("serviceRegistries", key=("registryArn",), effect=_DEPLOYS, removed=Reset([]), source=_MERGES),
    *(Field(f"serviceRegistries[].{name}", source=_MODEL) for name in ("port", "containerName", "containerPort")),
    Field("healthCheckGracePeriodSeconds", default=0, removed=Reset(0), source=_DOCS),
    Field("networkConfiguration", effect=_DEPLOYS, removed=Removal.KEEP, source=_MERGES),
    Field(_N + "subnets", unordered=True, source=_DOCS),
    Field(_N + "securityGroups", unordered=True, computed=True, source="VPC's default"),
    Field(_N + "assignPublicIp", default="DISABLED", removed=Reset("DISABLED"), source=_DOCS),
    Field("vpcLatticeConfigurations", key=("targetGroupArn",), effect=_DEPLOYS, removed=Reset([]), source=_MERGES),
    *(
        Field(f"vpcLatticeConfigurations[].{name}", source=_MODEL)
        for name in (
            "roleArn",
            "portName",
            "advancedConfiguration.alternateTargetGroupArn",
            "advancedConfiguration.productionListenerRule",
            "advancedConfiguration.testListenerRule",
        )
    ),
    Field("gatewayConnectors", key=("portName",), effect=_DEPLOYS, removed=Reset([]), source=_MERGES),
    Field("gatewayConnectors[].filters.accessTypes", unordered=True, source=_MODEL),
)

_S = "serviceConnectConfiguration."
_CONNECT = (
    Field(
        "serviceConnectConfiguration", effect=_DEPLOYS, removed=Reset({"enabled": False}), source=f"{_MERGES}; {_WHOLE}"
    ),
    Field(_S + "enabled", default=False, source=_DOCS),
    Field(_S + "namespace", computed=True, source="the cluster's default"),
    Field(_S + "services", key=("portName",), source=_DOCS),
    Field(
        _S + "services[].discoveryName",
        default=lambda service: service.get("portName", ABSENT),
        source=_DOCS,
    ),
    Field(_S + "services[].ingressPortOverride", computed=True, source="the container's port"),
    Field(_S + "services[].clientAliases", key=("port",), source="ECS API reference: at most one"),
    Field(_S + "services[].clientAliases[].dnsName", computed=True, source="discoveryName.namespace"),
    *(
        Field(f"{_S}services[].{name}", source=_MODEL)
        for name in (
            "clientAliases[].testTrafficRules.header.name",
            "clientAliases[].testTrafficRules.header.value.exact",
            "timeout.idleTimeoutSeconds",
            "timeout.perRequestTimeoutSeconds",
            "tls.issuerCertificateAuthority.awsPcaAuthorityArn",
            "tls.kmsKey",
            "tls.roleArn",
        )
    ),
    Field(_S + "logConfiguration.logDriver", source=_MODEL),
    Field(_S + "logConfiguration.options", open_map=True, source=_DOCS),
    Field(_S + "logConfiguration.secretOptions", key=("name",), source=_DOCS),
    Field(_S + "logConfiguration.secretOptions[].valueFrom", source=_MODEL),
    Field(_S + "accessLogConfiguration.format", source=_MODEL),
    Field(_S + "accessLogConfiguration.includeQueryParameters", default="DISABLED", source=_DOCS),
    Field(_S + "containerConfigurations", unordered=True, source="each member sets one thing"),
)

_E = "volumeConfigurations[].managedEBSVolume."
_VOLUMES = (
    Field("volumeConfigurations", key=("name",), effect=_DEPLOYS, removed=Reset([]), source=_DOCS),
    Field(_E + "encrypted", default=True, source=_DOCS),
    Field(_E + "filesystemType", default="xfs", source=_DOCS),
    Field(_E + "volumeType", default="gp3", source=_DOCS),
    Field(_E + "iops", default=_of_gp3(3000), source="EC2 API reference, gp3"),
    Field(_E + "throughput", default=_of_gp3(125), source="EC2 API reference, gp3"),
    *(
        Field(_E + name, source=_MODEL)
        for name in ("kmsKeyId", "sizeInGiB", "snapshotId", "volumeInitializationRate", "roleArn")
    ),
    Field(_E + "tagSpecifications", key=("resourceType",), source=_DOCS),
    Field(_E + "tagSpecifications[].tags", key=("key",), source=_DOCS),
    Field(_E + "tagSpecifications[].tags[].value", source=_MODEL),
    Field(_E + "tagSpecifications[].propagateTags", default="NONE", source=_DOCS),
)

_FLAGS = (
    Field("enableECSManagedTags", default=False, effect=Effect.NEW_TASKS, removed=Reset(False), source=_DOCS),
    Field("enableExecuteCommand", default=False, effect=Effect.NEW_TASKS, removed=Reset(False), source=_DOCS),
    Field("propagateTags", default="NONE", effect=Effect.NEW_TASKS, removed=Reset("NONE"), source=_DOCS),
    Field("monitoring", effect=_DEPLOYS, removed=Reset({"metricConfigurations": []}), source=_MERGES),
    Field("monitoring.metricConfigurations", unordered=True, source=_MODEL),
    Field("monitoring.metricConfigurations[].metricNames", unordered=True, source=_MODEL),
    TAGS_FIELD,
)

FIELDS = (*_TASKS, *_PLACE, *_ROLLOUT, *_NETWORK, *_CONNECT, *_VOLUMES, *_FLAGS)


def prepare(spec: Spec) -> Spec:
    """The defaults of a DAEMON differ; clusters and revisions have one name; the content has a form of its own."""
    prepared = dict(spec)
    if spec.get("schedulingStrategy") == "DAEMON":
        prepared.pop("desiredCount", None)
        prepared["deploymentConfiguration"] = _OfDaemon(spec.get("deploymentConfiguration") or {})
    definition = spec.get("taskDefinition")
    if isinstance(definition, dict):
        prepared["taskDefinition"] = content.prepare(definition)
    elif isinstance(definition, str):
        prepared["taskDefinition"] = definition.rpartition("/")[2]
    if isinstance(cluster := spec.get("cluster"), str):
        prepared["cluster"] = cluster.rpartition("/")[2]
    if isinstance(strategy := spec.get("capacityProviderStrategy"), list):  # one that is declared is declared whole
        prepared["capacityProviderStrategy"] = [{"base": 0, "weight": 0} | item for item in strategy]
    if isinstance(connect := spec.get("serviceConnectConfiguration"), dict):
        prepared["serviceConnectConfiguration"] = _connect(connect)
    return prepared


def _connect(configuration: Spec) -> Spec:
    """Service Connect with the names that clients use, as far as the namespace tells them, and the usual log mode."""
    prepared = dict(configuration)
    if isinstance(logs := configuration.get("logConfiguration"), dict):
        prepared["logConfiguration"] = content.without_usual_mode(logs)
    namespace, services = configuration.get("namespace"), configuration.get("services")
    if isinstance(namespace, str) and not namespace.startswith("arn:") and isinstance(services, list):
        prepared["services"] = [_named(service, namespace) for service in services]
    return prepared


def _named(service: Spec, namespace: str) -> Spec:
    name, aliases = service.get("discoveryName", service.get("portName")), service.get("clientAliases")
    if not isinstance(name, str) or not isinstance(aliases, list):
        return service
    return service | {"clientAliases": [{"dnsName": f"{name}.{namespace}"} | alias for alias in aliases]}
