"""A dry run writes nothing, and what it shows is what is made afterwards: operations and parameters."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.validate import ParamValidator

from reconciler.aws.casing import to_api
from reconciler.aws.gate import Gate
from reconciler.aws.models import operation_model
from reconciler.core.call import Answer, Call
from reconciler.core.plan import Plan
from reconciler.core.report import PassReport
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, resolve
from reconciler.engine.passes import AwsGate, Order
from tests.e2e.stage import DRY, STEP, Stage

pytestmark = pytest.mark.e2e


class Recorder:
    """The gate; it keeps what was written, in the words of the plan, with the answers."""

    def __init__(self) -> None:
        self.made: list[tuple[Call, Answer]] = []

    def wrap(self, gate: Gate) -> AwsGate:
        recorder = self

        class Recording:
            def __getattr__(self, name: str) -> Any:
                return getattr(gate, name)

            def write(self, call: Call) -> Answer:
                answer = gate.write(call)
                recorder.made.append((call, answer))
                return answer

        return Recording()


def executed(plan: Plan, made: list[tuple[Call, Answer]]) -> Counter[str]:
    """The plan's calls as they must have been made: its references are put in from the answers of the calls."""
    known: dict[tuple[ResourceId, str], Json] = {}
    planned = [(action.resource, call) for action in plan.actions for call in action.calls]
    for identity, call in planned:
        for attribute, path in call.captures.items():
            for sent, answer in made:
                if sent.name == call.name and _tagged(sent) == str(identity):
                    known[identity, attribute] = _at(answer, path)

    def lookup(ref: Ref) -> Json:
        return known.get((ref.target, ref.attribute), ABSENT)

    return Counter(_text(call, resolve(dict(call.params), lookup)) for _, call in planned)


def _tagged(call: Call) -> str:
    tags = call.params.get("tags") or []
    return next((str(tag["value"]) for tag in tags if tag["key"] == "reconciler:resource"), "")


def _at(answer: Any, path: str) -> Json:
    for step in path.split("."):
        answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return answer


def _text(call: Call, params: Json) -> str:
    return f"{call.name} {sorted(params.items())}"


def dry_and_then_real(stage: Stage) -> PassReport:
    """A dry run and then a real pass, at the same moment, by controllers that share nothing."""
    stage.restart()
    before = len(stage.aws.calls)
    shown = stage.run(DRY)
    assert [call.name for call in stage.aws.calls[before:] if call.mutating] == []
    assert shown.applied == ()
    recorder = Recorder()
    stage.restart()
    stage.wrap = recorder.wrap
    report = stage.run()
    stage.wrap = lambda gate: gate
    assert not report.failures
    assert executed(shown.plan, recorder.made) == Counter(_text(call, dict(call.params)) for call, _ in recorder.made)
    assert shown.plan.digest == report.plan.digest
    for call, _ in recorder.made:
        assert faults_in(call) == ""
    return report


def faults_in(call: Call) -> str:
    """What botocore's own validation says of a call (parity with its service model)."""
    params = to_api(call.service, call.operation, call.params)
    found = ParamValidator().validate(params, operation_model(call.service, call.operation).input_shape)
    return str(found.generate_report())


def until_settled(stage: Stage) -> int:
    """Dry run and pass in turn until nothing moves; returns how many actions were compared."""
    compared = 0
    for _ in range(40):
        report = dry_and_then_real(stage)
        compared += len(report.plan.actions)
        if report.settled:
            return compared
        stage.tick(STEP)
    raise AssertionError("not settled")


def test_every_plan_of_the_shops_first_sync_is_what_is_made(shop: Stage) -> None:
    assert until_settled(shop) >= 14


@pytest.mark.parametrize(
    ("what", "file", "old", "new"),
    [
        ("a new image", "base/service.yaml", "web:1", "web:2"),
        ("a broken image", "base/service.yaml", "web:1", "web:crash"),
        ("a target group's port", "base/web.yaml", "port: 80,", "port: 8080,"),
        ("a rule's condition", "base/web.yaml", '"/*"', '"/shop/*"'),
    ],
)
def test_every_plan_of_a_change_is_what_is_made(small: Stage, what: str, file: str, old: str, new: str) -> None:
    small.settle()
    small.edit(file, (old, new))
    small.commit(what)
    assert until_settled(small) >= 1


def test_every_plan_of_a_removal_is_what_is_made(small: Stage) -> None:
    small.settle()
    small.write({"base/service.yaml": None, "base/web.yaml": None})
    small.commit("no more web")
    assert until_settled(small) >= 3


def test_a_dry_run_of_a_drift_names_what_would_be_put_back(small: Stage) -> None:
    small.settle()
    small.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    small.tick()
    plan = small.plan(Order(write=False))
    [action] = plan.actions
    [difference] = action.differences
    assert (difference.field, difference.desired, difference.live) == ("desiredCount", 2, 1)
    assert until_settled(small) >= 1
