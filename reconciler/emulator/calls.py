"""What the emulator was asked: one record per API call, in the order of arrival.

Written by `edge`, read by tests (`Emulator.calls`, `Emulator.count`), by the trail and by `GET /_emulator/calls`.
It exists because the number of writes is the oracle that an emulated end state cannot give.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

__all__ = ["Call", "is_mutating", "matches"]

_READS = (
    "BatchGet",
    "Check",
    "Describe",
    "Detect",
    "Estimate",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Preview",
    "Query",
    "Receive",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "Validate",
)
_READS_BY_NAME = frozenset(
    {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One API call. `parameters` has the API's own member names; `outcome` is "ok", an AWS error code, or "dropped"."""

    service: str
    operation: str
    region: str
    account: str
    access_key: str
    principal: str
    mutating: bool
    outcome: str
    status: int
    parameters: dict[str, Any]
    request_id: str
    time: datetime
    user_agent: str = ""
    source_ip: str = ""

    @property
    def name(self) -> str:
        """Return `service:Operation`, with botocore's service name (`ecs:UpdateService`, `elbv2:CreateRule`)."""
        return f"{self.service}:{self.operation}"


def is_mutating(operation: str) -> bool:
    """Tell whether an operation changes a resource, by AWS's naming convention."""
    return not operation.startswith(_READS) and operation not in _READS_BY_NAME


def matches(pattern: str, service: str, operation: str) -> bool:
    """Tell whether `ecs:UpdateService`, `elbv2:Create*`, `*:Delete*` or `UpdateService` names this operation."""
    if ":" not in pattern:
        return fnmatchcase(operation, pattern)
    return fnmatchcase(f"{service}:{operation}", pattern)
