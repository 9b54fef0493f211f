"""Damaged repositories: an error that says what is damaged, never a traceback or a wrong answer."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest

from reconciler.git import manifest_files
from reconciler.git.errors import CorruptRepositoryError


def loose(clone: Any, object_id: str) -> Path:
    file = clone.folder / ".git/objects" / object_id[:2] / object_id[2:]
    file.chmod(0o644)
    assert isinstance(file, Path)
    return file


def test_a_blob_of_garbage_is_reported_as_damage(shop, opened):
    commit_id = shop.save("base/web.yaml", "kind: Service")
    loose(shop, shop.git("rev-parse", "HEAD:base/web.yaml")).write_bytes(b"garbage")
    with pytest.raises(CorruptRepositoryError, match="git fsck"):
        opened(shop).read_path(commit_id, "base/web.yaml")


def test_a_blob_with_the_content_of_another_is_reported_as_damage(shop, opened):
    commit_id = shop.save("web.yaml", "desiredCount: 1")
    forged = zlib.compress(b"blob 16\0desiredCount: 99")
    loose(shop, shop.git("rev-parse", "HEAD:web.yaml")).write_bytes(forged)
    with pytest.raises(CorruptRepositoryError):
        opened(shop).read_path(commit_id, "web.yaml")


@pytest.mark.parametrize("cut", [0, 5, 30])
def test_a_blob_cut_short_is_reported_as_damage(shop, opened, cut):
    commit_id = shop.save("web.yaml", "\n".join(f"key{number}: {number * 7919}" for number in range(500)))
    file = loose(shop, shop.git("rev-parse", "HEAD:web.yaml"))
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(CorruptRepositoryError):
        opened(shop).read_path(commit_id, "web.yaml")


@pytest.mark.parametrize("what", ["HEAD:base/web.yaml", "HEAD:base", "HEAD^{tree}"])
def test_an_object_that_is_missing_though_others_refer_to_it_is_damage(shop, opened, what):
    commit_id = shop.save("base/web.yaml", "kind: Service")
    loose(shop, shop.git("rev-parse", what)).unlink()
    with pytest.raises(CorruptRepositoryError):
        manifest_files(opened(shop), commit_id, "base")


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_a_branch_whose_commit_is_damaged_is_damage_and_not_an_unknown_name(shop, opened, damage):
    commit_id = shop.save("a")
    loose(shop, commit_id).write_bytes(damage)
    for rev in ("main", "HEAD", commit_id):
        with pytest.raises(CorruptRepositoryError):
            opened(shop).commit(rev)


def test_a_branch_whose_commit_is_missing_is_damage(shop, opened):
    loose(shop, shop.save("a")).unlink()
    for rev in ("main", "HEAD"):
        with pytest.raises(CorruptRepositoryError):
            opened(shop).commit(rev)


@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_a_truncated_pack_is_reported_as_damage(shop, opened, part):
    for number in range(60):
        shop.write(f"base/{number}.yaml", f"name: {number * 7919}\n" * 50)
    commit_id = shop.commit()
    shop.git("gc", "-q")
    [pack] = (shop.folder / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    content = pack.read_bytes()
    pack.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(CorruptRepositoryError):
        manifest_files(opened(shop), commit_id, "base")


def test_one_damaged_object_does_not_stop_the_reading_of_others(shop, opened):
    shop.write("good.yaml", "good")
    commit_id = shop.save("bad.yaml", "bad")
    loose(shop, shop.git("rev-parse", "HEAD:bad.yaml")).write_bytes(b"garbage")
    repository = opened(shop)
    for _ in range(3):
        with pytest.raises(CorruptRepositoryError):
            repository.read_path(commit_id, "bad.yaml")
        assert repository.read_path(commit_id, "good.yaml") == b"good"


def test_history_over_a_missing_commit_is_damage(shop, opened):
    first = shop.save("a", "1")
    shop.save("a", "2")
    last = shop.save("a", "3")
    loose(shop, first).unlink()
    with pytest.raises(CorruptRepositoryError):
        opened(shop).log(None, last)


def test_what_follows_a_damaged_object_is_not_taken_for_something_else(shop, opened):
    for number in range(300):
        shop.write(f"base/{number}.yaml", f"name: {number}")
    commit_id = shop.commit()
    loose(shop, shop.git("rev-parse", "HEAD:base/1.yaml")).write_bytes(zlib.compress(b"blob 7\0name: 2"))
    repository = opened(shop)
    entries = [entry for entry in repository.entries(commit_id, "base") if entry.path != "base/1.yaml"]
    with pytest.raises(CorruptRepositoryError):
        manifest_files(repository, commit_id, "base")
    names = [f"name: {entry.path[5:-5]}" for entry in entries]
    assert [content.decode() for content in repository.read_many(entries)] == names
