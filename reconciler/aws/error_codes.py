"""AWS's error codes as data: which class of our error tree each belongs to, and which pass by themselves.

Read by `errors`, top down: first the rows by message, then the code tables in the order of `CLASSES`; what no row
knows is a refusal when the status is below 500. Sources: the "Common errors" and per-action error lists of each API
reference, botocore's list of throttling codes, and the recorded experience of other tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from reconciler.core.errors import AccessDeniedError, AwsError, ConflictError, NotFoundError, RefusedError

__all__ = [
    "CLASSES", "CLOCK", "CREDENTIALS", "MESSAGES", "PROPAGATING", "QUOTAS", "SERVER", "THROTTLING",
    "MessageRow", "Propagating",
]  # fmt: skip

THROTTLING: Final = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "KMSThrottling", "KMSThrottlingException", "KmsThrottled",
    "PriorRequestNotComplete", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "Throttled", "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException",
})  # fmt: skip
"""The request was turned away before it did anything. LimitExceededException, which botocore counts in, is a quota."""

SERVER: Final = frozenset({
    "InternalError", "InternalException", "InternalFailure", "InternalServerError", "InternalServerException",
    "InternalServiceError", "InternalServiceException", "InternalServiceFault", "RequestTimeout",
    "RequestTimeoutException", "ServerException", "ServiceException", "ServiceFailure", "ServiceUnavailable",
    "ServiceUnavailableException", "Unavailable",
})  # fmt: skip
"""AWS failed, whatever the status says; the request may have taken effect."""

CREDENTIALS: Final = frozenset({
    "AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId",
    "InvalidClientTokenId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
})  # fmt: skip

CLOCK: Final = frozenset({
    "InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
})  # fmt: skip
"""A signature that AWS does not accept: the machine's clock, or a secret key that is not the key's."""

QUOTAS: Final = ("LimitExceeded*", "*LimitExceeded", "*LimitExceededException", "TooMany*", "*QuotaExceeded*")

CLASSES: Final[tuple[tuple[type[AwsError], tuple[str, ...]], ...]] = (
    (AccessDeniedError, (
        "*AccessDenied*", "AuthorizationError*", "*NotAuthorized*", "UnauthorizedOperation", "*.UnauthorizedOperation",
        "OptInRequired", "AccountProblem", *sorted(CREDENTIALS), *sorted(CLOCK),
    )),
    (ConflictError, (
        "*.Duplicate", "*AlreadyExists*", "*InProgress", "*InProgressException", "*InUse", "*NameExists",
        "*NotEmpty*", "*NotReady",
        "AWS.SimpleQueueService.QueueDeletedRecently", "CapacityReservationPending", "ClusterContains*Exception",
        "ConcurrentAccess*", "ConcurrentModification*", "ConcurrentUpdate*", "ConflictException", "DeleteConflict*",
        "DependencyViolation", "Duplicate*Name", "DuplicateListener", "DuplicateRequest",
        "EntityTemporarilyUnmodifiable*", "IncorrectInstanceState", "IncorrectState*", "InvalidState",
        "InvalidStateException", "OperationAborted*", "QueueDeletedRecently", "ResourceConflict*",
        "ResourceContention*", "ResourceInUse*", "ScalingActivityInProgress*", "StaleRequest*",
    )),
    (NotFoundError, (
        "*NotFound", "*NotFoundException", "*NotFoundFault", "*NotFoundError", "*.NotFound", "NoSuch*",
        "*DoesNotExist*", "*NonExistentQueue", "*NonExistent*", "ServiceNotActiveException",
    )),
    (RefusedError, QUOTAS),
)  # fmt: skip
"""Globs of codes by class; the first class that fits counts."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A code that means several things: which one, by a piece of the message. Globs; case does not matter in it."""

    service: str
    operation: str
    code: str
    fragment: str
    error: type[AwsError]

    def fits(self, service: str, operation: str, code: str, message: str) -> bool:
        return _fits(self, service, operation, code, message)


MESSAGES: Final = (
    MessageRow("ecs", "DescribeTaskDefinition", "ClientException", "unable to describe task definition", NotFoundError),
    MessageRow("ecs", "CreateService", "InvalidParameterException", "was not idempotent", ConflictError),
    MessageRow("ecs", "CreateService", "InvalidParameterException", "still draining", ConflictError),
    MessageRow("cloudformation", "*", "ValidationError", "does not exist", NotFoundError),
    MessageRow("cloudformation", "UpdateStack", "ValidationError", "_in_progress state", ConflictError),
    MessageRow("autoscaling", "*", "ValidationError", "name not found", NotFoundError),
    MessageRow("application-autoscaling", "*", "ValidationException", "no scalable target", NotFoundError),
)


@dataclass(frozen=True, slots=True)
class Propagating:
    """A refusal that ends by itself: what the request names was made just now, and is not known everywhere yet."""

    service: str
    operation: str
    code: str
    fragment: str
    throttles: bool = False  # repeated as a throttled call is, not as one that waits for propagation

    def fits(self, service: str, operation: str, code: str, message: str) -> bool:
        return _fits(self, service, operation, code, message)


PROPAGATING: Final = (
    # One registration per family at a time; the gate serialises its own, another program's may be in the way.
    Propagating("ecs", "RegisterTaskDefinition", "ClientException", "too many concurrent attempts", throttles=True),
    # IAM: a role or policy takes some ten seconds to be known to the service that assumes it.
    Propagating("ecs", "*", "*", "unable to assume the service linked role"),
    Propagating("ecs", "*", "*", "unable to assume role"),
    Propagating("ecs", "*", "*", "verify that the ecs service role being passed has the proper permissions"),
    Propagating("ecs", "RegisterTaskDefinition", "ClientException", "role is not valid"),
    Propagating("application-autoscaling", "RegisterScalableTarget", "ValidationException", "unable to assume"),
    Propagating("scheduler", "*Schedule", "ValidationException", "assume the role"),
    Propagating("autoscaling", "*AutoScalingGroup", "ValidationError", "invalid iaminstanceprofile"),
    Propagating("ec2", "*", "InvalidParameterValue", "invalid iam instance profile"),
    Propagating("elbv2", "*Listener*", "CertificateNotFound", ""),
    # ELB: a target group is usable by ECS some seconds after a rule begins to forward to it.
    Propagating("ecs", "*Service", "InvalidParameterException", "does not have an associated load balancer"),
    # The read replicas of ELB and ECS lag behind a create.
    Propagating("elbv2", "CreateListener", "TargetGroupNotFound", ""),
    Propagating("elbv2", "CreateListener", "LoadBalancerNotFound", ""),
    Propagating("elbv2", "CreateRule", "TargetGroupNotFound", ""),
    Propagating("elbv2", "CreateRule", "ListenerNotFound", ""),
    Propagating("application-autoscaling", "RegisterScalableTarget", "ValidationException", "service doesn't exist"),
)
"""Repeated for two minutes before they count (aws-behaviour: "IAM and ELB propagation are eventually consistent")."""


def _fits(row: MessageRow | Propagating, service: str, operation: str, code: str, message: str) -> bool:
    return (
        row.service == service
        and fnmatchcase(operation, row.operation)
        and fnmatchcase(code, row.code)
        and row.fragment in message.lower()
    )
