"""No false drift: AWS's answers with every default and echo that it adds show no difference.

The cases stand in padded/<Kind>.json, each a spec and what AWS answers to the reads, as its own tools print it. Their
`changes` are single changes to the answers, each with the fields that must be seen to differ then, and no others: a
table that takes everything for a default would pass the first half. `at` is a JSON pointer into the answers (`-` is one
more member of a list), `value` what stands there then (null: nothing).
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from reconciler.aws.casing import from_api
from reconciler.core.call import Answer, Call, Reader
from reconciler.core.compare import Comparison
from reconciler.core.difference import Difference
from reconciler.core.fields import Effect
from reconciler.core.kind import Kind, ReadRequest
from reconciler.core.live import Live, Lives
from reconciler.core.resource import Desired, Resource
from reconciler.core.values import ABSENT, Json, Ref, ResourceId
from reconciler.kinds import KINDS
from reconciler.kinds.task_definition import describe

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PADDED = Path(__file__).parent / "padded"
DOCUMENTS = [
    (KINDS[path.stem], case) for path in sorted(PADDED.glob("*.json")) for case in json.loads(path.read_text())
]


def cases(*, content: bool | None = None) -> list[ParameterSet]:
    """The cases: all, or those of kinds that are content (or are not)."""
    return [
        pytest.param(kind, case, id=f"{kind.name}-{case['name']}")
        for kind, case in DOCUMENTS
        if content is None or kind.content_addressed is content
    ]


def changes(*, content: bool) -> list[ParameterSet]:
    return [
        pytest.param(kind, case, change, id=f"{kind.name}-{case['name']}-{change['at']}-{change['value']!s:.60}")
        for kind, case in DOCUMENTS
        for change in case.get("changes", ())
        if kind.content_addressed is content
    ]


class CannedReader(Reader):
    """Answers each operation with the one answer that a case has for it, in one page."""

    account = "123456789012"
    region = "eu-west-1"

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers
        self.counts: Counter[str] = Counter()

    def read(self, call: Call) -> Answer:
        self.counts[call.operation] += 1
        return from_api(call.service, call.operation, copy.deepcopy(self._answers[call.operation]))

    def read_many(self, calls: Sequence[Call]) -> list[Answer]:
        return [self.read(call) for call in calls]

    def pages(self, call: Call, member: str) -> list[Json]:
        return list(self.read(call)[member])

    def cached(self, call: Call, *, key: str, max_age_seconds: float | None) -> Answer:
        return self.cached_many({key: call}, max_age_seconds=max_age_seconds)[key]

    def cached_many(self, calls: Mapping[str, Call], *, max_age_seconds: float | None) -> dict[str, Answer]:
        return {key: self.read(call) for key, call in calls.items()}


def read(kind: Kind, case: dict[str, Any], tools: Any) -> tuple[Resource, Live, CannedReader]:
    resource = Resource(ResourceId(kind.name, "web"), case["spec"])
    reader = CannedReader(case["answers"])
    request = ReadRequest(reader, {resource.id: resource}, Lives(), tools.environment.tag, NOW)
    [live] = kind.read(request)
    return resource, live, reader


@pytest.mark.parametrize(("kind_read", "case"), cases())
def test_what_aws_adds_is_no_difference(kind_read, case, tools):
    resource, live, _ = read(kind_read, case, tools)
    assert [one.to_json() for one in tools.differences_of(kind_read, resource, live)] == []
    assert [one.to_json() for one in tools.differences_of(kind_read, resource, live, base=resource)] == []


BY_TYPE = {  # attributes whose default depends on the type or the scheme, and empty ones, which nobody can declare
    "stickiness.type",
    "preserve_client_ip.enabled",
    "deregistration_delay.connection_termination.enabled",
    "load_balancing.cross_zone.enabled",
    "ipv6.deny_all_igw_traffic",
}


@pytest.mark.parametrize(("kind_read", "case"), cases())
def test_what_aws_adds_is_known_to_be_its_default(kind_read, case, tools):
    """With all that AWS answers as base, what git does not have was removed from it: but for defaults."""
    resource, live, _ = read(kind_read, case, tools)
    everything = Resource(resource.id, live.spec)
    found = tools.differences_of(kind_read, resource, live, base=everything)
    surprises = [one for one in found if one.row and not one.row.computed and not _has_no_single_default(one)]
    assert [one.to_json() for one in surprises] == []


def _has_no_single_default(difference: Difference) -> bool:
    match difference.path:
        case ("tags", *_) | ("matcher", *_):
            return True
        case ("attributes", key, *_):
            return key[1:-1] in BY_TYPE or bool(difference.live == "")
        case _:
            return False


@pytest.mark.parametrize(("kind_read", "case"), cases())
def test_no_read_is_made_again_where_nothing_differs(kind_read, case, tools):
    _, _, reader = read(kind_read, case, tools)
    assert reader.counts == dict.fromkeys(case["answers"], 1)


def changed(answers: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    answers = copy.deepcopy(answers)
    *parents, last = change["at"].removeprefix("/").split("/")
    place: Any = answers
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    match place, change["value"]:
        case list(), None:
            del place[int(last)]
        case list(), value if last == "-":
            place.append(value)
        case list(), value:
            place[int(last)] = value
        case _, None:
            del place[last]
        case _, value:
            place[last] = value
    return answers


def fields_that_differ(differences: Sequence[Difference]) -> list[str]:
    return sorted(one.field for one in differences)


@pytest.mark.parametrize(("kind_read", "case", "change"), changes(content=False))
def test_a_changed_value_is_seen(kind_read, case, change, tools):
    """Declared or not: what nobody declared is held against the baseline, which is what it was before."""
    resource, before, _ = read(kind_read, case, tools)
    _, after, _ = read(kind_read, case | {"answers": changed(case["answers"], change)}, tools)
    found = tools.differences_of(kind_read, resource, after, base=resource, baseline=before.spec)
    assert fields_that_differ(found) == sorted(change["fields"])


def inside_a_service(kind: Kind, case: dict[str, Any], answers: dict[str, Any], tools: Any) -> tuple[Difference, ...]:
    """The differences of a service that runs the revision in the answers, while git has the case's content for it."""
    definition = Resource(ResourceId(kind.name, "web"), case["spec"])
    service = Resource(ResourceId("Service", "web"), {"taskDefinition": Ref(definition.id, "arn")})
    desired = Desired(tools.environment, "c0ffee", {one.id: one for one in (definition, service)})
    arn = answers["DescribeTaskDefinition"]["taskDefinition"]["taskDefinitionArn"]
    described = describe(CannedReader(answers), [arn])[arn]
    live = Live("Service", "arn", "default/web", {"taskDefinition": arn}, contents={"taskDefinition": described})
    side = (service, desired)
    return Comparison(KINDS["Service"], KINDS, lambda _: ABSENT).differences(side, live, side)


@pytest.mark.parametrize(("kind_read", "case"), cases(content=True))
def test_padded_content_differs_nowhere_inside_a_service(kind_read, case, tools):
    found = inside_a_service(kind_read, case, case["answers"], tools)
    assert [one.to_json() for one in found] == []


@pytest.mark.parametrize(("kind_read", "case", "change"), changes(content=True))
def test_changed_content_is_seen_inside_the_service_that_runs_it(kind_read, case, change, tools):
    answers = changed(case["answers"], change)
    found = inside_a_service(kind_read, case, answers, tools)
    assert fields_that_differ(found) == sorted(f"taskDefinition.{field}" for field in change["fields"])
    assert {one.effect for one in found} == {Effect.DEPLOYMENT}


@pytest.mark.parametrize(("kind_read", "case", "change"), changes(content=True))
def test_changed_content_is_not_the_revision_that_is_looked_for(kind_read, case, change, tools):
    resource = Resource(ResourceId(kind_read.name, "web"), case["spec"])
    reader = CannedReader(changed(case["answers"], change))
    request = ReadRequest(reader, {resource.id: resource}, Lives(), tools.environment.tag, NOW)
    assert list(kind_read.read(request)) == []
