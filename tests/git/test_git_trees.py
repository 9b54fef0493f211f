"""Reading folders and files at a commit, wherever the repository is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.git.errors import (
    CommitNotFoundError,
    PathNotFoundError,
    RepositoryNotFoundError,
    UnsafeLocationError,
    UnsafePathError,
)

ODD_NAMES = [
    "größe/überall.yaml",
    "with space/a b.yaml",
    "line\nbreak.yaml",
    "tab\there",
    'quo"te',
    "-option",
    "日本/語",
]


def test_a_listing_has_every_kind_of_entry_below_a_folder(shop, opened):
    shop.write("base/sub/web.yaml", "four")
    shop.write("base/run.sh", "#!")
    (shop.folder / "base/run.sh").chmod(0o755)
    shop.link("base/link", "sub")
    shop.write("elsewhere", "")
    inner = shop.commit()
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{inner},base/module")
    shop.git("commit", "-q", "-m", "Add a submodule")
    repository = opened(shop)
    entries = repository.entries(shop.git("rev-parse", "HEAD"), "base")
    assert {(entry.path, entry.kind, entry.mode, entry.size) for entry in entries} == {
        ("base/sub", "folder", "040000", 0),
        ("base/sub/web.yaml", "file", "100644", 4),
        ("base/run.sh", "file", "100755", 2),
        ("base/link", "symlink", "120000", 3),
        ("base/module", "submodule", "160000", 0),
    }


def test_files_with_odd_names_are_listed_and_read(shop, opened):
    for name in ODD_NAMES:
        shop.write(name, f"in {name}")
    commit_id = shop.commit()
    repository = opened(shop)
    listed = {entry.path: repository.read(entry).decode() for entry in repository.entries(commit_id, "") if entry.size}
    read = {name: (repository.read_path(commit_id, name) or b"").decode() for name in ODD_NAMES}
    assert listed == read == {name: f"in {name}" for name in ODD_NAMES}


def test_a_name_that_is_no_utf8_is_read_too(shop, opened):
    shop.write(b"caf\xe9.txt", "latin")
    commit_id = shop.commit()
    repository = opened(shop)
    [entry] = repository.entries(commit_id, "")
    assert repository.read_path(commit_id, entry.path) == b"latin"


def test_a_file_is_read_as_the_commit_has_it_and_not_the_work_tree(shop, opened):
    first = shop.save("web.yaml", "one")
    second = shop.save("web.yaml", "two")
    shop.write("web.yaml", "three")
    repository = opened(shop)
    assert [repository.read_path(commit, "web.yaml") for commit in (first, second)] == [b"one", b"two"]


def test_a_path_to_anything_but_a_file_reads_as_nothing(shop, opened):
    shop.write("sub/a", "1")
    shop.link("link", "sub")
    commit_id = shop.commit()
    repository = opened(shop)
    assert [repository.read_path(commit_id, path) for path in ("none", "sub", "link", "link/a", "sub/a/b")] == [
        None
    ] * 5


def test_binary_content_and_empty_files_come_back_unchanged(shop, opened):
    content = bytes(range(256)) * 3000
    shop.write("empty", b"")
    commit_id = shop.save("binary", content)
    repository = opened(shop)
    assert (repository.read_path(commit_id, "binary"), repository.read_path(commit_id, "empty")) == (content, b"")


def test_line_ending_conversion_and_filters_do_not_touch_what_is_read(shop, opened):
    shop.write(".gitattributes", "* text eol=crlf ident\n")
    commit_id = shop.save("a", "$Id$\nb\n")
    assert opened(shop).read_path(commit_id, "a") == b"$Id$\nb\n"


def test_the_tree_id_changes_only_with_what_is_below_the_folder(shop, opened):
    first = shop.save("base/web.yaml", "1")
    second = shop.save("other", "1")
    third = shop.save("base/web.yaml", "2")
    repository = opened(shop)
    ids = [repository.tree_id(commit, "base") for commit in (first, second, third)]
    assert ids[0] == ids[1] != ids[2]
    assert [repository.tree_id(first, path) for path in ("none", "base/web.yaml")] == [None, None]
    assert repository.tree_id(first, "./base/") == ids[0]


def test_listing_what_is_no_folder_is_an_error_with_advice(shop, opened):
    commit_id = shop.save("file", "1")
    repository = opened(shop)
    with pytest.raises(PathNotFoundError, match="'none' does not exist"):
        repository.entries(commit_id, "none")
    with pytest.raises(PathNotFoundError, match="'file' is a file"):
        repository.entries(commit_id, "file")


@pytest.mark.parametrize("path", ["../shop", "base/../../x", "/etc/passwd", "a\0b"])
def test_a_path_that_leaves_the_repository_is_refused(shop, opened, path):
    commit_id = shop.save("base/a", "1")
    repository = opened(shop)
    for read in (repository.read_path, repository.entries, repository.tree_id, repository.find, repository.last_change):
        with pytest.raises(UnsafePathError):
            read(commit_id, path)


def test_reading_at_a_commit_that_is_not_here_is_an_error(shop, opened):
    shop.save("a")
    with pytest.raises(CommitNotFoundError):
        opened(shop).read_path("2" * 40, "a")


def test_a_folder_inside_a_clone_opens_the_clone(shop, opened):
    commit_id = shop.save("base/web.yaml", "1")
    assert opened(str(shop.folder / "base")).read_path(commit_id, "base/web.yaml") == b"1"


def test_a_bare_repository_is_read_in_place(remote, opened):
    repository = opened(remote)
    assert repository.read_path(repository.commit("main").id, "base/web.yaml") == b"kind: Service"
    assert repository.git_dir == remote.folder


def test_a_linked_work_tree_has_its_own_head_and_branch(shop, opened, tmp_path):
    shop.save("a", "1")
    shop.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    shop.save("a", "2")
    repository = opened(str(tmp_path / "tree"))
    head = repository.commit("HEAD")
    assert (repository.branch, repository.read_path(head.id, "a")) == ("side", b"1")
    assert repository.read_path(repository.commit("main").id, "a") == b"2"


def test_a_repository_with_sha256_ids_is_read(new_clone, opened):
    clone = new_clone("modern", "--object-format=sha256")
    commit_id = clone.save("base/web.yaml", "1")
    assert len(commit_id) == 64
    assert opened(clone).read_path(commit_id, "base/web.yaml") == b"1"
    assert opened(clone.url).read_path(commit_id, "base/web.yaml") == b"1"


def test_variables_of_a_surrounding_git_hook_do_not_redirect_us(shop, new_clone, opened, monkeypatch):
    commit_id = shop.save("a", "1")
    other = new_clone("other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.folder / ".git/objects"))
    assert opened(shop).commit("main").id == commit_id


def test_git_traces_do_not_look_like_damage(shop, opened, monkeypatch):
    shop.save("a", "1")
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("GIT_TRACE_SETUP", "1")
    assert not opened(shop).has("2" * 40)


def test_threads_can_share_a_repository(shop, opened):
    for number in range(40):
        shop.write(f"{number}.txt", f"file {number}")
    commit_id = shop.commit()
    repository = opened(shop)

    def read(number):
        return repository.read_path(commit_id, f"{number % 40}.txt")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(400))) == [f"file {number % 40}".encode() for number in range(400)]


def test_contents_are_kept_only_up_to_a_limit(shop, opened, monkeypatch):
    monkeypatch.setattr("reconciler.git.objects._CACHE_BYTES", 1000)
    for number in range(20):
        shop.write(f"{number}.txt", f"{number:100}")
    commit_id = shop.commit()
    repository = opened(shop)
    for _ in range(2):
        entries = repository.entries(commit_id, "")
        assert {entry.path: int(repository.read(entry)) for entry in entries} == {f"{n}.txt": n for n in range(20)}
    kept = repository._objects._cache.values()
    assert sum(len(content) for _, content in kept) == repository._objects._cached_bytes <= 1000


def test_a_repository_works_on_after_it_was_closed(shop, opened):
    commit_id = shop.save("a", "1")
    shop.save("b", "2")
    repository = opened(shop)
    assert repository.read_path(commit_id, "a") == b"1"
    repository.close()
    assert repository.read_path(repository.commit("HEAD").id, "b") == b"2"


def test_a_folder_or_a_submodule_has_no_content_to_read(shop, opened):
    commit_id = shop.save("base/a", "1")
    repository = opened(shop)
    [folder] = [entry for entry in repository.entries(commit_id, "") if entry.kind == "folder"]
    with pytest.raises(PathNotFoundError, match="name a file"):
        repository.read(folder)


def test_a_repository_of_another_user_is_refused_with_the_command_that_trusts_it(shop, opened, monkeypatch):
    shop.save("a")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own way to test this
    with pytest.raises(UnsafeLocationError, match=r"safe\.directory"):
        opened(shop)


def test_a_clone_that_has_gone_is_an_error_and_no_other_repository_is_read(shop, opened, monkeypatch):
    commit_id = shop.save("a", "1")
    repository = opened(shop)
    shop.folder.rename(shop.folder.with_name("moved"))
    monkeypatch.chdir(shop.folder.with_name("moved"))
    with pytest.raises(RepositoryNotFoundError, match="has gone"):
        repository.commit("main")
    with pytest.raises(RepositoryNotFoundError, match="has gone"):
        repository.has(commit_id)


@pytest.mark.parametrize("place", ["nowhere", "plain", "plain/file"])
def test_a_path_without_a_repository_is_an_error_with_advice(tmp_path, opened, monkeypatch, place):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/file").write_text("")
    with pytest.raises(RepositoryNotFoundError, match="URL"):
        opened(str(tmp_path / place))
