"""`validate`, `render`, `schema`, `graph`: what the manifests say, without AWS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.cli.commands.validate import dot_text, mermaid_text
from reconciler.core.values import ResourceId
from reconciler.kinds import KINDS
from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("example", ["shop", "quickstart"])
def test_the_examples_are_valid_without_aws_and_without_git(shell: Shell, tmp_path: Path, example: str) -> None:
    folder = shutil.copytree(ROOT / "examples" / example, tmp_path / example)
    said = shell("validate", "--repo", str(folder))
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("✓ ")
    assert shell.stage.aws.count("sts:*") == 0


def test_what_is_not_committed_is_checked_too_and_a_commit_on_request(shell: Shell) -> None:
    shell.stage.edit("base/service.yaml", ("desiredCount", "desiredCuont"))
    slip = shell("validate")
    assert slip.code == 1
    assert "did you mean" in slip.err
    assert shell("validate", "--commit", "HEAD").code == 0


def test_problems_are_on_stdout_for_machines(shell: Shell) -> None:
    assert shell("validate", "-o", "json").json == {
        "valid": True,
        "environments": [{"environment": "test", "resources": 7, "warnings": []}],
        "problems": [],
    }
    shell.stage.edit("base/service.yaml", ("desiredCount", "desiredCuont"))
    said = shell("validate", "-o", "json")
    assert (said.code, said.err, said.json["valid"]) == (1, "", False)
    problem = said.json["problems"][0]
    assert (problem["path"], problem["line"]) == ("base/service.yaml", 6)
    assert yaml.safe_load(shell("validate", "-o", "yaml").out) == said.json
    assert shell("validate", "-o", "markdown").out.startswith("- `base/service.yaml:6`")


def test_what_is_rendered_is_a_manifest_again(shell: Shell) -> None:
    said = shell("render")
    documents = list(yaml.safe_load_all(said.out))
    assert documents == shell("render", "-o", "json").json
    assert {one["kind"] for one in documents} == set(KINDS)
    shutil.rmtree(shell.stage.root / "base")
    shell.stage.write({"base/all.yaml": said.out})
    assert shell("validate").code == 0
    shell.stage.commit("rendered")
    assert list(yaml.safe_load_all(shell("render").out)) == documents


def test_a_rendering_is_yaml_or_json(shell: Shell) -> None:
    assert "manifests are YAML or JSON" in shell("render", "-o", "markdown").err


@pytest.mark.parametrize("kind", ["", "Environment", *KINDS])
def test_every_schema_is_valid_json_schema(shell: Shell, kind: str) -> None:
    said = shell("schema", *([kind] if kind else []))
    assert said.code == 0
    Draft202012Validator.check_schema(json.loads(said.out))


def test_a_schema_of_no_kind_names_those_that_there_are(shell: Shell) -> None:
    said = shell("schema", "Servce")
    assert (said.code, said.out) == (1, "")
    assert "there is no kind Servce; there are: Environment, Cluster" in said.err


def test_a_graph_shows_what_needs_what(shell: Shell) -> None:
    assert "└── Service/web\n" in shell("graph").out
    assert "n4 --> n0" in shell("graph", "--format", "mermaid").out
    assert '  "Service/web" -> "Cluster/shop";' in shell("graph", "--format", "dot").out


def test_a_hostile_name_is_refused_without_reaching_the_terminal(shell: Shell) -> None:
    name = json.dumps('x"];a-->b<i>\x1b[31m')
    text = f"apiVersion: reconciler/v1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec: {{}}\n"
    shell.stage.write({"base/more.yaml": text})
    shell.stage.commit("a hostile name")
    said = shell("graph", "--format", "mermaid")
    assert (said.code, said.out) == (1, "")
    assert "\x1b" not in said.err


def test_names_are_escaped_in_drawings() -> None:
    hostile = ResourceId("Cluster", 'x"];a<b>\\')
    assert mermaid_text(hostile) == "Cluster/x#34;#93;#59;a#60;b#62;#92;"
    assert dot_text(hostile) == 'Cluster/x\\"];a<b>\\\\'
