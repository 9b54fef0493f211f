"""Progress of long work on stderr: a live table in a terminal, a line for each change elsewhere (logs of CI)."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live as LiveScreen
from rich.text import Text

from reconciler.cli.screens import details, heading, in_order, status_table
from reconciler.core.report import PassReport
from reconciler.core.values import ResourceId


class Progress:
    """Shows reports as they come; the last one is the command's own to print."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._screen = LiveScreen(console=console, refresh_per_second=4, transient=True)
        self._said: dict[ResourceId, str] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._screen.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._screen.stop()

    def update(self, report: PassReport) -> None:
        """Show where a pass has found everything."""
        if self._console.is_terminal:
            # What fits: Rich would cut a taller table at its end, where what is wrong may stand.
            rows = sorted(in_order(report.statuses, parts=False), key=lambda one: one.sync.value == "Synced")
            shown = rows[: max(3, self._console.height - 4)]
            more = [Text(f"and {len(rows) - len(shown)} more", "dim")] if len(shown) < len(rows) else []
            self._screen.update(Group(heading(report), status_table(shown), *more))
            return
        for status in report.statuses.values():
            line = f"{status.id}: {status.sync.value}, {status.health.state.value}  {details(status).plain}".rstrip()
            if self._said.get(status.id) != line:
                self._said[status.id] = line
                self._console.print(Text(line), soft_wrap=True)
