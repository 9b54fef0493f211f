"""What a person does by hand in the tour: changes a service past git, with an identity of their own."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from reconciler.cli.demo.stage import OPERATOR, Stage
from reconciler.core.call import Call
from reconciler.core.values import Json

WHO: Final = "sam@shop.example"
_REGISTERED: Final = ("family", "networkMode", "containerDefinitions", "cpu", "memory", "requiresCompatibilities")


def by_hand(stage: Stage, service: str, *, count: int, name: str, value: str) -> Text:
    """Register a revision with another value of an environment variable, and run it with another count.

    Returns what was done, for the screen. Raises AwsError.
    """
    gate = stage.gate(OPERATOR, WHO)
    view = stage.snapshot.services[service]
    running = view.primary.task_definition if view.primary else ""
    found = gate.read(Call("ecs", "DescribeTaskDefinition", {"taskDefinition": running}))["taskDefinition"]
    params: dict[str, Json] = {member: found[member] for member in _REGISTERED if found.get(member)}
    first, *others = params["containerDefinitions"]
    variables = [item | {"value": value} if item["name"] == name else item for item in first["environment"]]
    params["containerDefinitions"] = [first | {"environment": variables}, *others]
    made = gate.write(Call("ecs", "RegisterTaskDefinition", params))["taskDefinition"]["taskDefinitionArn"]
    revision = made.rpartition("/")[2]
    target = {"cluster": view.cluster, "service": service}
    gate.write(Call("ecs", "UpdateService", target | {"taskDefinition": made, "desiredCount": count}))
    return Text.assemble(
        ("\nsam$ ", "magenta"),
        (f"aws ecs register-task-definition … {name}={value}", "bold"),
        ("\nsam$ ", "magenta"),
        (f"aws ecs update-service --service {service} --desired-count {count} \\\n", "bold"),
        (f"       --task-definition {revision}", "bold"),
    )
