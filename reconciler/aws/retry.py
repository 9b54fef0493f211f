"""When a failed call is made again, and after what pause. The gate asks; one `Retries` lives as long as one call.

Exponential backoff with full jitter, so that clients which were throttled together do not come back together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeAlias

from reconciler.aws.errors import Cause, Failure

__all__ = ["Jitter", "Retries"]

Jitter: TypeAlias = Callable[[float], float]
"""A random number from 0 to the given one."""

THROTTLED_REPEATS: Final = 8
TRANSIENT_REPEATS: Final = 3
PROPAGATION_SECONDS: Final = 120.0  # aws-behaviour: "some two minutes before calling them terminal"


class Retries:
    """The repeats of one call. `repeat_lost`: a second request does no harm when the first one's answer was lost."""

    def __init__(self, *, repeat_lost: bool, jitter: Jitter) -> None:
        self._repeat_lost = repeat_lost
        self._jitter = jitter
        self._failures: Counter[Cause] = Counter()
        self._propagating = 0.0  # seconds waited for that

    def pause(self, failure: Failure) -> float | None:
        """Seconds to wait before the next attempt; None when there shall be none."""
        self._failures[failure.cause] += 1
        count = self._failures[failure.cause]
        match failure.cause:
            case Cause.THROTTLED if count <= THROTTLED_REPEATS:
                return self._jitter(min(20.0, 0.5 * 2**count))
            case Cause.TRANSIENT if count <= TRANSIENT_REPEATS and (self._repeat_lost or not failure.effect_possible):
                return self._jitter(min(10.0, 0.25 * 2**count))
            case Cause.PROPAGATING:
                seconds = min(10.0, 2.0 * 1.5 ** (count - 1))
                self._propagating += seconds
                return seconds if self._propagating <= PROPAGATION_SECONDS else None
            case _:
                return None
