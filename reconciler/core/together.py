"""Calls of several actions that AWS must get as one.

The planner makes an action for each resource; some changes of several resources are only possible at once, such as two
rules that swap their priorities. The first action makes the call for all, and the others wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.core.call import Call
from reconciler.core.plan import Action
from reconciler.core.values import Json


def joined(actions: Iterable[Action], group_of: Callable[[Action, Call], str]) -> list[Action]:
    """The actions, with the calls of each group joined; `group_of` answers empty for a call that stands alone."""
    result = list(actions)
    groups: dict[str, list[int]] = {}
    for index, action in enumerate(result):
        for group in {group_of(action, call) for call in action.calls} - {""}:
            groups.setdefault(group, []).append(index)
    for group, members in groups.items():
        if len(members) > 1:
            _join(result, members, group, group_of)
    return result


def _join(actions: list[Action], members: list[int], group: str, group_of: Callable[[Action, Call], str]) -> None:
    def is_in(action: Action, call: Call) -> bool:
        return group_of(action, call) == group

    first, *others = members
    leader = actions[first]
    calls = [call for index in members for call in actions[index].calls if is_in(actions[index], call)]
    whole = replace(calls[0], params=_merged(calls))
    actions[first] = replace(leader, calls=tuple(whole if is_in(leader, call) else call for call in leader.calls))
    for index in others:
        action = actions[index]
        kept = tuple(call for call in action.calls if not is_in(action, call))
        note = f"{whole.operation} is sent with {leader.resource}, because AWS takes it only at once"
        actions[index] = replace(action, calls=kept, after=(*action.after, leader.id), notes=(*action.notes, note))


def _merged(calls: list[Call]) -> dict[str, Json]:
    """The parameters of the calls: their lists one after the other, the rest as in the first."""
    params = dict(calls[0].params)
    for name, value in params.items():
        if isinstance(value, list):
            params[name] = [member for call in calls for member in call.params.get(name, ())]
    return params
