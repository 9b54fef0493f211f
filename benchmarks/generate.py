"""A git repository that describes N services, a hundred behind each application load balancer.

The benchmark and its tests call `write_repository`; `python -m benchmarks.generate FOLDER --services N` makes one to
look at. It exists so that everybody measures the same fleet: the same N gives the same commit id, on any machine.

A service is one file with three documents (Service with its task definition inline, TargetGroup, ListenerRule), as
people write them; each load balancer has one HTTPS listener, each cluster at most 5,000 services.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

SERVICES_PER_BALANCER: Final = 100  # AWS's quotas: 100 rules and 100 target groups a load balancer
SERVICES_PER_CLUSTER: Final = 5000  # AWS's quota
ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
INSTALLATION: Final = "benchmark"
ENVIRONMENT: Final = "production"

_NETWORK: Final = {
    "subnets": [f"subnet-0a1b2c3d4e5f6078{n}" for n in range(3)],
    "securityGroups": ["sg-0a1b2c3d4e5f60789"],
}
_VPC: Final = "vpc-0a1b2c3d4e5f60789"
_CERTIFICATE: Final = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/5b6f3a52-7d4c-4d7e-9d5f-1f2e3d4c5b6a"
_PERSON: Final = ("Benchmark", "benchmark@example.org", "2026-01-05T09:00:00+00:00")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fleet:
    """N services and what is around them, by name."""

    services: int

    @property
    def balancers(self) -> int:
        return -(-self.services // SERVICES_PER_BALANCER)

    @property
    def clusters(self) -> int:
        return -(-self.services // SERVICES_PER_CLUSTER)

    def service(self, number: int) -> str:
        return f"svc-{number:05}"

    def balancer(self, number: int) -> str:
        """The load balancer of a service."""
        return f"alb-{number // SERVICES_PER_BALANCER:03}"

    def cluster(self, number: int) -> str:
        """The cluster of a service."""
        return f"fleet-{number // SERVICES_PER_CLUSTER}"


def files(fleet: Fleet) -> Iterator[tuple[str, list[Document]]]:
    """Each file of the repository, with its documents."""
    yield "reconciler.yaml", [{"installation": INSTALLATION, "environments": "environments"}]
    yield f"environments/{ENVIRONMENT}.yaml", [_environment()]
    for number in range(0, fleet.services, SERVICES_PER_CLUSTER):
        name = fleet.cluster(number)
        settings = [{"name": "containerInsights", "value": "enabled"}]
        yield f"base/clusters/{name}.yaml", [_document("Cluster", name, {"settings": settings})]
    for number in range(0, fleet.services, SERVICES_PER_BALANCER):
        name = fleet.balancer(number)
        yield f"base/balancers/{name}.yaml", [_balancer(name), _listener(name)]
    for number in range(fleet.services):
        documents = [_service(fleet, number), _target_group(fleet, number), _rule(fleet, number)]
        yield f"base/services/{fleet.service(number)}.yaml", documents


def write_repository(root: Path, services: int) -> str:
    """Make the repository in an empty folder; the answer is its commit's id."""
    for path, documents in files(Fleet(services)):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=None), encoding="utf-8")
    _git(root, "init", "--quiet", "--initial-branch=main")
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--no-gpg-sign", "--message", f"Describe {services} services")
    return _git(root, "rev-parse", "HEAD").strip()


def _git(root: Path, *arguments: str) -> str:
    name, mail, date = _PERSON
    settings = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in
           (("NAME", name), ("EMAIL", mail), ("DATE", date))},
    }  # fmt: skip
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], env=os.environ | settings, check=True, capture_output=True, text=True
    )
    return done.stdout


def _document(kind: str, name: str, spec: Document, **metadata: Document) -> Document:
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def _environment() -> Document:
    spec = {
        "account": ACCOUNT,
        "region": REGION,
        "layers": ["base"],
        "variables": {"image_tag": "1.4.2", "stage": ENVIRONMENT},
        "sync": {"mode": "auto"},
    }
    return _document("Environment", ENVIRONMENT, spec)


def _balancer(name: str) -> Document:
    spec = {
        "scheme": "internet-facing",
        **_NETWORK,
        "attributes": [{"key": "idle_timeout.timeout_seconds", "value": "120"}],
        "tags": [{"key": "team", "value": "platform"}],
    }
    return _document("LoadBalancer", name, spec)


def _listener(name: str) -> Document:
    answer = {"contentType": "text/plain", "statusCode": "404", "messageBody": "nothing here"}
    spec = {
        "loadBalancer": name,
        "port": 443,
        "protocol": "HTTPS",
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificates": [{"certificateArn": _CERTIFICATE}],
        "defaultActions": [{"type": "fixed-response", "fixedResponseConfig": answer}],
        "tags": [{"key": "team", "value": "platform"}],
    }
    return _document("Listener", name, spec)


def _service(fleet: Fleet, number: int) -> Document:
    name = fleet.service(number)
    spec = {
        "cluster": fleet.cluster(number),
        "desiredCount": 2,
        "launchType": "FARGATE",
        "taskDefinition": _task_definition(name),
        "loadBalancers": [{"targetGroup": name, "containerName": "app", "containerPort": 8080}],
        "networkConfiguration": {"awsvpcConfiguration": dict(_NETWORK)},
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "healthCheckGracePeriodSeconds": 30,
        "propagateTags": "SERVICE",
        "tags": [{"key": "team", "value": f"team-{number % 7}"}],
    }
    return _document("Service", name, spec, labels={"team": f"team-{number % 7}"})


def _task_definition(name: str) -> Document:
    environment = {
        "STAGE": "${var.stage}",
        "SERVICE_NAME": name,
        "LOG_LEVEL": "info",
        "PORT": "8080",
        "TABLE_NAME": f"{name}-orders",
        "QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
    }
    secret = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}/"
    options = {"awslogs-group": f"/ecs/{name}", "awslogs-region": REGION, "awslogs-stream-prefix": "app"}
    app = {
        "name": "app",
        "image": f"registry.example/{name}:${{var.image_tag}}",
        "portMappings": [{"containerPort": 8080}],
        "environment": [{"name": key, "value": value} for key, value in environment.items()],
        "secrets": [{"name": key, "valueFrom": secret + key.lower()} for key in ("DB_PASSWORD", "API_KEY")],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
        "healthCheck": {"command": ["CMD-SHELL", "curl -f http://localhost:8080/health || exit 1"]},
        "readonlyRootFilesystem": True,
    }
    return {
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecs-execution",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "containerDefinitions": [app],
    }


def _target_group(fleet: Fleet, number: int) -> Document:
    spec = {
        "protocol": "HTTP",
        "port": 8080,
        "vpcId": _VPC,
        "targetType": "ip",
        "healthCheckPath": "/health",
        "healthCheckIntervalSeconds": 15,
        "attributes": [{"key": "deregistration_delay.timeout_seconds", "value": "30"}],
        "tags": [{"key": "team", "value": f"team-{number % 7}"}],
    }
    return _document("TargetGroup", fleet.service(number), spec)


def _rule(fleet: Fleet, number: int) -> Document:
    name = fleet.service(number)
    paths = {"field": "path-pattern", "pathPatternConfig": {"values": [f"/{name}", f"/{name}/*"]}}
    spec = {
        "listener": fleet.balancer(number),
        "priority": number % SERVICES_PER_BALANCER + 1,
        "conditions": [paths],
        "actions": [{"type": "forward", "targetGroup": name}],
    }
    return _document("ListenerRule", name, spec)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a repository of N services.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--services", type=int, default=100)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(write_repository(given.folder, given.services))


if __name__ == "__main__":
    main()
