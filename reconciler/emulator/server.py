"""The emulator: an AWS in this process, behind one HTTP endpoint.

    with Emulator(seed=1) as aws:
        boto3.client("ecs", endpoint_url=aws.url, region_name="eu-west-1", …)
        aws.tick(seconds=1, steps=30)

Used by `reconciler emulator`, `reconciler demo` and the tests. moto's state is process-global, so one emulator runs per
process at a time.
"""

from __future__ import annotations

import importlib.util
import threading
from datetime import datetime
from fnmatch import fnmatchcase
from importlib import import_module
from types import TracebackType
from typing import Any, ClassVar, Self

from moto.core.base_backend import BackendDict
from moto.moto_api._internal import mock_random

from reconciler.emulator import bus, identity, images, lookup, scaling, tagging, trail
from reconciler.emulator.calls import Call, matches
from reconciler.emulator.control import PREFIX, control
from reconciler.emulator.edge import Edge
from reconciler.emulator.elbv2 import patch as elbv2
from reconciler.emulator.faults import Faults
from reconciler.emulator.transport import Transport
from reconciler.emulator.wire import Answer
from reconciler.emulator.world import World

__all__ = ["Emulator"]


class Emulator:
    """One emulated AWS: all accounts, all regions. A context manager."""

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        port: int = 0,
        seed: int = 0,
        account: str = "123456789012",
        region: str = "us-east-1",
        host: str = "127.0.0.1",
        start: datetime | None = None,
        trail_delay: float = 0.0,
    ) -> None:
        """Make one, not yet running.

        `port` 0: a free one; `account`: where unknown access keys belong; `start`: the clock's first time (default: the
        real one); `trail_delay`: virtual seconds until CloudTrail knows of a call.
        """
        self.world = World(seed, account, region, start)
        self.faults = Faults(self.world.random)
        self._edge = Edge(self.world, self.faults)
        self.trail = trail.Trail(self.world, trail_delay)
        self._edge.observers.append(self.trail.observe)
        self._host = host
        self._port = port
        self._transport: Transport | None = None
        self._parts: list[Any] = []
        self._clock: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self) -> Emulator:
        """Patch moto (once per process), forget what it knew, and serve. Raises RuntimeError if one runs already."""
        if not self._running.acquire(blocking=False):
            raise RuntimeError("an emulator is running in this process already: moto's state is global, stop it first")
        try:
            self.world.make_current()
            self._install()
            self.reset()
            self._transport = Transport(self._host, self._port, self._application)
            self._transport.start()
        except BaseException:
            self._running.release()
            raise
        return self

    def stop(self) -> None:
        """Stop serving. Twice is once."""
        if self._transport is None:
            return
        self.stop_clock()
        self._transport.stop()
        self._transport = None
        self._running.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint, for `endpoint_url` or AWS_ENDPOINT_URL."""
        if self._transport is None:
            raise RuntimeError("the emulator is not running: start it first")
        return f"http://{self._host}:{self._transport.server_address[1]}"

    @property
    def calls(self) -> list[Call]:
        """The calls so far, oldest first. A copy."""
        return list(self._edge.calls)

    @property
    def unimplemented(self) -> list[str]:
        """What was asked that moto cannot do or crashed in: `service:Operation: why`. A copy; tests want it empty."""
        return list(self._edge.unimplemented)

    def count(self, operation_glob: str) -> int:
        """Return how many calls so far match `ecs:UpdateService`, `elbv2:Create*`, ….

        A glob that matches the name of no operation simply counts 0.
        """
        return sum(matches(operation_glob, call.service, call.operation) for call in self._edge.calls)

    def mutations(self, operation_glob: str = "*:*") -> list[Call]:
        """Return the calls that change something and match, whatever came of them."""
        return [call for call in self.calls if call.mutating and fnmatchcase(call.name, operation_glob)]

    def tick(self, seconds: float = 1.0, steps: int = 1) -> None:
        """Let `seconds` of virtual time pass, `steps` times; everything that happens by itself happens here."""
        for _ in range(steps):
            self.world.advance(seconds)

    def run_clock(self, real_seconds_per_tick: float = 1.0, virtual_seconds: float = 1.0) -> None:
        """Tick from a thread until `stop_clock` or `stop`, for people who watch. Twice at once raises RuntimeError."""
        if self.clock_runs:
            raise RuntimeError("the clock runs already")
        self._stopped.clear()

        def run() -> None:
            while not self._stopped.wait(real_seconds_per_tick):
                self.world.advance(virtual_seconds)

        self._clock = threading.Thread(target=run, name="emulator-clock", daemon=True)
        self._clock.start()

    @property
    def clock_runs(self) -> bool:
        """Whether a thread ticks."""
        return self._clock is not None

    def stop_clock(self) -> None:
        """Tick no more by itself; when this returns, the last tick is over. Twice is once."""
        self._stopped.set()
        if self._clock is not None:
            self._clock.join()
            self._clock = None

    def reset(self) -> None:
        """Forget everything: resources of all services, calls, faults, events; the clock and the dice go back."""
        with self.world.lock:
            used: list[Any] = vars(BackendDict)["_instances"]  # what moto's own reset goes through
            for backend in used:
                backend.clear()  # not backend.reset(): that builds each one anew, EC2 with all its images
            used.clear()
            mock_random.seed(self.world.seed)
            for part in self._parts:
                part.reset()
            self.world.reset()
            self.faults.clear()
            self._edge.calls.clear()
            self._edge.unimplemented.clear()

    def _install(self) -> None:
        identity.install()
        images.install()
        elbv2.install()
        scaling.install()
        tagging.install()
        bus.install(self.world)
        trail.install(self.trail)
        lookup.install()
        self._parts = [elbv2, scaling, self.trail]
        found = importlib.util.find_spec("reconciler.emulator.ecs")
        if found is not None and found.origin is not None:
            ecs = import_module("reconciler.emulator.ecs")
            ecs.install(self.world)
            self._parts.append(ecs)

    def _application(self, environ: dict[str, Any], body: bytes) -> Answer:
        if environ["PATH_INFO"].startswith(PREFIX):
            return control(self, environ, body)
        return self._edge.answer(environ, body)
