"""What the gate remembers: in memory and on disk, with kills, other processes and full disks."""

import json
import multiprocessing
import stat
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.aws.cache import MemoryCache
from reconciler.aws.disk_cache import DiskCache

THEN = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture
def open_cache(tmp_path):
    made = []

    def make(**settings):
        made.append(DiskCache(tmp_path / "cache", **settings))
        return made[-1]

    yield make
    for cache in made:
        cache.close()


@pytest.fixture(params=["memory", "disk"])
def cache(request, open_cache):
    return MemoryCache() if request.param == "memory" else open_cache()


def test_what_was_put_last_is_got_with_its_time(cache):
    cache.put("k", {"a": 1}, THEN)
    cache.put("k", {"a": ['ü\n\t"', None]}, THEN + timedelta(seconds=1))
    assert cache.get("k") == ({"a": ['ü\n\t"', None]}, THEN + timedelta(seconds=1))


def test_what_was_never_put_is_none(cache):
    assert cache.get("k") is None


def test_what_a_reader_does_with_its_value_no_other_reader_sees(cache):
    cache.put("k", {"a": []}, THEN)
    cache.get("k")[0]["a"].append("x")
    assert cache.get("k")[0] == {"a": []}


def test_keys_may_have_any_characters(cache):
    keys = ["a\tb", "a\nb", 'a"b', "a b", "ü", ""]
    for number, key in enumerate(keys):
        cache.put(key, number, THEN)
    assert [cache.get(key)[0] for key in keys] == list(range(len(keys)))


def test_another_opening_finds_what_was_put(open_cache):
    open_cache().put("k", [1], THEN)
    assert open_cache().get("k") == ([1], THEN)


def test_an_open_cache_sees_what_another_puts_later(open_cache):
    first, second = open_cache(), open_cache()
    second.put("k", [1], THEN)
    assert first.get("k") == ([1], THEN)


def test_only_the_owner_may_look(open_cache, tmp_path):
    open_cache().put("k", "secret", THEN)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").iterdir()} == {0o600}


def test_a_write_torn_at_any_byte_loses_that_record_only(open_cache, tmp_path):
    open_cache().put("a", "first", THEN)
    path = tmp_path / "cache" / "answers.jsonl"
    whole = path.read_bytes()
    open_cache().put("b", "second", THEN)
    record = path.read_bytes()[len(whole) :]
    for cut in range(len(record)):
        path.write_bytes(whole + record[:cut])
        cache = open_cache()
        assert cache.get("b") is None
        cache.put("c", "third", THEN)
        later = open_cache()
        assert (later.get("a")[0], later.get("c")[0]) == ("first", "third")
        assert later.get("b") == (("second", THEN) if cut == len(record) - 1 else None)  # only its line end was missing


def test_a_changed_byte_anywhere_is_never_answered_with(open_cache, tmp_path):
    open_cache().put("k", {"a": "value"}, THEN)
    path = tmp_path / "cache" / "answers.jsonl"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        cache = open_cache()
        assert cache.get("k") is None
        cache.put("n", 1, THEN)
        assert cache.get("n") == (1, THEN)


def test_a_file_full_of_old_records_is_written_anew(open_cache, tmp_path):
    cache, other = open_cache(compact_above=2000), open_cache()
    cache.put("kept", "x" * 100, THEN)
    for number in range(200):
        cache.put("changing", number, THEN)
    assert (tmp_path / "cache" / "answers.jsonl").stat().st_size < 2500
    assert [cache.get(key)[0] for key in ("kept", "changing")] == ["x" * 100, 199]
    assert [other.get(key)[0] for key in ("kept", "changing")] == ["x" * 100, 199]
    other.put("late", 1, THEN)
    assert cache.get("late") == (1, THEN)


def test_a_file_that_vanishes_is_begun_again(open_cache, tmp_path):
    cache = open_cache()
    cache.put("k", 1, THEN)
    (tmp_path / "cache" / "answers.jsonl").unlink()
    cache.put("n", 2, THEN)
    assert open_cache().get("n") == (2, THEN)


def test_a_folder_that_vanishes_leaves_a_cache_in_memory(open_cache, tmp_path):
    cache = open_cache()
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    (tmp_path / "cache").rmdir()
    assert cache.get("k") is None
    cache.put("k", 1, THEN)
    assert cache.get("k") == (1, THEN)
    assert "answers.jsonl" in cache.fault


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "answers.jsonl").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        DiskCache(tmp_path / "cache")
    assert victim.read_text() == "precious"


def _put_many(folder, name, count):
    cache = DiskCache(folder, compact_above=20_000)
    for number in range(count):
        cache.put(f"{name}{number}", [name, number, "x" * (number % 50)], THEN)
        cache.put("shared", [name, number], THEN)
    cache.close()


def test_processes_that_write_at_once_lose_nothing(open_cache, tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_put_many, args=(tmp_path / "cache", name, 150)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    cache = open_cache()
    for name in "abc":
        assert [cache.get(f"{name}{number}")[0][1] for number in range(150)] == list(range(150))


def test_a_value_that_is_no_json_is_refused(cache):
    with pytest.raises(TypeError):
        cache.put("k", {1, 2}, THEN)
    assert json.dumps(cache.get("k")) == "null"
