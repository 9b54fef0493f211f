"""`plan`, `status` and `drift`: what differs from git, why, and what would be done. They never write."""

from __future__ import annotations

import typer

from reconciler.cli.context import Workspace, workspace
from reconciler.cli.options import (
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
from reconciler.cli.output import emit, err
from reconciler.cli.screens import plan_markdown, plan_screen, report_screen, status_table
from reconciler.core.difference import Cause
from reconciler.core.report import PassReport, SyncState
from reconciler.engine.passes import Order

EXIT_DIFFERENCES = 2


def look(work: Workspace) -> PassReport:
    """One pass that writes nothing."""
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
) -> None:
    """Show what `sync` would do, call by call, against live AWS. Exit code 2 when there is something to do."""
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        report = look(work)
        emit(output, report.plan.to_json(), lambda: plan_screen(report.plan), lambda: plan_markdown(report.plan))
    _leave(report, different=not report.plan.empty)


def status(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
) -> None:
    """Show each resource's sync and health."""
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        report = look(work)
        emit(output, report.to_json(), lambda: status_table(report.statuses.values()))
    _leave(report, different=report.sync is not SyncState.SYNCED)


def drift(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
) -> None:
    """Show, field by field, what in AWS is no longer what was applied."""
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        report = look(work)
    causes = (Cause.DRIFTED, Cause.CONFLICT, Cause.UNDECLARED)
    drifted = {
        identity: status
        for identity, status in report.statuses.items()
        if any(item.cause in causes for item in status.differences)
    }
    data = [status.to_json() for status in drifted.values()]
    shown = PassReport(report.environment, report.commit, report.started, report.plan, drifted)
    emit(output, data, lambda: report_screen(shown) if drifted else "No drift.")
    _leave(report, different=bool(drifted))


def _leave(report: PassReport, *, different: bool) -> None:
    unknown = [state.health.reason for state in report.statuses.values() if state.sync is SyncState.UNKNOWN]
    for reason in dict.fromkeys(unknown):
        err().print(f"unknown: {reason}", style="magenta", markup=False)
    if unknown:
        raise typer.Exit(1)
    if different:
        raise typer.Exit(EXIT_DIFFERENCES)


def register(app: typer.Typer) -> None:
    for command in (plan, status, drift):
        app.command()(command)
