"""Plans, statuses and differences as a person reads them, in a terminal; `markdown` has the same for pull requests.

Whatever is shown here is masked, and without control characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from reconciler.cli.output import safe
from reconciler.core.call import Call
from reconciler.core.difference import Difference
from reconciler.core.live import HealthState
from reconciler.core.masking import masked_text
from reconciler.core.plan import Action, Held, Plan, Verb
from reconciler.core.report import PassReport, ResourceStatus, SyncState
from reconciler.core.values import ABSENT, Json, Ref, ResourceId, canonical, plain

SIGNS: Final = {
    Verb.CREATE: ("+", "green"),
    Verb.UPDATE: ("~", "yellow"),
    Verb.ADOPT: ("↥", "cyan"),
    Verb.REPLACE: ("±", "red"),
    Verb.QUARANTINE: ("✗", "red"),
    Verb.STAMP: ("·", "dim"),
    Verb.DELETE: ("-", "red"),
    Verb.TAG: ("·", "cyan"),
}
SYNC_STYLES: Final = {SyncState.SYNCED: "green", SyncState.OUT_OF_SYNC: "yellow", SyncState.UNKNOWN: "magenta"}
HEALTH_STYLES: Final = {
    HealthState.HEALTHY: ("●", "green"),
    HealthState.SUSPENDED: ("◌", "dim"),
    HealthState.PROGRESSING: ("◐", "blue"),
    HealthState.MISSING: ("○", "yellow"),
    HealthState.DEGRADED: ("●", "red"),
    HealthState.UNKNOWN: ("?", "magenta"),
}
CAUSE_STYLES: Final = {"pending": "yellow", "drifted": "red", "conflict": "red", "removed": "magenta"}
LONGEST_VALUE = 60


def value_text(value: Json) -> str:
    """A value that is masked already, on one line: short, quoted only where it must be."""
    if value is ABSENT:
        return "(none)"
    if isinstance(value, Ref):
        return f"{value.target} {value.attribute}, known after apply"
    text = value if isinstance(value, str) and value else canonical(plain(value))
    text = safe(text).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def sentence(text: str) -> str:
    """A message for a person: masked, and harmless to a terminal."""
    return safe(masked_text(text))


def difference_line(difference: Difference) -> Text:
    cause = difference.cause.value
    return Text.assemble(
        f"{safe(difference.field)}  ",
        (value_text(difference.shown(difference.live)), "red"),
        " → ",
        (value_text(difference.shown(difference.desired)), "green"),
        ("  " + cause, CAUSE_STYLES.get(cause, "cyan")),
    )


def whole_plan(report: PassReport) -> Plan:
    """The plan, with every difference that it leaves alone, and why: incidents are no part of what a pass decides."""
    actions = {action.resource: action for action in report.plan.actions}
    held = {one.resource: one for one in report.plan.held}
    for status in report.statuses.values():
        written = actions[status.id].differences if status.id in actions else ()
        left = tuple(item for item in status.differences if item not in written)
        if status.id in held:
            held[status.id] = replace(held[status.id], differences=left or held[status.id].differences)
        elif left:
            held[status.id] = Held(status.id, _why_left(status, left, acted=status.id in actions), status.next, left)
    return replace(report.plan, held=tuple(held.values()))


def _why_left(status: ResourceStatus, left: tuple[Difference, ...], *, acted: bool) -> str:
    if not acted:
        return status.message or "nothing is written for it"
    causes = dict.fromkeys(item.cause.value for item in left)
    return f"not part of the change above: {', '.join(causes)}"


def plan_screen(plan: Plan, *, calls: bool = True, verbose: bool = False) -> RenderableType:
    """The steps with their fields and calls, then what is left alone and why. `verbose`: what each call sends."""
    shown = [action for action in plan.actions if not action.silent]
    notes = [Text(f"note: {sentence(note)}", "dim") for note in plan.notes]
    if not shown and not plan.held:
        return Group(Text("Nothing to do: what git says is what runs.", "green"), *notes)
    parts: list[RenderableType] = [_action(action, calls=calls, verbose=verbose) for action in shown]
    if plan.held:
        parts += [Text(), Text("Left alone:", "bold")] if shown else [Text("Left alone:", "bold")]
        parts += [_held(held) for held in plan.held]
    return Group(*parts, *notes, Text(), summary(plan))


def _action(action: Action, *, calls: bool, verbose: bool) -> Tree:
    sign, style = SIGNS[action.verb]
    label = Text.assemble((f"{sign} {action.resource}", f"bold {style}"), ("  " + sentence(action.why), "dim"))
    tree = Tree(label, guide_style="dim")
    for difference in action.differences:
        tree.add(difference_line(difference))
    for note in action.notes:
        tree.add(Text(sentence(note), "italic dim"))
    if verbose:
        for call in action.calls:
            tree.add(Text(call.name, "cyan")).add(Text(_sent(call), "dim"))
    elif calls:
        tree.add(Text(", ".join(call.name for call in action.calls), "dim cyan"))
    return tree


def _sent(call: Call) -> str:
    from reconciler.cli.output import to_yaml  # noqa: PLC0415  # keeps --help fast

    return safe(to_yaml(call.to_json()["params"]).rstrip())


def _held(held: Held) -> Tree:
    style = "bold magenta" if held.blocked else "bold"
    label = Text.assemble((f"! {safe(str(held.resource))}", style), ("  " + sentence(held.reason), "dim"))
    tree = Tree(label, guide_style="dim")
    for difference in held.differences:
        tree.add(difference_line(difference))
    if held.next:
        tree.add(Text(sentence(held.next), "italic"))
    return tree


def summary(plan: Plan) -> Text:
    """`Plan p1:…: 1 to create, 2 to update; 1 left alone.`"""
    names = {Verb.CREATE: "to create", Verb.UPDATE: "to update", Verb.ADOPT: "to adopt", Verb.REPLACE: "to replace"}
    names |= {Verb.DELETE: "to delete", Verb.QUARANTINE: "to quarantine"}
    counts = {name: sum(action.verb is verb for action in plan.actions) for verb, name in names.items()}
    text = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to write"
    if plan.held:
        text += f"; {len(plan.held)} left alone"
    return Text.assemble(("Plan ", "bold"), (plan.digest, "dim"), f": {text}.")


def status_table(statuses: Iterable[ResourceStatus]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold dim")
    for name in ("RESOURCE", "SYNC", "HEALTH", "DETAILS"):
        table.add_column(name, overflow="fold")
    for status in statuses:
        sign, style = HEALTH_STYLES[status.health.state]
        table.add_row(
            Text(safe(str(status.id)), "bold" if not status.part_of else ""),
            Text(status.sync.value, SYNC_STYLES[status.sync]),
            Text(f"{sign} {status.health.state.value}", style),
            details(status),
        )
    return table


def in_order(statuses: Mapping[ResourceId, ResourceStatus], *, parts: bool) -> list[ResourceStatus]:
    """The statuses, each part below what it is part of; without `parts`, parts only when something is wrong with them.

    A part is what was written inline: the task definition in a service's manifest.
    """
    inner: dict[ResourceId | None, list[ResourceStatus]] = {}
    for status in statuses.values():
        whole = status.part_of if status.part_of in statuses else None
        inner.setdefault(whole, []).append(status)
    fine = (SyncState.SYNCED, HealthState.HEALTHY)
    return [
        one
        for status in inner.get(None, [])
        for one in (
            status,
            *(part for part in inner.get(status.id, []) if parts or (part.sync, part.health.state) != fine),
        )
    ]


def status_screen(report: PassReport, *, parts: bool = False) -> RenderableType:
    """Where the environment stands in one line, then each resource."""
    shown = in_order(report.statuses, parts=parts)
    hidden = len(report.statuses) - len(shown)
    lines: list[RenderableType] = [heading(report), status_table(shown)]
    if hidden:
        lines.append(Text(f"{hidden} more, written inline, in sync and healthy: --all shows them", "dim"))
    return Group(*lines)


def heading(report: PassReport) -> Text:
    """`acme/prod at 1ace5d723d: OutOfSync, Healthy; 1 of 7 resources out of sync`."""
    sign, style = HEALTH_STYLES[report.health.state]
    out = sum(status.sync is not SyncState.SYNCED for status in report.statuses.values())
    count = len(report.statuses)
    return Text.assemble(
        (report.environment, "bold"),
        f" at {report.commit[:10]}: ",
        (report.sync.value, SYNC_STYLES[report.sync]),
        ", ",
        (f"{sign} {report.health.state.value}", style),
        f"; {out} of {count} resources not in sync" if out else f"; {count} resources",
    )


def details(status: ResourceStatus) -> Text:
    """What one line can say of a resource: counts first, then what is wrong and what to do."""
    parts = [status.health.reason, status.message if status.message != status.health.reason else ""]
    text = Text("; ".join(sentence(part) for part in dict.fromkeys(parts) if part))
    if status.quarantined:
        text.append("  quarantined", "red")
    if status.held and status.hold not in parts:
        text.append(("; " if text else "") + sentence(status.hold), "magenta")
    return text


def report_screen(report: PassReport) -> RenderableType:
    """Statuses, then every difference field by field, then failures."""
    parts: list[RenderableType] = [heading(report), status_table(in_order(report.statuses, parts=False))]
    for status in report.statuses.values():
        if status.differences:
            parts += [Text(), differences_tree(status)]
    parts += [Text(f"{failure.action}: {sentence(failure.message)}", "red") for failure in report.failures]
    parts += [Text(f"note: {sentence(note)}", "dim") for note in report.warnings]
    return Group(*parts)


def done_screen(report: PassReport) -> RenderableType:
    """What one pass did: a line for each action, then what it left alone. Statuses are from before its writes."""
    failures = {failure.action: failure.message for failure in report.failures}
    lines: list[RenderableType] = []
    for action in report.plan.actions:
        if action.id in failures:
            lines.append(Text(f"✗ {action.resource}  {sentence(failures[action.id])}", "red"))
        elif action.id in report.skipped:
            lines.append(Text(f"○ {action.resource}  not started: what it depends on failed", "yellow"))
        elif action.id in report.applied and not action.silent:
            status = report.statuses.get(action.resource)
            lines.append(Text(f"✓ {action.resource}  {sentence(status.message if status else action.why)}", "green"))
    lines += [_held(held) for held in whole_plan(report).held]
    if not lines:
        return Text("Nothing to do: what git says is what runs.", "green")
    if report.applied and report.look_again is not None:
        lines.append(Text("What was started goes on in AWS: `reconciler wait` watches it.", "dim"))
    return Group(*lines)


def differences_tree(status: ResourceStatus) -> Tree:
    tree = Tree(Text(safe(str(status.id)), "bold"), guide_style="dim")
    for difference in status.differences:
        tree.add(difference_line(difference))
    if status.message:
        tree.add(Text(sentence(status.message), "italic dim"))
    if status.next:
        tree.add(Text(sentence(status.next), "italic"))
    return tree


def resource_ids(names: Iterable[str]) -> frozenset[ResourceId]:
    """`Kind/name` arguments. Raises InvalidReferenceError."""
    return frozenset(ResourceId.parse(name) for name in names)
