"""`sync` and `wait`: a person's order to make AWS what git says, and to see it through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.commands.plan import EXIT_DIFFERENCES, EXIT_ERROR, Verbose, leave_looking, look, print_plan
from reconciler.cli.context import Workspace, workspace
from reconciler.cli.markdown import status_markdown
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
    Timeout,
    place,
    seconds,
)
from reconciler.cli.output import emit, err, say, show
from reconciler.cli.progress import Progress
from reconciler.cli.screens import done_screen, heading, plan_screen, report_screen, whole_plan
from reconciler.core.errors import ReconcilerError
from reconciler.core.live import HealthState
from reconciler.core.plan import Plan
from reconciler.core.report import PassReport, SyncState
from reconciler.core.resource import Desired

if TYPE_CHECKING:
    from reconciler.engine.passes import Order

DEFAULT_WAIT = "30m"
WELL = (HealthState.HEALTHY, HealthState.SUSPENDED)


def sync(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    verbose: Verbose = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until everything is in sync and healthy.")] = False,
    timeout: Timeout = DEFAULT_WAIT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    force: Force = False,
    reason: Reason = "",
) -> None:
    """Apply what git says, whatever the environment's mode. Holds and sync windows stop it unless --force.

    Exit codes: 0 it is what git says (with --wait: and healthy), 2 something was left alone, 1 something failed, or did
    not become healthy in time.
    """
    from reconciler.engine.passes import Order

    if force and not reason.strip():
        raise ReconcilerError("--force goes against a hold or a window that somebody set: say why with --reason")
    if reason and not force:
        raise ReconcilerError("--reason is what --force asks for: alone it does nothing")
    longest = seconds(timeout, "--timeout")
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        if dry_run:
            report = look(work)
            leave_looking(report, print_plan(report, output, verbose=verbose))
            return
        order = Order(denied=work.denied(), forced=reason if force else "", named_commit=commit is not None)
        announce(work, verbose=verbose)
        report = follow(work, order, longest) if wait else work.engine.run(work.desired(), order)
        print_report(report, output, waited=wait)
    leave(report, waited=wait)


def wait(
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    wait_for: Annotated[
        str, typer.Option("--for", metavar="WHAT", help="sync, health, or both with a comma.")
    ] = "sync,health",
    timeout: Timeout = DEFAULT_WAIT,
) -> None:
    """Wait until everything is in sync and healthy, without writing.

    Exit codes: 0 it is, 1 error, or it was not in time.
    """
    from reconciler.engine.passes import Order

    wanted = {word.strip() for word in wait_for.split(",")}
    if unknown := wanted - {"sync", "health"}:
        raise ReconcilerError(f"--for takes sync, health or sync,health, not {', '.join(sorted(unknown)) or 'nothing'}")
    longest = seconds(timeout, "--timeout")
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        order = Order(write=False, denied=work.denied(), named_commit=commit is not None)
        report = _until(work, order, longest, lambda made: _reached(made, wanted))
        print_report(report, output)
    if not _reached(report, wanted):
        say(f"not there after {timeout}: {heading(report).plain}", "bold red")
        raise typer.Exit(EXIT_ERROR)


def _reached(report: PassReport, wanted: set[str]) -> bool:
    synced = report.sync is SyncState.SYNCED or "sync" not in wanted
    return synced and (report.health.state in WELL or "health" not in wanted)


def announce(work: Workspace, *, verbose: bool = False) -> None:
    """Show each plan on stderr before its first call."""

    def tell(made: Plan) -> None:
        if not made.empty:
            show(err(), plan_screen(made, verbose=verbose))

    work.on_plan = tell


def print_report(report: PassReport, output: Output, *, waited: bool = True) -> None:
    """What became of it all, on stdout: where everything stands after waiting, else what was done."""
    screen = report_screen if waited else done_screen
    emit(output, report.to_json(), lambda: screen(report), lambda: status_markdown(report))


def follow(
    work: Workspace, order: Order, longest: float, *, desired: Callable[[], Desired] | None = None
) -> PassReport:
    """Passes until nothing moves any more, with the statuses on the screen; `desired` replaces what git says."""
    return _until(work, order, longest, _over, desired)


def _over(report: PassReport) -> bool:
    """Whether waiting longer is of no use: all is well, or what is not well needs more than time.

    A service that was just told to run more tasks has too few of them for a moment, though nothing of ours moves.
    """
    stuck = report.failures or report.plan.held or any(status.quarantined for status in report.statuses.values())
    return report.settled and (report.health.state in WELL or bool(stuck))


def _until(
    work: Workspace,
    order: Order,
    longest: float,
    enough: Callable[[PassReport], bool],
    desired: Callable[[], Desired] | None = None,
) -> PassReport:
    deadline = time.monotonic() + longest
    last: PassReport | None = None
    with Progress(err()) as progress:
        for report in _passes(work, order, deadline, desired or work.desired):
            last = report
            progress.update(report)
            if enough(report):
                break
    if last is None:
        raise AssertionError("`watching` makes at least one pass")
    return last


def _passes(work: Workspace, order: Order, deadline: float, desired: Callable[[], Desired]) -> Iterator[PassReport]:
    from reconciler.engine.passes import watching

    def pause(span: timedelta) -> None:
        work.pause(min(span.total_seconds(), max(0.0, deadline - time.monotonic())))

    yield from watching(work.engine, desired, order, pause=pause, until=lambda _report: time.monotonic() >= deadline)


def leave(report: PassReport, *, waited: bool) -> None:
    """Exit code 1 for what failed or did not become well, 2 for what is left alone, 0 otherwise."""
    if report.failures or report.sync is SyncState.UNKNOWN:
        raise typer.Exit(EXIT_ERROR)
    if waited and (report.health.state not in WELL or not report.settled):
        say(f"not healthy, or not settled in time: {heading(report).plain}", "bold red")
        raise typer.Exit(EXIT_ERROR)
    if whole_plan(report).held or (waited and report.sync is not SyncState.SYNCED):
        raise typer.Exit(EXIT_DIFFERENCES)


def register(app: typer.Typer) -> None:
    for command in (sync, wait):
        app.command()(command)
