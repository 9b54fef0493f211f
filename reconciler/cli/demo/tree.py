"""The resources as a tree with sync and health, and the rollouts under way: what the screens show of a moment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reconciler.cli.demo.glance import Event, ServiceView, Snapshot
from reconciler.cli.screens import HEALTH_STYLES, SYNC_STYLES
from reconciler.core.live import HealthState
from reconciler.core.report import PassReport, ResourceStatus, SyncState
from reconciler.core.resource import Desired
from reconciler.core.values import Json, ResourceId, references

BAR = 12  # characters of a rollout's bar
OWNERS = ("Cluster", "LoadBalancer", "Listener", "ListenerRule")  # what others hang from, in this order
CONDITIONS = {"path-pattern": "path", "host-header": "host"}
LONGEST_SYNC, LONGEST_HEALTH = len("OutOfSync"), len("◐ Progressing")
TARGET_STATES = ("healthy", "initial", "unhealthy", "draining")

Row: TypeAlias = tuple[str, ResourceStatus]
"""A resource, and the guide lines in front of it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment: the last pass, what git said then, and what AWS says now."""

    report: PassReport
    desired: Desired
    snapshot: Snapshot


def resource_table(picture: Picture, most: int = 1000) -> Table:
    """Every resource once, below what it belongs to; inline task definitions are part of their service's line.

    Where that makes more than `most` rows, what is well and no service is only counted.
    """
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim", expand=True)
    table.add_column("RESOURCE", no_wrap=True)
    table.add_column("SYNC", no_wrap=True, min_width=LONGEST_SYNC)
    table.add_column("HEALTH", no_wrap=True, min_width=LONGEST_HEALTH)
    table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
    rows = list(_walk(picture.report.statuses))
    shown = rows if len(rows) <= most else _chosen(rows, most - 1)
    for guide, status in shown:
        sign, style = HEALTH_STYLES[status.health.state]
        lead = guide if shown is rows else ""
        table.add_row(
            Text.assemble((lead, "dim"), (f"{status.id.kind}/", "dim"), (status.id.name, "bold")),
            Text(status.sync.value, SYNC_STYLES[status.sync]),
            Text(f"{sign} {status.health.state.value}", style),
            _details(status, picture),
        )
    if rest := [row[1] for row in rows if row not in shown]:
        healthy = f"{HEALTH_STYLES[HealthState.HEALTHY][0]} Healthy"
        words = ("Synced", healthy, "all of them") if all(map(well, rest)) else ("", "", "")
        table.add_row(Text(f"… and {len(rest)} more", "dim"), *(Text(word, "green") for word in words))
    return table


def well(status: ResourceStatus) -> bool:
    """Whether it is in sync and healthy."""
    return status.sync is SyncState.SYNCED and status.health.state is HealthState.HEALTHY


def _chosen(rows: Sequence[Row], most: int) -> list[Row]:
    """The rows that a small terminal shows: what is not well, and clusters and services; in the tree's order."""
    worth = [row for row in rows if not well(row[1]) or row[1].id.kind in ("Cluster", "Service")]
    ranked = sorted(worth, key=lambda row: well(row[1]))[:most]
    return [row for row in rows if row in ranked]


def _walk(statuses: Mapping[ResourceId, ResourceStatus]) -> Iterator[Row]:
    """The statuses depth first, each with the guide lines in front of it."""
    children: dict[ResourceId | None, list[ResourceId]] = {}
    for identity, status in statuses.items():
        if status.part_of is None:
            children.setdefault(_owner(identity, statuses), []).append(identity)

    def below(owner: ResourceId, guide: str) -> Iterator[Row]:
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
    text = Text()
    for there, word, style in ((status.quarantined, "in quarantine", "bold red"), (status.held, "held", "magenta")):
        if there:
            text.append(word, style).append("  ")
    return text + _facts(status, picture)


def _facts(status: ResourceStatus, picture: Picture) -> Text:
    identity, snapshot = status.id, picture.snapshot
    match identity.kind:
        case "Cluster" if identity.name in snapshot.instances:
            return Text(f"{snapshot.instances[identity.name]} EC2 instances")
        case "Service" if identity.name in snapshot.services:
            view = snapshot.services[identity.name]
            tag = view.primary.image.rpartition(":")[2] if view.primary else ""
            return Text(f"{view.running} of {view.desired} tasks, {tag}")
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
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("ROLLOUT", "IMAGE", "", "TASKS"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
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
    """`2 of 3 new, 1 starting, 2 old`; what is nothing is left out."""
    primary = view.primary
    if primary is None:
        return ""
    word = "new" if len(view.deployments) > 1 else "running"
    parts = [
        f"{primary.running} of {primary.desired} {word}",
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
