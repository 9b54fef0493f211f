"""Where results go: JSON, YAML, Markdown or a table on stdout; everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import yaml
from rich.console import Console, RenderableType
from rich.text import Text

from reconciler.cli.options import Output
from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.core.values import Json, plain

PIPE_WIDTH = 240  # columns, where there is no terminal that has a width


def out() -> Console:
    """The console for results. No colour when stdout is no terminal, or NO_COLOR is set; nothing is cut in a pipe."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=PIPE_WIDTH)


def err() -> Console:
    """The console for progress and messages."""
    return Console(stderr=True, highlight=False)


def emit(
    output: Output, data: Json, table: Callable[[], RenderableType], markdown: Callable[[], str] | None = None
) -> None:
    """Print a result as asked for."""
    match output:
        case Output.JSON:
            print(json.dumps(plain(data), indent=2, ensure_ascii=False, default=str))  # noqa: T201  # the result itself
        case Output.YAML:
            print(yaml.safe_dump(plain(data), sort_keys=False, allow_unicode=True), end="")  # noqa: T201  # likewise
        case Output.MARKDOWN if markdown:
            print(markdown())  # noqa: T201  # likewise
        case _:
            out().print(table())


def problem_line(problem: Problem) -> Text:
    """`base/web.yaml:12:5: spec.desiredCuont: …`, as compilers do."""
    place = f"{problem.path}:{problem.line}:{problem.column}" if problem.line else problem.path
    field = f"{problem.field}: " if problem.field else ""
    return Text.assemble((place, "bold"), ": ", (field, "cyan"), problem.message)


def print_problems(error: InvalidManifestsError) -> None:
    """Every problem on a line of its own, with its place first, as compilers do."""
    console = err()
    for problem in error.problems:
        console.print(problem_line(problem), soft_wrap=True)
    count = len(error.problems)
    console.print(
        Text(f"{count} problem{'s' if count > 1 else ''}; nothing was read from AWS or written to it", "bold red")
    )
