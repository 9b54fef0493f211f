"""A repository in memory, and the shortest way from its files to `Desired` or to what is wrong with them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from reconciler.core.errors import InvalidManifestsError, Problem
from reconciler.core.resource import Desired
from reconciler.core.values import Json, ResourceId
from reconciler.kinds import KINDS
from reconciler.manifests.load import load

INSTALLATION = "installation: acme\nenvironments: environments\n"
ENVIRONMENT = """
apiVersion: reconciler/v1
kind: Environment
metadata: {name: production}
spec:
  account: "123456789012"
  region: eu-west-1
  layers: [base, overlays/production]
  variables: {image_tag: 1.40, replicas: 3, public: no, cluster: shop}
"""


@dataclass(frozen=True)
class MemoryFile:
    path: str
    content: bytes

    @property
    def blob(self) -> str:
        return str(hash(self.content))


class Repository:
    """Files by path, as a `Source`; `base` and `overlay` write one file of the two layers."""

    commit = "c0ffee"

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.write("reconciler.yaml", INSTALLATION)
        self.write("environments/production.yaml", ENVIRONMENT)

    def write(self, path: str, text: str) -> Repository:
        self.contents[path] = textwrap.dedent(text).lstrip("\n").encode()
        return self

    def base(self, text: str, name: str = "a.yaml") -> Repository:
        return self.write(f"base/{name}", text)

    def overlay(self, text: str, name: str = "a.yaml") -> Repository:
        return self.write(f"overlays/production/{name}", text)

    def files(self, folder: str) -> Sequence[MemoryFile]:
        paths = sorted(path for path in self.contents if path.startswith(folder + "/"))
        return [MemoryFile(path, self.contents[path]) for path in paths if path.endswith((".yaml", ".yml"))]

    def read(self, path: str) -> bytes | None:
        return self.contents.get(path)

    def load(self, environment: str | None = "production") -> Desired:
        return load(self, KINDS, environment)

    def spec(self, identity: str) -> Json:
        return self.load().resources[ResourceId.parse(identity)].spec

    def problems(self, environment: str | None = "production") -> tuple[Problem, ...]:
        """Everything that is wrong; fails when nothing is."""
        with pytest.raises(InvalidManifestsError) as caught:
            self.load(environment)
        return caught.value.problems

    def problem(self) -> Problem:
        """The only thing that is wrong."""
        (only,) = self.problems()
        return only


@pytest.fixture
def repository() -> Repository:
    return Repository()


def manifest(kind: str, name: str, spec: str = "{}", extra: str = "") -> str:
    """A document; `spec` in flow style."""
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{extra}spec: {spec}\n---\n"


@pytest.fixture
def written():
    """`manifest`, for test files, which cannot import from here."""
    return manifest
