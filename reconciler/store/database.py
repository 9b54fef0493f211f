"""Baselines and drift times in a database, SQLite by default.

Implements the engine's `Memory`. Several processes may use one file: SQLite's write-ahead log and a busy timeout make
them wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Engine, MetaData, String, Table, Text, create_engine, delete, event, insert, select
from sqlalchemy.exc import SQLAlchemyError

from reconciler.core.errors import ReconcilerError
from reconciler.core.values import ResourceId, Spec, plain

_METADATA = MetaData()

_BASELINES = Table(
    "baselines",
    _METADATA,
    Column("environment", String(128), primary_key=True),
    Column("resource", String(256), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("spec", Text, nullable=False),  # JSON
)

_DRIFTS = Table(
    "drifts",
    _METADATA,
    Column("environment", String(128), primary_key=True),
    Column("resource", String(256), primary_key=True),
    Column("since", String(40), nullable=False),  # ISO 8601, UTC
)


class StoreError(ReconcilerError):
    """The database cannot be used."""


class Store:
    """One database. Raises StoreError when it cannot be read or written."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def baselines(self, environment: str) -> Mapping[ResourceId, tuple[str, Spec]]:
        query = select(_BASELINES.c.resource, _BASELINES.c.digest, _BASELINES.c.spec).where(
            _BASELINES.c.environment == environment
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {ResourceId.parse(row.resource): (row.digest, json.loads(row.spec)) for row in rows}

    def keep_baseline(self, environment: str, resource: ResourceId, digest: str, spec: Spec) -> None:
        row = {"environment": environment, "resource": str(resource), "digest": digest, "spec": json.dumps(plain(spec))}
        with self._engine.begin() as connection:
            connection.execute(
                delete(_BASELINES).where(
                    _BASELINES.c.environment == environment, _BASELINES.c.resource == str(resource)
                )
            )
            connection.execute(insert(_BASELINES).values(row))

    def drifts(self, environment: str) -> Mapping[ResourceId, datetime]:
        query = select(_DRIFTS.c.resource, _DRIFTS.c.since).where(_DRIFTS.c.environment == environment)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {ResourceId.parse(row.resource): datetime.fromisoformat(row.since) for row in rows}

    def keep_drifts(self, environment: str, drifted: Iterable[ResourceId], now: datetime) -> None:
        before = self.drifts(environment)
        after = {identity: before.get(identity, now) for identity in drifted}
        if after == dict(before):
            return
        rows = [
            {"environment": environment, "resource": str(identity), "since": since.astimezone(UTC).isoformat()}
            for identity, since in after.items()
        ]
        with self._engine.begin() as connection:
            connection.execute(delete(_DRIFTS).where(_DRIFTS.c.environment == environment))
            if rows:
                connection.execute(insert(_DRIFTS), rows)

    def close(self) -> None:
        self._engine.dispose()


def open_store(url: str) -> Store:
    """The store at an SQLAlchemy URL; its tables are made when they are not there. Raises StoreError."""
    try:
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        _METADATA.create_all(engine)
    except SQLAlchemyError as error:
        raise StoreError(f"the store at {url} cannot be opened: {error}; delete it, nothing depends on it") from error
    return Store(engine)


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DB-API connection has no common type
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()
