"""What a step of the tour raises when it did not happen: the demo then leaves with exit code 1."""

from __future__ import annotations

from reconciler.core.errors import ReconcilerError


class DemoFailure(ReconcilerError):  # noqa: N818  # it is told to people as a failure of the tour
    """A step claims something that is not so, or cannot be played."""


def require(condition: object, claim: str) -> None:
    """Raise DemoFailure with the claim unless it holds."""
    if not condition:
        raise DemoFailure(claim)
