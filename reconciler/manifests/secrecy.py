"""Where messages must not repeat a value, because people put secrets there.

`document` asks before it says how YAML reads a scalar, `validate` before it says why a value is wrong, and `variables`
before it shows what a variable holds. In doubt nothing is shown: the line and the column say which value is meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.core.masking import secret_name

HIDDEN: Final = "the value does not have the right type or form; it is not shown, for it may be a secret"

_FREE: Final = frozenset(
    "environment command entryPoint options dockerLabels secrets secretOptions values regexValues".split()
)
"""Members that hold anybody's own text: a secret can stand in any of it, whatever the name beside it."""


def may_be_secret(steps: Iterable[str | int]) -> bool:
    """Whether the value at this path may be a secret: by its own name, or by what it stands in."""
    return any(isinstance(step, str) and (step in _FREE or secret_name(step)) for step in steps)
