"""The executor alone: order, side by side, what a failure stops, and what references resolve to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.core.call import Answer, Call
from reconciler.core.errors import NotFoundError, RefusedError, UnknownOutcomeError
from reconciler.core.plan import Action, Plan, Verb, ordered
from reconciler.core.values import ABSENT, Json, Ref, ResourceId
from reconciler.engine.execute import Outcome, execute


class Recorder:
    """A writer that answers by operation and remembers what it was sent; `does` may raise or wait."""

    def __init__(self, does: Callable[[Call], Answer] = lambda _call: {}) -> None:
        self.sent: list[Call] = []
        self._does = does
        self._lock = threading.Lock()

    def write(self, call: Call) -> Answer:
        with self._lock:
            self.sent.append(call)
        return self._does(call)


def action(name: str, *calls: Call, after: tuple[str, ...] = ()) -> Action:
    identity = ResourceId("Service", name)
    made = calls or (Call("ecs", name),)
    return Action(identity, Verb.UPDATE, made, "a test", after=tuple(f"Service/{one}:update" for one in after))


def run(writer: Recorder, *actions: Action, live: Callable[[Ref], Json] = lambda _ref: ABSENT) -> Outcome:
    return execute(Plan("test", "c0ffee", ordered(actions)), writer, live, lambda _action: None)


def operations(writer: Recorder) -> list[str]:
    return [call.operation for call in writer.sent]


def test_an_action_starts_when_those_it_waits_for_have_succeeded() -> None:
    writer = Recorder()
    outcome = run(writer, action("c", after=("b",)), action("b", after=("a",)), action("a"))
    assert operations(writer) == ["a", "b", "c"]
    assert outcome.applied == ["Service/a:update", "Service/b:update", "Service/c:update"]


def test_independent_actions_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)  # neither gets past it alone

    def meet(_call: Call) -> Answer:
        both.wait()
        return {}

    outcome = run(Recorder(meet), action("a"), action("b"))
    assert sorted(outcome.applied) == ["Service/a:update", "Service/b:update"]


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    def refuse(call: Call) -> Answer:
        if call.operation == "a":
            raise RefusedError("no such subnet", code="InvalidParameterException", call=call.name)
        return {}

    writer = Recorder(refuse)
    outcome = run(writer, action("a"), action("b", after=("a",)), action("c", after=("b",)), action("d"))
    assert outcome.applied == ["Service/d:update"]
    assert [(failure.action, failure.retry) for failure in outcome.failures] == [("Service/a:update", "terminal")]
    assert sorted(outcome.skipped) == ["Service/b:update", "Service/c:update"]


def test_the_calls_of_an_action_end_at_the_first_that_fails() -> None:
    def lose(call: Call) -> Answer:
        if call.operation == "two":
            raise UnknownOutcomeError("the answer was lost", call=call.name)
        return {}

    writer = Recorder(lose)
    outcome = run(writer, action("a", Call("ecs", "one"), Call("ecs", "two"), Call("ecs", "three")))
    assert operations(writer) == ["one", "two"]
    assert outcome.failures[0].retry == "observe"


def test_a_reference_is_what_an_earlier_answer_gave() -> None:
    made = ResourceId("Service", "maker")
    maker = action("maker", Call("ecs", "Create", captures={"arn": "items.0.arn", "none": "items.7.arn"}))
    user = action("user", Call("ecs", "Use", {"it": Ref(made, "arn")}), after=("maker",))
    writer = Recorder(lambda call: {"items": [{"arn": "arn:made"}]} if call.operation == "Create" else {})
    run(writer, maker, user)
    assert writer.sent[-1].params == {"it": "arn:made"}


def test_a_reference_to_what_is_there_already_is_looked_up() -> None:
    there = Ref(ResourceId("Cluster", "shop"), "name")
    writer = Recorder()
    run(writer, action("user", Call("ecs", "Use", {"cluster": there})), live=lambda _ref: "shop")
    assert writer.sent[0].params == {"cluster": "shop"}


def test_a_reference_that_nothing_gives_fails_before_the_call_is_sent() -> None:
    missing = Ref(ResourceId("Cluster", "shop"), "name")
    writer = Recorder()
    outcome = run(writer, action("user", Call("ecs", "Use", {"cluster": missing})))
    assert writer.sent == []
    assert "${ref:Cluster/shop.name}" in outcome.failures[0].message


def test_an_object_that_vanished_is_looked_at_again_and_one_that_should_vanish_is_done() -> None:
    def vanish(call: Call) -> Answer:
        raise NotFoundError("no such service.", code="ServiceNotFoundException", call=call.name)

    gone = Action(ResourceId("Service", "old"), Verb.DELETE, (Call("ecs", "DeleteService"),), "a test")
    outcome = run(Recorder(vanish), action("web"), gone)
    assert outcome.applied == ["Service/old:delete"]
    assert [(failure.action, failure.retry) for failure in outcome.failures] == [("Service/web:update", "observe")]


class Killed(BaseException):
    """The process dies."""


def test_a_kill_is_no_failure_of_an_action() -> None:
    def die(_call: Call) -> Answer:
        raise Killed

    with pytest.raises(Killed):
        run(Recorder(die), action("a"))


def test_progress_is_told_when_an_action_starts() -> None:
    started: list[Any] = []
    plan = Plan("test", "c0ffee", ordered([action("a"), action("b", after=("a",))]))
    execute(plan, Recorder(), lambda _ref: ABSENT, lambda one: started.append(one.id))
    assert started == ["Service/a:update", "Service/b:update"]
