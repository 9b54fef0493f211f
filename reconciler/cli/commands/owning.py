"""`adopt`, `disown`, `destroy`, `approve`: what is ours, and what may go."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.commands.plan import look
from reconciler.cli.commands.sync import DEFAULT_WAIT, announce, follow, leave, print_report
from reconciler.cli.context import Workspace, workspace
from reconciler.cli.markdown import status_markdown
from reconciler.cli.options import (
    CommitRev,
    EnvironmentName,
    ExternalId,
    Names,
    Output,
    OutputAs,
    Profile,
    Repo,
    Role,
    Timeout,
    place,
    seconds,
)
from reconciler.cli.output import emit, err, out, say, show
from reconciler.cli.progress import Progress
from reconciler.cli.screens import resource_ids
from reconciler.core.errors import ReconcilerError
from reconciler.core.plan import Verb
from reconciler.core.pruning import deletions_digest
from reconciler.core.report import PassReport
from reconciler.core.values import ResourceId

if TYPE_CHECKING:
    from reconciler.engine.passes import Order


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
    """Take over what runs, by tags alone: no new revision, no deployment. What differs is shown, and left as it is.

    Exit codes: 0 adopted or ours already, 2 something was not (it says why), 1 error.
    """
    from reconciler.engine.passes import Order

    if bool(names) == everything:
        raise ReconcilerError("say what to adopt: names as in Service/web, or --all")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        desired = work.desired()
        wanted = frozenset(desired.resources) if everything else resource_ids(names or ())
        if unknown := [str(one) for one in sorted(wanted - set(desired.resources))]:
            raise ReconcilerError(f"git has no manifest for {', '.join(unknown)}: write it first, then adopt")
        order = Order(denied=work.denied(), adopt=wanted, verbs=frozenset({Verb.ADOPT}))
        report = work.engine.run(desired, order)
        adopted = [action.resource for action in report.plan.actions if action.id in report.applied]
        told = f"Adopted {', '.join(map(str, adopted))}." if adopted else "Nothing was adopted."
        emit(output, report.to_json(), lambda: told, lambda: status_markdown(report))
    _leave_adopting(report, sorted(wanted.difference(adopted)), named=bool(names), none=not adopted)


def _leave_adopting(report: PassReport, missed: list[ResourceId], *, named: bool, none: bool) -> None:
    """Exit code 2 where something that was asked for is not ours now; with --all, what is not there was not."""
    # what is ours and waits has differences; what is not ours has not been compared yet
    held = {one.resource: one.reason for one in report.plan.held if not one.differences}
    for failure in report.failures:
        say(f"{failure.action}: {failure.message}", "red")
    failures = {failure.action for failure in report.failures}
    failed = {action.resource for action in report.plan.actions if action.id in failures}
    left = [one for one in missed if one not in failed and (named or not report.statuses[one].part_of)]
    told = left if named or none else [one for one in left if one in held]
    for identity in told:
        found = "ours already" if report.statuses[identity].arn else "not there in AWS"
        say(f"{identity}: {held.get(identity, found)}")
    if report.failures:
        raise typer.Exit(1)
    if any(identity in held or not report.statuses[identity].arn for identity in told):
        raise typer.Exit(2)


def disown(
    names: Names = None,
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
) -> None:
    """Remove our tags, and touch nothing else. The manifests should go too, or the next sync stops at the object.

    Exit codes: 0 disowned, 1 error.
    """
    from reconciler.engine import marks

    if not names:
        raise ReconcilerError("say what to disown, as in Service/web")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        marks.disown(work.engine, work.desired(), sorted(resource_ids(names)))
    show(out(), f"Disowned {', '.join(names)}: not ours any more, and unchanged.")


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
    """Let exactly the deletions pass that this digest names, and sync.

    The plan prints the digest when a commit deletes more than the environment allows. What leaves slowly takes several
    passes: with --wait they follow, without it the rest has a digest of its own. Exit codes: as `sync`.
    """
    from reconciler.engine.passes import Order

    longest = seconds(timeout, "--timeout")
    with workspace(place(repo, environment, commit, role, external_id, profile)) as work:
        before = look(work)
        _check(before, digest)
        order = Order(denied=work.denied(), approved=digest, named_commit=commit is not None)
        announce(work)
        if wait:
            report = _approved(work, order, frozenset(before.plan.deletions), longest)
        else:
            report = work.engine.run(work.desired(), order)
        print_report(report, output, waited=wait)
    leave(report, waited=wait)


def _approved(work: Workspace, order: Order, listed: frozenset[ResourceId], longest: float) -> PassReport:
    """Passes until nothing moves. What was approved shrinks as it goes: the rest of it is approved just as well."""
    deadline = time.monotonic() + longest
    with Progress(err()) as progress:
        while True:
            report = work.engine.run(work.desired(), order)
            progress.update(report)
            rest = report.plan.deletions
            if rest and listed.issuperset(rest) and deletions_digest(rest) != order.approved:
                order = replace(order, approved=deletions_digest(rest))
            elif report.settled or time.monotonic() >= deadline:
                return report
            else:
                work.pause(report.look_again.total_seconds() if report.look_again else 0)


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
    """Delete everything that the environment owns in AWS, but what is protected.

    In a terminal it asks for the environment's name; elsewhere --confirm has to give it. Exit codes: 0 all is gone, 2
    something was left (protected, held), 1 something failed, or the name was another.
    """
    from reconciler.engine.passes import Order

    longest = seconds(timeout, "--timeout")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        desired = work.desired()
        _confirm(desired.environment.name, desired.environment.account, confirm)
        empty = replace(
            desired,
            resources={},
            environment=replace(desired.environment, sync=replace(desired.environment.sync, prune=True)),
        )
        announce(work)
        report = follow(work, Order(denied=work.denied(), destroying=True), longest, desired=lambda: empty)
        emit(output, report.to_json(), lambda: _rest(report), lambda: status_markdown(report))
    leave(report, waited=True)


def in_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirm(name: str, account: str, confirm: str) -> None:
    """Raises ReconcilerError unless the environment's name was typed, as an option or when asked."""
    if not confirm and in_terminal():
        say(f"This deletes everything that {name} owns in account {account}, but what is protected.", "bold red")
        confirm = typer.prompt("Type the environment's name to go on", err=True, default="", show_default=False)
    if not confirm:
        raise ReconcilerError(f"this deletes everything that {name} owns: say so with --confirm {name}")
    if confirm != name:
        raise ReconcilerError(f"the environment is {name}, not {confirm}: nothing was deleted")


def _rest(report: PassReport) -> str:
    left = [f"{held.resource}: {held.reason}" for held in report.plan.held]
    return "\n".join(["Left:", *left]) if left else f"Nothing is left of {report.environment}."


def register(app: typer.Typer) -> None:
    for command in (adopt, disown, approve, destroy):
        app.command()(command)
