"""How to follow the pages of an operation: botocore's paginator model, in the manifest's spelling.

The gate walks the pages itself, so that each is a call of its own to the rate limits, the repeats and the trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from reconciler.aws.casing import lower
from reconciler.aws.models import paginator
from reconciler.core.call import Answer, Call
from reconciler.core.values import Json

__all__ = ["Paging", "member_of", "paging_of"]

PAGE_SIZES: Final = {
    "ecs:ListClusters": 100,
    "ecs:ListContainerInstances": 100,
    "ecs:ListServices": 100,  # AWS gives 10 without it
    "ecs:ListServicesByNamespace": 100,
    "ecs:ListServiceDeployments": 100,
    "ecs:ListTaskDefinitionFamilies": 100,
    "ecs:ListTaskDefinitions": 100,
    "ecs:ListTasks": 100,
    "ecr:DescribeImages": 1000,
    "logs:DescribeLogGroups": 50,
}
"""The largest page, where AWS's own default is smaller. From the `maxResults` paragraph of each API reference."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Where an operation takes and gives the token of the next page."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    more: str | None  # the member that says whether there are more, where an API has one
    limit: str | None  # the parameter for the page's size

    def first(self, call: Call) -> dict[str, Json]:
        """The parameters of the first page."""
        size = PAGE_SIZES.get(call.name)
        return ({self.limit: size} if self.limit and size else {}) | dict(call.params)

    def following(self, answer: Answer) -> dict[str, Json] | None:
        """What the next page's parameters have in addition; None after the last page."""
        if self.more and not member_of(answer, self.more):
            return None
        tokens = [member_of(answer, path) for path in self.outputs]
        given = {name: token for name, token in zip(self.inputs, tokens, strict=True) if token}
        return given or None


@cache
def paging_of(service: str, operation: str) -> Paging | None:
    """How the operation's pages follow each other; None where it answers with one."""
    model = paginator(service, operation)
    if model is None:
        return None
    more, limit = model.get("more_results"), model.get("limit_key")
    return Paging(
        inputs=tuple(map(lower, _listed(model["input_token"]))),
        outputs=tuple(map(_path, _listed(model["output_token"]))),
        more=_path(more) if more else None,
        limit=lower(limit) if limit else None,
    )


def member_of(answer: Answer, path: str) -> Json:
    """The member at a dotted path, None where there is none."""
    value: Json = answer
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _path(expression: str) -> str:
    return ".".join(map(lower, expression.split(".")))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
