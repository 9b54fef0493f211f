"""`hold` and `release`: a person's stop, and its end."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.commands.owning import Names
from reconciler.cli.context import workspace
from reconciler.cli.options import EnvironmentName, ExternalId, Profile, Reason, Repo, Role, place
from reconciler.cli.output import out
from reconciler.cli.screens import resource_ids
from reconciler.core.errors import ReconcilerError
from reconciler.core.values import ResourceId
from reconciler.engine import marks
from reconciler.manifests.durations import read_duration


def hold(
    names: Names = None,
    span: Annotated[str, typer.Option("--for", metavar="DURATION", help="15m, 2h; 24h at most.")] = "1h",
    reason: Reason = "",
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
) -> None:
    """Stop all writes to a resource for a while; on a cluster, to all that is in it. A tag on the object itself."""
    targets = _targets(names, "hold")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        marks.hold(work.engine, work.desired(), targets, read_duration(span), reason)
    out().print(f"Held for {span}: {', '.join(map(str, targets))}. `reconciler release` ends it.", markup=False)


def release(
    names: Names = None,
    repo: Repo = ".",
    environment: EnvironmentName = None,
    role: Role = None,
    external_id: ExternalId = None,
    profile: Profile = None,
) -> None:
    """End a hold or a quarantine. Content that failed is tried once more by the next sync."""
    targets = _targets(names, "release")
    with workspace(place(repo, environment, None, role, external_id, profile)) as work:
        plan = marks.release(work.engine, work.desired(), targets)
    freed = [str(action.resource) for action in plan.actions]
    out().print(f"Released {', '.join(freed)}." if freed else "None of them was held or in quarantine.", markup=False)


def _targets(names: list[str] | None, verb: str) -> list[ResourceId]:
    if not names:
        raise ReconcilerError(f"say what to {verb}, as in Service/web")
    return sorted(resource_ids(names))


def register(app: typer.Typer) -> None:
    for command in (hold, release):
        app.command()(command)
