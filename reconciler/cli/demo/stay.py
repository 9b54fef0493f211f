"""After the tour: the controller follows the repository and AWS, so that whoever watches can change both.

What a person gets wrong (an invalid commit, a branch without the manifests) is told once and waited out. Ctrl-C ends
it.
"""

from __future__ import annotations

from typing import Final, NoReturn

from rich.console import Group, RenderableType
from rich.text import Text

from reconciler.cli.demo.shop import ENVIRONMENT
from reconciler.cli.demo.stage import PASS_EVERY, REGION, Stage
from reconciler.cli.demo.tour import Tour
from reconciler.cli.output import problem_line
from reconciler.cli.screens import plan_screen
from reconciler.core.errors import InvalidManifestsError, ReconcilerError
from reconciler.core.plan import Plan

SLOWEST: Final = 1.0  # real seconds between two passes, at most


class Follower:
    """Makes passes for as long as it is asked to, and tells each thing once."""

    def __init__(self, tour: Tour) -> None:
        self._screen = tour.screen
        self._stage = tour.stage
        self._head = self._stage.shop.head
        self._told = ""
        self._resting = True
        self._stage.on_plan = self._plan

    def follow(self) -> NoReturn:
        """Until KeyboardInterrupt."""
        while True:
            self.once()
            self._stage.flow(max(1.0, min(PASS_EVERY, SLOWEST * self._stage.speed)))

    def once(self) -> None:
        """One look at git and AWS, and what follows from it."""
        try:
            new = self._new_commit()
            report = self._stage.run()
        except InvalidManifestsError as error:
            self._tell(str(error), Group(*map(problem_line, error.problems)), "Invalid: nothing is written.")
        except ReconcilerError as error:
            self._tell(str(error), Text(str(error), "red"), "It is tried again.")
        else:
            if report.settled and (new or not self._resting):
                self._screen.say(f"At rest: {report.sync.value} and {report.health.state.value}.")
            self._resting = report.settled

    def _new_commit(self) -> bool:
        head = self._stage.shop.head
        if head == self._head:
            return False
        self._head = head
        self._screen.say(Text("\nHEAD is " + self._stage.shop.git("log", "-1", "--format=%h %s"), "bold"))
        return True

    def _plan(self, plan: Plan) -> None:
        self._tell("" if plan.empty else f"{plan.digest} {plan.held}", plan_screen(plan))

    def _tell(self, news: str, what: RenderableType, end: str = "") -> None:
        if news and news != self._told:
            self._screen.show(what)
            if end:
                self._screen.say(Text(end, "bold red"))
        self._told = news


def invitation(stage: Stage) -> Text:
    """How to go on: by commits, and by hand."""
    folder = stage.shop.folder
    exports = {
        "AWS_ENDPOINT_URL": stage.aws.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "you",
        "AWS_SECRET_ACCESS_KEY": "you",
        "RECONCILER_HOME": str(stage.work.folder.parent / "yours"),
    }
    lines = [
        ("\nThe tour is over, and all of it still runs. Now it is your turn, in another terminal:\n", "bold"),
        ("\nChange what git says, and commit it:\n", ""),
        (f"  cd {folder}\n", "cyan"),
        ("  $EDITOR base/web.yaml && git commit -am 'My change'\n", "cyan"),
        ("\nChange AWS by hand, with the AWS CLI or any program that uses an SDK, and see it put back:\n", ""),
        *((f"  export {name}={value}\n", "cyan") for name, value in exports.items()),
        ("  aws ecs update-service --cluster shop --service api --desired-count 1\n", "cyan"),
        ("\nOr ask Reconciler itself:\n", ""),
        (f"  reconciler status --repo {folder} --environment {ENVIRONMENT}\n", "cyan"),
        ("\nAn image tag with `crash` in it crashes; one with `unhealthy` never gets healthy. ", ""),
        ("Ctrl-C ends the demo.\n", "bold"),
    ]
    return Text.assemble(*lines)
