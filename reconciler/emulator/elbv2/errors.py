"""The errors that Elastic Load Balancing answers, by the codes of its API reference.

Raised by the operations of this package, serialised by moto from the botocore model.
"""

from __future__ import annotations

from reconciler.emulator.errors import AwsError

__all__ = ["ElbError", "in_use", "not_found", "not_permitted", "validation"]

_NOT_FOUND = {
    "loadbalancer": ("LoadBalancerNotFound", "Load balancer '{}' not found"),
    "targetgroup": ("TargetGroupNotFound", "One or more target groups not found"),
    "listener": ("ListenerNotFound", "One or more listeners not found"),
    "listener-rule": ("RuleNotFound", "One or more rules not found"),
}


class ElbError(AwsError):
    """An error with AWS's code (as on the wire: `TargetGroupNotFound`) and message."""


def validation(message: str) -> ElbError:
    """The common answer to input that makes no sense."""
    return ElbError("ValidationError", message)


def not_found(kind: str, name: str) -> ElbError:
    """`kind` is the resource part of the ARN: loadbalancer, targetgroup, listener, listener-rule."""
    code, message = _NOT_FOUND[kind]
    return ElbError(code, message.format(name))


def not_permitted(message: str) -> ElbError:
    """Deletion protection, the default rule, and the like."""
    return ElbError("OperationNotPermitted", message)


def in_use(message: str) -> ElbError:
    """A target group that something still forwards to."""
    return ElbError("ResourceInUse", message)
