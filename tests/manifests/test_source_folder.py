"""A plain folder as the source: what is read of it, and that nothing leads out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.errors import InvalidManifestsError
from reconciler.kinds import KINDS
from reconciler.manifests.document import LARGEST_FILE
from reconciler.manifests.load import load
from reconciler.manifests.source import FolderSource

ENVIRONMENT = """
apiVersion: reconciler/v1
kind: Environment
metadata: {name: one}
spec: {account: "123456789012", region: eu-west-1, layers: [base]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "base" / "deeper").mkdir(parents=True)
    (root / "reconciler.yaml").write_text("installation: acme\nenvironments: one.yaml\n")
    (root / "one.yaml").write_text(ENVIRONMENT)
    (root / "base" / "deeper" / "a.yml").write_text(
        "apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {name: shop}\n"
    )
    (root / "base" / "README.md").write_text("not a manifest")
    return root


def test_the_yaml_files_of_a_folder_and_its_subfolders_are_read(folder):
    desired = load(FolderSource(folder), KINDS, None)
    assert [str(identity) for identity in desired.resources] == ["Cluster/shop"]
    assert desired.commit == "uncommitted"


def test_hidden_files_and_folders_are_left_out(folder):
    (folder / "base" / ".git").mkdir()
    (folder / "base" / ".git" / "x.yaml").write_text("[")
    (folder / "base" / ".hidden.yaml").write_text("[")
    assert len(FolderSource(folder).files("base")) == 1


@pytest.mark.parametrize("target", ["file", "folder", "dangling"])
def test_a_symlink_in_a_layer_is_an_error(folder, tmp_path, target):
    (tmp_path / "file").write_text("secret: yes\n")
    (tmp_path / "folder").mkdir()
    (folder / "base" / "link.yaml").symlink_to(tmp_path / target)
    with pytest.raises(InvalidManifestsError) as caught:
        load(FolderSource(folder), KINDS, None)
    (problem,) = caught.value.problems
    assert (problem.path, "is a symlink" in problem.message) == ("base/link.yaml", True)


@pytest.mark.parametrize("name", ["base", "one.yaml", "reconciler.yaml"])
def test_a_symlink_in_the_place_of_what_is_named_is_an_error(folder, tmp_path, name):
    (folder / name).rename(tmp_path / "moved")
    (folder / name).symlink_to(tmp_path / "moved")
    with pytest.raises(InvalidManifestsError, match="is a symlink"):
        load(FolderSource(folder), KINDS, None)


@pytest.mark.parametrize("path", ["../repository/base", "/etc", "base/../../x", "", "a\\b", "~/x", "C:/x"])
def test_a_path_that_leads_out_is_refused(folder, path):
    with pytest.raises(InvalidManifestsError):
        FolderSource(folder).files(path)


def test_a_layer_that_is_no_folder_is_named(folder):
    with pytest.raises(InvalidManifestsError, match="there is no such folder"):
        FolderSource(folder).files("bsae")
    with pytest.raises(InvalidManifestsError, match="this is a file"):
        FolderSource(folder).files("one.yaml")


def test_a_huge_file_is_not_read_whole(folder):
    with (folder / "base" / "huge.yaml").open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    (huge,) = [file for file in FolderSource(folder).files("base") if file.path == "base/huge.yaml"]
    assert len(huge.content) == LARGEST_FILE + 1
    with pytest.raises(InvalidManifestsError, match="at most 1 MiB"):
        load(FolderSource(folder), KINDS, None)


def test_the_id_of_a_file_is_that_of_its_content(folder):
    (first,) = FolderSource(folder).files("base")
    (folder / "base" / "deeper" / "a.yml").write_text("---\n")
    (second,) = FolderSource(folder).files("base")
    assert first.blob != second.blob
