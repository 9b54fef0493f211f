"""Whatever git says next and whoever interferes: the plans, run one after the other, end at what git says."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.plan import Verb
from reconciler.core.resource import Sync
from reconciler.core.values import Ref, ResourceId

NAMES = "abcd"
SPECS = st.fixed_dictionaries(
    {},
    optional={"colour": st.sampled_from(["red", "blue"]), "note": st.sampled_from("xy"), "inside": st.integers(0, 3)},
)
COMMITS = st.dictionaries(st.sampled_from(NAMES), SPECS, min_size=1)
HANDS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["red", "pink"]))


def resources(world: Any, commit: dict[str, dict[str, Any]]) -> list[Any]:
    """Boxes of a commit; a box stands inside one that comes later in the alphabet, if the commit has it."""
    made = []
    for name, spec in commit.items():
        outer = NAMES[spec["inside"]] if "inside" in spec else ""
        inside = {"inside": Ref(ResourceId("Box", outer), "arn")} if outer > name and outer in commit else {}
        made.append(world.resource(f"Box/{name}", **{k: v for k, v in spec.items() if k != "inside"}, **inside))
    return made


def assert_deletes_come_last(plan: Any) -> None:
    deletes = [action.verb is Verb.DELETE for action in plan.actions]
    assert deletes == sorted(deletes)


@given(st.lists(st.tuples(COMMITS, HANDS, st.integers(0, 9)), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_ends_at_what_git_says_whoever_interferes_and_whenever_it_is_killed(world, history):
    world = type(world)(sync=Sync(mode="auto", self_heal=True, prune=True, max_deletions=9))
    for commit, by_hand, killed in history:
        wanted = resources(world, commit)
        world.commit(*wanted)
        plan = world.plan()
        assert_deletes_come_last(plan)
        world.run(plan, limit=killed)
        for live in list(world.objects.values()):
            if colour := by_hand.get(live.natural):
                world.change(live, spec={**live.spec, "colour": colour})
        world.settle()
        assert sorted(str(live.resource) for live in world.objects.values()) == sorted(str(one.id) for one in wanted)
        for one in wanted:
            live = world.of(str(one.id))
            for name, value in one.spec.items():
                arn = world.of(str(value.target)).arn if isinstance(value, Ref) else value
                assert live.spec[name] == arn
