"""How long things take in the emulated ECS, in virtual seconds, and its limits: the one table to tune.

Used by every module of this package. Real ECS takes some ten times as long; what matters to a client is the order of
the steps and that each can be seen, so the emulator is as quick as one tick a second allows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

PROVISIONING: Final = timedelta(seconds=1)
PENDING: Final = timedelta(seconds=2)
ACTIVATING: Final = timedelta(seconds=1)

CRASH_AFTER: Final = timedelta(seconds=1)
"""From RUNNING to the exit of a container whose image tag says `crash`."""

PROVEN_AFTER: Final = timedelta(seconds=2)
"""A running task without any health check counts as healthy after this: longer than CRASH_AFTER, so that a crash loop
never counts as healthy."""

CONTAINER_UNHEALTHY_AFTER: Final = timedelta(seconds=3)
"""From RUNNING to UNHEALTHY, for a container with a health check and an image tag that says `unhealthy`."""

DRAIN_AT_MOST: Final = timedelta(seconds=5)
"""ECS waits for the target group's deregistration_delay (300 s by default); the emulator waits no longer than this."""

STOP_STEP: Final = timedelta(seconds=1)
"""DEACTIVATING and STOPPING take one step each: a task stops in 2 s when it drains nothing."""

ALARM_BAKE: Final = timedelta(seconds=5)
"""How long deployment alarms are watched after the steady state, before the deployment counts as completed."""

RETRY_STEP: Final = timedelta(seconds=1)
RETRY_AT_MOST: Final = timedelta(seconds=10)
"""After n consecutive failures the service scheduler waits n steps, at most this, before it starts tasks again."""

PLACEMENT_EVENT_EVERY: Final = timedelta(seconds=60)
"""An unplaceable task is reported again after this long."""

STOPPED_KEPT: Final = timedelta(hours=1)
"""Stopped tasks can be described for an hour (DescribeTasks: "at least one hour")."""

HISTORY_KEPT: Final = timedelta(days=90)
"""Service deployments can be listed for 90 days (ListServiceDeployments)."""

EVENTS_KEPT: Final = 100
"""DescribeServices returns the newest hundred events."""

BREAKER_LEAST: Final = 3
BREAKER_MOST: Final = 200
BREAKER_PERCENT: Final = 50
"""Circuit breaker: threshold = 0.5 x desired, rounded up, at least 3 and at most 200 consecutive failures (ECS API
reference, ServiceDeploymentCircuitBreaker.threshold; ThresholdConfiguration: BOUNDED_PERCENT 50)."""

FIRST_DYNAMIC_PORT: Final = 32768
LAST_DYNAMIC_PORT: Final = 60999
"""The host ports that bridge networking hands out (ECS developer guide, "portMappings.hostPort")."""
