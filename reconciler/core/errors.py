"""The errors of Reconciler, as one small tree.

Each says what is wrong, where, and what to do next. `Retry` tells the engine what may be done about it: nothing before
a new commit or a person, try again later, or look at AWS first because nobody knows whether the write happened.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Retry(enum.Enum):
    """What may be done about an error."""

    TERMINAL = "terminal"  # until the manifest, the permissions or the plan change
    LATER = "later"  # throttled, unavailable: the same again, after a pause
    OBSERVE = "observe"  # sent, but the answer was lost: look at AWS before anything else


class ReconcilerError(Exception):
    """The root: catching it catches every error that has a message for a person."""

    retry = Retry.TERMINAL


class InvalidReferenceError(ReconcilerError):
    """A text that should name a resource does not."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with what a person wrote: where it stands, what it is, what to do."""

    path: str  # of the file, in the repository
    line: int  # from 1; 0 where the whole file is meant
    column: int  # from 1; 0 where the whole line is meant
    field: str  # in the document, as in spec.containerDefinitions[0].image; empty for the document itself
    message: str

    def __str__(self) -> str:
        place = self.path + (f":{self.line}:{self.column}" if self.line else "")
        return f"{place}: {self.field + ': ' if self.field else ''}{self.message}"


class InvalidManifestsError(ReconcilerError):
    """The manifests of a commit cannot be used; `problems` has every reason, not only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PlanError(ReconcilerError):
    """What is desired cannot be planned: a cycle, a reference to nothing, a wave against a dependency."""


class AwsError(ReconcilerError):
    """An AWS call failed. `code` is AWS's error code, `call` the call as `service:Operation`."""

    def __init__(self, message: str, *, code: str = "", call: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.call = call
        self.request_id = request_id


class NotFoundError(AwsError):
    """The object is not there."""


class AccessDeniedError(AwsError):
    """The role may not make this call."""


class RefusedError(AwsError):
    """AWS refuses the request as it is: another answer needs another manifest."""


class ConflictError(AwsError):
    """The object is in a state that forbids the call at present: in use, draining, being changed."""

    retry = Retry.LATER


class UnavailableError(AwsError):
    """Throttled, a server error, or no connection; nothing happened."""

    retry = Retry.LATER


class UnknownOutcomeError(AwsError):
    """The request was sent and the answer lost: whether it took effect is not known."""

    retry = Retry.OBSERVE


class WrongAccountError(AwsError):
    """The credentials belong to another account than the environment's."""
