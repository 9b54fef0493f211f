"""A small shop on the emulated ECS: what the tests of services and rollouts start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


class Shop:
    """A cluster, a load balancer with a target group of each type, and short words for what the tests do with them."""

    def __init__(self, emulator: Any) -> None:
        self.aws = emulator
        self.ecs = emulator.client("ecs")
        self.elb = emulator.client("elbv2")
        self.ecs.create_cluster(clusterName="shop")
        ec2 = emulator.client("ec2")
        subnets = ec2.describe_subnets()["Subnets"][:2]
        self.subnets = [subnet["SubnetId"] for subnet in subnets]
        self._vpc = subnets[0]["VpcId"]
        self._balancer: str | None = None

    def target_group(self, kind: str = "ip", name: str = "web", *, attached: bool = True) -> str:
        """Make a target group, and a listener that forwards to it."""
        made = self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self._vpc, TargetType=kind)
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        if attached:
            if self._balancer is None:
                balancers = self.elb.create_load_balancer(Name="shop", Subnets=self.subnets)["LoadBalancers"]
                self._balancer = balancers[0]["LoadBalancerArn"]
            count = len(self.elb.describe_listeners(LoadBalancerArn=self._balancer)["Listeners"])
            self.elb.create_listener(
                LoadBalancerArn=self._balancer,
                Protocol="HTTP",
                Port=80 + count,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
            )
        return arn

    def define(self, tag: str = "1", family: str = "web", *, fargate: bool = True, **container: Any) -> str:
        """Register a task definition of one container `app` with port 8080. Returns its ARN."""
        definition: dict[str, Any] = {
            "name": "app",
            "image": f"registry.example/web:{tag}",
            "portMappings": [{"containerPort": 8080}],
        }
        if fargate:
            size = {"cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
            made = self.ecs.register_task_definition(
                family=family, containerDefinitions=[definition | container], **size
            )
        else:
            definition |= {"memory": 256, "cpu": 128}
            made = self.ecs.register_task_definition(family=family, containerDefinitions=[definition | container])
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def create(self, **members: Any) -> Any:
        """Create the service `web`: three Fargate tasks, unless said otherwise. None takes a member away."""
        network = {"awsvpcConfiguration": {"subnets": self.subnets}}
        request = {
            "cluster": "shop",
            "serviceName": "web",
            "taskDefinition": "web",
            "desiredCount": 3,
            "launchType": "FARGATE",
            "networkConfiguration": network,
        } | members
        return self.ecs.create_service(**{k: v for k, v in request.items() if v is not None})["service"]

    def create_on_ec2(self, **members: Any) -> Any:
        """Create the service `web` on EC2 with bridge networking."""
        return self.create(**{"launchType": "EC2", "networkConfiguration": None} | members)

    def update(self, **members: Any) -> Any:
        """Update the service `web`."""
        return self.ecs.update_service(cluster="shop", service="web", **members)["service"]

    def describe(self, **members: Any) -> Any:
        """Describe the service `web`."""
        return self.ecs.describe_services(cluster="shop", services=["web"], **members)["services"][0]

    def deployment(self) -> Any:
        """Describe the newest service deployment of `web`."""
        arn = self.describe()["currentServiceDeployment"]
        return self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]

    def tasks(self, desired: str = "RUNNING") -> Any:
        """Describe the tasks of `web` with that desired status."""
        arns = self.ecs.list_tasks(cluster="shop", serviceName="web", desiredStatus=desired)["taskArns"]
        return self.ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"] if arns else []

    def messages(self) -> list[str]:
        """Return the service's events, oldest first."""
        return [event["message"] for event in reversed(self.describe()["events"])]

    def until(self, done: Callable[[Any], bool], within: int = 60, look: Callable[[Any], None] | None = None) -> int:
        """Tick until `done(service)`; `look(service)` sees every tick. Returns how many virtual seconds it took."""
        for second in range(1, within + 1):
            self.aws.tick()
            service = self.describe()
            if look is not None:
                look(service)
            if done(service):
                return second
        raise AssertionError(f"not within {within} s: {self.describe()['deployments']}, {self.messages()[-5:]}")

    def settle(self, within: int = 60, look: Callable[[Any], None] | None = None) -> int:
        """Tick until the service has one deployment, COMPLETED."""
        return self.until(lambda s: [d["rolloutState"] for d in s["deployments"]] == ["COMPLETED"], within, look)

    def refused(self, call: Callable[..., Any], /, **members: Any) -> tuple[str, str]:
        """Make a call that must fail. Returns the error's code and message."""
        with pytest.raises(ClientError) as caught:
            call(**members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def shop(emulator: Any) -> Iterator[Shop]:
    """The shop. When the test ends, it must have asked for nothing that the emulator could not do."""
    yield Shop(emulator)
    assert emulator.unimplemented == []
