"""AWS calls as values, and what a kind needs of the gate that makes them.

Parameters and answers are in the manifest's vocabulary: lowerCamelCase for every service. The gate translates at the
wire, so kinds, plans and reports have one spelling.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.core.masking import masked
from reconciler.core.values import Json, plain


class Repeat(enum.Enum):
    """What may happen when the answer to a call is lost."""

    SAFE = "safe"  # reads, and writes that leave the same state when made twice: send again
    OBSERVE = "observe"  # a second one would make a second thing, or its refusal would hide the first's success


@dataclass(frozen=True, slots=True)
class Call:
    """One exact API call. `params` may hold `Ref` leaves in a plan; never when it is sent."""

    service: str  # botocore's name: ecs, elbv2, …
    operation: str  # CreateService
    params: Mapping[str, Json] = field(default_factory=dict)
    repeat: Repeat = Repeat.SAFE
    captures: Mapping[str, str] = field(default_factory=dict)
    """Attributes of the resource that the answer gives: attribute → path in it, as `targetGroups.0.targetGroupArn`."""

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    def to_json(self) -> dict[str, Json]:
        """For people and logs: secrets in the parameters are masked."""
        return {"service": self.service, "operation": self.operation, "params": masked(plain(dict(self.params)))}


Answer = dict[str, Any]


class Reader(Protocol):
    """What kinds see of AWS: reads only. Everything it raises is a `reconciler.core.errors.AwsError`."""

    @property
    def account(self) -> str: ...

    @property
    def region(self) -> str: ...

    def read(self, call: Call) -> Answer:
        """The answer to one call."""

    def read_many(self, calls: Sequence[Call]) -> list[Answer]:
        """The answers in the order of the calls, made side by side within the rate limits."""

    def pages(self, call: Call, member: str) -> list[Json]:
        """All of the list `member` of the answer, over every page."""

    def cached(self, call: Call, *, key: str, max_age_seconds: float | None) -> Answer:
        """The answer remembered under `key`, or a fresh one when there is none or it is older than `max_age_seconds`.

        None means for ever: only for what cannot change, such as a task definition's content.
        """

    def cached_many(self, calls: Mapping[str, Call], *, max_age_seconds: float | None) -> dict[str, Answer]:
        """`cached` for many, by key; what has to be read is read side by side."""


def batches(items: Sequence[Json], size: int) -> list[list[Json]]:
    """The items in order, at most `size` at a time: the API's batch limits."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
