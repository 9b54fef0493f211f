"""The README is tried, not imagined: what it promises about permissions and commands is what the code has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from reconciler.kinds import KINDS

ROOT = Path(__file__).parents[2]


def test_the_read_only_policy_of_the_readme_is_what_the_kinds_read() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert block
    policy = json.loads(block[1])
    needed = {action for kind in KINDS.values() for action in kind.permissions.read}
    assert set(policy["Statement"][0]["Action"]) == needed


def test_every_page_that_the_readme_links_to_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link}
    assert {link for link in links if not (ROOT / link).exists()} == set()
