"""Plans, statuses and differences as a person reads them, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from reconciler.core.difference import MASK, Difference
from reconciler.core.live import HealthState
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


def value_text(value: Json, *, secret: bool = False) -> str:
    """A value on one line: short, quoted only where it must be."""
    if value is ABSENT:
        return "(none)"
    if secret:
        return MASK
    if isinstance(value, Ref):
        return f"{value.target} {value.attribute}, known after apply"
    text = value if isinstance(value, str) and value else canonical(plain(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def difference_line(difference: Difference) -> Text:
    live = value_text(difference.live, secret=difference.secret)
    desired = value_text(difference.desired, secret=difference.secret)
    cause = difference.cause.value
    return Text.assemble(
        f"{difference.field}  ",
        (live, "red"),
        " → ",
        (desired, "green"),
        ("  " + cause, CAUSE_STYLES.get(cause, "cyan")),
    )


def plan_screen(plan: Plan, *, calls: bool = True) -> RenderableType:
    """The plan as a list of steps, each with its fields and its calls."""
    shown = [action for action in plan.actions if not action.silent]
    if not shown and not plan.held:
        return Text("Nothing to do: what git says is what runs.", "green")
    parts: list[RenderableType] = [_action(action, calls=calls) for action in shown]
    parts += [_held(held) for held in plan.held]
    parts += [Text(f"note: {note}", "dim") for note in plan.notes]
    return Group(*parts, Text(), summary(plan))


def _action(action: Action, *, calls: bool) -> Tree:
    sign, style = SIGNS[action.verb]
    label = Text.assemble((f"{sign} {action.resource}", f"bold {style}"), ("  " + action.why, "dim"))
    tree = Tree(label, guide_style="dim")
    for difference in action.differences:
        tree.add(difference_line(difference))
    for note in action.notes:
        tree.add(Text(note, "italic dim"))
    if calls:
        tree.add(Text(", ".join(call.name for call in action.calls), "dim cyan"))
    return tree


def _held(held: Held) -> Tree:
    tree = Tree(
        Text.assemble((f"! {held.resource}", "bold magenta" if held.blocked else "bold"), ("  " + held.reason, "dim")),
        guide_style="dim",
    )
    for difference in held.differences:
        tree.add(difference_line(difference))
    if held.next:
        tree.add(Text(held.next, "italic"))
    return tree


def summary(plan: Plan) -> Text:
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
            Text(str(status.id), "bold" if not status.part_of else ""),
            Text(status.sync.value, SYNC_STYLES[status.sync]),
            Text(f"{sign} {status.health.state.value}", style),
            details(status),
        )
    return table


def details(status: ResourceStatus) -> Text:
    """What one line can say of a resource: counts first, then what is wrong and what to do."""
    parts = [status.health.reason, status.message if status.message != status.health.reason else ""]
    text = Text("; ".join(part for part in dict.fromkeys(parts) if part))
    if status.quarantined:
        text.append("  quarantined", "red")
    if status.held:
        text.append("  held", "magenta")
    return text


def report_screen(report: PassReport) -> RenderableType:
    """Statuses, then every difference field by field, then failures."""
    parts: list[RenderableType] = [status_table(report.statuses.values())]
    for status in report.statuses.values():
        if status.differences:
            parts += [Text(), differences_tree(status)]
    parts += [Text(f"{failure.action}: {failure.message}", "red") for failure in report.failures]
    parts += [Text(f"note: {note}", "dim") for note in report.warnings]
    return Group(*parts)


def differences_tree(status: ResourceStatus) -> Tree:
    tree = Tree(Text(str(status.id), "bold"), guide_style="dim")
    for difference in status.differences:
        tree.add(difference_line(difference))
    if status.message:
        tree.add(Text(status.message, "italic dim"))
    if status.next:
        tree.add(Text(status.next, "italic"))
    return tree


def plan_markdown(plan: Plan) -> str:
    """The plan for a pull request's comment."""
    lines = [f"### Plan `{plan.digest}` for `{plan.environment}`", ""]
    shown = [action for action in plan.actions if not action.silent]
    if not shown and not plan.held:
        return "\n".join([*lines, "Nothing to do: what git says is what runs."])
    if shown:
        lines += ["| | resource | field | live | desired | cause |", "|---|---|---|---|---|---|"]
    for action in shown:
        sign = SIGNS[action.verb][0]
        rows = action.differences or (None,)
        for item in rows:
            cells = ("", "", "", action.why) if item is None else _cells(item)
            lines.append(f"| `{sign}` | {action.resource} | {' | '.join(_cell(cell) for cell in cells)} |")
    lines += [f"\n- **{held.resource}** {_cell(held.reason)}. {_cell(held.next)}" for held in plan.held]
    return "\n".join(lines)


def _cells(item: Difference) -> tuple[str, str, str, str]:
    live, desired = (value_text(value, secret=item.secret) for value in (item.live, item.desired))
    return item.field, live, desired, item.cause.value


def _cell(text: str) -> str:
    """Text that cannot leave its cell, nor become markup."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ").replace("`", "\\`")


def resource_ids(names: Iterable[str]) -> frozenset[ResourceId]:
    """`Kind/name` arguments. Raises InvalidReferenceError."""
    return frozenset(ResourceId.parse(name) for name in names)
