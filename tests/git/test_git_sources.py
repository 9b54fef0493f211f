"""Which files of a folder are manifests, and what is refused."""

from __future__ import annotations

import pytest

from reconciler.core.errors import InvalidManifestsError
from reconciler.git import Repository, SourceFile, SourceLimits, is_lfs_pointer, manifest_files
from reconciler.git.errors import GitMissingError, ManifestSourceError

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def refused(
    repository: Repository, commit_id: str, folder: str = "base", limits: SourceLimits | None = None
) -> dict[str, str]:
    with pytest.raises(ManifestSourceError) as caught:
        manifest_files(repository, commit_id, folder, limits)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_yaml_files_are_found_in_all_folders_below_in_the_order_of_their_paths(shop, opened):
    for path in ("base/z.yml", "base/a/b/web.yaml", "base/B.YAML", "base/notes.md", "base.yaml", "baseline/x.yaml"):
        shop.write(path, path)
    commit_id = shop.commit()
    blob = shop.git("rev-parse", "HEAD:base/z.yml")
    files = manifest_files(opened(shop), commit_id, "base")
    assert [file.path for file in files] == ["base/B.YAML", "base/a/b/web.yaml", "base/z.yml"]
    assert files[2] == SourceFile("base/z.yml", blob, b"base/z.yml")


def test_hidden_files_and_folders_are_left_out_below_the_folder_but_not_above_it(shop, opened):
    for path in (".deploy/web.yaml", ".deploy/.hidden.yaml", ".deploy/.github/ci.yaml", ".deploy/a/.b/c.yaml"):
        shop.write(path)
    shop.link(".deploy/.link.yaml", "web.yaml")
    commit_id = shop.commit()
    assert [file.path for file in manifest_files(opened(shop), commit_id, ".deploy")] == [".deploy/web.yaml"]


def test_the_root_of_the_repository_can_be_the_folder(shop, opened):
    shop.write("web.yaml")
    commit_id = shop.commit()
    repository = opened(shop)
    for folder in ("", ".", "./"):
        assert [file.path for file in manifest_files(repository, commit_id, folder)] == ["web.yaml"]


def test_a_folder_without_manifests_gives_none(shop, opened):
    commit_id = shop.save("base/notes.md")
    assert manifest_files(opened(shop), commit_id, "base") == ()


def test_odd_names_are_read_as_they_are(shop, opened):
    names = ["base/größe.yaml", "base/two words.yaml", "base/line\nbreak.yaml", "base/-x.yml"]
    for name in names:
        shop.write(name, name)
    files = manifest_files(opened(shop), shop.commit(), "base")
    assert {file.path: file.content.decode() for file in files} == {name: name for name in names}


def test_a_symlink_in_the_place_of_a_manifest_or_a_folder_of_them_is_refused(shop, opened):
    shop.write("base/web.yaml")
    shop.write("shared/api.yaml")
    shop.write("README.md")
    links = {
        "base/api.yaml": "../shared/api.yaml",
        "base/out.yml": "/etc/passwd",
        "base/shared": "../shared",
        "base/outside": "../../elsewhere",
        "base/absolute": "/etc",
        "base/chain": "shared",
        "base/README": "../README.md",
    }
    for path, target in links.items():
        shop.link(path, target)
    problems = refused(opened(shop), shop.commit())
    assert set(problems) == set(links) - {"base/README"}
    assert {message for message in problems.values() if "symlink, which is not followed" not in message} == set()


def test_a_layer_that_is_a_symlink_or_lies_behind_one_is_refused(shop, opened):
    shop.write("shared/sub/web.yaml")
    shop.link("base", "shared")
    commit_id = shop.commit()
    repository = opened(shop)
    for folder in ("base", "base/sub"):
        assert "symlink" in refused(repository, commit_id, folder)["base"]


def test_a_submodule_is_refused_as_a_layer_and_inside_one(shop, opened):
    inner = shop.save("base/web.yaml")
    for path in ("base/module", "module"):
        shop.git("update-index", "--add", "--cacheinfo", f"160000,{inner},{path}")
    shop.git("commit", "-q", "-m", "Add submodules")
    commit_id = shop.git("rev-parse", "HEAD")
    repository = opened(shop)
    assert "submodule" in refused(repository, commit_id)["base/module"]
    assert "submodule" in refused(repository, commit_id, "module/base")["module"]


def test_a_git_lfs_pointer_is_refused_as_a_manifest_and_as_a_folder(shop, opened):
    shop.write("base/web.yaml", POINTER)
    shop.write("base/model.bin", POINTER)
    shop.write("layer", POINTER)
    commit_id = shop.commit()
    repository = opened(shop)
    problems = refused(repository, commit_id)
    assert list(problems) == ["base/web.yaml"]
    assert "git lfs untrack" in problems["base/web.yaml"]
    assert "LFS pointer" in refused(repository, commit_id, "layer")["layer"]


def test_only_small_files_with_the_first_line_of_the_specification_are_lfs_pointers():
    assert is_lfs_pointer(POINTER.encode())
    assert not is_lfs_pointer(b"kind: Service # version https://git-lfs.github.com/spec/v1")
    assert not is_lfs_pointer(POINTER.encode() + b"x" * 1024)


@pytest.mark.parametrize("folder", ["../shop", "base/../..", "/etc", "base/../base"])
def test_a_folder_that_leaves_the_repository_is_refused(shop, opened, folder):
    commit_id = shop.save("base/web.yaml")
    assert "without `..`" in refused(opened(shop), commit_id, folder)[folder]


def test_a_folder_that_is_missing_or_a_file_is_refused_with_advice(shop, opened):
    commit_id = shop.save("base/web.yaml")
    repository = opened(shop)
    assert "no such folder" in refused(repository, commit_id, "bose")["bose"]
    assert "is a file" in refused(repository, commit_id, "base/web.yaml")["base/web.yaml"]


def test_a_huge_file_is_refused_and_the_limit_itself_is_not(shop, opened):
    shop.write("base/just.yaml", b"#" * 1024 * 1024)
    first = shop.commit()
    second = shop.save("base/huge.yaml", b"#" * (1024 * 1024 + 1))
    repository = opened(shop)
    assert len(manifest_files(repository, first, "base")) == 1
    assert refused(repository, second) == {
        "base/huge.yaml": "has 1,048,577 bytes, and 1,048,576 are the most: split it into several files"
    }


def test_too_many_files_and_too_many_bytes_are_refused(shop, opened):
    for number in range(4):
        shop.write(f"base/{number}.yaml", "#" * 10)
    commit_id = shop.commit()
    repository = opened(shop)
    assert "4 manifest files, and 3" in refused(repository, commit_id, limits=SourceLimits(files=3))["base"]
    assert (
        "40 bytes of manifests, and 39" in refused(repository, commit_id, limits=SourceLimits(total_bytes=39))["base"]
    )
    assert len(manifest_files(repository, commit_id, "base", SourceLimits(files=4, total_bytes=40))) == 4


def test_everything_that_is_wrong_is_told_at_once(shop, opened):
    shop.write("base/web.yaml")
    shop.write("base/lfs.yaml", POINTER)
    shop.write("base/huge.yaml", b"#" * 2_000_000)
    shop.write(b"base/caf\xe9\x1b[31m.yaml")
    shop.link("base/link.yaml", "web.yaml")
    commit_id = shop.commit()
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{commit_id},base/module")
    shop.git("commit", "-q", "-m", "Add a submodule")
    problems = refused(opened(shop), shop.git("rev-parse", "HEAD"))
    assert sorted(problems) == [
        "base/caf\\udce9\\x1b[31m.yaml", "base/huge.yaml", "base/lfs.yaml", "base/link.yaml", "base/module",
    ]  # fmt: skip


def test_the_error_is_one_of_invalid_manifests_and_names_every_path(shop, opened):
    shop.link("base/a.yaml", "x")
    shop.link("base/b.yaml", "x")
    commit_id = shop.commit()
    with pytest.raises(InvalidManifestsError, match=r"(?s)base/a\.yaml: is a symlink.*base/b\.yaml: is a symlink"):
        manifest_files(opened(shop), commit_id, "base")


def test_two_thousand_files_are_read_by_two_git_processes_and_again_by_one(shop, opened, git_calls):
    for number in range(2000):
        shop.write(f"base/{number % 50}/{number}.yaml", f"name: service-{number}\n" * 20)
    commit_id = shop.commit()
    repository = opened(shop)
    before = len(git_calls())
    files = manifest_files(repository, commit_id, "base")
    started = len(git_calls()) - before
    again = manifest_files(repository, commit_id, "base")
    assert (len(files), again, started) == (2000, files, 2)  # ls-tree and cat-file
    assert len(git_calls()) - before == 3


def test_a_git_that_is_not_installed_is_said_in_a_sentence(shop, opened, monkeypatch, tmp_path):
    shop.save("a")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissingError, match="git is not installed"):
        opened(shop)
