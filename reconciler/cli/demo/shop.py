"""The repository of the tour: made from examples/shop, and changed by commits as its owners would make them.

Git is started as a person starts it, but without this machine's configuration: its hooks, signatures and identities are
none of the tour's business. (`reconciler.git` only ever reads.)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from reconciler.cli.demo.failure import DemoFailure, require

ENVIRONMENT: Final = "production"
ENVIRONMENT_FILE: Final = f"environments/{ENVIRONMENT}.yaml"
_OPTIONS: Final = ("core.hooksPath=/dev/null", "commit.gpgSign=false", "merge.verifySignatures=false")
_PEOPLE: Final = {"name": "Ada Example", "email": "ada@shop.example"}


class Shop:
    """A clone on disk, on its branch `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path, variables: Mapping[str, str]) -> Shop:
        """Copy the example into a folder that is empty or not there, put in the variables, and commit.

        Raises DemoFailure when the folder has content, or git cannot be used.
        """
        refuse_content(folder)
        shutil.copytree(_example(), folder, dirs_exist_ok=True)
        shop = cls(folder)
        text = shop.read(ENVIRONMENT_FILE)
        for name, value in variables.items():
            text, count = re.subn(rf"(?m)^(\s+{name}: ).*$", rf"\g<1>{value}", text)
            require(count == 1, f"{ENVIRONMENT_FILE} of the example has no variable {name}")
        shop.write({ENVIRONMENT_FILE: text})
        shop.git("init", "--quiet", "--initial-branch=main")
        for key, value in _PEOPLE.items():
            shop.git("config", f"user.{key}", value)  # for whoever commits here after the tour
        shop.commit("Describe the shop")
        return shop

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            (self.folder / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in a file once."""
        text = self.read(path)
        require(text.count(old) == 1, f"{path} was to be edited, but has {text.count(old)} times {old!r}")
        self.write({path: text.replace(old, new)})

    def commit(self, message: str) -> str:
        """Commit everything. Returns the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def changed_lines(self, revision: str = "HEAD") -> list[str]:
        """What a commit changed against its first parent, as `-old` and `+new` lines, each file's path above them."""
        shown = self.git("diff", "--unified=0", "--no-color", "--no-ext-diff", f"{revision}~1", revision)
        lines: list[str] = []
        for line in shown.splitlines():
            if line.startswith("+++ "):
                lines.append(line.removeprefix("+++ ").removeprefix("b/"))
            elif line.startswith(("+", "-")) and not line.startswith("--- "):
                lines.append(line)
        return lines

    def git(self, *arguments: str) -> str:
        """Run git in the clone. Raises DemoFailure with what it said."""
        options = [word for option in _OPTIONS for word in ("-c", option)]
        command = ["git", "-C", str(self.folder), *options, *arguments]
        try:
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=_surroundings())
        except FileNotFoundError as error:
            raise DemoFailure("git is not installed, or not on the PATH: install git 2.36 or newer") from error
        except subprocess.CalledProcessError as error:
            said = (error.stderr or error.stdout).strip()
            raise DemoFailure(f"git {arguments[0]} failed in {self.folder}: {said}") from error
        return done.stdout.strip()


def refuse_content(folder: Path) -> None:
    """Raise DemoFailure unless the folder is empty or not there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DemoFailure(f"{folder} is not empty: name a folder for the demo's repository that it may fill")


def _surroundings() -> dict[str, str]:
    """The variables that git sees: nobody's configuration, no surrounding repository, no editor that waits."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    people = {f"GIT_{role}_{key.upper()}": value for role in ("AUTHOR", "COMMITTER") for key, value in _PEOPLE.items()}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true", "LC_ALL": "C"}
    return kept | people | alone


def _example() -> Path:
    """The example in a wheel, or in a checkout."""
    inside = Path(str(resources.files("reconciler"))) / "examples" / "shop"
    beside = Path(__file__).parents[3] / "examples" / "shop"
    found = next((place for place in (inside, beside) if place.is_dir()), None)
    if found is None:
        raise DemoFailure("examples/shop is missing in this installation: install it anew, or use a checkout")
    return found
