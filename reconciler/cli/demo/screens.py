"""Where the tour is shown: on a terminal with a live picture below the text, or as plain lines for pipes and CI.

What is told (commits, plans, claims) is printed for good and scrolls; below it, on a terminal, stand the tree of
resources, the rollouts and the last events, drawn anew a few times a second.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from reconciler.cli.demo.tree import Picture, counted, event_text, progress, resource_table, rollouts
from reconciler.core.plan import Action, Verb

PLAIN_WIDTH: Final = 120
FRAMES: Final = 8  # a second
MOST_CHANGED: Final = 12  # lines of a commit that are shown
MOST_EVENTS: Final = 6
FEWEST_ROWS: Final = 8  # of the tree, on however small a terminal
DOING: Final = {
    Verb.CREATE: "makes",
    Verb.UPDATE: "updates",
    Verb.ADOPT: "adopts",
    Verb.REPLACE: "replaces",
    Verb.QUARANTINE: "quarantines",
    Verb.DELETE: "deletes",
    Verb.TAG: "marks",
}


class Screen:
    """Plain lines; `LiveScreen` adds the picture."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.picture: Picture | None = None
        self._seen: set[str] = set()
        self._progress: dict[str, str] = {}

    def open(self) -> None:
        """Begin to draw."""

    def close(self) -> None:
        """End drawing. Twice is once."""

    def where(self, text: str) -> None:
        """What stands at the foot of the picture for good."""

    def head(self, title: str) -> None:
        """What stands above the picture from now on."""

    def step(self, place: str, title: str, narration: str) -> None:
        """A new chapter: `place` is its number, `narration` a sentence or two."""
        self.console.print()
        self.console.print(Rule(Text(f" {place} · {title} ", "bold cyan"), align="left", style="cyan", characters="─"))
        self.console.print(Text(narration))

    def say(self, text: str | Text) -> None:
        self.console.print(text if isinstance(text, Text) else Text(text), soft_wrap=not self.console.is_terminal)

    def command(self, line: str, changed: Sequence[str] = ()) -> None:
        """A command that somebody has given, and the lines of git that it changed."""
        self.console.print()
        self.console.print(Text.assemble(("$ ", "dim"), (line, "bold")), soft_wrap=True)
        styles = {"+": "green", "-": "red"}
        for text in changed[:MOST_CHANGED]:
            style = styles.get(text[0], "dim") if text else ""
            self.console.print(Text("  " + text, style), soft_wrap=True)
        if len(changed) > MOST_CHANGED:
            self.console.print(Text(f"  … and {len(changed) - MOST_CHANGED} more lines", "dim"))

    def show(self, what: RenderableType) -> None:
        """A plan, a table, a list of problems."""
        self.console.print()
        self.console.print(Padding(what, (0, 0, 0, 2), expand=False), soft_wrap=not self.console.is_terminal)

    def claim(self, text: str) -> None:
        """Something that was shown, and verified."""
        self.console.print(Text.assemble(("✓ ", "bold green"), text))

    def ending(self) -> None:
        """The last picture, for good."""
        if self.picture:
            self.close()
            self.show(resource_table(self.picture))

    def update(self, picture: Picture) -> None:
        """A new moment."""
        self.picture = picture
        fresh = [event for event in picture.snapshot.events if event.id not in self._seen]
        self._seen.update(event.id for event in fresh)
        for line in counted([event_text(event) for event in fresh]):
            self.event("ecs", line)
        for view in picture.snapshot.services.values():
            line = progress(view) if view.moving else ""
            if line and line != self._progress.get(view.name):
                self.rollout(view.name, line)
            self._progress[view.name] = line

    def action(self, action: Action) -> None:
        """A step of a plan begins; called from the threads of the executor."""
        if not action.silent:
            self.event("reconciler", f"{DOING[action.verb]} {action.resource}")

    def event(self, source: str, text: str) -> None:
        if source == "reconciler" or "deployment" in text:
            self.console.print(Text(f"  {source}: {text}", "dim"))

    def rollout(self, service: str, line: str) -> None:
        self.console.print(Text(f"  {service}: {line}", "dim"))


class LiveScreen(Screen):
    """The text, and below it the picture."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._heading = Text()
        self._foot = Text()
        self._log: deque[Text] = deque(maxlen=MOST_EVENTS)
        self._live = Live(
            console=console,
            refresh_per_second=FRAMES,
            transient=True,
            vertical_overflow="crop",
            get_renderable=self._draw,
        )

    def open(self) -> None:
        self._live.start()

    def close(self) -> None:
        self._live.stop()

    def where(self, text: str) -> None:
        self._foot = Text(text, "dim", no_wrap=True, overflow="ellipsis")

    def head(self, title: str) -> None:
        self._heading = Text(f" {title} ", "bold cyan")

    def step(self, place: str, title: str, narration: str) -> None:
        super().step(place, title, narration)
        self.head(f"{place} · {title}")

    def event(self, source: str, text: str) -> None:
        style = "cyan" if source == "reconciler" else "dim"
        line = Text.assemble((f"{source:<11}", style), text)
        line.no_wrap, line.overflow = True, "ellipsis"
        self._log.append(line)

    def rollout(self, service: str, line: str) -> None:
        """Stands in the picture."""

    def _draw(self) -> RenderableType:
        """The picture, as tall as the terminal allows: what changes least gives way first."""
        if self.picture is None:
            return Text()
        height = self.console.size.height
        table = resource_table(self.picture, most=max(FEWEST_ROWS, height // 2))
        body: list[RenderableType] = [Rule(self._heading, align="left", style="cyan"), table]
        used = table.row_count + 4
        if moving := rollouts(self.picture.snapshot):
            body += [Text(), moving]
            used += moving.row_count + 2
        room = max(0, min(MOST_EVENTS, height * 7 // 10 - used - 1))
        if room and self._log:
            body += [Text(), *list(self._log)[-room:]]
        return Group(Text(), *body, self._foot)


def make_screen() -> Screen:
    """The screen for this process's stdout."""
    if not sys.stdout.isatty():
        return Screen(Console(file=sys.stdout, width=PLAIN_WIDTH, highlight=False))
    console = Console(highlight=False)
    return Screen(console) if console.is_dumb_terminal else LiveScreen(console)
