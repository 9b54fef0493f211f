"""Repositories behind a URL: the mirror, fetching, force pushes, shallow clones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reconciler.git import open_repository
from reconciler.git.errors import CommitNotFoundError, FetchFailedError, RepositoryNotFoundError, ShallowHistoryError


def drop(shop: Any) -> str:
    """Push a commit, then force the branch back to its parent: only the remote's objects still have the commit."""
    dropped = shop.save("base/web.yaml", "dropped")
    shop.git("push", "-q")
    shop.git("reset", "-q", "--hard", "HEAD~1")
    shop.git("push", "-q", "--force")
    return str(dropped)


def test_a_push_is_seen_after_a_fetch_and_not_before(shop, remote, opened):
    repository = opened(remote.url)
    first = repository.commit("main")
    pushed = shop.save("base/web.yaml", "newer")
    shop.git("push", "-q")
    assert repository.commit("main") == first
    repository.fetch()
    assert repository.commit("main").id == pushed
    assert repository.read_path(pushed, "base/web.yaml") == b"newer"


def test_a_mirror_follows_new_deleted_and_moved_branches_tags_and_our_own_refs(shop, remote, opened):
    repository = opened(remote.url)
    first = repository.commit("main").id
    shop.git("push", "-q", "origin", "main:refs/heads/feature", "main:refs/tags/v1", "main:refs/reconciler/suspended/x")
    repository.fetch()
    names = ("refs/heads/feature", "refs/tags/v1", "refs/reconciler/suspended/x")
    assert [repository.read_ref(name) for name in names] == [first] * 3
    second = shop.save("a", "2")
    shop.git("push", "-q", "--force", "origin", "main:refs/tags/v1")
    shop.git("push", "-q", "--delete", "origin", *names[::2])
    repository.fetch()
    assert [repository.read_ref(name) for name in names] == [None, second, None]


def test_head_of_a_mirror_is_the_default_branch_of_the_remote(shop, remote, opened):
    repository = opened(remote.url)
    assert repository.branch == "main"
    shop.git("checkout", "-q", "-b", "trunk")
    trunk = shop.save("a", "trunk")
    shop.git("push", "-q", "origin", "trunk")
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    repository.fetch()
    assert (repository.branch, repository.commit("HEAD").id) == ("trunk", trunk)


def test_a_remote_whose_default_branch_is_not_called_main_is_mirrored(shop, remote, opened):
    shop.git("push", "-q", "origin", "main:trunk")
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    repository = opened(remote.url)
    assert (repository.branch, repository.commit("HEAD")) == ("trunk", repository.commit("main"))


def test_a_remote_whose_head_is_on_no_branch_is_mirrored_with_that_head(shop, remote, opened):
    first = shop.git("rev-parse", "HEAD")
    shop.save("a", "2")
    shop.git("push", "-q")
    remote.git("update-ref", "--no-deref", "HEAD", first)
    repository = opened(remote.url)
    assert (repository.branch, repository.commit("HEAD").id) == (None, first)


def test_branch_names_with_odd_characters_are_mirrored(shop, remote, opened):
    name = "größe/\u2028line-\x85separator"
    shop.git("push", "-q", "origin", f"main:refs/heads/{name}")
    repository = opened(remote.url)
    assert repository.read_ref(f"refs/heads/{name}") == repository.commit("main").id


def test_a_second_opening_uses_the_mirror_that_is_there(remote, opened, cache, git_calls):
    first = opened(remote.url).git_dir
    after_first = len(git_calls())
    assert opened(remote.url).git_dir == first
    assert len(git_calls()) == after_first
    assert sorted(path.suffix for path in cache.iterdir()) == ["", ".lock"]


def test_a_fetch_without_news_asks_the_remote_once(remote, opened, git_calls):
    repository = opened(remote.url)
    before = len(git_calls())
    repository.fetch()
    assert [line for line in git_calls()[before:] if " fetch " in line] == []


def test_many_openings_at_once_clone_once(remote, cache, git_calls):
    def read(_):
        with open_repository(remote.url, cache) as repository:
            return repository.read_path(repository.commit("main").id, "base/web.yaml")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(8))) == {b"kind: Service"}
    assert len([line for line in git_calls() if " init " in line]) == 1


def test_a_clone_that_was_killed_leaves_nothing_broken(remote, cache, opened, tmp_path):
    started = tmp_path / "started"
    os.mkfifo(started)
    stuck = tmp_path / "stuck"
    stuck.mkdir()
    real = os.environ["PATH"]
    (stuck / "git").write_text(
        f'#!/bin/sh\nPATH="{real}"\ncase " $* " in *" fetch "*) echo $$ > {started}; exec tail -f /dev/null;; esac\n'
        'exec git "$@"\n'
    )
    (stuck / "git").chmod(0o755)
    code = "import sys, pathlib, reconciler.git as g; g.open_repository(sys.argv[1], pathlib.Path(sys.argv[2]))"
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", code, remote.url, str(cache)],
        env={**os.environ, "PATH": f"{stuck}:{real}", "PYTHONPATH": root},
    )
    git = int(started.read_text())  # waits until the clone is in the middle of its fetch
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        assert len(list(cache.glob("*.new-*"))) == 1
        repository = opened(remote.url)  # although the killed program's git still runs
        assert repository.read_path(repository.commit("main").id, "base/web.yaml") == b"kind: Service"
        assert list(cache.glob("*.new-*")) == []
    finally:
        os.kill(git, signal.SIGKILL)


def test_a_commit_dropped_by_a_force_push_stays_readable_in_the_mirror(shop, remote, opened):
    repository = opened(remote.url)
    dropped = shop.save("base/web.yaml", "dropped")
    shop.git("push", "-q")
    repository.fetch()
    shop.git("reset", "-q", "--hard", "HEAD~1")
    shop.git("push", "-q", "--force")
    repository.fetch()
    assert repository.read_path(dropped, "base/web.yaml") == b"dropped"
    assert not repository.is_ancestor(dropped, repository.commit("main").id)


def test_a_dropped_commit_that_was_never_fetched_is_obtained_by_its_id_and_kept(shop, remote, opened):
    dropped = drop(shop)
    repository = opened(remote.url)
    assert not repository.has(dropped)
    assert repository.obtain(dropped)
    repository.fetch()
    assert repository.read_ref(f"refs/kept/{dropped}") == dropped
    assert repository.read_path(dropped, "base/web.yaml") == b"dropped"


def test_a_local_clone_obtains_a_dropped_commit_from_its_remote(shop, remote, opened, clone_of):
    dropped = drop(shop)
    repository = opened(clone_of(remote, "laptop"))
    assert (repository.has(dropped), repository.obtain(dropped), repository.has(dropped)) == (False, True, True)


@pytest.mark.parametrize("commit_id", ["3" * 40, "main", "--all", ""])
def test_what_the_remote_does_not_have_cannot_be_obtained(remote, opened, clone_of, commit_id):
    assert not opened(remote.url).obtain(commit_id)
    assert not opened(clone_of(remote, "laptop")).obtain(commit_id)


def test_a_repository_without_a_remote_obtains_nothing_and_fetches_nothing(shop, opened):
    shop.save("a")
    repository = opened(shop)
    repository.fetch()
    assert not repository.obtain("3" * 40)


def test_fetching_in_a_local_clone_moves_the_tracking_branch_only(shop, remote, opened, clone_of):
    laptop = clone_of(remote, "laptop")
    repository = opened(laptop)
    first = repository.commit("main").id
    pushed = shop.save("a", "2")
    shop.git("push", "-q")
    repository.fetch()
    assert (repository.commit("main").id, repository.commit("origin/main").id) == (first, pushed)


def test_a_shallow_clone_obtains_what_it_left_out(shop, remote, opened, clone_of):
    first = shop.git("rev-parse", "HEAD")
    shop.save("base/web.yaml", "newer")
    shop.git("push", "-q")
    repository = opened(clone_of(remote, "ci", "--depth=1"))
    assert not repository.has(first)
    assert repository.obtain(first)
    assert repository.read_path(first, "base/web.yaml") == b"kind: Service"


def test_a_shallow_clone_does_not_give_wrong_answers_about_history(shop, remote, opened, clone_of):
    first = shop.git("rev-parse", "HEAD")
    shop.save("other", "1")
    last = shop.save("other", "2")
    shop.git("push", "-q")
    change = opened(clone_of(remote, "ci", "--depth=1")).last_change(last, "base/web.yaml")
    log = opened(clone_of(remote, "ci2", "--depth=1")).log(None, last)
    ci3 = opened(clone_of(remote, "ci3", "--depth=1"))
    assert ci3.obtain(first)
    assert (change.id, len(log), ci3.is_ancestor(first, last)) == (first, 3, True)


def test_obtaining_from_a_remote_that_has_gone_is_an_error_and_not_a_no(remote, opened, clone_of):
    repositories = [opened(remote.url), opened(clone_of(remote, "laptop"))]
    remote.folder.rename(remote.folder.with_name("gone"))
    for repository in repositories:
        with pytest.raises(RepositoryNotFoundError):
            repository.obtain("3" * 40)


def test_a_branch_that_a_clone_knows_only_from_its_origin_is_found(shop, remote, opened, clone_of):
    clone = clone_of(remote, "ci")
    clone.git("checkout", "-q", "--detach")
    clone.git("branch", "-q", "-D", "main")
    assert opened(clone).commit("main").id == shop.git("rev-parse", "main")


def test_a_shallow_clone_without_a_remote_says_so_instead_of_guessing(shop, remote, opened, clone_of):
    shop.save("other", "1")
    shop.git("push", "-q")
    clone = clone_of(remote, "ci", "--depth=1")
    clone.git("remote", "remove", "origin")
    repository = opened(clone)
    with pytest.raises(ShallowHistoryError, match="git fetch --unshallow"):
        repository.log(None, "HEAD")


def test_a_shallow_clone_whose_remote_has_gone_says_so_instead_of_guessing(shop, remote, opened, clone_of):
    shop.save("other", "1")
    shop.git("push", "-q")
    clone = clone_of(remote, "ci", "--depth=1")
    remote.folder.rename(remote.folder.with_name("gone"))
    repository = opened(clone)
    with pytest.raises(ShallowHistoryError, match="git fetch --unshallow"):
        repository.last_change(repository.commit("main").id, "base")


def test_an_empty_remote_is_mirrored_and_filled_later(shop, tmp_path, opened):
    shop.git("init", "-q", "--bare", str(tmp_path / "empty.git"))
    repository = opened((tmp_path / "empty.git").as_uri())
    with pytest.raises(CommitNotFoundError, match="no commits yet"):
        repository.commit("HEAD")
    pushed = shop.save("a")
    shop.git("push", "-q", str(tmp_path / "empty.git"), "main")
    repository.fetch()
    assert repository.commit("HEAD").id == pushed


def test_a_url_without_a_repository_is_an_error_and_leaves_nothing(tmp_path, opened, cache):
    with pytest.raises(RepositoryNotFoundError, match="Check the address"):
        opened((tmp_path / "nowhere.git").as_uri())
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_a_remote_that_does_not_answer_can_be_tried_again(opened):
    with pytest.raises(FetchFailedError) as caught:
        opened("http://127.0.0.1:1/shop.git")
    assert caught.value.retry.value == "later"


def test_the_remote_is_fetched_while_a_reading_process_runs(shop, remote, opened):
    repository = opened(remote.url)
    for number in range(3):
        repository.read_path(repository.commit("main").id, "base/web.yaml")
        pushed = shop.save("base/web.yaml", str(number))
        shop.git("push", "-q")
        remote.git("gc", "-q")
        repository.fetch()
        assert repository.read_path(pushed, "base/web.yaml") == str(number).encode()


def test_hooks_of_the_clone_and_of_the_user_never_run(shop, remote, opened, clone_of, tmp_path):
    laptop = clone_of(remote, "laptop")
    owned = tmp_path / "owned"
    everywhere = tmp_path / "hooks"
    everywhere.mkdir()
    for folder in (everywhere, laptop.folder / ".git/hooks"):
        for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "post-merge"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {owned}\n")
            (folder / name).chmod(0o755)
    shop.save("a", "2")
    shop.git("push", "-q")
    opened(laptop).fetch()
    with (tmp_path / "gitconfig").open("a") as settings:
        settings.write(f"[core]\n\thooksPath = {everywhere}\n")
    opened(remote.url).fetch()
    assert not owned.exists()
