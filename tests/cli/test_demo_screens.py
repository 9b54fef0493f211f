"""The picture of a moment: on wide and small terminals, with and without rollouts, and as plain lines."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from reconciler.cli.demo.glance import DeploymentView, Event, ServiceView, Snapshot
from reconciler.cli.demo.screens import LiveScreen, Screen
from reconciler.cli.demo.tree import Picture, event_text, resource_table
from reconciler.core.live import Health, HealthState
from reconciler.core.plan import Plan
from reconciler.core.report import PassReport, ResourceStatus, SyncState
from reconciler.core.resource import Desired, Environment, Resource
from reconciler.core.values import Ref, ResourceId

WELL = Health(HealthState.HEALTHY)
CLUSTER, BALANCER, LISTENER = (
    ResourceId("Cluster", "shop"),
    ResourceId("LoadBalancer", "shop"),
    ResourceId("Listener", "http"),
)
NAMES = ("api", "search", "web", "worker")


def deployment(image: str, running: int, *, primary: bool = True, failed: int = 0) -> DeploymentView:
    return DeploymentView(primary, "IN_PROGRESS" if primary else "", image, "arn", 3, running, 0, failed)


def status(kind: str, name: str, *parents: ResourceId, health: Health = WELL, **more: object) -> ResourceStatus:
    return ResourceStatus(ResourceId(kind, name), SyncState.SYNCED, health, parents=parents, arn=f"arn:{name}", **more)  # type: ignore[arg-type]  # names of its own fields


@pytest.fixture
def picture() -> Picture:
    """Four services, one of them in quarantine and one rolling out."""
    statuses = [status("Cluster", "shop"), status("LoadBalancer", "shop"), status("Listener", "http", BALANCER)]
    for name in NAMES:
        broken = name == "web"
        health = Health(HealthState.DEGRADED) if broken else WELL
        statuses.append(status("Service", name, CLUSTER, health=health, quarantined=broken))
        statuses.append(status("TargetGroup", name))
        statuses.append(status("ListenerRule", name, LISTENER, ResourceId("TargetGroup", name)))
        statuses.append(status("TaskDefinition", name, part_of=ResourceId("Service", name)))
    report = PassReport(
        "shop/production", "c" * 40, datetime(2026, 1, 1, tzinfo=UTC), Plan("e", "c"), {s.id: s for s in statuses}
    )
    rule = Resource(
        ResourceId("ListenerRule", "api"),
        {
            "conditions": [{"field": "path-pattern", "pathPatternConfig": {"values": ["/api/*"]}}],
            "actions": [{"type": "forward", "targetGroupArn": Ref(ResourceId("TargetGroup", "api"), "arn")}],
        },
    )
    environment = Environment("production", "shop", "123456789012", "eu-west-1", ("base",))
    views = {
        name: ServiceView("shop", name, "ACTIVE", 3, 3, 0, (deployment(f"{name}:1.0", 3),), (f"arn:{name}",))
        for name in ("search", "web", "worker")
    }
    both = (deployment("api:1.6.0-crash", 1, failed=1), deployment("api:1.5.0", 2, primary=False))
    views["api"] = ServiceView("shop", "api", "ACTIVE", 3, 3, 0, both, ("arn:api",))
    targets = {"arn:api": {"healthy": 3, "draining": 1}}
    return Picture(report, Desired(environment, "c" * 40, {rule.id: rule}), Snapshot({"shop": 3}, views, targets))


def drawn(picture: Picture, width: int, height: int) -> str:
    """What a terminal of this size has on it."""
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=width, height=height, color_system=None)
    screen = LiveScreen(console)
    screen.head("2 of 6")
    screen.where("repository /somewhere")
    screen.open()
    try:
        screen.update(picture)
    finally:
        screen.close()
    with console.capture() as capture:
        console.print(screen._draw())
    return capture.get()


@pytest.mark.parametrize("width", [80, 120])
def test_every_resource_stands_once_below_what_it_belongs_to(picture: Picture, width: int):
    text = drawn(picture, width, 45)
    lines = [line.rstrip() for line in text.splitlines()]
    found = [next(index for index, line in enumerate(lines) if f"{kind}/{name}" in line) for kind, name in (
        ("Cluster", "shop"), ("Service", "api"), ("Service", "worker"), ("LoadBalancer", "shop"), ("Listener", "http"),
        ("ListenerRule", "api"), ("TargetGroup", "api"), ("ListenerRule", "search"), ("TargetGroup", "worker"),
    )]  # fmt: skip
    assert found == sorted(found)
    assert all(text.count(f" TargetGroup/{name} ") == 1 for name in NAMES)
    assert "TaskDefinition" not in text
    assert "path /api/* → api" in text
    assert "3 healthy, 1 draining" in text
    assert "in quarantine  3 of 3 tasks" in text
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_a_rollout_shows_both_images_and_how_many_tasks_are_where(picture: Picture, width: int):
    text = drawn(picture, width, 45)
    assert "1.5.0 → 1.6.0-crash" in text
    assert "1 of 3 new, 1 failed, 2 old" in text


def test_a_small_terminal_keeps_services_and_what_is_not_well_and_counts_the_rest(picture: Picture):
    text = drawn(picture, 80, 24)
    assert len(text.splitlines()) <= 24
    assert all(f"Service/{name}" in text for name in NAMES)
    assert "Degraded" in text
    assert "… and 10 more" in text
    assert "all of them" in text


def test_where_not_even_the_troubled_fit_the_rest_is_not_called_well(picture: Picture):
    console = Console(width=80, file=io.StringIO(), color_system=None)
    missing = {one: status(one.kind, one.name, health=Health(HealthState.MISSING)) for one in picture.report.statuses}
    report = PassReport("e", "c", picture.report.started, picture.report.plan, missing)
    with console.capture() as capture:
        console.print(resource_table(Picture(report, picture.desired, picture.snapshot), most=4))
    assert "… and 16 more" in capture.get()
    assert "all of them" not in capture.get()


def test_plain_lines_tell_each_event_once_and_each_progress_when_it_changes(picture: Picture):
    output = io.StringIO()
    screen = Screen(Console(file=output, width=120))
    event = Event("1", "api", "(service api) (deployment ecs-svc/123) deployment failed: tasks failed to start.")
    snapshot = Snapshot(picture.snapshot.instances, picture.snapshot.services, events=(event,))
    for _ in range(3):
        screen.update(Picture(picture.report, picture.desired, snapshot))
    text = output.getvalue()
    assert text.count("ecs: api deployment failed: tasks failed to start") == 1
    assert text.count("api: 1 of 3 new, 1 failed, 2 old") == 1


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("(service web) has started 2 tasks: (task c5ad) (task e28b).", "web has started 2 tasks"),
        ("(service web) has reached a steady state.", "web has reached a steady state"),
        ("(service web) rolling back to deployment ecs-svc/9.", "web rolling back to the previous deployment"),
        (
            "(service web) registered 1 targets in (target-group arn:aws:elb:eu:1:targetgroup/web-dcd/9)",
            "web registered 1 targets in target group web-dcd",
        ),
    ],
)
def test_an_event_is_shown_without_its_identifiers(message: str, shown: str):
    assert event_text(Event("1", "web", message)) == shown
