"""The gate: every AWS call of a pass goes through here, and nothing else makes any.

The engine makes one per environment and pass, and hands it to kinds as `core.call.Reader`. It sees to the right account
before the first call, to the rate limits, to repeats (only of what may be repeated), to one spelling and one tree of
errors, to the trace and the counts, and to the dry run. Crash and lease tests need only this place: `before_write`.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from reconciler.aws.cache import Cache, MemoryCache
from reconciler.aws.casing import from_api, from_json, to_api
from reconciler.aws.clock import Clock, Sleep, utc_now
from reconciler.aws.errors import Cause, Failure, translate
from reconciler.aws.limits import Limits
from reconciler.aws.paging import member_of, paging_of
from reconciler.aws.retry import Jitter, Retries
from reconciler.aws.session import Session
from reconciler.aws.trace import CallKind, Outcome, TraceRecord
from reconciler.aws.wire import keeping_events
from reconciler.core.call import Answer, Call, Repeat
from reconciler.core.errors import UnavailableError, WrongAccountError
from reconciler.core.values import Json

__all__ = ["DryRunError", "Gate"]

_IDENTITY: Final = Call("sts", "GetCallerIdentity")


class DryRunError(RuntimeError):
    """A write reached the gate in a dry run: a fault of the program, which plans writes and must not make them."""


class Gate:
    """AWS for one pass over one account and region; safe for threads, and its own workers' number is bounded.

    `account` is the environment's; None takes whatever account the credentials belong to. `fresh` uses no remembered
    answer that can have changed before this gate was made. `before_write` is called
    before each attempt of each write, and what it raises stops the write: a lost lease, or a test's kill. `trace` is
    called after each attempt, in the thread that made it. `clock`, `sleep` and `jitter` are passed in by tests.
    Close it, or use it as a context manager, to end its threads; the session stays open.
    """

    def __init__(  # noqa: PLR0913  # all but the session by name: what is passed in is what tests and engine vary
        self,
        session: Session,
        *,
        account: str | None,
        cache: Cache | None = None,
        dry_run: bool = False,
        fresh: bool = False,
        workers: int = 8,
        clock: Clock = utc_now,
        sleep: Sleep = time.sleep,
        jitter: Jitter = lambda most: random.uniform(0, most),  # noqa: S311  # spreads clients, guards nothing
        trace: Callable[[TraceRecord], None] | None = None,
        before_write: Callable[[Call], None] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """The attempts made, by `service:Operation`."""
        self._remembered: dict[str, dict[str, datetime]] = defaultdict(dict)  # call → key → when it was read
        self._session = session
        self._account = account
        self._verified = threading.Event()
        self._verifying = threading.Lock()
        self._offset = timedelta(0)
        self._cache = cache if cache is not None else MemoryCache()
        self._dry_run = dry_run
        self._oldest = clock() if fresh else None
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._limits = Limits(clock, sleep)
        self._trace = trace
        self._before_write = before_write
        self._counting = threading.Lock()
        self._families: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._workers = workers
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the worker threads."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    @property
    def account(self) -> str:
        """The account of the credentials; asks AWS the first time. Raises AwsError as `verify_account` does."""
        self.verify_account()
        return self._account or ""

    @property
    def region(self) -> str:
        return self._session.region

    @property
    def remembered(self) -> dict[str, tuple[int, datetime]]:
        """Answers taken from the cache although they can change: how many, and when the oldest was read, by call.

        Each counts once, however many passes the gate has served; one that was read anew counts no more.
        """
        return {name: (len(kept), min(kept.values())) for name, kept in self._remembered.items() if kept}

    def now(self) -> datetime:
        """AWS's time, aware and UTC: the clock given, set right by the first answer's Date. No call is made for it."""
        return self._clock() + self._offset

    def verify_account(self) -> None:
        """Make sure, once, that the credentials belong to the environment's account; every other call does it first.

        Raises WrongAccountError when they do not, and AwsError when AWS cannot tell.
        """
        if self._verified.is_set():
            return
        with self._verifying:
            if self._verified.is_set():
                return
            actual = str(self._make(_IDENTITY, CallKind.READ)["account"])
            if self._account not in (None, actual):
                raise WrongAccountError(
                    f"The AWS credentials belong to account {actual}, but the environment is in {self._account}: "
                    "nothing was read or written. Use credentials or a role of that account, or correct spec.account.",
                    call=_IDENTITY.name,
                )
            self._account = actual
            self._verified.set()

    def read(self, call: Call) -> Answer:
        """The answer to one call. Raises AwsError."""
        self.verify_account()
        return self._make(call, CallKind.READ)

    def read_many(self, calls: Sequence[Call]) -> list[Answer]:
        """The answers in the order of the calls. All are made; then the first error, by order, is raised."""
        if len(calls) < 2:
            return [self.read(call) for call in calls]
        self.verify_account()
        futures = [self._executor().submit(self.read, call) for call in calls]
        return _gathered(futures)

    def pages(self, call: Call, member: str) -> list[Json]:
        """The list at `member` (a dotted path) over all pages. Raises AwsError; never answers with a part."""
        paging = paging_of(call.service, call.operation)
        if paging is None:
            return list(member_of(self.read(call), member) or [])
        params = paging.first(call)
        found: list[Json] = []
        seen: set[str] = set()
        while True:
            answer = self.read(Call(call.service, call.operation, params))
            found += member_of(answer, member) or []
            following = paging.following(answer)
            if following is None:
                return found
            if (token := json.dumps(following, default=str)) in seen:
                raise UnavailableError(f"{call.name} gives the same page for ever: tried again later.", call=call.name)
            seen.add(token)
            params = params | following

    def cached(self, call: Call, *, key: str, max_age_seconds: float | None) -> Answer:
        """The answer remembered under `key`, or a fresh one when there is none or it is older than `max_age_seconds`.

        None means for ever: only for what cannot change. Raises AwsError.
        """
        return self.cached_many({key: call}, max_age_seconds=max_age_seconds)[key]

    def cached_many(self, calls: Mapping[str, Call], *, max_age_seconds: float | None) -> dict[str, Answer]:
        """`cached` for many, by key; what has to be read is read side by side, and what was read is kept even when
        another call fails.
        """
        if not calls:
            return {}
        oldest = None if max_age_seconds is None else self._clock() - timedelta(seconds=max_age_seconds)
        if oldest and self._oldest:
            oldest = max(oldest, self._oldest)
        place = f"{self.account}/{self.region}"
        prefix = f"{self._session.endpoint(_IDENTITY.service)}/{place}/"  # what an emulator says is not what AWS says
        answers: dict[str, Answer] = {}
        for key, call in calls.items():
            kept = self._cache.get(prefix + key)
            if kept and (oldest is None or kept[1] >= oldest):
                answers[key] = from_json(call.service, call.operation, kept[0])
                if oldest is not None:
                    self._remembered[call.name][key] = kept[1]
        missing = [key for key in calls if key not in answers]

        def read_and_keep(key: str) -> Answer:
            answer = self.read(calls[key])
            self._remembered[calls[key].name].pop(key, None)
            self._cache.put(prefix + key, json.loads(json.dumps(answer, default=_jsonable)), self._clock())
            return answer

        if len(missing) < 2:
            fresh = [read_and_keep(key) for key in missing]
        else:
            fresh = _gathered([self._executor().submit(read_and_keep, key) for key in missing])
        answers.update(zip(missing, fresh, strict=True))
        return {key: answers[key] for key in calls}

    def service_events(self, cluster: str, service: str) -> list[Json]:
        """The last events of one service (at most 100, newest first: id, createdAt, message); other reads cut them out.

        Empty for a service that is not there. Raises AwsError.
        """
        with keeping_events():
            answer = self.read(Call("ecs", "DescribeServices", {"cluster": cluster, "services": [service]}))
        return [event for found in answer.get("services", []) for event in found.get("events", [])]

    def write(self, call: Call) -> Answer:
        """Make a change. Raises AwsError: UnknownOutcomeError when it may have taken effect and nobody knows;
        DryRunError in a dry run, with nothing sent.
        """
        if self._dry_run:
            self._record(call, CallKind.WRITE, self._clock(), 1, Outcome.NOT_SENT)
            raise DryRunError(f"{call.name} was to be sent in a dry run")
        self.verify_account()
        with self._families[str(call.params.get("family"))] if _is_registration(call) else nullcontext():
            return self._make(call, CallKind.WRITE)

    def _make(self, call: Call, kind: CallKind) -> Answer:
        """Attempt the call until it has an answer or must not be repeated."""
        writes = kind is CallKind.WRITE
        retries = Retries(repeat_lost=not writes or call.repeat is Repeat.SAFE, jitter=self._jitter)
        lost = False
        attempt = 0
        while True:
            attempt += 1
            self._limits.wait(call.service, call.operation)
            if writes and self._before_write:
                self._before_write(call)
            answer, failure, cause = self._attempt(call, kind, attempt)
            if failure is None:
                return answer
            lost = lost or (writes and failure.effect_possible)
            pause = retries.pause(failure)
            if pause is None:
                if lost and failure.cause is not Cause.FINAL:
                    raise failure.lost(call) from cause
                raise failure.error from cause
            if failure.cause is Cause.THROTTLED:
                self._limits.throttled(call.service, call.operation)
            self._sleep(pause)

    def _attempt(self, call: Call, kind: CallKind, attempt: int) -> tuple[Answer, Failure | None, Exception | None]:
        started = self._clock()
        sent = False
        try:
            client = self._session.client(call.service)
            self._session.ready()
            params = to_api(call.service, call.operation, call.params)
            sent = True
            with self._counting:
                self.counts[call.name] += 1
            answer: Answer = getattr(client, xform_name(call.operation))(**params)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            failure = translate(error, call, sent=sent)
            outcome = Outcome.UNKNOWN if failure.effect_possible and kind is CallKind.WRITE else Outcome.ERROR
            self._record(call, kind, started, attempt, outcome, failure.error.request_id, failure.error.code)
            return {}, failure, error
        metadata = answer.get("ResponseMetadata", {})
        if call is _IDENTITY:
            self._set_clock(metadata.get("HTTPHeaders", {}).get("date", ""))
        self._record(call, kind, started, attempt, Outcome.OK, metadata.get("RequestId", ""))
        return from_api(call.service, call.operation, answer), None, None

    def _record(
        self,
        call: Call,
        kind: CallKind,
        started: datetime,
        attempt: int,
        outcome: Outcome,
        *answer: str,  # request id and error code, as far as there are any
    ) -> None:
        if self._trace:
            seconds = max(0.0, (self._clock() - started).total_seconds())
            self._trace(TraceRecord(call.service, call.operation, kind, started, seconds, attempt, outcome, *answer))

    def _set_clock(self, date: str) -> None:
        """Learn AWS's time from an answer's Date header; without a readable one the clock given counts."""
        try:
            self._offset = parsedate_to_datetime(date) - self._clock()
        except (ValueError, TypeError):
            self._offset = timedelta(0)

    def _executor(self) -> ThreadPoolExecutor:
        with self._counting:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._workers, "aws")
            return self._pool


def _is_registration(call: Call) -> bool:
    return call.name == "ecs:RegisterTaskDefinition"


def _gathered(futures: Sequence[Future[Answer]]) -> list[Answer]:
    """The results in order, after all have ended; raises the first error by order."""
    errors = [future.exception() for future in futures]
    for error in errors:
        if error:
            raise error
    return [future.result() for future in futures]


def _jsonable(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"an answer with a {type(value).__name__} cannot be cached")
