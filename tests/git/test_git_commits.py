"""Naming commits, and asking about their history."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.commit import Commit
from reconciler.git.errors import CommitNotFoundError, PathNotFoundError, UnsafePathError, UnsafeRevisionError


def test_a_commit_is_read_with_author_time_subject_and_parents(shop, opened):
    first = shop.save("a", "1", "Begin")
    second = shop.save("a", "2", "Raise the count\nof web\n\nBecause of Friday.", at=1_700_000_100)
    assert opened(shop).commit("HEAD") == Commit(
        id=second,
        author_name="Ada",
        author_email="ada@shop.example",
        time=datetime.fromtimestamp(1_700_000_100, UTC),
        subject="Raise the count of web",
        parents=(first,),
    )


def test_a_commit_has_a_short_id_and_an_author_in_one_text(shop, opened):
    commit_id = shop.save("a")
    commit = opened(shop).commit("HEAD")
    assert (commit.short, commit.author) == (commit_id[:10], "Ada <ada@shop.example>")


def test_branches_tags_ids_and_relative_names_name_commits(shop, opened):
    first = shop.save("a", "1")
    shop.git("tag", "-a", "v1", "-m", "one")
    second = shop.save("a", "2")
    shop.git("branch", "feature/x", first)
    repository = opened(shop)
    named = {
        rev: repository.commit(rev).id for rev in ("main", "v1", "HEAD~1", "feature/x", second, second[:9], "HEAD")
    }
    assert named == {
        "main": second, "v1": first, "HEAD~1": first, "feature/x": first, second: second, second[:9]: second,
        "HEAD": second,
    }  # fmt: skip


def test_a_tag_cannot_take_the_place_of_a_branch(shop, opened):
    first = shop.save("a", "1")
    second = shop.save("a", "2")
    shop.git("tag", "main", first)
    shop.git("update-ref", "refs/heads/HEAD", first)
    assert [opened(shop).commit(rev).id for rev in ("main", "HEAD")] == [second, second]


def test_a_revision_that_names_nothing_is_an_error_with_advice(shop, opened):
    shop.save("a")
    with pytest.raises(CommitNotFoundError, match=r"no branch, tag or commit 'nowhere'.*fetch"):
        opened(shop).commit("nowhere")


def test_an_empty_repository_says_that_it_has_no_commits(shop, opened):
    repository = opened(shop)
    with pytest.raises(CommitNotFoundError, match="no commits yet"):
        repository.commit("HEAD")
    assert repository.branch == "main"
    assert repository.read_ref("refs/heads/main") is None


@pytest.mark.parametrize(
    "rev", ["", "-n1", "--output=owned", "--all", "a b", "main..HEAD", "^main", "main\n", "HEAD:a", "main\0", ":/Begin"]
)
def test_a_revision_that_git_could_read_as_something_else_is_refused(shop, opened, rev):
    shop.save("a")
    with pytest.raises(UnsafeRevisionError):
        opened(shop).commit(rev)
    assert not (shop.folder / "owned").exists()


def test_a_blob_is_no_commit(shop, opened):
    shop.save("a", "1")
    blob = shop.git("rev-parse", "HEAD:a")
    repository = opened(shop)
    assert not repository.has(blob)
    with pytest.raises(CommitNotFoundError):
        repository.commit(blob)


def test_a_tag_is_followed_to_its_commit_and_a_tag_of_something_else_is_none(shop, opened):
    commit_id = shop.save("a", "1")
    shop.git("tag", "-a", "v1", "-m", "one")
    shop.git("tag", "-a", "release", "-m", "two", "v1")
    shop.git("tag", "-a", "content", "-m", "three", "HEAD:a")
    repository = opened(shop)
    assert repository.commit("release").id == repository.commit("refs/tags/v1").id == commit_id
    with pytest.raises(CommitNotFoundError):
        repository.commit("content")


def test_only_full_ids_of_commits_that_are_here_are_had(shop, opened):
    commit_id = shop.save("a")
    repository = opened(shop)
    assert [repository.has(each) for each in (commit_id, "0" * 40, commit_id[:10], "main", "--all", "")] == [
        True, False, False, False, False, False,
    ]  # fmt: skip


def test_ancestry_follows_every_parent_and_includes_the_commit_itself(shop, opened):
    base = shop.save("a", "1")
    shop.git("checkout", "-q", "-b", "side")
    side = shop.save("b", "1")
    shop.git("checkout", "-q", "main")
    main = shop.save("a", "2")
    shop.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    merge = shop.git("rev-parse", "HEAD")
    repository = opened(shop)
    answers = [
        repository.is_ancestor(*pair)
        for pair in ((base, merge), (side, merge), (merge, merge), (merge, base), (side, main))
    ]
    assert answers == [True, True, True, False, False]


def test_ancestry_of_an_unknown_commit_is_an_error(shop, opened):
    commit_id = shop.save("a")
    with pytest.raises(CommitNotFoundError, match="fetch or obtain"):
        opened(shop).is_ancestor("1" * 40, commit_id)


def test_the_log_is_newest_first_between_two_commits_and_by_path(shop, opened):
    first = shop.save("base/a", "1", "one", at=1_700_000_000)
    second = shop.save("other", "2", "two", at=1_700_000_001)
    third = shop.save("base/a", "3", "three", at=1_700_000_002)
    repository = opened(shop)
    logs = [
        [commit.id for commit in repository.log(*arguments)]
        for arguments in (
            (None, "main"),
            (first, third),
            (None, third, ["base"]),
            (first, "HEAD", ["other", "nothing"]),
        )
    ]
    assert logs == [[third, second, first], [third, second], [third, first], [second]]


def test_the_last_change_of_a_file_or_folder_is_found_as_seen_from_a_commit(shop, opened):
    first = shop.save("base/a", "1")
    second = shop.save("other", "2")
    third = shop.save("base/b", "3")
    repository = opened(shop)
    changes = [
        repository.last_change(*arguments).id
        for arguments in ((third, "base/a"), (third, "base"), (second, "base"), (third, ""), (third, "other"))
    ]
    assert changes == [first, third, first, third, second]


def test_a_path_in_a_log_is_a_name_and_never_a_pattern_or_an_option(shop, opened):
    first = shop.save("a*", "1")
    second = shop.save("--all", "1")
    shop.save("ab", "1")
    repository = opened(shop)
    assert [repository.last_change(repository.commit("HEAD").id, path).id for path in ("a*", "--all")] == [
        first,
        second,
    ]
    with pytest.raises(PathNotFoundError):
        repository.last_change(first, ":(glob)**")
    with pytest.raises(UnsafePathError):
        repository.log(None, "HEAD", ["../other"])


def test_a_ref_is_read_by_its_full_name_only(shop, opened):
    commit_id = shop.save("a")
    shop.git("update-ref", "refs/reconciler/suspended/production", commit_id)
    repository = opened(shop)
    assert repository.read_ref("refs/reconciler/suspended/production") == commit_id
    assert repository.read_ref("refs/reconciler/suspended/staging") is None
    for name in ("main", "--all", "refs/heads/ma*", "refs/heads/main^{tree}", "refs/heads/../x"):
        with pytest.raises(UnsafeRevisionError):
            repository.read_ref(name)


def test_the_branch_is_none_when_head_is_detached(shop, opened):
    commit_id = shop.save("a")
    repository = opened(shop)
    assert repository.branch == "main"
    shop.git("checkout", "-q", "--detach", commit_id)
    assert repository.branch is None


def test_odd_commits_are_still_read(shop, opened):
    tree = shop.git("mktree", content=b"")
    commit = (
        f"tree {tree}\nauthor J\xf6rg <j@x> 99999999999999 +0000\n"
        "committer nobody 1 +0000\nencoding latin-1\n\nGr\xfc\xdfe\n"
    ).encode("latin-1")
    commit_id = shop.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", content=commit)
    read = opened(shop).commit(commit_id)
    assert (read.author, read.subject, read.time) == ("Jörg <j@x>", "Grüße", datetime.fromtimestamp(0, UTC))


def test_a_time_beyond_every_calendar_is_the_last_one(shop, opened):
    tree = shop.git("mktree", content=b"")
    commit = f"tree {tree}\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 9999999999999999 +0000\n\nLater\n".encode()
    commit_id = shop.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", content=commit)
    assert opened(shop).commit(commit_id).time.year == 9999


def test_replaced_objects_are_not_followed(shop, opened):
    first = shop.save("a", "1", "true")
    second = shop.save("a", "2", "false")
    shop.git("replace", first, second)
    assert opened(shop).commit(first).subject == "true"
