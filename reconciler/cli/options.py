"""The options that many commands share, so that they are spelled and explained once."""

from __future__ import annotations

import enum
from typing import Annotated, TypeAlias

import typer

from reconciler.cli.context import Place
from reconciler.core.errors import ReconcilerError

WHERE, AWS, RESULT, SAFETY = "What", "AWS", "Result", "Against the brakes"


class Output(enum.StrEnum):
    """How results are printed. Logs and progress always go to stderr."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"


Repo: TypeAlias = Annotated[
    str,
    typer.Option(
        "--repo",
        "-r",
        metavar="PATH|URL",
        help="A clone, a bare repository, or a URL.",
        envvar="RECONCILER_REPO",
        rich_help_panel=WHERE,
    ),
]
EnvironmentName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", metavar="NAME", help="Default: the only one that there is.", rich_help_panel=WHERE
    ),
]
CommitRev: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--commit",
        "-c",
        metavar="REV",
        help="A branch, tag or commit, which may be older than what runs. Default: HEAD.",
        rich_help_panel=WHERE,
    ),
]
Role: TypeAlias = Annotated[
    str | None,
    typer.Option("--role", metavar="ARN", help="A role to assume.", envvar="RECONCILER_ROLE_ARN", rich_help_panel=AWS),
]
ExternalId: TypeAlias = Annotated[
    str | None,
    typer.Option("--external-id", metavar="ID", help="What the role's trust policy asks for.", rich_help_panel=AWS),
]
Profile: TypeAlias = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="A profile of the AWS configuration.", rich_help_panel=AWS),
]
OutputAs: TypeAlias = Annotated[
    Output, typer.Option("--output", "-o", help="How the result is printed.", rich_help_panel=RESULT)
]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Go against holds and sync windows; needs --reason.", rich_help_panel=SAFETY)
]
Reason: TypeAlias = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; a hold keeps it on the object.", rich_help_panel=SAFETY)
]
Timeout: TypeAlias = Annotated[
    str, typer.Option("--timeout", metavar="DURATION", help="How long to wait at most: 90s, 30m, 1h.")
]
Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="KIND/NAME", help="As in Service/web.", show_default=False)
]


def place(
    repo: str,
    environment: str | None,
    commit: str | None = None,
    role: str | None = None,
    external_id: str | None = None,
    profile: str | None = None,
) -> Place:
    return Place(repo, environment, commit, role, external_id, profile)


def seconds(text: str, option: str) -> float:
    """A duration as people write it; a bare number is seconds. Raises ReconcilerError."""
    from reconciler.manifests.durations import read_duration  # noqa: PLC0415  # keeps --help fast

    try:
        found = read_duration(f"{text}s" if text.isdigit() else text).total_seconds()
    except ValueError as error:
        raise ReconcilerError(f"{option}: {error}") from error
    if found <= 0:
        raise ReconcilerError(f"{option}: {text} is no time at all")
    return found
