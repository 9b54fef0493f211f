"""Fixtures for the whole tree: the emulated AWS.

One server per test session (a start costs more than most tests), reset before each test that uses it. Nothing is set in
the environment: a client gets its endpoint, region and made-up credentials explicitly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from reconciler.emulator.server import Emulator


class EmulatorForTests(Emulator):
    """The emulator, plus clients for it that are closed when the test ends."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self._clients: list[Any] = []
        self._plain: dict[tuple[str, str, str] | None, Any] = {}
        self._session = boto3.Session()  # one for all clients: it keeps the service models that it has read

    def client(self, service: str, region: str = "us-east-1", access_key: str = "AKIDTEST", **kw: Any) -> Any:
        """Return a boto3 client for this emulator, with dummy credentials and no retries unless `config` is given.

        Plain ones are kept for the next test: to make a client costs more than most calls.
        """
        plain = None if kw else (service, region, access_key)
        if plain in self._plain:
            return self._plain[plain]
        kw.setdefault("config", Config(retries={"total_max_attempts": 1, "mode": "standard"}))
        client = self._session.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=kw.pop("secret_key", "secret"),
            aws_session_token=kw.pop("session_token", None),
            **kw,
        )
        if plain is None:
            self._clients.append(client)
        else:
            self._plain[plain] = client
        return client

    def close_clients(self) -> None:
        """Close the connections of all clients that were made for one test."""
        while self._clients:
            self._clients.pop().close()

    def stop(self) -> None:
        """Close every client, then stop."""
        self._clients += self._plain.values()
        self._plain.clear()
        self.close_clients()
        super().stop()


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[EmulatorForTests]:
    """The one server; tests use `emulator`."""
    with EmulatorForTests(seed=0) as server:
        yield server


@pytest.fixture
def emulator(emulator_server: EmulatorForTests) -> Iterator[EmulatorForTests]:
    """An AWS with nothing in it."""
    emulator_server.reset()
    yield emulator_server
    emulator_server.close_clients()
