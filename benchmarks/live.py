"""What AWS would say of the benchmark's fleet when everything in it is as git says.

`answers` makes bytes of it. The state comes from rendering the repository, so that tags carry the right commit and
digests and target groups the names that the planner gives them; then every default and echo that AWS is known to add is
put around it, because that is what a client has to read and see through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from benchmarks.generate import ACCOUNT, REGION, Fleet
from reconciler.core.live import TAG_COMMIT, TAG_DIGEST, TAG_ENVIRONMENT, TAG_RESOURCE
from reconciler.core.names import physical_name
from reconciler.core.resource import Desired, Resource
from reconciler.core.values import Json, Ref, ResourceId, Spec, resolve
from reconciler.kinds import KINDS

Tags = list[dict[str, str]]

REVISION: Final = 7
EVENTS: Final = 100  # AWS keeps so many of a service, and DescribeServices answers them all
EPOCH: Final = 1767603600.0  # 2026-01-05T09:00:00Z
AUTOSCALED_EACH: Final = 4  # one service in so many has a scalable target, and another count than git says


def hexadecimal(text: str, digits: int = 16) -> str:
    """The id that AWS would have drawn: always the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


@dataclass
class LiveFleet:
    """The objects of the fleet by ARN, in the manifest's spelling; `commit` is what was applied last, in full."""

    fleet: Fleet
    desired: Desired

    # ------------------------------------------------------------------------------------------------------- identity

    @cached_property
    def arns(self) -> dict[ResourceId, str]:
        """The ARN of each resource, in an order in which references are known before they are needed."""
        order = ("Cluster", "LoadBalancer", "Listener", "TargetGroup", "ListenerRule", "TaskDefinition", "Service")
        found: dict[ResourceId, str] = {}
        for kind in order:
            for identity in self.desired.resources:
                if identity.kind == kind:
                    found[identity] = self._arn(identity, found)
        return found

    def _arn(self, identity: ResourceId, known: Mapping[ResourceId, str]) -> str:
        name, unique = identity.name, hexadecimal(str(identity))
        ecs, elb = f"arn:aws:ecs:{REGION}:{ACCOUNT}", f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
        match identity.kind:
            case "Cluster":
                return f"{ecs}:cluster/{name}"
            case "LoadBalancer":
                return f"{elb}:loadbalancer/app/{name}/{unique}"
            case "Listener":
                balancer = known[ResourceId("LoadBalancer", name)].rpartition(":loadbalancer/")[2]
                return f"{elb}:listener/{balancer}/{unique}"
            case "ListenerRule":
                parent = self.resource(identity).spec["listenerArn"].target
                return f"{elb}:listener-rule/{known[parent].rpartition(':listener/')[2]}/{unique}"
            case "TargetGroup":
                return f"{elb}:targetgroup/{self.physical(identity)}/{unique}"
            case "TaskDefinition":
                return f"{ecs}:task-definition/{name}:{REVISION}"
            case _:
                return f"{ecs}:service/{self.resource(identity).spec['cluster'].target.name}/{name}"

    def resource(self, identity: ResourceId) -> Resource:
        return self.desired.resources[identity]

    def of_kind(self, kind: str) -> list[ResourceId]:
        return [identity for identity in self.desired.resources if identity.kind == kind]

    def physical(self, identity: ResourceId) -> str:
        """The name that the planner gives a target group."""
        resource = self.resource(identity)
        return physical_name(KINDS[identity.kind], resource, self.desired.environment.tag, resource.spec)

    def spec(self, identity: ResourceId) -> Spec:
        """What git says, references resolved."""

        def lookup(ref: Ref) -> Json:
            return self.arns[ref.target] if ref.attribute == "arn" else ref.target.name

        resolved: Spec = resolve(self.resource(identity).spec, lookup)
        return resolved

    def tags(self, identity: ResourceId) -> Tags:
        """The manifest's tags and ours; AWS answers them in no order that one could rely on."""
        resource = self.resource(identity)
        ours = {
            TAG_ENVIRONMENT: self.desired.environment.tag,
            TAG_RESOURCE: str(identity),
            TAG_COMMIT: self.desired.commit,
            TAG_DIGEST: resource.digest,
        }
        declared = {tag["key"]: tag["value"] for tag in resource.spec.get("tags", [])}
        return [{"key": key, "value": value} for key, value in sorted((declared | ours).items(), reverse=True)]

    # ------------------------------------------------------------------------------------------------------------ ECS

    def cluster(self, identity: ResourceId) -> Spec:
        name = identity.name
        services = [one for one in self.of_kind("Service") if self.resource(one).spec["cluster"].target == identity]
        return {
            "clusterArn": self.arns[identity],
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": sum(self.count(one) for one in services),
            "pendingTasksCount": 0,
            "activeServicesCount": len(services),
            "statistics": [],
            "tags": self.tags(identity),
            "settings": self.spec(identity)["settings"],
            "capacityProviders": [],
            "defaultCapacityProviderStrategy": [],
        }

    def autoscaled(self, identity: ResourceId) -> bool:
        return int(identity.name.rpartition("-")[2]) % AUTOSCALED_EACH == 0

    def count(self, identity: ResourceId) -> int:
        declared = int(self.resource(identity).spec["desiredCount"])
        return declared + 3 if self.autoscaled(identity) else declared

    def service(self, identity: ResourceId) -> Spec:
        """One of DescribeServices' services, tags and a hundred events included."""
        spec, name, arn = self.spec(identity), identity.name, self.arns[identity]
        running = {"desiredCount": self.count(identity), "pendingCount": 0, "runningCount": self.count(identity)}
        placed = {
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    **spec["networkConfiguration"]["awsvpcConfiguration"],
                    "subnets": spec["networkConfiguration"]["awsvpcConfiguration"]["subnets"][::-1],
                    "assignPublicIp": "DISABLED",
                }
            },
        }
        deployment = {
            "id": f"ecs-svc/{int(hexadecimal(arn, 15), 16)}",
            "status": "PRIMARY",
            "taskDefinition": spec["taskDefinition"],
            **running,
            "failedTasks": 0,
            "createdAt": EPOCH + 120.123,
            "updatedAt": EPOCH + 240.456,
            **placed,
            "rolloutState": "COMPLETED",
            "rolloutStateReason": "ECS deployment completed.",
        }
        cluster = spec["cluster"]
        revision = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-revision/{cluster}/{name}/{int(hexadecimal(name, 15), 16)}"
        return {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{cluster}",
            "loadBalancers": spec["loadBalancers"],
            "serviceRegistries": [],
            "status": "ACTIVE",
            **running,
            **placed,
            "platformVersion": "LATEST",
            "taskDefinition": spec["taskDefinition"],
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {
                    **spec["deploymentConfiguration"]["deploymentCircuitBreaker"],
                    "resetOnHealthyTask": True,
                    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
                },
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
                "alarms": {"alarmNames": [], "enable": False, "rollback": False},
                "strategy": "ROLLING",
                "bakeTimeInMinutes": 0,
            },
            "deployments": [deployment],
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
            "events": _events(name),
            "createdAt": EPOCH,
            "placementConstraints": [],
            "placementStrategy": [],
            "healthCheckGracePeriodSeconds": spec["healthCheckGracePeriodSeconds"],
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "createdBy": f"arn:aws:iam::{ACCOUNT}:role/deployer",
            "enableECSManagedTags": False,
            "propagateTags": spec["propagateTags"],
            "enableExecuteCommand": False,
            "availabilityZoneRebalancing": "ENABLED",
            "currentServiceDeployment": revision.replace("service-revision", "service-deployment"),
            "currentServiceRevisions": [
                {
                    "arn": revision,
                    "requestedTaskCount": self.count(identity),
                    "runningTaskCount": self.count(identity),
                    "pendingTaskCount": 0,
                }
            ],
            "tags": self.tags(identity),
        }

    def task_definition(self, identity: ResourceId) -> Spec:
        """A described revision, with the empty members that AWS adds and the environment in another order."""
        spec = {"family": identity.name, **self.spec(identity)}
        empty = (
            "command entryPoint environmentFiles links mountPoints volumesFrom dependsOn dnsServers dnsSearchDomains "
            "extraHosts ulimits systemControls credentialSpecs resourceRequirements dockerSecurityOptions"
        ).split()
        containers = []
        for container in spec["containerDefinitions"]:
            port = container["portMappings"][0]
            echoed = {name: [] for name in empty} | container | {"cpu": 0, "essential": True, "dockerLabels": {}}
            echoed["portMappings"] = [{**port, "hostPort": port["containerPort"], "protocol": "tcp"}]
            echoed["environment"] = sorted(container["environment"], key=lambda pair: pair["name"], reverse=True)
            echoed["healthCheck"] = {**container["healthCheck"], "interval": 30, "timeout": 5, "retries": 3}
            containers.append(echoed)
        return {
            **spec,
            "taskDefinitionArn": self.arns[identity],
            "containerDefinitions": containers,
            "revision": REVISION,
            "volumes": [],
            "status": "ACTIVE",
            "requiresAttributes": [
                {"name": f"com.amazonaws.ecs.capability.{name}"}
                for name in ("logging-driver.awslogs", "docker-remote-api.1.19", "task-iam-role", "secrets.ssm")
            ],
            "placementConstraints": [],
            "inferenceAccelerators": [],
            "compatibilities": ["EC2", "FARGATE"],
            "registeredAt": EPOCH - 60.5,
            "registeredBy": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/reconciler",
        }

    def scalable_target(self, identity: ResourceId) -> Spec:
        linked = "aws-service-role/ecs.application-autoscaling.amazonaws.com"
        return {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{self.spec(identity)['cluster']}/{identity.name}",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 2,
            "MaxCapacity": 20,
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/{linked}/AWSServiceRoleForApplicationAutoScaling_ECSService",
            "CreationTime": EPOCH,
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": False,
                "ScheduledScalingSuspended": False,
            },
        }


def _events(name: str) -> list[dict[str, Any]]:
    return [
        {
            "id": "-".join(
                (hexadecimal(f"{name}{n}", 8), hexadecimal(f"{n}{name}", 4), "4d7e", "9d5f", hexadecimal(f"{n}", 12))
            ),
            "createdAt": EPOCH + 86400 * 40 - n * 21600.123,
            "message": f"(service {name}) has reached a steady state.",
        }
        for n in range(EVENTS)
    ]
