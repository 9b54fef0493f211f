"""The store: what one process keeps another finds; damage is told clearly, and costs no pass."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.values import Ref, ResourceId
from reconciler.engine.memory import Memory, NoMemory
from reconciler.store import Forgiving, Store, StoreError, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEB, API = ResourceId("Service", "web"), ResourceId("Service", "api")
CANARY = "hunter2canary"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture(params=["store", "process", "forgiving"])
def memory(request: pytest.FixtureRequest, path: Path) -> Iterator[Memory]:
    if request.param == "process":
        yield NoMemory()
        return
    url = f"sqlite:///{path}"
    opened = open_store(url) if request.param == "store" else Forgiving(url, pytest.fail)
    yield opened
    opened.close()


def test_a_baseline_is_kept_per_environment_and_replaced(memory: Memory) -> None:
    memory.keep_baseline("acme/prod", WEB, "v1:1", {"desiredCount": 1})
    memory.keep_baseline("acme/prod", WEB, "v1:2", {"desiredCount": 2})
    memory.keep_baseline("acme/test", API, "v1:3", {})
    assert memory.baselines("acme/prod") == {WEB: ("v1:2", {"desiredCount": 2})}
    assert memory.baselines("acme/nowhere") == {}


def test_a_drift_keeps_its_first_time_until_it_is_over(memory: Memory) -> None:
    memory.keep_drifts("acme/prod", [WEB], NOW)
    memory.keep_drifts("acme/prod", [WEB, API], NOW + timedelta(minutes=1))
    memory.keep_drifts("acme/test", [WEB], NOW + timedelta(minutes=9))
    assert memory.drifts("acme/prod") == {WEB: NOW, API: NOW + timedelta(minutes=1)}
    memory.keep_drifts("acme/prod", [API], NOW + timedelta(minutes=2))
    assert memory.drifts("acme/prod") == {API: NOW + timedelta(minutes=1)}
    memory.keep_drifts("acme/prod", [], NOW + timedelta(minutes=3))
    assert memory.drifts("acme/prod") == {}
    assert set(memory.drifts("acme/test")) == {WEB}


def test_times_of_another_zone_are_the_same_moments(store: Store) -> None:
    berlin = datetime.fromisoformat("2026-11-20T13:00:00+01:00")
    store.keep_drifts("acme/prod", [WEB], berlin)
    assert store.drifts("acme/prod") == {WEB: NOW}


def test_a_baseline_with_references_is_written_as_manifests_write_them(store: Store) -> None:
    store.keep_baseline("acme/prod", WEB, "v1:1", {"cluster": Ref(ResourceId("Cluster", "shop"), "arn")})
    assert store.baselines("acme/prod")[WEB][1] == {"cluster": {"ref": "Cluster/shop", "attribute": "arn"}}


def test_another_process_finds_what_this_one_kept(store: Store, path: Path) -> None:
    store.keep_baseline("acme/prod", WEB, "v1:1", {"a": 1})
    code = (
        "import sys; from reconciler.store import open_store; from reconciler.core.values import ResourceId\n"
        "store = open_store(sys.argv[1])\n"
        "print(store.baselines('acme/prod'))\n"
        "store.keep_baseline('acme/prod', ResourceId('Service', 'api'), 'v1:2', {'b': 2})\n"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{path}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Service" in said.stdout
    assert store.baselines("acme/prod") == {WEB: ("v1:1", {"a": 1}), API: ("v1:2", {"b": 2})}


def test_many_writers_at_once_lose_nothing(path: Path) -> None:
    code = (
        "import sys; from datetime import UTC, datetime; from reconciler.store import open_store\n"
        "from reconciler.core.values import ResourceId\n"
        "store, me = open_store(sys.argv[1]), sys.argv[2]\n"
        "for number in range(25):\n"
        "    store.keep_baseline('acme/prod', ResourceId('Service', f'{me}-{number}'), 'v1:1', {'n': number})\n"
        "    store.keep_drifts(f'acme/{me}', [ResourceId('Service', str(number))], datetime.now(UTC))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, f"sqlite:///{path}", name], stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 3
    store = open_store(f"sqlite:///{path}")
    assert len(store.baselines("acme/prod")) == 75
    assert set(store.drifts("acme/b")) == {ResourceId("Service", "24")}
    store.close()


def test_the_file_is_for_its_owner_alone(store: Store, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_refused_with_advice(path: Path) -> None:
    path.write_bytes(b"this is not a database at all, whatever its name says" * 20)
    with pytest.raises(StoreError, match=r"store\.sqlite cannot be used: file is not a database.*delete it"):
        open_store(f"sqlite:///{path}")


def test_a_folder_that_is_not_there_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be used: No such file or directory.*RECONCILER_HOME"):
        open_store(f"sqlite:///{tmp_path}/nowhere/store.sqlite")


def test_an_address_of_no_database_is_refused() -> None:
    with pytest.raises(StoreError, match="address cannot be used"):
        open_store("not an address")


def test_a_damaged_baseline_is_none_and_a_damaged_time_is_told(store: Store, path: Path) -> None:
    store.keep_baseline("acme/prod", WEB, "v1:1", {"a": 1})
    store.keep_baseline("acme/prod", API, "v1:1", {"a": 1})
    with sqlite3.connect(path) as connection:
        connection.execute("update baselines set spec = '{' where resource = 'Service/web'")
        connection.execute("insert into baselines values ('acme/prod', 'nonsense', 'v1:1', '{}')")
        connection.execute("insert into baselines values ('acme/prod', 'Service/x', 'v1:1', '[]')")
        connection.execute("insert into drifts values ('acme/prod', 'Service/web', 'yesterday')")
    connection.close()
    assert store.baselines("acme/prod") == {API: ("v1:1", {"a": 1})}
    with pytest.raises(StoreError, match="holds what nobody wrote there"):
        store.drifts("acme/prod")


def test_no_error_quotes_what_was_to_be_written(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("drop table baselines")
    connection.close()
    with pytest.raises(StoreError, match="no such table") as caught:
        store.keep_baseline("acme/prod", WEB, "v1:1", {"environment": [{"name": "PASSWORD", "value": CANARY}]})
    assert CANARY not in str(caught.value)
    assert CANARY not in str(caught.value.__cause__)


def test_a_forgiving_store_tells_once_and_goes_on(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    told: list[str] = []
    memory = Forgiving(f"sqlite:///{path}", told.append)
    memory.keep_baseline("acme/prod", WEB, "v1:1", {})
    memory.keep_drifts("acme/prod", [WEB], NOW)
    assert (memory.baselines("acme/prod"), memory.drifts("acme/prod")) == ({}, {})
    assert len(told) == 1
    assert told[0].endswith("Going on without it")


@pytest.mark.parametrize("use", ["baselines", "keep_baseline", "drifts", "keep_drifts"])
def test_a_store_that_breaks_under_way_is_given_up(path: Path, use: str) -> None:
    told: list[str] = []
    memory = Forgiving(f"sqlite:///{path}", told.append)
    with sqlite3.connect(path) as connection:
        connection.executescript("drop table baselines; drop table drifts")
    connection.close()
    for _ in range(2):
        match use:
            case "baselines":
                assert memory.baselines("acme/prod") == {}
            case "keep_baseline":
                memory.keep_baseline("acme/prod", WEB, "v1:1", {})
            case "drifts":
                assert memory.drifts("acme/prod") == {}
            case _:
                memory.keep_drifts("acme/prod", [WEB], NOW)
    assert len(told) == 1
