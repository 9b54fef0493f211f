"""`emulator`: an AWS to develop against, on this machine. Needs the extra `demo`."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Annotated

import typer

from reconciler.cli.output import err, out
from reconciler.core.errors import ReconcilerError


def emulator(
    port: Annotated[int, typer.Option("--port", "-p", help="0 takes a free one.")] = 5555,
    speed: Annotated[float, typer.Option("--speed", help="Virtual seconds for each real one.")] = 5.0,
    seed: Annotated[int, typer.Option("--seed", help="One seed, one history.")] = 0,
) -> None:
    """Run an embedded AWS: ECS with rollouts, load balancers with health, events, CloudTrail. Ctrl-C ends it.

    Exit codes: 0 ended, 1 error.
    """
    try:
        from reconciler.emulator.server import Emulator  # an extra, and slow to import
    except ImportError as error:
        raise ReconcilerError(f"the emulator needs more packages: pip install 'reconciler[demo]' ({error})") from error
    _check(port, speed)
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(Emulator(port=port, seed=seed))
        except OSError as error:
            raise ReconcilerError(
                f"cannot listen on port {port}: {error.strerror}. Take another with --port"
            ) from error
        out().print(f"export AWS_ENDPOINT_URL={running.url}")
        out().print("export AWS_ACCESS_KEY_ID=emulated AWS_SECRET_ACCESS_KEY=emulated AWS_DEFAULT_REGION=us-east-1")
        err().print("Ready. State is in memory, and gone when this ends (Ctrl-C).")
        running.run_clock(0.2, 0.2 * speed)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


def _check(port: int, speed: float) -> None:
    """Raises ReconcilerError for what no clock and no socket takes."""
    if not 0 <= port <= 65535:
        raise ReconcilerError(f"--port {port}: a port is between 0 and 65535")
    if not (math.isfinite(speed) and speed > 0):
        raise ReconcilerError(f"--speed {speed:g}: virtual time runs forward, so it must be more than 0")


def register(app: typer.Typer) -> None:
    app.command()(emulator)
