"""Where results go: JSON, YAML, Markdown or a table on stdout; everything else on stderr.

Colours and moving lines only where a terminal is; NO_COLOR is Rich's to honour. What comes from AWS and from manifests
is printed without its control characters: a terminal would obey them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.text import Text

from reconciler.cli.options import Output
from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.core.masking import masked_text
from reconciler.core.values import Json, plain

PIPE_WIDTH = 4000  # columns, where there is no terminal that has a width: a line is for grep, and is not broken


def out() -> Console:
    """The console for results. Nothing is cut in a pipe."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=PIPE_WIDTH)


def err() -> Console:
    """The console for progress and messages."""
    if sys.stderr.isatty():
        return Console(stderr=True, highlight=False)
    return Console(stderr=True, highlight=False, width=PIPE_WIDTH)


def safe(text: str) -> str:
    """The text with its control characters spelled out, as `\\x1b`; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def show(console: Console, what: RenderableType) -> None:
    """Print what people read; in a pipe without the blanks that fill up lines."""
    if isinstance(what, str):
        what = Text(what)
    if console.is_terminal:
        console.print(what)
        return
    with console.capture() as captured:
        console.print(what)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def say(message: str, style: str = "") -> None:
    """One message on stderr."""
    err().print(Text(safe(masked_text(message)), style), soft_wrap=True)


def warn(message: str) -> None:
    """Something that does not stop the command, on stderr."""
    err().print(Text.assemble(("warning", "bold yellow"), f": {safe(masked_text(message))}"), soft_wrap=True)


def emit(output: Output, data: Json, table: Callable[[], RenderableType], markdown: Callable[[], str]) -> None:
    """Print a result as asked for."""
    match output:
        case Output.JSON:
            print(to_json(data))  # noqa: T201  # the result itself
        case Output.YAML:
            print(to_yaml(data), end="")  # noqa: T201  # likewise
        case Output.MARKDOWN:
            print(safe(markdown()))  # noqa: T201  # likewise
        case Output.TABLE:
            show(out(), table())


def to_json(data: Json) -> str:
    """Readable JSON; letters of all languages stay, and the control characters that JSON would let through do not."""
    text = json.dumps(plain(data), indent=2, ensure_ascii=False, default=str)
    return "".join(letter if not 0x7F <= ord(letter) <= 0x9F else f"\\u{ord(letter):04x}" for letter in text)


def to_yaml(*documents: Json) -> str:
    """The documents as YAML, with `---` between them."""
    import yaml  # noqa: PLC0415  # keeps --help fast

    return yaml.safe_dump_all(map(plain, documents), sort_keys=False, allow_unicode=True)


def problem_line(problem: Problem) -> Text:
    """`base/web.yaml:12:5: spec.desiredCuont: …`, as compilers do."""
    place = f"{problem.path}:{problem.line}:{problem.column}" if problem.line else problem.path
    field = f"{problem.field}: " if problem.field else ""
    return Text.assemble(
        (safe(place), "bold"), ": ", (safe(masked_text(field)), "cyan"), safe(masked_text(problem.message))
    )


def print_problems(error: InvalidManifestsError) -> None:
    """Every problem on a line of its own, with its place first, as compilers do."""
    console = err()
    for problem in error.problems:
        console.print(problem_line(problem), soft_wrap=True)
    count = len(error.problems)
    console.print(
        Text(f"{count} problem{'s' if count > 1 else ''}; nothing was read from AWS or written to it", "bold red")
    )
