"""Plans and statuses as Markdown, for the comment on a pull request.

Values come from AWS and from whoever opened the pull request, so they stand in code spans, where nothing is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.cli.output import safe
from reconciler.cli.screens import SIGNS, sentence, value_text
from reconciler.core.difference import Difference
from reconciler.core.plan import Plan
from reconciler.core.report import PassReport, ResourceStatus

_DIFFERENCES = ["| resource | field | live | desired | cause |", "|---|---|---|---|---|"]


def plan_markdown(plan: Plan) -> str:
    """The plan: a row for each field, then what is left alone and why."""
    lines = [f"### Plan `{plan.digest}` for {code(plan.environment)}", ""]
    shown = [action for action in plan.actions if not action.silent]
    if not shown and not plan.held:
        return "\n".join([*lines, "Nothing to do: what git says is what runs."])
    if shown:
        lines += ["| | resource | field | live | desired | why |", "|---|---|---|---|---|---|"]
    for action in shown:
        sign = code(SIGNS[action.verb][0])
        rows = [_cells(item) for item in action.differences] or [("", "", "", text(action.why))]
        lines += [_row(sign, code(str(action.resource)), *cells) for cells in rows]
    notes = [(action.resource, note) for action in shown for note in action.notes]
    if notes:
        lines += ["", *(f"- {code(str(resource))}: {text(note)}" for resource, note in notes)]
    if plan.held:
        lines += ["", "**Left alone**", ""]
    for held in plan.held:
        lines.append(f"- {code(str(held.resource))}: {text(held.reason)}{'. ' if held.next else ''}{text(held.next)}")
        lines += [
            f"  - {code(item.field)}: {live} → {desired} ({cause})"
            for item in held.differences
            for _, live, desired, cause in [_cells(item)]
        ]
    return "\n".join(lines)


def status_markdown(report: PassReport) -> str:
    """Every resource with its sync and health, then every difference."""
    lines = [
        f"### {code(report.environment)} at `{report.commit[:10]}`: {report.sync.value}, {report.health.state.value}",
        "",
        "| resource | sync | health | details |",
        "|---|---|---|---|",
    ]
    for status in report.statuses.values():
        told = "; ".join(dict.fromkeys(part for part in (status.health.reason, status.message, status.hold) if part))
        lines.append(_row(code(str(status.id)), status.sync.value, status.health.state.value, text(told)))
    lines += _differences(report.statuses.values())
    lines += [f"- {code(failure.action)}: {text(failure.message)}" for failure in report.failures]
    return "\n".join(lines)


def drift_markdown(report: PassReport, drifted: Iterable[ResourceStatus]) -> str:
    """Every difference of the resources that have drifted."""
    found = _differences(drifted)
    return "\n".join([f"### Drift in {code(report.environment)}", *(found or ["", "No drift."])])


def _differences(statuses: Iterable[ResourceStatus]) -> list[str]:
    rows = [_row(code(str(status.id)), *_cells(item)) for status in statuses for item in status.differences]
    return ["", *_DIFFERENCES, *rows] if rows else []


def _cells(item: Difference) -> tuple[str, str, str, str]:
    live, desired = (value_text(item.shown(value)) for value in (item.live, item.desired))
    return code(item.field), code(live), code(desired), item.cause.value


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def code(value: str) -> str:
    """A code span that its content cannot leave, nor its cell of a table."""
    value = safe(value).replace("\n", " ").replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence, blank = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{blank}{value}{blank}{fence}" if value else ""


def text(value: str) -> str:
    """A sentence as text: what Markdown or HTML would take for markup is escaped."""
    escaped = re.sub(r"([\\`*_{}\[\]<>()#|~!])", r"\\\1", sentence(value).replace("\n", " "))
    return escaped.replace("@", "&#64;")
