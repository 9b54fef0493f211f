"""Write the reference part of docs/commands.md from the commands themselves: `python -m tools.commands_page`.

A test holds the page to what this makes, so the page cannot say what the commands do not.
"""

from __future__ import annotations

import enum
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from reconciler.cli.app import app, register

PAGE: Final = Path(__file__).parents[1] / "docs" / "commands.md"
BEGIN: Final = "<!-- From here on made by tools/commands_page.py -->"


def reference() -> str:
    """Every command with its help and options, in the order of `reconciler --help`."""
    register()
    sections = [_section(one.callback, one.help or "") for one in app.registered_commands if one.callback]
    return "\n".join([BEGIN, "", "## Reference", "", *sections]).rstrip() + "\n"


def _section(function: Callable[..., object], text: str) -> str:
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())
    rows = [_row(get_args(hints[one.name]), one.default) for one in parameters]
    infos = [get_args(hints[one.name])[1] for one in parameters]
    arguments = [info.metavar for info in infos if isinstance(info, ArgumentInfo)]
    heading = " ".join([f"### reconciler {function.__name__.replace('_', '-')}", *map(str, arguments)])
    table = ["| option | meaning | default |", "|---|---|---|", *rows, ""] if rows else []
    return "\n".join([heading, "", text, "", *table])


def _row(annotated: tuple[Any, ...], default: object) -> str:
    kind, info = annotated
    # Typer takes the first name of an option in Annotated for its default
    spellings = [str(one) for one in (info.default, *(info.param_decls or ())) if str(one).startswith("-")]
    names = ", ".join(f"`{one}`" for one in spellings) or f"`{info.metavar}`"
    if isinstance(info, OptionInfo) and kind is not bool:
        names += f" {_value(kind, info)}"
    variable = f" Also from `{info.envvar}`." if info.envvar else ""
    shown = "" if default in (None, "", False, inspect.Parameter.empty) else f"`{getattr(default, 'value', default)}`"
    return f"| {names.replace('|', chr(92) + '|')} | {info.help or ''}{variable} | {shown} |"


def _value(kind: Any, info: OptionInfo | ArgumentInfo) -> str:  # noqa: ANN401  # likewise
    if isinstance(kind, enum.EnumType):
        return "|".join(str(getattr(one, "value", one)) for one in list[Any](kind))
    named = next((one for one in get_args(kind) if one is not type(None)), kind)
    return info.metavar or str(getattr(named, "__name__", named)).upper()


def main() -> None:
    """Replace everything after the marker."""
    by_hand = PAGE.read_text().partition(BEGIN)[0]
    PAGE.write_text(by_hand + reference())
    sys.stdout.write(f"{PAGE.name} is up to date\n")


if __name__ == "__main__":
    main()
