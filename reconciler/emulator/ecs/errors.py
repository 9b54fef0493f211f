"""The errors that ECS raises, by the names of its API. Raised by this package's operations, serialised by moto."""

from __future__ import annotations

from moto.core.exceptions import ServiceException

__all__ = ["EcsError", "client", "cluster_not_found", "error", "invalid", "service_not_active", "service_not_found"]


class EcsError(ServiceException):
    """An error of the ECS API; `code` is its name in the service model."""


def error(code: str, message: str) -> EcsError:
    """Return the error of that name. The names are those of the ECS API reference."""
    return EcsError(code, message)


def invalid(message: str) -> EcsError:
    """Return an InvalidParameterException."""
    return error("InvalidParameterException", message)


def client(message: str) -> EcsError:
    """Return a ClientException."""
    return error("ClientException", message)


def cluster_not_found() -> EcsError:
    """Return a ClusterNotFoundException, in AWS's words."""
    return error("ClusterNotFoundException", "Cluster not found.")


def service_not_found() -> EcsError:
    """Return a ServiceNotFoundException, in AWS's words."""
    return error("ServiceNotFoundException", "Service not found.")


def service_not_active() -> EcsError:
    """Return a ServiceNotActiveException, in AWS's words."""
    return error("ServiceNotActiveException", "Service was not ACTIVE.")
