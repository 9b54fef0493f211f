"""What every command works on: a repository at a commit, an environment, and the gate to AWS.

Commands open a `Workspace` from the common options and close it at the end. Only this file knows where things are kept
on this machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.aws.clock import utc_now
from reconciler.core.call import Call
from reconciler.core.plan import Action, Plan
from reconciler.core.resource import Desired

if TYPE_CHECKING:  # botocore, SQLAlchemy and GitPython take most of a second to import: only when they are used
    from reconciler.aws.cache import Cache
    from reconciler.aws.gate import Gate
    from reconciler.aws.session import Session
    from reconciler.engine.memory import Memory
    from reconciler.engine.passes import Engine
    from reconciler.engine.render import Renderings
    from reconciler.git import Repository


def state_folder() -> Path:
    """Where caches and history are kept: RECONCILER_HOME, else the user's cache folder. Losing it loses no control."""
    if home := os.environ.get("RECONCILER_HOME"):
        return Path(home)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconciler"


@dataclass(frozen=True, slots=True)
class Place:
    """The common options: which repository, environment and commit, and who to be in AWS."""

    repo: str = "."
    environment: str | None = None
    commit: str | None = None
    role: str | None = None
    external_id: str | None = None
    profile: str | None = None
    endpoint: str | None = None


@dataclass
class Workspace:
    """One repository and environment, opened for one command."""

    place: Place
    repository: Repository
    folder: Path
    clock: Callable[[], datetime] = utc_now  # the gate sets it right by AWS's
    sleep: Callable[[float], None] = time.sleep  # waits by that clock: the demo's is not the machine's
    fresh: bool = False  # read even what is read once an hour, as what is remembered may have changed since
    before_write: Callable[[Call], None] | None = None
    on_plan: Callable[[Plan], None] = lambda _plan: None
    on_action: Callable[[Action], None] = lambda _action: None
    tell: Callable[[str], None] = lambda _warning: None  # of what does not stop the command
    _closing: list[Callable[[], None]] = field(default_factory=list)

    @cached_property
    def cache(self) -> Cache:
        """What AWS answered before; in memory where it cannot be on disk."""
        from reconciler.aws.cache import MemoryCache
        from reconciler.aws.disk_cache import DiskCache

        try:
            cache = DiskCache(self.folder / "cache")
        except OSError as error:
            self.tell(f"the cache {self.folder / 'cache'} cannot be used: {error.strerror}. Going on without it")
            return MemoryCache()
        self._closing.append(cache.close)
        return cache

    @cached_property
    def memory(self) -> Memory:
        """What is remembered between passes; a store that cannot be used stops nothing."""
        from reconciler.store import Forgiving

        store = Forgiving(f"sqlite:///{self.folder / 'store.sqlite'}", self.tell)
        self._closing.append(store.close)
        return store

    @cached_property
    def renderings(self) -> Renderings:
        from reconciler.engine.render import Renderings
        from reconciler.kinds import KINDS

        return Renderings(self.repository, KINDS, self.place.environment, self.cache, __version__)

    def desired(self) -> Desired:
        """The environment at the commit asked for, or at the newest. Raises InvalidManifestsError, GitError."""
        return self.renderings.at(self.repository.commit(self.place.commit or "HEAD").id)

    @cached_property
    def session(self) -> Session:
        from reconciler.aws.session import connect

        environment = self.desired().environment
        session = connect(
            environment.region,
            role_arn=self.place.role,
            external_id=self.place.external_id,
            session_name=f"reconciler-{environment.name}",
            endpoint_url=self.place.endpoint,
            profile=self.place.profile,
        )
        self._closing.append(session.close)
        return session

    @cached_property
    def gate(self) -> Gate:
        from reconciler.aws.gate import Gate

        gate = Gate(
            self.session,
            account=self.desired().environment.account,
            cache=self.cache,
            clock=self.clock,
            sleep=self.sleep,
            fresh=self.fresh,
            before_write=self.before_write,
        )
        self._closing.append(gate.close)
        return gate

    @cached_property
    def engine(self) -> Engine:
        from reconciler.engine.passes import Engine
        from reconciler.kinds import KINDS

        return Engine(self.renderings, KINDS, self.gate, self.memory, self.on_plan, self.on_action)

    def denied(self) -> str:
        """Why a sync window forbids writes now; empty when none does."""
        from reconciler.controller.windows import denied

        return denied(self.desired().environment.sync.windows, self.gate.now())

    def pause(self, seconds: float) -> None:
        """Waits between two passes."""
        self.sleep(seconds)

    def closing(self, close: Callable[[], None]) -> None:
        """Have something closed with the workspace."""
        self._closing.append(close)

    def close(self) -> None:
        for close in reversed(self._closing):
            close()
        self._closing.clear()


@contextmanager
def workspace(place: Place) -> Iterator[Workspace]:
    """The workspace of a command; fetches a repository that is given by URL. Raises GitError."""
    from reconciler.cli.output import say, warn
    from reconciler.git import open_repository
    from reconciler.git.location import Remote, parse_location

    with ExitStack() as stack:
        folder = _usable(state_folder(), stack, warn)
        repository = stack.enter_context(open_repository(place.repo, folder / "git"))
        opened = Workspace(place, repository, folder, tell=warn)
        stack.callback(opened.close)
        if isinstance(parse_location(place.repo), Remote):
            repository.fetch()
        try:
            yield opened
        except KeyboardInterrupt:  # Typer makes it exit code 130
            say(
                "interrupted: what was sent to AWS goes on there; `status` shows where it is, `sync` goes on with it",
                "bold red",
            )
            raise


def _usable(folder: Path, stack: ExitStack, tell: Callable[[str], None]) -> Path:
    """The folder, or a temporary one where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        tell(
            f"nothing can be kept in {folder}: {error.strerror}. Going on without; RECONCILER_HOME names another folder"
        )
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-")))
