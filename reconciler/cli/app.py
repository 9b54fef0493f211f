"""The Typer application, and what happens to errors: one clear message on stderr and exit code 1."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console

from reconciler import __version__
from reconciler.cli import commands
from reconciler.cli.output import print_problems
from reconciler.core.errors import InvalidManifestsError, ReconcilerError

EXIT_OK, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 130

app = typer.Typer(
    name="reconciler",
    help="GitOps for Amazon ECS: what git says is what runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 nothing to do, 2 there are differences, 1 error.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconciler {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Every command works on a local clone or a URL, at any commit, against any AWS endpoint (AWS_ENDPOINT_URL)."""


def register() -> None:
    """Add each command: every module of `reconciler.cli.commands` has a `register(app)`."""
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda item: item.name):
        importlib.import_module(f"{commands.__name__}.{module.name}").register(app)


def main() -> None:
    """The console script."""
    logging.getLogger("botocore").setLevel(
        logging.WARNING
    )  # its debug lines print request parameters, secrets included
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    register()
    try:
        sys.exit(app(standalone_mode=False) or EXIT_OK)  # the exit code that a command left with
    except (typer.Abort, KeyboardInterrupt):
        Console(stderr=True).print("interrupted; what was under way is finished by the next pass")
        sys.exit(EXIT_INTERRUPTED)
    except InvalidManifestsError as error:
        print_problems(error)
        sys.exit(EXIT_ERROR)
    except ReconcilerError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]error[/]: {_plain(str(error))}")
        sys.exit(EXIT_ERROR)
    except Exception as error:
        if _is_usage(error):
            error.show()  # type: ignore[attr-defined]  # click's own errors print themselves
            sys.exit(EXIT_ERROR)
        raise


def _is_usage(error: Exception) -> bool:
    """Whether the command line itself was wrong; Typer brings its own click, whose classes have these two members."""
    return hasattr(error, "show") and hasattr(error, "exit_code")


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
