"""The options that many commands share, so that they are spelled and explained once."""

from __future__ import annotations

import enum
from typing import Annotated, TypeAlias

import typer

from reconciler.cli.context import Place


class Output(enum.StrEnum):
    """How results are printed. Logs and progress always go to stderr."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"


Repo: TypeAlias = Annotated[
    str, typer.Option("--repo", "-r", metavar="PATH_OR_URL", help="The repository.", envvar="RECONCILER_REPO")
]
EnvironmentName: TypeAlias = Annotated[
    str | None, typer.Option("--environment", "-e", metavar="NAME", help="Default: the only one that there is.")
]
CommitRev: TypeAlias = Annotated[
    str | None, typer.Option("--commit", "-c", metavar="REV", help="Branch, tag or commit. Default: HEAD.")
]
Role: TypeAlias = Annotated[
    str | None, typer.Option("--role", metavar="ARN", help="A role to assume.", envvar="RECONCILER_ROLE_ARN")
]
ExternalId: TypeAlias = Annotated[
    str | None, typer.Option("--external-id", help="What the role's trust policy asks for.")
]
Profile: TypeAlias = Annotated[str | None, typer.Option("--profile", help="A profile of the AWS configuration.")]
OutputAs: TypeAlias = Annotated[Output, typer.Option("--output", "-o", help="How the result is printed.")]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Go against holds and sync windows; needs --reason.")]
Reason: TypeAlias = Annotated[str, typer.Option("--reason", help="Why; kept where people look.")]


def place(
    repo: str,
    environment: str | None,
    commit: str | None = None,
    role: str | None = None,
    external_id: str | None = None,
    profile: str | None = None,
) -> Place:
    return Place(repo, environment, commit, role, external_id, profile)
