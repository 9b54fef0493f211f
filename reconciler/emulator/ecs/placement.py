"""Where tasks run: on Fargate an address in a subnet, on EC2 a container instance with room, and its host ports.

Used by `scheduler` and `tasks`. Instances are moto's objects (so that its container instance operations show them);
what a task takes is booked in their `remaining_resources`. Placement is a plain spread: the instance with the fewest
tasks of the group, then the fewest tasks, that has the CPU, the memory and the ports.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models import ec2_backends

from reconciler.emulator.ecs import clock
from reconciler.emulator.ecs.model import Json, Task, TaskDefinition
from reconciler.emulator.ecs.site import Site
from reconciler.emulator.ecs.timing import FIRST_DYNAMIC_PORT, LAST_DYNAMIC_PORT

__all__ = ["Unplaceable", "attach_network", "book", "choose_instance", "eligible_instances", "release"]


class Unplaceable(Exception):  # noqa: N818 - a finding that the scheduler reports, not a failure of the program
    """No instance meets the task's requirements. `reason` ends ECS's event, `code` is the API failure's reason."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


def eligible_instances(site: Site, cluster: str) -> list[Any]:
    """Return a cluster's ACTIVE instances in a stable order."""
    return [i for i in site.instances(cluster).values() if i.status == "ACTIVE" and i.agent_connected]


def choose_instance(site: Site, cluster: str, definition: TaskDefinition, group: str, spec: Json) -> Any:
    """Return the instance to run a task on. Raises Unplaceable."""
    instances = eligible_instances(site, cluster)
    if not instances:
        raise Unplaceable("Reason: No Container Instances were found in your cluster.", "RESOURCE:INSTANCE")
    on: dict[str, list[Task]] = {}
    for task in site.live_tasks:
        if task.instance is not None:
            on.setdefault(task.instance.id, []).append(task)
    distinct = any(c.get("type") == "distinctInstance" for c in spec.get("placementConstraints") or ())
    ranked = sorted(
        (sum(t.group == group for t in on.get(instance.id, ())), len(on.get(instance.id, ())), number)
        for number, instance in enumerate(instances)
    )
    complaint: Unplaceable | None = None
    for same_group, _, number in ranked:
        instance = instances[number]
        lacks = ("MemberOf", "distinctInstance") if distinct and same_group else missing(instance, definition)
        if lacks is None:
            return instance
        complaint = complaint or Unplaceable(
            f"The closest matching (container-instance {instance.id}) {lacks[1]}.", lacks[0]
        )
    raise complaint or Unplaceable("Reason: No Container Instances were found in your cluster.", "RESOURCE:INSTANCE")


def missing(instance: Any, definition: TaskDefinition) -> tuple[str, str] | None:
    """Return what an instance lacks for a task, as (code, words), or None when it fits."""
    cpu, memory = _needs(definition)
    if _remaining(instance, "CPU")["integerValue"] < cpu:
        return "RESOURCE:CPU", "has insufficient CPU units available"
    if _remaining(instance, "MEMORY")["integerValue"] < memory:
        return "RESOURCE:MEMORY", "has insufficient memory available"
    taken = set(_remaining(instance, "PORTS")["stringSetValue"])
    if any(str(port) in taken for port in _fixed_ports(definition)):
        return "RESOURCE:PORTS", "is already using a port required by your task"
    return None


def book(instance: Any, task: Task) -> None:
    """Put a task on an instance: its CPU, its memory, its host ports, and the containers' network bindings."""
    cpu, memory = _needs(task.definition)
    _remaining(instance, "CPU")["integerValue"] -= cpu
    _remaining(instance, "MEMORY")["integerValue"] -= memory
    ports = _remaining(instance, "PORTS")["stringSetValue"]
    task.instance = instance
    task.zone = instance.attributes.get("ecs.availability-zone")
    for container, definition in zip(task.containers, task.definition.container_definitions, strict=True):
        container["networkBindings"] = []
        for mapping in definition["portMappings"] if task.definition.network_mode != "awsvpc" else ():
            if "containerPort" not in mapping:
                continue
            port = mapping.get("hostPort") or _dynamic_port(ports)
            ports.append(str(port))
            container["networkBindings"].append(
                {
                    "bindIP": "0.0.0.0",  # noqa: S104 - what Docker reports, nothing is bound here
                    "containerPort": mapping["containerPort"],
                    "hostPort": port,
                    "protocol": mapping["protocol"],
                }
            )


def release(task: Task) -> None:
    """Give back what a stopped task took of its instance."""
    if task.instance is None:
        return
    cpu, memory = _needs(task.definition)
    _remaining(task.instance, "CPU")["integerValue"] += cpu
    _remaining(task.instance, "MEMORY")["integerValue"] += memory
    ports = _remaining(task.instance, "PORTS")["stringSetValue"]
    for container in task.containers:
        for binding in container.get("networkBindings", ()):
            ports.remove(str(binding["hostPort"]))


def attach_network(site: Site, task: Task, spec: Json) -> None:
    """Give an awsvpc task its network interface: an address of one of the subnets in turn, never one in use."""
    subnets = spec["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    counters: dict[str, int] = site.backend.__dict__.setdefault("addresses", {})
    turn = counters.get("turn", 0)
    counters["turn"] = turn + 1
    subnet = ec2_backends[site.account][site.region].get_subnet(subnets[turn % len(subnets)])
    used = {other.ip for other in site.live_tasks}
    network = ipaddress.ip_network(subnet.cidr_block)
    room = max(network.num_addresses - 12, 1)
    while True:
        offset = counters.get(subnet.id, 0)
        counters[subnet.id] = offset + 1
        task.ip = str(network[10 + offset % room])
        if task.ip not in used:
            break
    if task.zone is None:
        task.zone = subnet.availability_zone
    tail = clock.hex_id()
    details = {
        "subnetId": subnet.id,
        "networkInterfaceId": f"eni-{tail[:17]}",
        "macAddress": "0a:" + ":".join(tail[i : i + 2] for i in range(0, 10, 2)),
        "privateDnsName": f"ip-{task.ip.replace('.', '-')}.{site.region}.compute.internal",
        "privateIPv4Address": task.ip,
    }
    attachment = {
        "id": clock.uuid(),
        "type": "ElasticNetworkInterface",
        "status": "PRECREATED",
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }
    task.attachments.append(attachment)
    for container in task.containers:
        container["networkInterfaces"] = [{"attachmentId": attachment["id"], "privateIpv4Address": task.ip}]


def _needs(definition: TaskDefinition) -> tuple[int, int]:
    """Return the CPU units and MiB that a task reserves: the task's own size, else the sum of its containers'."""
    content, containers = definition.content, definition.container_definitions
    cpu = int(content.get("cpu") or sum(c["cpu"] for c in containers))
    reserved = sum(c.get("memoryReservation") or c.get("memory") or 0 for c in containers)
    return cpu, int(content.get("memory") or reserved)


def _fixed_ports(definition: TaskDefinition) -> list[int]:
    if definition.network_mode == "awsvpc":
        return []
    mappings = (m for container in definition.container_definitions for m in container["portMappings"])
    return [mapping["hostPort"] for mapping in mappings if mapping.get("hostPort")]


def _dynamic_port(taken: list[str]) -> int:
    used = set(taken)
    for port in range(FIRST_DYNAMIC_PORT, LAST_DYNAMIC_PORT + 1):
        if str(port) not in used:
            return port
    raise Unplaceable("has no free host port", "RESOURCE:PORTS")


def _remaining(instance: Any, name: str) -> Json:
    found: Json = next(item for item in instance.remaining_resources if item["name"] == name)
    return found
