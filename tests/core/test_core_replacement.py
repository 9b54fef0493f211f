"""Replacing a target group while it serves: each step from what is live, whatever was killed before."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.live import Health, HealthState
from reconciler.core.plan import Plan, Verb
from reconciler.core.policy import Intent
from reconciler.core.replacement import Side, Step, overlay, pair
from reconciler.core.resource import Settings, Sync
from reconciler.core.values import Ref, ResourceId

GROUP = ResourceId("TargetGroup", "web")
REF = Ref(GROUP, "arn")
HEALTHY = {"healthy": 2}


def held(plan: Plan) -> dict[str, str]:
    return {str(one.resource): one.reason for one in plan.held}


def commit(world: Any, port: int, **service: Any) -> None:
    """A group on a port, a rule that forwards to it, and a service that registers in it."""
    forward = {"forwardConfig": {"targetGroups": [{"targetGroupArn": REF, "weight": 100}]}}
    world.commit(
        world.resource("TargetGroup/web", port=port, name="web"),
        world.resource("ListenerRule/r", actions=[{"type": "redirect"}, {"type": "forward", **forward}]),
        world.resource("Service/s", loadBalancers=[{"targetGroupArn": REF}, {"targetGroupArn": "other"}], **service),
    )


def forwards(world: Any) -> dict[str, int]:
    """Weight by ARN of what the rule forwards to."""
    (action,) = [one for one in world.of("ListenerRule/r").spec["actions"] if one["type"] == "forward"]
    return {group["targetGroupArn"]: group["weight"] for group in action["forwardConfig"]["targetGroups"]}


def registered(world: Any) -> set[str]:
    return {entry["targetGroupArn"] for entry in world.of("Service/s").spec["loadBalancers"]} - {"other"}


def tick(world: Any) -> None:
    """What AWS does by itself: registered groups get healthy targets, rollouts end."""
    for live in world.all_of("TargetGroup/web"):
        world.change(live, facts=HEALTHY if live.arn in registered(world) else {})


@pytest.fixture
def serving(world: Any) -> Any:
    """A world in which the group on port 80 serves."""
    commit(world, 80)
    world.settle()
    tick(world)
    return world


def assert_serves(world: Any) -> None:
    groups = {live.arn: live for live in world.all_of("TargetGroup/web")}
    assert any(weight and groups[arn].facts.get("healthy") for arn, weight in forwards(world).items())


def test_the_successor_takes_over_step_by_step_and_something_healthy_serves_at_every_call(serving):
    (old,) = serving.all_of("TargetGroup/web")
    serving.made.clear()
    commit(serving, 8080)
    for _ in range(10):
        for action in serving.plan().actions:
            for call in action.calls:
                serving.make(action.resource, call)
                tick(serving)
                assert_serves(serving)
    (new,) = serving.all_of("TargetGroup/web")
    assert (new.spec["port"], old.arn in serving.objects) == (8080, False)
    assert (forwards(serving), registered(serving)) == ({new.arn: 100}, {new.arn})
    assert "reconciler:replaces" not in new.tags
    assert serving.plan().actions == ()
    assert [one for one in serving.made if one.startswith(("Create", "Set", "Delete"))] == [
        "Create TargetGroup/web",
        "Set ListenerRule/r",
        "Set Service/s",
        "Set ListenerRule/r",
        "Set Service/s",
        "Delete TargetGroup/web",
    ]


@pytest.mark.parametrize("killed", range(16))
def test_a_replacement_that_is_killed_after_any_call_ends_the_same(serving, killed):
    commit(serving, 8080)
    left = killed
    for _ in range(20):
        calls = [(action.resource, call) for action in serving.plan().actions for call in action.calls]
        cut = left if 0 < left <= len(calls) else len(calls)
        left -= len(calls)
        for identity, call in calls[:cut]:
            serving.make(identity, call)
            tick(serving)
            assert_serves(serving)
    (new,) = serving.all_of("TargetGroup/web")
    assert (new.spec["port"], set(forwards(serving)), registered(serving)) == (8080, {new.arn}, {new.arn})
    assert serving.plan().actions == ()
    assert serving.made.count("Create TargetGroup/web") == 2


def test_the_successor_waits_until_it_is_as_healthy_as_the_old_one(serving):
    commit(serving, 8080)
    for _ in range(6):
        serving.run(serving.plan())
    assert len(forwards(serving)) == 2
    assert sorted(forwards(serving).values()) == [0, 100]
    assert len(registered(serving)) == 2
    assert serving.planned().pairs[GROUP].step is Step.WAIT
    tick(serving)
    assert serving.planned().pairs[GROUP].step is Step.SHIFT


def test_a_second_change_waits_until_the_replacement_under_way_is_over(serving):
    commit(serving, 8080)
    serving.run(serving.plan())
    commit(serving, 9090)
    assert held(serving.plan())["TargetGroup/web"] == "port waits until the replacement under way is over"
    for _ in range(20):
        serving.run(serving.plan())
        tick(serving)
    assert serving.of("TargetGroup/web").spec["port"] == 9090


@pytest.fixture
def about_to_retire(serving: Any) -> Any:
    """A world in which the successor has taken over, and only the old group is left to delete."""
    commit(serving, 8080)
    for _ in range(12):
        plan = serving.plan()
        if any(action.verb is Verb.DELETE for action in plan.actions):
            return serving
        serving.run(plan)
        tick(serving)
    raise AssertionError("the successor never took over")


def test_the_old_group_is_not_deleted_in_a_closed_window(about_to_retire):
    assert about_to_retire.plan(denied="closed").actions == ()


def test_the_old_group_is_not_deleted_in_manual_mode_but_by_a_person(about_to_retire):
    about_to_retire.sync = Sync()
    commit(about_to_retire, 8080)
    assert about_to_retire.plan().actions == ()
    assert Verb.DELETE in {action.verb for action in about_to_retire.plan(intent=Intent.ORDER).actions}


def test_the_old_group_is_not_deleted_while_a_rule_that_may_forward_to_it_cannot_be_read(serving):
    commit(serving, 8080)
    serving.run(serving.plan())
    service, rule = serving.of("Service/s"), serving.of("ListenerRule/r")
    (new,) = [one for one in serving.all_of("TargetGroup/web") if one.spec["port"] == 8080]
    serving.change(service, spec={"loadBalancers": [{"targetGroupArn": new.arn}]})
    del serving.objects[rule.arn]
    plan = serving.plan(unreadable={"ListenerRule": "AccessDenied"})
    assert [action.id for action in plan.actions if action.verb is Verb.DELETE] == []


def test_a_change_in_place_makes_no_successor(serving):
    commit(serving, 80)
    group = serving.resource("TargetGroup/web", port=80, name="web", path="/health")
    others = [one for one in serving.commits[serving.head].resources.values() if one.id != GROUP]
    serving.commit(group, *others)
    serving.settle()
    assert serving.of("TargetGroup/web").spec["path"] == "/health"


# --------------------------------------------------------------------------------------------------------------- steps


def made_pair(world: Any, rules: tuple[str, ...], services: tuple[str, ...], **more: Any) -> Any:
    """A pair of groups `old` and `new`, and users on the named sides."""
    old = world.change(world.put("TargetGroup/old"), facts=more.get("old", HEALTHY))
    new = world.change(world.put("TargetGroup/new"), facts=more.get("new", {}))
    arns = {"old": [old.arn], "new": [new.arn], "both": [old.arn, new.arn], "neither": []}
    users = []
    for kind, sides in (("ListenerRule", rules), ("Service", services)):
        for index, side in enumerate(sides):
            live = world.put(f"{kind}/u{index}", groups={"of": arns[side]}, count=3)
            state = more.get("health", "Healthy")
            users.append((world.resource(f"{kind}/u{index}", group=REF), live, world_health(state)))
    return pair(old, new, GROUP, users)


def world_health(state: str) -> Any:
    return Health(HealthState(state))


@pytest.mark.parametrize(
    ("rules", "services", "more", "step"),
    [
        (("old", "new"), ("old",), {}, Step.INTRODUCE),
        (("both",), ("old", "both"), {}, Step.JOIN),
        (("both",), ("both",), {}, Step.WAIT),
        (("both",), ("both",), {"new": {"healthy": 1}}, Step.WAIT),
        (("both",), ("both",), {"new": HEALTHY}, Step.SHIFT),
        (("both",), ("both",), {"new": HEALTHY, "health": "Progressing"}, Step.WAIT),
        (("both",), ("both",), {"old": {}, "new": {}}, Step.WAIT),
        (("both",), ("both",), {"old": {"healthy": 0}, "new": {"healthy": 0}}, Step.SHIFT),
        (("both",), (), {}, Step.WAIT),
        (("both",), (), {"new": HEALTHY}, Step.SHIFT),
        (("new",), ("both", "new"), {}, Step.LEAVE),
        (("new",), ("old",), {}, Step.LEAVE),
        (("new",), ("new",), {}, Step.RETIRE),
        (("new",), ("new",), {"health": "Progressing"}, Step.WAIT),
        ((), ("neither",), {}, Step.RETIRE),
        ((), (), {}, Step.RETIRE),
    ],
)
def test_the_step_follows_from_who_is_on_which_side(world, rules, services, more, step):
    assert made_pair(world, rules, services, **more).step is step


@pytest.mark.parametrize("order", [1, -1])
def test_the_one_that_names_the_other_is_the_successor_in_whatever_order_they_are_read(world, order):
    tags = {"reconciler:environment": "acme/prod", "reconciler:resource": "TargetGroup/web"}
    world.put("TargetGroup/old", tags)
    new = world.put("TargetGroup/new", {**tags, "reconciler:replaces": "old"})
    world.objects = dict(list(world.objects.items())[::order])
    world.commit()
    claims = world.observe()
    assert (claims.owned[GROUP].arn, claims.retiring[GROUP].natural) == (new.arn, "old")


def test_a_user_that_does_not_exist_yet_is_on_no_side(world):
    old, new = world.put("TargetGroup/old"), world.put("TargetGroup/new")
    users = [(world.resource("Service/s", group=REF), None, world_health("Missing"))]
    assert pair(old, new, GROUP, users).services == ()


def test_a_resource_that_does_not_use_the_group_is_not_changed(world):
    one = made_pair(world, ("old",), ())
    resource = world.resource("Box/a", note="x")
    assert overlay(resource, {GROUP: one}) is resource


def test_default_actions_and_short_forwards_are_split_too(world):
    one = made_pair(world, ("old",), ())
    others = {
        "type": "forward",
        "forwardConfig": {"targetGroups": [{"targetGroupArn": "other"}, {"targetGroupArn": REF}]},
    }
    rule = world.resource("ListenerRule/u0", defaultActions=[{"type": "forward", "targetGroupArn": REF}, others])
    before = copy.deepcopy(rule.spec)
    short, mixed = overlay(rule, {GROUP: one}).spec["defaultActions"]
    assert short == {
        "type": "forward",
        "forwardConfig": {
            "targetGroups": [
                {"targetGroupArn": one.old.arn, "weight": 100},
                {"targetGroupArn": one.new.arn, "weight": 0},
            ]
        },
    }
    assert [group["targetGroupArn"] for group in mixed["forwardConfig"]["targetGroups"]] == [
        "other",
        one.old.arn,
        one.new.arn,
    ]
    assert rule.spec == before


def test_a_rule_that_has_shifted_already_is_not_taken_back(world):
    one = made_pair(world, ("new", "old"), ("old",))
    rule = world.resource("ListenerRule/u0", actions=[{"type": "forward", "targetGroupArn": REF}])
    [action] = overlay(rule, {GROUP: one}).spec["actions"]
    assert action["forwardConfig"] == {"targetGroups": [{"targetGroupArn": REF, "weight": 1}]}


def test_a_service_stays_where_it_is_while_the_rules_are_brought_to_both(world):
    one = made_pair(world, ("old",), ("old",))
    service = world.resource("Service/u0", loadBalancers=[{"targetGroupArn": REF, "containerPort": 80}])
    assert overlay(service, {GROUP: one}).spec["loadBalancers"] == [
        {"targetGroupArn": one.old.arn, "containerPort": 80}
    ]
    assert one.services[0].side is Side.OLD


def test_a_replacement_whose_manifest_git_dropped_is_left_to_pruning(serving):
    commit(serving, 8080)
    serving.run(serving.plan())
    serving.sync = Sync(mode="auto")
    serving.commit()
    plan = serving.plan()
    assert plan.actions == ()
    assert "TargetGroup/web" in held(plan)


def test_a_successor_that_waits_says_for_what(serving):
    commit(serving, 8080)
    for _ in range(6):
        serving.run(serving.plan())
    (note,) = [note for note in serving.plan().notes if note.startswith("TargetGroup/web")]
    assert "waits to be as healthy as" in note


def test_where_all_traffic_is_on_the_new_one_with_the_old_at_weight_nothing_the_rule_has_shifted(world):
    old, new = world.put("TargetGroup/old"), world.put("TargetGroup/new")
    groups = [{"targetGroupArn": old.arn, "weight": 0}, {"targetGroupArn": new.arn, "weight": 100}]
    live = world.put("ListenerRule/r", actions=[{"forwardConfig": {"targetGroups": groups}}])
    user = (world.resource("ListenerRule/r", group=REF), live, Health(HealthState.HEALTHY))
    assert pair(old, new, GROUP, [user]).forwarders[0].side is Side.NEW


def test_a_service_that_begins_to_use_a_group_under_replacement_registers_in_the_one_that_serves(world):
    one = made_pair(world, ("old",), ())
    service = world.resource("Service/late", loadBalancers=[{"targetGroupArn": REF}])
    shaped = overlay(service, {GROUP: one})
    assert [entry["targetGroupArn"] for entry in shaped.spec["loadBalancers"]] == [one.old.arn]


# --------------------------------------------------------------------------------------------------------------- waves


LATER = Settings(wave=1)


def waved(world: Any, port: int, *more: Any, names: tuple[str, ...] = ("web",), **service: Any) -> None:
    """In wave 0 a group and a rule for each name, in wave 1 the service that registers in it, and `more`."""
    resources = []
    for name in names:
        ref = Ref(ResourceId("TargetGroup", name), "arn")
        forward = {"type": "forward", "forwardConfig": {"targetGroups": [{"targetGroupArn": ref, "weight": 100}]}}
        resources += [
            world.resource(f"TargetGroup/{name}", port=port, name=name),
            world.resource(f"ListenerRule/{name}", actions=[forward]),
            world.resource(f"Service/{name}", LATER, loadBalancers=[{"targetGroupArn": ref}], **service),
        ]
    world.commit(*resources, *more)


def pass_on(world: Any, passes: int = 20) -> None:
    """Passes, and between them what AWS does by itself: every group gets its healthy targets."""
    for _ in range(passes):
        world.run(world.plan())
        for live in [one for one in world.objects.values() if one.kind == "TargetGroup"]:
            world.change(live, facts=HEALTHY)


def ports(world: Any) -> list[int]:
    return [live.spec["port"] for live in world.objects.values() if live.kind == "TargetGroup"]


def test_a_service_of_a_later_wave_does_its_part_in_the_replacement_of_its_group(world):
    waved(world, 80)
    pass_on(world)
    waved(world, 8080, count=3)
    pass_on(world)
    assert (ports(world), world.of("Service/web").spec["count"]) == ([8080], 3)
    assert world.plan().actions == ()


def test_two_replacements_of_one_wave_do_not_wait_for_each_other_s_services(world):
    waved(world, 80, names=("web", "api"))
    pass_on(world)
    waved(world, 8080, names=("web", "api"))
    pass_on(world)
    assert ports(world) == [8080, 8080]
    assert world.plan().actions == ()


def test_what_has_no_part_in_a_replacement_waits_until_it_is_over(world):
    waved(world, 80, world.resource("Box/b", LATER))
    pass_on(world)
    waved(world, 8080, world.resource("Box/b", LATER, note="x"), count=3)
    for _ in range(20):
        plan = world.plan()
        if ports(world) == [8080]:
            break
        assert held(plan)["Box/b"] == "its wave 1 waits for wave 0"
        pass_on(world, 1)
    pass_on(world)
    assert world.of("Box/b").spec["note"] == "x"


def test_a_service_in_a_replacement_still_waits_for_everything_else_of_an_earlier_wave(world):
    box = world.resource("Box/b")
    waved(world, 80, box)
    pass_on(world)
    waved(world, 8080, box)
    pass_on(world, 2)
    waved(world, 8080, world.resource("Box/b", note="x"))
    assert held(world.plan()) == {"Service/web": "its wave 1 waits for wave 0"}
    pass_on(world)
    assert ports(world) == [8080]


def test_a_service_in_a_replacement_does_not_wait_for_what_waits_for_the_replacement(world):
    def change(port: int, note: str) -> None:
        waved(world, port, world.resource("Box/b", LATER, note=note))
        desired = world.commits[world.head]
        service = ResourceId("Service", "web")
        desired.resources[service] = replace(desired.resources[service], settings=Settings(wave=2))

    change(80, "")
    pass_on(world)
    change(8080, "x")
    pass_on(world)
    assert (ports(world), world.of("Box/b").spec["note"]) == ([8080], "x")


def test_what_a_service_in_a_replacement_begins_to_need_is_made_for_it(world):
    waved(world, 80)
    pass_on(world)
    needed = world.resource("Cluster/c", LATER)
    waved(world, 8080, needed, cluster=Ref(needed.id, "arn"))
    pass_on(world)
    assert ports(world) == [8080]
    assert world.plan().actions == ()


def test_an_old_group_that_nobody_uses_any_more_is_deleted_before_the_next_wave_begins(world):
    waved(world, 80)
    pass_on(world)
    waved(world, 8080)
    for _ in range(20):
        if any(action.verb is Verb.DELETE for action in world.plan().actions):
            break
        pass_on(world, 1)
    assert sorted(ports(world)) == [80, 8080]
    waved(world, 8080, count=3)
    assert held(world.plan())["Service/web"] == "its wave 1 waits for wave 0"
    pass_on(world)
    assert (ports(world), world.of("Service/web").spec["count"]) == ([8080], 3)
