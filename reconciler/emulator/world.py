"""The world that the emulated AWS lives in: one virtual clock, one source of randomness, one event bus, one lock.

The emulator's own modules and the patched moto classes use it. moto keeps its state in process-global backends, so
there is one world per process at a time, and code that moto calls (which knows no context) finds it with
`World.current()`.

Nothing here reads the machine's clock after the start: what a test sees is a function of the seed and of the ticks.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

__all__ = ["MOST_REMEMBERED", "Event", "World", "trim"]

MOST_REMEMBERED = 50_000
"""How many events, calls and trail records are kept: an emulator may run for days."""


def trim(history: list[Any]) -> None:
    """Forget the oldest tenth of a history that has grown too long."""
    if len(history) > MOST_REMEMBERED:
        del history[: MOST_REMEMBERED // 10]


@dataclass(frozen=True, slots=True)
class Event:
    """One event on the default bus of an account and region. `detail` is JSON-like, with the API's own field names."""

    id: str
    time: datetime
    source: str
    detail_type: str
    detail: dict[str, Any]
    resources: tuple[str, ...]
    account: str
    region: str


class World:
    """The virtual clock and what depends on it. All methods may be called from any thread; they take `lock`.

    `lock` is re-entrant, and the server holds it during each request: patched code that runs inside a request or a tick
    never needs to take it.
    """

    _current: ClassVar[World | None] = None

    def __init__(
        self,
        seed: int = 0,
        account: str = "123456789012",
        region: str = "us-east-1",
        start: datetime | None = None,
    ) -> None:
        self.seed = seed
        self.account = account
        self.region = region
        self.lock = threading.RLock()
        self.random = random.Random(seed)
        self._start = start or datetime.now(UTC).replace(microsecond=0)
        self._now = self._start
        self._listeners: list[Callable[[datetime], None]] = []
        self._subscribers: list[Callable[[Event], None]] = []
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self.events: list[Event] = []

    @classmethod
    def current(cls) -> World:
        """Return the world that was made current last. Raises RuntimeError outside a running emulator."""
        if cls._current is None:
            raise RuntimeError("no emulator is running in this process")
        return cls._current

    def make_current(self) -> None:
        """Make this the world that `World.current()` returns."""
        type(self)._current = self

    def now(self) -> datetime:
        """Return the virtual time, aware, in UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock and run, in order: what became due (`later`), then each tick listener once."""
        with self.lock:
            self._now += timedelta(seconds=seconds)
            while self._due and self._due[0][0] <= self._now:
                heapq.heappop(self._due)[2]()
            for listener in list(self._listeners):
                listener(self._now)

    def on_tick(self, listener: Callable[[datetime], None]) -> Callable[[], None]:
        """Call `listener(now)` at each advance, in the order of registration. It survives `reset`; twice is once.

        Returns what takes it away again.
        """
        with self.lock:
            if listener not in self._listeners:
                self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Call `action()` once the clock has moved by `seconds`; at once when `seconds` is not positive."""
        with self.lock:
            if seconds <= 0:
                action()
                return
            heapq.heappush(self._due, (self._now + timedelta(seconds=seconds), next(self._sequence), action))

    def on_event(self, subscriber: Callable[[Event], None]) -> None:
        """Call `subscriber(event)` for each event that is emitted. It survives `reset`; twice is once."""
        with self.lock:
            if subscriber not in self._subscribers:
                self._subscribers.append(subscriber)

    def emit(
        self,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        resources: Sequence[str] = (),
        account: str | None = None,
        region: str | None = None,
    ) -> Event:
        """Put an event on the default bus of an account and region (default: the world's own), deliver it at once."""
        with self.lock:
            event = Event(
                id=self.uuid(),
                time=self._now,
                source=source,
                detail_type=detail_type,
                detail=detail,
                resources=tuple(resources),
                account=account or self.account,
                region=region or self.region,
            )
            self.events.append(event)
            trim(self.events)
            for subscriber in list(self._subscribers):
                subscriber(event)
            return event

    def uuid(self) -> str:
        """Return a version 4 UUID drawn from the seeded randomness."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def reset(self) -> None:
        """Go back to the start: clock, randomness, what was due, and the events so far. Listeners stay."""
        with self.lock:
            self.random.seed(self.seed)
            self._now = self._start
            self._due.clear()
            self.events.clear()
