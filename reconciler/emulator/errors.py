"""The error that the emulator's own operations raise: code and message, serialised by moto by the botocore model."""

from __future__ import annotations

from moto.core.exceptions import ServiceException

__all__ = ["AwsError"]


class AwsError(ServiceException):
    """An error with AWS's code (as on the wire) and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
