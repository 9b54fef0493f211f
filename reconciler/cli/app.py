"""The Typer application, and what happens to errors: one clear message on stderr and exit code 1.

Nothing that is slow to import is imported before a command needs it, so that `--help` and `--version` answer at once:
the commands' modules, and what they import at their top, know neither botocore nor SQLAlchemy, git or jsonschema.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import logging
import os
import pkgutil
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer
from rich.text import Text

from reconciler import __version__
from reconciler.cli import commands
from reconciler.cli.output import err, print_problems, safe
from reconciler.core.errors import InvalidManifestsError, ReconcilerError
from reconciler.core.masking import masked_text

EXIT_OK, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 130

PANELS: Final = {
    "Look": ("validate", "plan", "status", "drift", "graph", "render", "schema"),
    "Change": ("sync", "wait", "adopt", "disown", "approve", "destroy"),
    "Stop": ("hold", "release"),
    "Try": ("demo", "emulator"),
}
"""The commands as the help shows them; one that is not named here comes last."""

EPILOG: Final = (
    "Exit codes: 0 nothing to do, or done; 2 something differs, or was left alone; 1 error; 130 interrupted. "
    "`COMMAND --help` says what they mean for that command. Results are on stdout, everything else is on stderr. "
    "AWS_ENDPOINT_URL, AWS_PROFILE and the rest are the AWS SDK's; NO_COLOR takes colours away; RECONCILER_HOME is "
    "where caches are kept."
)

app = typer.Typer(
    name="reconciler",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=EPILOG,
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
    """GitOps for Amazon ECS: what git says is what runs.

    Every command works on a local clone or a URL, at any commit, against any AWS endpoint.
    """


def register() -> None:
    """Add each command, once: every module of `reconciler.cli.commands` has a `register(app)`."""
    if app.registered_commands:
        return
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda item: item.name):
        importlib.import_module(f"{commands.__name__}.{module.name}").register(app)
    order = {name: (panel, index) for panel, names in PANELS.items() for index, name in enumerate(names)}
    panels = list(PANELS)
    places = {}
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        panel, index = order.get(name, ("Other", 0))
        command.help = command.help or _paragraphs(command.callback)
        command.rich_help_panel = panel
        places[id(command)] = (panels.index(panel) if panel in panels else len(panels), index)
    app.registered_commands.sort(key=lambda command: places[id(command)])


def _paragraphs(function: Callable[..., object] | None) -> str:
    """A docstring without the line breaks that only its source needs: a terminal has its own width."""
    text = inspect.getdoc(function) or ""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def main() -> None:
    """The console script."""
    logging.getLogger("botocore").setLevel(
        logging.WARNING
    )  # its debug lines print request parameters, secrets included
    gc.set_threshold(50_000, 20, 100)  # a pass makes many values that live as long as it does: collecting finds nothing
    register()
    try:
        code = app(standalone_mode=False) or EXIT_OK  # the exit code that a command left with
        sys.stdout.flush()
        sys.exit(code)
    except BrokenPipeError:  # `reconciler plan | head`: whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_ERROR)
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted: ", "nothing was done")  # at a question, or before there was anything to do
        sys.exit(EXIT_INTERRUPTED)
    except InvalidManifestsError as error:
        print_problems(error)
        sys.exit(EXIT_ERROR)
    except ReconcilerError as error:
        _say("error: ", str(error))
        sys.exit(EXIT_ERROR)
    except Exception as error:
        if _is_usage(error):
            error.show()  # type: ignore[attr-defined]  # click's own errors print themselves
            sys.exit(EXIT_ERROR)
        raise


def _say(what: str, message: str) -> None:
    err().print(Text.assemble((what, "bold red"), safe(masked_text(message))), soft_wrap=True)


def _is_usage(error: Exception) -> bool:
    """Whether the command line itself was wrong; Typer brings its own click, whose classes have these two members."""
    return hasattr(error, "show") and hasattr(error, "exit_code")
