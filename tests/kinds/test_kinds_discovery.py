"""Kinds are found by walking their package, and what does not fit together does not import."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from types import ModuleType

import pytest

import reconciler.kinds
from reconciler.core.fields import Field
from reconciler.core.kind import Kind, Reference
from reconciler.kinds import KINDS, InvalidKindError, collect


def module(name: str, kind: Kind | None = None) -> ModuleType:
    made = ModuleType(f"reconciler.kinds.{name}")
    if kind is not None:
        vars(made)["KIND"] = kind
    return made


CLUSTER = replace(KINDS["Cluster"], references=(), reads_after=())


def test_every_module_of_the_package_is_a_kind():
    found = {name for _, name, _ in pkgutil.iter_modules(reconciler.kinds.__path__) if not name.startswith("_")}
    assert len(KINDS) == len(found)
    assert {kind.name for kind in KINDS.values()} == set(KINDS)


def test_a_new_kind_is_a_new_module_and_nothing_else():
    queue = replace(CLUSTER, name="MessageQueue")
    assert dict(collect([module("cluster", CLUSTER), module("message_queue", queue)])) == {
        "Cluster": CLUSTER,
        "MessageQueue": queue,
    }


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ([module("cluster")], "has no KIND"),
        ([module("cluster", CLUSTER), module("other", CLUSTER)], "another module describes too"),
        ([module("group", CLUSTER)], "belongs into cluster.py"),
        ([module("cluster", replace(CLUSTER, reads_after=("Nothing",)))], "kinds that do not exist: Nothing"),
        ([module("cluster", replace(CLUSTER, references=(Reference("a", "Nil"),)))], "kinds that do not exist: Nil"),
    ],
)
def test_what_does_not_fit_together_is_refused(modules, says):
    with pytest.raises(InvalidKindError, match=says):
        collect(modules)


def test_two_rows_for_one_path_are_refused():
    with pytest.raises(ValueError, match="two rows for a"):
        collect([module("cluster", replace(CLUSTER, fields=(Field("a"), Field("a"))))])
