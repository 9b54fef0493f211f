"""Others write at the same time: a person between the observation and the writes, and a second controller."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reconciler.emulator.faults import Fault
from tests.e2e.deaths import reference, verdicts
from tests.e2e.faults import IDEMPOTENT, SAME_SETTINGS, repeated, tell
from tests.e2e.stage import CONTROLLER, Stage

pytestmark = pytest.mark.e2e


RACED = ("RegisterTaskDefinition", ".revisions")
"""Two that register equal content in the same moment leave one revision too many, which nobody runs: AWS has no client
token for it. Everything else must be there once."""


def only_raced(wrong: list[str]) -> bool:
    return all(any(word in line for word in RACED) for line in wrong)


def made_again(stage: Stage) -> Counter[tuple[str, str]]:
    return repeated(stage, 0, (*IDEMPOTENT, *SAME_SETTINGS))


def interleaved(stage: Stage) -> None:
    """Two controllers at once, pass by pass, each in a thread of its own, until both have nothing to do."""
    engines = [stage.another_engine(), stage.another_engine()]
    with ThreadPoolExecutor(len(engines)) as pool:
        for _ in range(40):
            passes = [pool.submit(stage.run, engine=engine) for engine in engines]
            if all(report.settled for report in [one.result() for one in passes]):
                return
            stage.tick()
    raise AssertionError("the two controllers never come to rest")


def test_two_controllers_at_once_make_nothing_twice_in_a_first_sync_but_equal_revisions(small: Stage) -> None:
    wanted = reference(small, lambda _stage: None)
    small.begin_anew()
    interleaved(small)
    wrong = verdicts(small, wanted, 0, made_again(small))
    assert only_raced(wrong), wrong


def test_two_controllers_in_turn_make_nothing_twice(small: Stage) -> None:
    wanted = reference(small, lambda _stage: None)
    small.begin_anew()
    engines = [small.another_engine(), small.another_engine()]
    for number in range(40):
        report = small.run(engine=engines[number % 2])
        if report.settled:
            break
        small.tick()
    assert verdicts(small, wanted, 0) == []


def test_a_whole_pass_of_another_controller_before_each_write_of_a_first_sync_is_harmless(small: Stage) -> None:
    wanted = reference(small, lambda _stage: None)
    writes = len(wanted.points) // 2
    failed = []
    for nth in range(1, writes + 1):
        small.begin_anew()
        between(small, nth, lambda: small.run(engine=small.another_engine()))
        small.settle()
        wrong = verdicts(small, wanted, 0, made_again(small))
        failed += [] if only_raced(wrong) else [f"before write {nth}: {why}" for why in wrong]
    tell("another pass in between", writes, failed)


def between(stage: Stage, nth: int, act: Callable[[], Any]) -> None:
    """Call `act` once, before the nth write of the controller is sent."""
    lock = threading.Lock()
    seen = 0

    def hook(_call: Any) -> None:
        nonlocal seen
        with lock:
            seen += 1
            now = seen == nth
        if now:
            act()

    stage.before_write = hook
    stage.restart()


@pytest.mark.parametrize("field", ["desiredCount", "healthCheckGracePeriodSeconds"])
def test_what_a_person_changes_between_observation_and_write_is_seen_by_the_next_pass(small: Stage, field: str) -> None:
    small.settle()
    wanted = {"desiredCount": 2, "healthCheckGracePeriodSeconds": 0}[field]
    small.edit("base/service.yaml", ("value: info", "value: debug"))
    small.commit("more logs")
    ecs = small.client("ecs")
    between(small, 2, lambda: ecs.update_service(cluster="shop", service="web", **{field: 1}))
    small.run()
    small.before_write = None
    small.tick()
    small.settle()
    [service] = ecs.describe_services(cluster="shop", services=["web"])["services"]
    content = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert content["containerDefinitions"][0]["environment"] == [{"name": "LOG_LEVEL", "value": "debug"}]
    assert service.get(field, 0) in (wanted, 1)
    small.assert_fixpoint()


def test_a_service_that_a_person_deletes_between_observation_and_write_is_made_anew(small: Stage) -> None:
    small.settle()
    small.edit("base/service.yaml", ("web:1", "web:2"))
    small.commit("a new image")
    ecs = small.client("ecs")
    between(small, 2, lambda: ecs.delete_service(cluster="shop", service="web", force=True))
    small.run()
    small.before_write = None
    small.tick()
    small.settle()
    [service] = ecs.describe_services(cluster="shop", services=["web"])["services"]
    assert (service["status"], service["runningCount"]) == ("ACTIVE", 2)
    small.assert_no_differences()


def test_a_rule_that_a_person_makes_with_our_priority_is_never_written_to(small: Stage) -> None:
    elb = small.client("elbv2")

    def steal(call: Any) -> None:
        if call.access_key == CONTROLLER:
            elb.create_rule(
                ListenerArn=call.parameters["ListenerArn"],
                Priority=int(call.parameters["Priority"]),
                Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
            )

    small.aws.faults.add(
        Fault("elbv2:CreateRule", "before", hook=steal, match=lambda call: call.access_key == CONTROLLER)
    )
    report = small.settle()
    theirs = [
        rule for rule in small.state()["rules"] if rule["Conditions"] and rule["Conditions"][0]["Values"] == ["/theirs"]
    ]
    assert [rule["tags"] for rule in theirs] == [[]]
    blocked = {str(status.id): status.message for status in report.statuses.values() if status.sync.value != "Synced"}
    assert "is there already and not ours" in blocked["ListenerRule/web"]
    assert not [call for call in small.writes() if call.operation == "ModifyRule"]
