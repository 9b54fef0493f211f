"""From the raising of the curtain to its fall: stage and screen, the tour, and what comes after it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from rich.text import Text

from reconciler.cli.demo.screens import Screen, make_screen
from reconciler.cli.demo.stage import HOSTS, Stage, open_stage
from reconciler.cli.demo.stay import Follower, invitation
from reconciler.cli.demo.steps import STEPS
from reconciler.cli.demo.tour import Tour


def play(*, directory: Path | None, port: int, speed: float, pause: float, leave: bool) -> None:
    """Play the tour, then stay until Ctrl-C unless `leave`. Raises DemoFailure when a step did not happen.

    `speed` is virtual seconds for each real one (0: as fast as it goes), `pause` real seconds for reading.
    """
    screen = make_screen()
    with _terminable(), open_stage(directory, port, speed) as stage, _open(screen):
        _prologue(stage, screen)
        tour = Tour(stage, screen, pause)
        made = tour.play(STEPS)
        screen.say(Text(f"\nAll {len(STEPS)} steps happened, and all {made} claims were verified.", "bold green"))
        if not leave:
            screen.say(invitation(stage))
            screen.head("Your turn")
            with suppress(KeyboardInterrupt):
                Follower(tour).follow()
        screen.ending()
    kept = f"The repository is kept in {directory}." if directory else "Everything that it made is gone."
    screen.say(f"\nThe demo has ended. {kept}")


@contextmanager
def _open(screen: Screen) -> Iterator[None]:
    screen.open()
    try:
        yield
    finally:
        screen.close()


def _prologue(stage: Stage, screen: Screen) -> None:
    screen.say(Text("Reconciler: what git says is what runs.", "bold"))
    screen.say(
        "\nThis tour runs on an AWS that is emulated on this machine: nothing real is touched, and no account is "
        "needed. Its clock runs faster than yours."
    )
    screen.say(f"\n  repository  {stage.shop.folder}   (made from examples/shop)")
    screen.say(f"  AWS         {stage.aws.url}   (a VPC with subnets, and {HOSTS} EC2 instances for the cluster)")
    screen.where(f"repository {stage.shop.folder}   AWS {stage.aws.url}")


@contextmanager
def _terminable() -> Iterator[None]:
    """Have a termination, or a terminal that is closed, end the demo as Ctrl-C does, so that nothing stays behind."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
