"""`plan`, `status` and `drift`: what differs from git, why, and what would be done. They never write."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Workspace, workspace
from reconciler.cli.markdown import drift_markdown, plan_markdown, status_markdown
from reconciler.cli.options import (
    RESULT,
    CommitRev,
    EnvironmentName,
    ExternalId,
    Output,
    OutputAs,
    Profile,
    Repo,
    Role,
    place,
)
from reconciler.cli.output import emit, err, say
from reconciler.cli.screens import plan_screen, report_screen, status_screen, whole_plan
from reconciler.core.difference import Cause
from reconciler.core.plan import Plan
from reconciler.core.report import PassReport, SyncState

EXIT_ERROR, EXIT_DIFFERENCES = 1, 2

Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show what each call sends, secrets masked.", rich_help_panel=RESULT)
]


def look(work: Workspace) -> PassReport:
    """One pass that writes nothing."""
    from reconciler.engine.passes import Order

    desired = work.desired()
    order = Order(write=False, denied=work.denied(), named_commit=work.place.commit is not None)
    with err().status(f"Reading {desired.environment.account} {desired.environment.region} …"):
        return work.engine.run(desired, order)


def plan(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    verbose: Verbose = False,
) -> None:
    """Show what `sync` would do, call by call, against live AWS, and what it would leave alone.

    Exit codes: 0 nothing differs, 2 something does, 1 error.
    """
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        report = look(work)
    leave_looking(report, print_plan(report, output, verbose=verbose))


def print_plan(report: PassReport, output: Output, *, verbose: bool) -> bool:
    """Print the plan of a pass; True when there is something in it."""
    made: Plan = whole_plan(report)
    emit(output, made.to_json(), lambda: plan_screen(made, verbose=verbose), lambda: plan_markdown(made))
    return not made.empty


def status(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is written inline and fine.", rich_help_panel=RESULT)
    ] = False,
) -> None:
    """Show each resource's sync and health.

    Exit codes: 0 everything is in sync, 2 something is not, 1 error, or something could not be read.
    """
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        report = look(work)
    for note in report.plan.notes:
        say(f"note: {note}", "dim")
    emit(output, report.to_json(), lambda: status_screen(report, parts=everything), lambda: status_markdown(report))
    leave_looking(report, report.sync is not SyncState.SYNCED)


def drift(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
) -> None:
    """Show, field by field, what in AWS is no longer what was applied.

    What only git changed is no drift: `plan` shows that. Exit codes: 0 no drift, 2 drift, 1 error.
    """
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        work.fresh = True  # "No drift." must not rest on what was true an hour ago
        report = look(work)
    causes = (Cause.DRIFTED, Cause.CONFLICT, Cause.UNDECLARED)
    drifted = {
        identity: status
        for identity, status in report.statuses.items()
        if any(item.cause in causes for item in status.differences)
    }
    shown = PassReport(report.environment, report.commit, report.started, report.plan, drifted)
    emit(
        output,
        [status.to_json() for status in drifted.values()],
        lambda: report_screen(shown) if drifted else "No drift.",
        lambda: drift_markdown(report, drifted.values()),
    )
    leave_looking(report, bool(drifted))


def leave_looking(report: PassReport, different: bool) -> None:
    """The exit codes of what only looks."""
    unknown = [state.health.reason for state in report.statuses.values() if state.sync is SyncState.UNKNOWN]
    for reason in dict.fromkeys(unknown):
        say(f"unknown: {reason}", "magenta")
    if unknown:
        raise typer.Exit(EXIT_ERROR)
    if different:
        raise typer.Exit(EXIT_DIFFERENCES)


def register(app: typer.Typer) -> None:
    for command in (plan, status, drift):
        app.command()(command)
