"""What the suites of rules share: a small repository without rollouts, and the words for what a pass did.

`group(...)` is an environment of one target group, which changes in place and at once: enough for whatever is about
causes, policy, commits and ownership, and a tenth of the price of a service.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.policy import Intent
from reconciler.core.report import PassReport, ResourceStatus
from reconciler.core.values import ResourceId
from reconciler.engine.passes import Order
from tests.e2e.stage import PERSON, Stage, environment

AUTO = Order(Intent.AUTO)
WEB = "TargetGroup/web"

GROUP = """\
apiVersion: reconciler/v1
kind: TargetGroup
metadata: {{name: {name}}}
spec:
  protocol: HTTP
  port: 80
  vpcId: {vpc}
  targetType: ip
  healthCheckPath: {path}
{more}"""


def group(stage: Stage, path: str = "/a", more: str = "", name: str = "web") -> str:
    """A manifest of a target group; `more` are lines of its spec, indented by two blanks."""
    return GROUP.format(name=name, vpc=stage.vpc, path=path, more=more)


def one_group(stage: Stage, sync: str = "{mode: auto}", more: str = "") -> None:
    """Commit an environment of one target group, and apply it."""
    stage.write(
        {
            "reconciler.yaml": "installation: acme\nenvironments: environments\n",
            "environments/test.yaml": environment(sync),
            "base/web.yaml": group(stage, more=more),
        }
    )
    stage.commit("one target group")
    stage.settle()


def status(report: PassReport, name: str) -> ResourceStatus:
    return report.statuses[ResourceId.parse(name)]


def causes(report: PassReport, name: str) -> dict[str, str]:
    """The cause of each difference of a resource, by field."""
    return {item.field: item.cause.value for item in status(report, name).differences}


def held(report: PassReport) -> dict[str, str]:
    """Why each resource is held back."""
    return {str(item.resource): item.reason for item in report.plan.held}


def verbs(report: PassReport) -> list[str]:
    return [action.id for action in report.plan.actions]


def names(writes: list[Any]) -> list[str]:
    """The operations of calls, in order, without the tags that only say what is going on."""
    return [call.operation for call in writes if call.operation not in _TAGGING]


_TAGGING = {"AddTags", "RemoveTags", "TagResource", "UntagResource"}


def during(stage: Stage, order: Order = AUTO) -> tuple[PassReport, list[Any]]:
    """One pass, and the writes that it made."""
    before = len(stage.aws.calls)
    report = stage.run(order)
    return report, stage.writes(before)


def the_group(stage: Stage) -> Any:
    [found] = stage.client("elbv2").describe_target_groups()["TargetGroups"]
    return found


def by_hand(stage: Stage, **changes: Any) -> None:
    """Change the one target group as a person in the console does."""
    stage.client("elbv2").modify_target_group(TargetGroupArn=the_group(stage)["TargetGroupArn"], **changes)


def tags_of(stage: Stage, arn: str) -> dict[str, str]:
    if ":ecs:" in arn:
        return {tag["key"]: tag["value"] for tag in stage.client("ecs").list_tags_for_resource(resourceArn=arn)["tags"]}
    [found] = stage.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


def tag(stage: Stage, arn: str, **tags: str) -> None:
    """Tag an object by hand; `hold` stands for reconciler:hold."""
    wanted = {f"reconciler:{name}": value for name, value in tags.items()}
    if ":ecs:" in arn:
        given = [{"key": key, "value": value} for key, value in wanted.items()]
        stage.client("ecs").tag_resource(resourceArn=arn, tags=given)
    else:
        given = [{"Key": key, "Value": value} for key, value in wanted.items()]
        stage.client("elbv2").add_tags(ResourceArns=[arn], Tags=given)


def the_service(stage: Stage, name: str = "web", cluster: str = "shop") -> Any:
    [found] = stage.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
    return found


def content(stage: Stage, arn: str | None = None) -> Any:
    """The task definition that the service `web` runs, or the one given."""
    wanted = arn or the_service(stage)["taskDefinition"]
    return stage.client("ecs").describe_task_definition(taskDefinition=wanted)["taskDefinition"]


def image(stage: Stage) -> str:
    return str(content(stage)["containerDefinitions"][0]["image"]).rpartition(":")[2]


def tasks(stage: Stage, cluster: str = "shop") -> set[str]:
    return set(stage.client("ecs").list_tasks(cluster=cluster)["taskArns"])


def by_people(stage: Stage) -> list[str]:
    """The mutating calls that a person made."""
    return [call.name for call in stage.aws.calls if call.mutating and call.access_key == PERSON]
