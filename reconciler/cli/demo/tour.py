"""The tour: plays the steps in their order on a stage, and shows each on a screen.

A step is a function that does things and yields what it claims, once that has been verified; a claim that does not hold
raises DemoFailure, and the tour is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.cli.demo.failure import DemoFailure, require
from reconciler.cli.demo.glance import ServiceView, Snapshot
from reconciler.cli.demo.screens import Screen
from reconciler.cli.demo.stage import Stage, said
from reconciler.cli.demo.tree import Picture, well
from reconciler.cli.screens import plan_screen
from reconciler.core.errors import InvalidManifestsError, Problem, ReconcilerError
from reconciler.core.report import PassReport, ResourceStatus
from reconciler.core.values import ResourceId

Claims: TypeAlias = Iterator[str]
LONGEST = 600.0  # virtual seconds in which every change of the tour must have come to rest


@dataclass(frozen=True)
class Step:
    """One chapter."""

    title: str
    narration: str
    play: Callable[[Tour], Claims]


class Tour:
    """What the steps work with."""

    def __init__(self, stage: Stage, screen: Screen, pause: float) -> None:
        """`pause`: real seconds for reading, now and then."""
        self.stage = stage
        self.shop = stage.shop
        self.screen = screen
        self._pause = pause
        stage.on_change = self._show
        stage.on_action = screen.action

    def play(self, steps: Sequence[Step]) -> int:
        """Play all. Returns the number of claims. Raises DemoFailure at the first thing that is not as it should be."""
        made = 0
        for number, step in enumerate(steps, 1):
            self.screen.step(f"{number} of {len(steps)}", step.title, step.narration)
            self.rest()
            before = made
            try:
                for claim in step.play(self):
                    self.screen.claim(claim)
                    made += 1
                require(made > before, "it has shown nothing")
            except ReconcilerError as error:
                raise DemoFailure(f"step {number} of the tour, {step.title!r}, did not happen: {error}") from error
            self.rest()
        return made

    def _show(self) -> None:
        if self.stage.report and self.stage.desired:
            self.screen.update(Picture(self.stage.report, self.stage.desired, self.stage.snapshot))

    # -------------------------------------------------------------------------------------------------- what steps do

    def rest(self, pauses: float = 1) -> None:
        """Leave time for reading; nothing moves meanwhile."""
        time.sleep(self._pause * pauses)

    def commit(self, message: str) -> str:
        """Commit what was edited, and show it."""
        commit = self.shop.commit(message)
        self.screen.command(f'git commit --all --message "{message}"', self.shop.changed_lines())
        return commit

    def plan(self, *, calls: bool = True) -> PassReport:
        """Show what the next pass would do, before anything is written."""
        writes = len(self.stage.writes())
        report = self.stage.look()
        require(len(self.stage.writes()) == writes, "making a plan has written to AWS")
        self.screen.show(plan_screen(report.plan, calls=calls))
        self.rest(2)
        return report

    def see_through(self) -> PassReport:
        """Passes until nothing moves; all must be in sync and healthy then."""
        report = self.stage.settle(LONGEST)
        wrong = [f"{failure.action}: {failure.message}" for failure in report.failures]
        wrong += [said(item) for item in report.statuses.values() if not well(item)]
        require(not wrong, f"not everything is in sync and healthy: {'; '.join(wrong)}")
        for view in self.stage.snapshot.services.values():
            require(view.running == view.desired and not view.moving, f"{view.name} is not at rest: {view}")
        return report

    def refused(self) -> tuple[Problem, ...]:
        """A pass at a commit that must be invalid. Returns what is wrong with it."""
        try:
            self.stage.run()
        except InvalidManifestsError as error:
            return error.problems
        raise DemoFailure("a commit that should be invalid was accepted")

    # ------------------------------------------------------------------------------------------------ what steps check

    def service(self, name: str) -> ServiceView:
        view = self.stage.snapshot.services.get(name)
        if view is None:
            raise DemoFailure(f"AWS knows no service {name}")
        return view

    def image(self, name: str) -> str:
        """The image that a service's primary deployment runs, without the registry."""
        primary = self.service(name).primary
        return primary.image if primary else ""

    def healthy_targets(self, name: str) -> int:
        return self.stage.snapshot.targets_of(self.service(name))["healthy"]

    def status(self, name: str) -> ResourceStatus:
        """What the last pass said of a resource, `Kind/name`."""
        report = self.stage.report
        status = report.statuses.get(ResourceId.parse(name)) if report else None
        if status is None:
            raise DemoFailure(f"the last pass says nothing of {name}")
        return status

    @contextmanager
    def watching(self) -> Iterator[list[Snapshot]]:
        """Collects what AWS says at each virtual second."""
        seen: list[Snapshot] = []
        self.stage.recorder = seen.append
        try:
            yield seen
        finally:
            self.stage.recorder = None
