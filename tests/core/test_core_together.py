"""Calls of several actions that AWS takes only at once are joined in the first of them."""

from __future__ import annotations

from reconciler.core.call import Call
from reconciler.core.plan import Action, Verb
from reconciler.core.together import joined
from reconciler.core.values import ResourceId


def priorities(name: str, listener: str, priority: int) -> Action:
    rule = f"{listener}/{name}"
    calls = (
        Call(
            "elbv2", "SetRulePriorities", {"rulePriorities": [{"ruleArn": rule, "priority": priority}], "of": listener}
        ),
        Call("elbv2", "AddTags", {"resourceArns": [rule]}),
    )
    return Action(ResourceId("ListenerRule", name), Verb.UPDATE, calls, "1 field pending")


def group_of(_action: Action, call: Call) -> str:
    return f"{call.operation} {call.params['of']}" if call.operation == "SetRulePriorities" else ""


def operations(action: Action) -> list[str]:
    return [call.operation for call in action.calls]


def test_the_first_action_makes_the_call_for_all_and_the_others_wait_for_it() -> None:
    one, two, other = joined(
        [priorities("one", "http", 20), priorities("two", "http", 10), priorities("other", "https", 5)], group_of
    )
    assert [item["priority"] for item in one.calls[0].params["rulePriorities"]] == [20, 10]
    assert operations(one) == ["SetRulePriorities", "AddTags"]
    assert operations(two) == ["AddTags"]
    assert two.after == (one.id,)
    assert two.notes == ("SetRulePriorities is sent with ListenerRule/one, because AWS takes it only at once",)
    assert operations(other) == ["SetRulePriorities", "AddTags"]
    assert other.after == ()


def test_a_call_that_stands_alone_is_left_as_it_is() -> None:
    lonely = priorities("one", "http", 20)
    assert joined([lonely], group_of) == [lonely]
