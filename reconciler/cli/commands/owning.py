"""`adopt`, `disown`, `destroy`, `approve`: what is ours, and what may go."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from reconciler.cli.commands.plan import look
from reconciler.cli.commands.sync import DEFAULT_WAIT, Timeout, follow, leave
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
from reconciler.cli.output import emit, err, out
from reconciler.cli.screens import plan_screen, report_screen, resource_ids
from reconciler.core.errors import ReconcilerError
from reconciler.core.plan import Verb
from reconciler.core.pruning import deletions_digest
from reconciler.core.report import PassReport
from reconciler.engine import marks
from reconciler.engine.passes import Order

Names = Annotated[list[str] | None, typer.Argument(metavar="Kind/name …", help="As in Service/web.")]


def adopt(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything in git that is there and not ours.")] = False,
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
) -> None:
    """Take over what runs, by tags alone: no new revision, no deployment. What differs is shown, and left as it is."""
    if bool(names) == everything:
        raise ReconcilerError("say what to adopt: names as in Service/web, or --all")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        desired = work.desired()
        wanted = frozenset(desired.resources) if everything else resource_ids(names or ())
        if unknown := [str(one) for one in sorted(wanted - set(desired.resources))]:
            raise ReconcilerError(f"git has no manifest for {', '.join(unknown)}: write it first, then adopt")
        order = Order(denied=work.denied(), adopt=wanted, verbs=frozenset({Verb.ADOPT}))
        work.on_plan = lambda made: err().print(plan_screen(made))
        report = work.engine.run(desired, order)
        adopted = [one.partition(":")[0] for one in report.applied]
        emit(output, report.to_json(), lambda: f"Adopted {', '.join(adopted)}." if adopted else "Nothing was adopted.")
        missed = sorted(str(one) for one in wanted if names and str(one) not in adopted)
    for name in missed:
        status = report.statuses[next(iter(resource_ids([name])))]
        err().print(f"{name}: {status.message or 'ours already, or not there'}", markup=False)
    leave(report, waited=False)


def disown(
    names: Names = None,
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
) -> None:
    """Remove our tags, and touch nothing else. The manifests should go too, or the next sync stops at the object."""
    if not names:
        raise ReconcilerError("say what to disown, as in Service/web")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        marks.disown(work.engine, work.desired(), sorted(resource_ids(names)))
    out().print(f"Disowned {', '.join(names)}: not ours any more, and unchanged.", markup=False)


def approve(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="As the plan prints it.")],
    repo: Repo = ".",
    environment: EnvironmentName = None,
    commit: CommitRev = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until everything is gone.")] = False,
    timeout: Timeout = DEFAULT_WAIT,
) -> None:
    """Let exactly the deletions pass that this digest names, and sync."""
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        before = look(work)
        _check(before, digest)
        order = Order(denied=work.denied(), approved=digest, named_commit=commit is not None)
        work.on_plan = lambda made: err().print(plan_screen(made)) if not made.empty else None
        report = _approved(work, order, wait=wait, timeout=timeout)
        emit(output, report.to_json(), lambda: report_screen(report))
    leave(report, waited=wait)


def _approved(work: Workspace, order: Order, *, wait: bool, timeout: int) -> PassReport:
    report = work.engine.run(work.desired(), order)
    # What was approved shrinks as it goes: the rest of it needs the digest of the rest.
    while wait and not report.settled and report.plan.deletions:
        order = replace(order, approved=deletions_digest(report.plan.deletions))
        work.pause(report.look_again.total_seconds() if report.look_again else 0)
        report = work.engine.run(work.desired(), order)
    return follow(work, order, timeout) if wait else report


def _check(report: PassReport, digest: str) -> None:
    actual = deletions_digest(report.plan.deletions)
    if not report.plan.deletions:
        raise ReconcilerError("there is nothing to approve: this commit deletes nothing")
    if digest != actual:
        listed = ", ".join(map(str, report.plan.deletions))
        raise ReconcilerError(f"the deletions are others now: {listed}. To approve these: reconciler approve {actual}")


def destroy(
    confirm: Annotated[str, typer.Option("--confirm", metavar="NAME", help="The environment's name, typed.")] = "",
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
    output: OutputAs = Output.TABLE,
    timeout: Timeout = DEFAULT_WAIT,
) -> None:
    """Delete everything that the environment owns in AWS, but what is protected."""
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        desired = work.desired()
        name = desired.environment.name
        if confirm != name:
            raise ReconcilerError(f"this deletes everything that {name} owns: say so with --confirm {name}")
        empty = replace(
            desired,
            resources={},
            environment=replace(desired.environment, sync=replace(desired.environment.sync, prune=True)),
        )
        order = Order(denied=work.denied(), destroying=True)
        report = follow(work, order, timeout, desired=lambda: empty)
        emit(output, report.to_json(), lambda: report_screen(report))
    leave(report, waited=True)


def register(app: typer.Typer) -> None:
    for command in (adopt, disown, approve, destroy):
        app.command()(command)
