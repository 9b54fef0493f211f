"""The resources as a tree with sync and health, and the rollouts under way: what the screens show of a moment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reconciler.cli.demo.glance import Event, ServiceView, Snapshot
from reconciler.cli.screens import HEALTH_STYLES, SYNC_STYLES
from reconciler.core.report import PassReport, ResourceStatus
from reconciler.core.resource import Desired
from reconciler.core.values import Json, ResourceId, references

BAR = 12  # characters of a rollout's bar
OWNERS = ("Cluster", "LoadBalancer", "Listener", "ListenerRule")  # what others hang from, in this order
CONDITIONS = {"path-pattern": "path", "host-header": "host"}
TARGET_STATES = ("healthy", "initial", "unhealthy", "draining")


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment: the last pass, what git said then, and what AWS says now."""

    report: PassReport
    desired: Desired
    snapshot: Snapshot


def resource_table(picture: Picture) -> Table:
    """Every resource once, below what it belongs to; inline task definitions are part of their service's line."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("RESOURCE", no_wrap=True)
    table.add_column("SYNC", no_wrap=True)
    table.add_column("HEALTH", no_wrap=True)
    table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
    for guide, status in _walk(picture.report.statuses):
        sign, style = HEALTH_STYLES[status.health.state]
        table.add_row(
            Text.assemble((guide, "dim"), (f"{status.id.kind}/", "dim"), (status.id.name, "bold")),
            Text(status.sync.value, SYNC_STYLES[status.sync]),
            Text(f"{sign} {status.health.state.value}", style),
            _details(status, picture),
        )
    return table


def _walk(statuses: Mapping[ResourceId, ResourceStatus]) -> Iterator[tuple[str, ResourceStatus]]:
    """The statuses depth first, each with the guide lines in front of it."""
    children: dict[ResourceId | None, list[ResourceId]] = {}
    for identity, status in statuses.items():
        if status.part_of is None:
            children.setdefault(_owner(identity, statuses), []).append(identity)

    def below(owner: ResourceId, guide: str) -> Iterator[tuple[str, ResourceStatus]]:
        found = sorted(children.get(owner, []))
        for index, identity in enumerate(found):
            last = index == len(found) - 1
            yield guide + ("└─ " if last else "├─ "), statuses[identity]
            yield from below(identity, guide + ("   " if last else "│  "))

    for identity in sorted(children.get(None, [])):
        yield "", statuses[identity]
        yield from below(identity, "")


def _owner(identity: ResourceId, statuses: Mapping[ResourceId, ResourceStatus]) -> ResourceId | None:
    """What a resource hangs from: the first of OWNERS that it refers to; for a target group, its first rule."""
    refers = [one for one in statuses[identity].parents if one in statuses and one.kind in OWNERS]
    if identity.kind == "TargetGroup":
        refers = sorted(one for one, other in statuses.items() if one.kind in OWNERS and identity in other.parents)
    return min(refers, key=lambda one: (OWNERS.index(one.kind), one), default=None)


def _details(status: ResourceStatus, picture: Picture) -> Text:
    text = _facts(status, picture)
    for there, word, style in ((status.quarantined, "in quarantine", "bold red"), (status.held, "held", "magenta")):
        if there:
            text.append((", " if text else "") + word, style)
    return text


def _facts(status: ResourceStatus, picture: Picture) -> Text:
    identity, snapshot = status.id, picture.snapshot
    match identity.kind:
        case "Cluster" if identity.name in snapshot.instances:
            return Text(f"{snapshot.instances[identity.name]} EC2 instances")
        case "Service" if identity.name in snapshot.services:
            view = snapshot.services[identity.name]
            image = view.primary.image if view.primary else ""
            return Text(f"{view.running} of {view.desired} tasks, {image}")
        case "TargetGroup" if snapshot.targets.get(status.arn):
            return _targets(snapshot.targets[status.arn])
        case "ListenerRule" if identity in picture.desired.resources:
            return Text(_rule(picture.desired.resources[identity].spec))
        case "Listener" if identity in picture.desired.resources:
            spec = picture.desired.resources[identity].spec
            return Text(f"{spec.get('protocol', '')} :{spec.get('port', '')}")
    return Text()


def _targets(counts: Mapping[str, int]) -> Text:
    styles = {"healthy": "green", "unhealthy": "red"}
    text = Text()
    for state in (*TARGET_STATES, *sorted(set(counts) - set(TARGET_STATES))):
        if counts.get(state):
            text.append(", " if text else "").append(f"{counts[state]} {state}", styles.get(state, "blue"))
    return text


def _rule(spec: Mapping[str, Json]) -> str:
    """`path /api/* → api`."""
    wanted: list[str] = []
    for condition in spec.get("conditions") or ():
        config: Json = next((value for name, value in condition.items() if name.endswith("Config")), {})
        values = config.get("values") or condition.get("values") or ()
        field = str(condition.get("field", ""))
        wanted.append(f"{CONDITIONS.get(field, field)} {', '.join(map(str, values))}")
    groups = [one.target.name for one in references(spec.get("actions", [])) if one.target.kind == "TargetGroup"]
    return " and ".join(wanted) + (" → " + ", ".join(groups) if groups else "")


def rollouts(snapshot: Snapshot) -> Table | None:
    """A line with a bar for each service that is rolling out; None when nothing is."""
    moving = [view for view in snapshot.services.values() if view.moving and view.primary]
    if not moving:
        return None
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for view in moving:
        primary = view.primary
        running, wanted = (primary.running, primary.desired) if primary else (0, 0)
        style = "red" if primary and primary.failed else "blue"
        bar = ProgressBar(total=max(wanted, 1), completed=running, width=BAR, complete_style=style)
        table.add_row(Text(view.name, "bold"), images(view), bar, Text(progress(view)))
    return table


def images(view: ServiceView) -> Text:
    """`1.4.2 → 1.5.0`, or the one tag where both sides have it."""
    tags = list(dict.fromkeys(item.image.rpartition(":")[2] for item in reversed(view.deployments)))
    return Text(" → ").join(Text(tag, "cyan") for tag in tags)


def progress(view: ServiceView) -> str:
    """`2 of 3 new running, 1 starting, 2 old`; what is nothing is left out."""
    primary = view.primary
    if primary is None:
        return ""
    word = "new " if len(view.deployments) > 1 else ""
    parts = [
        f"{primary.running} of {primary.desired} {word}running",
        f"{primary.pending} starting" if primary.pending else "",
        f"{primary.failed} failed" if primary.failed else "",
        f"{view.old} old" if view.old else "",
    ]
    return ", ".join(part for part in parts if part)


_NOISE = (
    (re.compile(r"^\(service ([^)]+)\) "), r"\1 "),
    (re.compile(r": \(task .*$"), ""),
    (re.compile(r"\(deployment [^)]+\) deployment"), "deployment"),
    (re.compile(r"to deployment \S+"), "to the previous deployment"),
    (re.compile(r"\(target-group [^)]*:targetgroup/([^/)]+)[^)]*\)"), r"target group \1"),
    (re.compile(r"\(task (\w{8})\w*\)"), r"task \1"),
    (re.compile(r" For more information.*$"), ""),
)


def event_text(event: Event) -> str:
    """A service event without the identifiers that nobody reads."""
    text = event.message
    for pattern, replacement in _NOISE:
        text = pattern.sub(replacement, text)
    return text.rstrip(".")


def counted(lines: Sequence[str]) -> list[str]:
    """The lines, each once, with how often it came."""
    return [line if count == 1 else f"{line} ({count} times)" for line, count in Counter(lines).items()]
