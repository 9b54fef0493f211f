"""Client-side rate limits, below AWS's own, so that a pass never throttles the account's other users.

AWS keeps one token bucket per account, region and group of actions; other programs draw on the same ones. The gate
takes a token of ours, four fifths of AWS's size and rate, before each attempt, and empties the bucket when AWS
throttles nevertheless.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from reconciler.aws.clock import Clock, Sleep

__all__ = ["LIMITS", "SHARE", "Bucket", "Limit", "Limits", "limit_of"]

SHARE: Final = 0.8  # of AWS's bucket; the rest is for people and other programs


@dataclass(frozen=True, slots=True)
class Limit:
    """One of AWS's buckets: the actions that draw on it (globs), its size, and the calls a second that fill it."""

    service: str
    name: str
    operations: tuple[str, ...]
    burst: float
    sustained: float


LIMITS: Final = (
    # Amazon ECS, "Request throttling for the Amazon ECS API"
    Limit("ecs", "delete task definitions", ("DeleteTaskDefinitions",), 5, 1),
    Limit("ecs", "task definition modify", ("RegisterTaskDefinition", "DeregisterTaskDefinition"), 20, 1),
    Limit("ecs", "task definition read", ("DescribeTaskDefinition", "ListTaskDefinition*"), 50, 20),
    Limit("ecs", "deployment read", ("DescribeServiceDeployments", "ListServiceDeployments"), 50, 20),
    Limit("ecs", "revision read", ("DescribeServiceRevisions",), 50, 20),
    Limit("ecs", "service read", ("DescribeServices", "ListServices*", "DescribeTaskSets"), 100, 20),
    Limit("ecs", "service modify", ("*Service", "*ServiceDeployment", "*TaskSet"), 50, 5),
    Limit("ecs", "capacity provider read", ("DescribeCapacityProviders",), 50, 20),
    Limit("ecs", "capacity provider modify", ("*CapacityProvider",), 10, 1),
    Limit("ecs", "cluster read", ("DescribeClusters", "ListClusters"), 50, 20),
    Limit("ecs", "cluster modify", ("*Cluster", "*ClusterSettings", "PutClusterCapacityProviders"), 20, 1),
    Limit("ecs", "tag modify", ("TagResource", "UntagResource"), 20, 10),
    Limit("ecs", "tag read", ("ListTagsForResource",), 50, 20),
    Limit("ecs", "run and stop tasks", ("RunTask", "StartTask", "StopTask"), 100, 40),
    Limit("ecs", "task read", ("DescribeTasks", "ListTasks"), 100, 20),
    # Elastic Load Balancing, "Quotas: API request throttling"
    Limit("elbv2", "load balancer create", ("CreateLoadBalancer", "SetSubnets"), 10, 0.2),
    Limit("elbv2", "target registration", ("RegisterTargets", "DeregisterTargets"), 20, 4),
    Limit("elbv2", "read", ("Describe*", "Get*"), 40, 10),
    Limit("elbv2", "modify", ("*",), 20, 3),
    # CloudTrail: LookupEvents 2 a second
    Limit("cloudtrail", "lookup", ("LookupEvents",), 2, 2),
    # Not published as buckets, or generous: a rate that none of them throttles.
    Limit("*", "read", ("Describe*", "Get*", "List*", "BatchGet*", "Search*", "Lookup*"), 20, 10),
    Limit("*", "modify", ("*",), 10, 5),
)
"""The first row that fits counts, so the narrow ones stand above the wide. Numbers are AWS's, not our share."""


def limit_of(service: str, operation: str) -> Limit:
    """The bucket that AWS takes a call's token from."""
    for limit in LIMITS:
        if limit.service in (service, "*") and any(fnmatchcase(operation, glob) for glob in limit.operations):
            return limit
    raise AssertionError("the table ends with a row for everything")


class Bucket:
    """A token bucket that gives out places in a queue: whoever takes a token that is not there yet learns how long
    to wait for it. Not safe for threads; `Limits` holds its lock.
    """

    def __init__(self, size: float, rate: float, now: datetime) -> None:
        self._size = max(size, 1.0)
        self._rate = rate
        self._tokens = self._size
        self._filled = now

    def take(self, now: datetime) -> float:
        """Take one token; the answer is how many seconds later it may be used."""
        self._fill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def empty(self, now: datetime) -> None:
        """AWS says that its own bucket is empty: so is this."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)

    def _fill(self, now: datetime) -> None:
        passed = max(0.0, (now - self._filled).total_seconds())  # a clock that is set back must not take tokens away
        self._filled = now
        self._tokens = min(self._size, self._tokens + passed * self._rate)


class Limits:
    """The buckets of one account and region; safe for threads."""

    def __init__(self, clock: Clock, sleep: Sleep, *, share: float = SHARE) -> None:
        self._clock = clock
        self._sleep = sleep
        self._share = share
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._by_call: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, service: str, operation: str) -> float:
        """Wait for the call's turn; the answer is the seconds waited. Turns are given in the order of arrival."""
        with self._lock:
            now = self._clock()
            seconds = self._bucket(service, operation, now).take(now)
        if seconds:
            self._sleep(seconds)
        return seconds

    def throttled(self, service: str, operation: str) -> None:
        """AWS throttled the call although it had a token."""
        with self._lock:
            now = self._clock()
            self._bucket(service, operation, now).empty(now)

    def _bucket(self, service: str, operation: str, now: datetime) -> Bucket:
        bucket = self._by_call.get((service, operation))
        if bucket is None:
            limit = limit_of(service, operation)
            key = (service, limit.name)  # a row for all services is a bucket for each
            if key not in self._buckets:
                self._buckets[key] = Bucket(limit.burst * self._share, limit.sustained * self._share, now)
            bucket = self._by_call[service, operation] = self._buckets[key]
        return bucket
