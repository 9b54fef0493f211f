"""`demo`: a tour on an embedded AWS, with a real git repository. Needs the extra `demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.demo.nobody import nobody
from reconciler.cli.output import err
from reconciler.core.errors import ReconcilerError

DEFAULT_PAUSE = 2.0  # seconds
EXIT_INTERRUPTED = 130


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Leave after the tour; exit code 1 if a step failed.")] = False,
    directory: Annotated[
        Path | None, typer.Option("--directory", "-d", help="An empty folder for the repository, which is then kept.")
    ] = None,
    port: Annotated[int, typer.Option("--port", "-p", help="Of the embedded AWS; 0 takes a free one.")] = 0,
    speed: Annotated[float, typer.Option("--speed", min=0.1, help="Virtual seconds for each real one.")] = 15.0,
    pause: Annotated[
        float | None, typer.Option("--pause", min=0, metavar="SECONDS", help="Time for reading between scenes.")
    ] = None,
) -> None:
    """Play a tour on an embedded AWS: sync, rollout, merge, refusal, drift, rollback. Then stay up for you to try."""
    unattended = leave and not sys.stdout.isatty()
    default = 0.0 if unattended else DEFAULT_PAUSE
    with nobody():
        try:
            from reconciler.cli.demo.play import play  # an extra, and slow to import
        except ImportError as error:
            raise ReconcilerError(
                f"the demo needs the emulator's packages: pip install 'reconciler[demo]' ({error})"
            ) from error
        try:
            play(
                directory=directory,
                port=port,
                speed=0.0 if unattended else speed,
                pause=default if pause is None else pause,
                leave=leave,
            )
        except KeyboardInterrupt:
            err().print("\nThe demo was ended before the tour was over.")
            raise typer.Exit(EXIT_INTERRUPTED) from None


def register(app: typer.Typer) -> None:
    app.command()(demo)
