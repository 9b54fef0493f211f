"""`hold` and `release`: a person's stop, and its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from reconciler.cli.context import workspace
from reconciler.cli.options import EnvironmentName, ExternalId, Names, Profile, Repo, Role, place, seconds
from reconciler.cli.output import out, show
from reconciler.cli.screens import resource_ids
from reconciler.core.errors import ReconcilerError
from reconciler.core.values import ResourceId


def hold(
    names: Names = None,
    span: Annotated[str, typer.Option("--for", metavar="DURATION", help="15m, 2h; 24h at most.")] = "1h",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for those who wonder.")] = "",
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
) -> None:
    """Stop all writes to a resource for a while; on a cluster, to all that is in it.

    It is a tag on the object itself, so it stops everybody's Reconciler. A second hold replaces the first. Exit codes:
    0 held, 1 error.
    """
    from reconciler.engine import marks

    targets = _targets(names, "hold")
    length = timedelta(seconds=seconds(span, "--for"))
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        marks.hold(work.engine, work.desired(), targets, length, reason)
    show(out(), f"Held for {span}: {_listed(targets)}. `reconciler release {' '.join(map(str, targets))}` ends it.")


def release(
    names: Names = None,
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
) -> None:
    """End a hold or a quarantine. Content that failed is tried once more by the next sync.

    Exit codes: 0 released, or there was nothing to release, 1 error.
    """
    from reconciler.engine import marks

    targets = _targets(names, "release")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        plan = marks.release(work.engine, work.desired(), targets)
    freed = [action.resource for action in plan.actions]
    show(out(), f"Released {_listed(freed)}." if freed else "Nothing was held or in quarantine.")


def _targets(names: list[str] | None, verb: str) -> list[ResourceId]:
    if not names:
        raise ReconcilerError(f"say what to {verb}, as in Service/web")
    return sorted(resource_ids(names))


def _listed(targets: list[ResourceId]) -> str:
    return ", ".join(map(str, targets))


def register(app: typer.Typer) -> None:
    for command in (hold, release):
        app.command()(command)
