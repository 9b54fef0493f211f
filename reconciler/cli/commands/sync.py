"""`sync` and `wait`: a person's order to make AWS what git says, and to see it through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live as LiveScreen
from rich.text import Text

from reconciler.cli.commands.plan import look
from reconciler.cli.context import Workspace, workspace
from reconciler.cli.options import (
    CommitRev,
    EnvironmentName,
    ExternalId,
    Force,
    Output,
    OutputAs,
    Profile,
    Reason,
    Repo,
    Role,
    place,
)
from reconciler.cli.output import emit, err
from reconciler.cli.screens import plan_markdown, plan_screen, report_screen, status_table
from reconciler.core.errors import ReconcilerError
from reconciler.core.live import HealthState
from reconciler.core.report import PassReport, SyncState
from reconciler.core.resource import Desired
from reconciler.engine.passes import Order, watching

DEFAULT_WAIT = 1800
WELL = (HealthState.HEALTHY, HealthState.SUSPENDED)

Timeout = Annotated[int, typer.Option("--timeout", help="Seconds to wait at most.")]


def sync(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until everything is in sync and healthy.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    force: Force = False,
    reason: Reason = "",
    timeout: Timeout = DEFAULT_WAIT,
) -> None:
    """Apply what git says, whatever the environment's mode. Holds and sync windows stop it unless --force."""
    if force and not reason:
        raise ReconcilerError("--force goes against a hold or a window that somebody set: say why with --reason")
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        if dry_run:
            report = look(work)
            emit(output, report.plan.to_json(), lambda: plan_screen(report.plan), lambda: plan_markdown(report.plan))
            raise typer.Exit(0 if report.plan.empty else 2)
        order = Order(denied=work.denied(), forced=reason if force else "", named_commit=commit is not None)
        work.on_plan = lambda made: err().print(plan_screen(made)) if not made.empty else None
        report = follow(work, order, timeout) if wait else work.engine.run(work.desired(), order)
        emit(output, report.to_json(), lambda: report_screen(report))
    leave(report, waited=wait)


def wait(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    wait_for: Annotated[str, typer.Option("--for", help="sync, health, or both with a comma.")] = "sync,health",
    timeout: Timeout = DEFAULT_WAIT,
) -> None:
    """Wait until everything is in sync and healthy, without writing."""
    wanted = {word.strip() for word in wait_for.split(",")}
    if unknown := wanted - {"sync", "health"}:
        raise ReconcilerError(f"--for takes sync, health or sync,health, not {', '.join(sorted(unknown))}")
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        order = Order(write=False, denied=work.denied(), named_commit=commit is not None)
        report = _until(work, order, timeout, lambda made: _reached(made, wanted))
        emit(output, report.to_json(), lambda: report_screen(report))
    if not _reached(report, wanted):
        raise typer.Exit(1)


def _reached(report: PassReport, wanted: set[str]) -> bool:
    synced = report.sync is SyncState.SYNCED or "sync" not in wanted
    return synced and (report.health.state in WELL or "health" not in wanted)


def follow(work: Workspace, order: Order, timeout: int, *, desired: Callable[[], Desired] | None = None) -> PassReport:
    """Passes until nothing moves any more, with the statuses on the screen; `desired` replaces what git says."""
    return _until(work, order, timeout, lambda report: report.settled, desired)


def _until(
    work: Workspace,
    order: Order,
    timeout: int,
    enough: Callable[[PassReport], bool],
    desired: Callable[[], Desired] | None = None,
) -> PassReport:
    deadline = time.monotonic() + timeout
    last: PassReport | None = None
    with LiveScreen(console=err(), refresh_per_second=4, transient=True) as screen:
        for report in _passes(work, order, deadline, desired or work.desired):
            last = report
            screen.update(_progress(report))
            if enough(report):
                break
    if last is None:
        raise ReconcilerError("no pass was made: --timeout must be more than 0")
    return last


def _passes(work: Workspace, order: Order, deadline: float, desired: Callable[[], Desired]) -> Iterator[PassReport]:
    def pause(span: timedelta) -> None:
        work.pause(min(span.total_seconds(), max(0.0, deadline - time.monotonic())))

    yield from watching(work.engine, desired, order, pause=pause, until=lambda _report: time.monotonic() >= deadline)


def _progress(report: PassReport) -> RenderableType:
    heading = Text(f"{report.environment} at {report.commit[:10]}", "bold")
    return Group(heading, status_table(report.statuses.values()))


def leave(report: PassReport, *, waited: bool) -> None:
    """Exit code 1 for what failed or did not become well, 2 for what is left alone, 0 otherwise."""
    if report.failures or report.sync is SyncState.UNKNOWN:
        raise typer.Exit(1)
    if waited and report.health.state not in WELL:
        raise typer.Exit(1)
    if waited and not (report.settled and report.sync is SyncState.SYNCED):
        raise typer.Exit(2)
    if any(held.blocked for held in report.plan.held):
        raise typer.Exit(2)


def register(app: typer.Typer) -> None:
    for command in (sync, wait):
        app.command()(command)
