"""No false drift: AWS's answers with every default and echo that it adds show no difference.

The cases stand in padded/<Kind>.json, each a spec and what AWS answers to the reads, as its own tools print it.
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

from reconciler.aws.casing import from_api
from reconciler.core.call import Answer, Call, Reader
from reconciler.core.difference import Difference
from reconciler.core.kind import Kind, ReadRequest
from reconciler.core.live import Live, Lives
from reconciler.core.resource import Resource
from reconciler.core.values import Json, ResourceId
from reconciler.kinds import KINDS

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PADDED = Path(__file__).parent / "padded"
CASES = [
    pytest.param(KINDS[path.stem], case, id=f"{path.stem}-{case['name']}")
    for path in sorted(PADDED.glob("*.json"))
    for case in json.loads(path.read_text())
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


@pytest.mark.parametrize(("kind_read", "case"), CASES)
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


@pytest.mark.parametrize(("kind_read", "case"), CASES)
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


@pytest.mark.parametrize(("kind_read", "case"), CASES)
def test_no_read_is_made_again_where_nothing_differs(kind_read, case, tools):
    _, _, reader = read(kind_read, case, tools)
    assert reader.counts == dict.fromkeys(case["answers"], 1)
