"""docs/commands.md says what the commands are."""

from __future__ import annotations

import json
import re

from reconciler.cli.app import PANELS
from tests.cli.conftest import Shell
from tools.commands_page import BEGIN, PAGE, reference


def test_the_page_has_every_command_and_option_as_the_help_has_them() -> None:
    """When this fails: `python -m tools.commands_page`."""
    _, marker, made = PAGE.read_text().partition(BEGIN)
    assert marker + made == reference()
    assert "| `DIGEST` | As the plan prints it. |  |" in made  # an argument that must be given has no default


def test_the_table_of_exit_codes_has_every_command() -> None:
    table = PAGE.read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    named = {word for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for word in re.findall(r"`(\w+)", row)}
    assert named == {name for names in PANELS.values() for name in names}


def test_every_field_of_the_json_is_explained(shell: Shell) -> None:
    page = PAGE.read_text()
    shell.stage.edit("environments/test.yaml", ("prune: true", "prune: false"))
    shell.stage.commit("keep")
    shell.settled()
    shell.stage.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    for words in (["status"], ["validate"], ["plan"]):
        said = shell(*words, "--output", "json")
        assert {name for name in names_of(json.loads(said.out)) if f"`{name}`" not in page.replace("[]`", "`")} == set()


def names_of(value: object) -> set[str]:
    """The names of members, but of `params` and `calls`, which are AWS's, and of values."""
    match value:
        case dict():
            inner = {name: one for name, one in value.items() if name not in ("params", "desired", "live", "base")}
            found = {name for name in value if ":" not in name}
            return found.union(*(names_of(one) for one in inner.values()))
        case list():
            return set().union(*map(names_of, value))
        case _:
            return set()
