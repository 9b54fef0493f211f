"""A reader of Dockerfiles, as far as the tests of ours need one: its stages, and the instructions of each."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_CONTINUED = re.compile(r"\\\n")
_COMMENT = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Instruction:
    """One instruction: `RUN`, and what follows it on one line."""

    name: str
    text: str

    def words(self) -> list[str]:
        """The arguments: of a JSON list its entries, else split as a shell does."""
        return list(json.loads(self.text)) if self.text.startswith("[") else shlex.split(self.text)


@dataclass
class Stage:
    """A stage: the image that it starts from, its name, and its instructions."""

    image: str
    name: str = ""
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Its instructions of one name, in order."""
        return [instruction for instruction in self.instructions if instruction.name == name]


def parse(path: Path) -> list[Stage]:
    """Return the stages of a Dockerfile."""
    stages: list[Stage] = []
    for instruction in _instructions(path.read_text(encoding="utf-8")):
        if instruction.name == "FROM":
            image, *rest = instruction.words()
            stages.append(Stage(image, rest[1] if rest else ""))
        else:
            stages[-1].instructions.append(instruction)
    return stages


def _instructions(text: str) -> Iterable[Instruction]:
    for line in _CONTINUED.sub(" ", _COMMENT.sub("", text)).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield Instruction(name.upper(), re.sub(r" +", " ", rest.strip()))


@pytest.fixture(scope="session")
def stages() -> list[Stage]:
    """The stages of the project's Dockerfile."""
    return parse(ROOT / "Dockerfile")


@pytest.fixture(scope="session")
def final(stages: list[Stage]) -> list[Instruction]:
    """The instructions that make the image: those of the stages that the last one starts from, and its own."""
    by_name = {stage.name: stage for stage in stages}
    chain = [stages[-1]]
    while chain[0].image in by_name:
        chain.insert(0, by_name[chain[0].image])
    return [instruction for stage in chain for instruction in stage.instructions]
