"""The AWS kinds that Reconciler knows: every module of this package that has no leading underscore is one.

The engine, the schema generator, the command line and the contract tests iterate over `KINDS`. There is no list to
edit: a new kind is a new module with a `KIND`. A package that does not fit together does not import.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from reconciler.core.kind import Kind

__all__ = ["KINDS", "InvalidKindError", "collect"]


class InvalidKindError(Exception):
    """The kinds do not fit together: a mistake in this package, found when it is imported."""


def collect(modules: Iterable[ModuleType]) -> Mapping[str, Kind]:
    """The kinds of the modules by name, in order of name.

    Raises InvalidKindError when a module has no `KIND`, its file is not named after it, two have one name, or one names
    a kind that does not exist.
    """
    found: dict[str, Kind] = {}
    for module in modules:
        kind = getattr(module, "KIND", None)
        if not isinstance(kind, Kind):
            raise InvalidKindError(f"{module.__name__} has no KIND: a module of this package describes one AWS kind")
        if kind.name in found:
            raise InvalidKindError(f"{module.__name__} describes {kind.name}, which another module describes too")
        if module.__name__.rpartition(".")[2] != _file_name(kind.name):
            raise InvalidKindError(f"{kind.name} belongs into {_file_name(kind.name)}.py, not into {module.__name__}")
        found[kind.name] = kind
    for kind in found.values():
        named = {*kind.reads_after, *(reference.kind for reference in kind.references)}
        if unknown := sorted(named - found.keys()):
            raise InvalidKindError(f"{kind.name} names kinds that do not exist: {', '.join(unknown)}")
        assert kind.table is not None  # noqa: S101 - two rows for one path raise here, not in the first pass
    return MappingProxyType(dict(sorted(found.items())))


def _file_name(kind: str) -> str:
    """`TargetGroup` → `target_group`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


def _modules() -> Iterable[ModuleType]:
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            yield importlib.import_module(f"{__name__}.{module.name}")


KINDS: Final[Mapping[str, Kind]] = collect(_modules())
