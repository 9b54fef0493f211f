"""The API models that botocore carries, loaded once per process.

Sessions, the casing tables and paging share one loader, so that a service's model is read from disk and parsed once.
What the API can do is read here, never derived from a version number.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeAlias

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

__all__ = ["LOADER", "Untyped", "operation_model", "paginator", "service_model"]

Untyped: TypeAlias = Any
"""A value of botocore's, which has no types."""

LOADER: Final = Loader(include_default_search_paths=True)


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by botocore's name; raises botocore's UnknownServiceError for another name."""
    return ServiceModel(LOADER.load_service_model(service, "service-2"), service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The model of one operation; raises botocore's OperationNotFoundError for a name that the service lacks."""
    return service_model(service).operation_model(operation)


@cache
def paginator(service: str, operation: str) -> dict[str, Any] | None:
    """How the pages of an operation follow each other, in botocore's own words; None where it has no pages."""
    pagination: dict[str, dict[str, Any]] = LOADER.load_service_model(service, "paginators-1")["pagination"]
    return pagination.get(operation)
