"""Baselines and drift times in a database, SQLite by default.

Implements the engine's `Memory`. Several processes may use one file: SQLite's write-ahead log and a busy timeout make
them wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from reconciler.core.errors import InvalidReferenceError, ReconcilerError
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
    """The database cannot be used. Nothing that control needs is in it: `Forgiving` goes on without."""


class Store:
    """One database. Every method raises StoreError when it cannot be read or written; a row that is damaged is none."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def baselines(self, environment: str) -> Mapping[ResourceId, tuple[str, Spec]]:
        query = select(_BASELINES.c.resource, _BASELINES.c.digest, _BASELINES.c.spec).where(
            _BASELINES.c.environment == environment
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        found: dict[ResourceId, tuple[str, Spec]] = {}
        for row in rows:
            try:
                spec = json.loads(row.spec)
                identity = ResourceId.parse(row.resource)
            except (ValueError, InvalidReferenceError):
                continue
            if isinstance(spec, dict):
                found[identity] = row.digest, spec
        return found

    def keep_baseline(self, environment: str, resource: ResourceId, digest: str, spec: Spec) -> None:
        row = {"environment": environment, "resource": str(resource), "digest": digest, "spec": json.dumps(plain(spec))}
        with self._writing() as connection:
            connection.execute(
                delete(_BASELINES).where(
                    _BASELINES.c.environment == environment, _BASELINES.c.resource == str(resource)
                )
            )
            connection.execute(insert(_BASELINES).values(row))

    def drifts(self, environment: str) -> Mapping[ResourceId, datetime]:
        with self._reading() as connection:
            return _drifts(connection, environment)

    def keep_drifts(self, environment: str, drifted: Iterable[ResourceId], now: datetime) -> None:
        names = {str(identity): identity for identity in drifted}
        if set(self.drifts(environment)) == set(names.values()):
            return
        with self._writing() as connection:
            # The write comes first: it takes the lock, so that what is read after it is what is written over.
            here = _DRIFTS.c.environment == environment
            connection.execute(delete(_DRIFTS).where(here, _DRIFTS.c.resource.not_in(names)))
            before = _drifts(connection, environment)
            since = now.astimezone(UTC).isoformat()
            rows = [
                {"environment": environment, "resource": name, "since": since}
                for name, identity in names.items()
                if identity not in before
            ]
            if rows:
                connection.execute(insert(_DRIFTS), rows)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _said(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _said(self._engine), self._engine.begin() as connection:
            yield connection


def _drifts(connection: Connection, environment: str) -> dict[ResourceId, datetime]:
    query = select(_DRIFTS.c.resource, _DRIFTS.c.since).where(_DRIFTS.c.environment == environment)
    return {
        ResourceId.parse(row.resource): datetime.fromisoformat(row.since) for row in connection.execute(query).all()
    }


def open_store(url: str) -> Store:
    """The store at an SQLAlchemy URL; its tables are made when they are not there. Raises StoreError.

    A file is made for its owner alone: what AWS answered may contain what people put into environment variables.
    """
    try:
        # Errors are shown to people, and parameters may hold secrets. A file needs no pool.
        engine = create_engine(url, hide_parameters=True, **({"poolclass": NullPool} if _is_file(url) else {}))
    except SQLAlchemyError as error:
        raise StoreError(f"the store's address cannot be used: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    with _said(engine):
        if _is_file(url) and engine.url.database:
            Path(engine.url.database).touch(mode=0o600)
        with engine.begin() as connection:
            for table in _METADATA.sorted_tables:  # create_all looks first, and another process may be faster
                connection.execute(CreateTable(table, if_not_exists=True))
    return Store(engine)


def _is_file(url: str) -> bool:
    return url.startswith("sqlite:///") and url.removeprefix("sqlite:///") not in ("", ":memory:")


@contextmanager
def _said(engine: Engine) -> Iterator[None]:
    """The database's errors as one clear message, without statements and their values."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        where = engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string()
        reason = getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__
        raise StoreError(
            f"the store {where} cannot be used: {reason}. It is history and a cache: delete it, make its folder "
            "writable, or choose another folder with RECONCILER_HOME"
        ) from error
    except (ValueError, InvalidReferenceError) as error:
        raise StoreError(f"the store {engine.url.database} holds what nobody wrote there: delete it") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DB-API connection has no common type
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")  # a power cut may lose the last writes, never the file
    cursor.close()
