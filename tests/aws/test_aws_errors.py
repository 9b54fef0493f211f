"""botocore's exceptions as errors of ours: class, cause, words."""

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from reconciler.aws.errors import Cause, translate
from reconciler.core.call import Call
from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)

CALL = Call("ecs", "UpdateService", {"service": "web", "token": "hunter2"})


def refused(code, message="because", status=400, operation="UpdateService") -> boto.ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-9"},
    }
    return boto.ClientError(response, operation)


@pytest.mark.parametrize(
    ("service", "operation", "code", "message", "expected"),
    [
        ("ecs", "UpdateService", "AccessDeniedException", "no", AccessDeniedError),
        ("ec2", "DescribeVpcs", "UnauthorizedOperation", "no", AccessDeniedError),
        ("ecs", "UpdateService", "ExpiredTokenException", "no", AccessDeniedError),
        ("ecs", "UpdateService", "InvalidSignatureException", "no", AccessDeniedError),
        ("ecs", "UpdateService", "ServiceNotFoundException", "no", NotFoundError),
        ("ecs", "UpdateService", "ServiceNotActiveException", "no", NotFoundError),
        ("elbv2", "DescribeRules", "ListenerNotFound", "no", NotFoundError),
        ("iam", "GetRole", "NoSuchEntity", "no", NotFoundError),
        ("ec2", "DescribeVpcs", "InvalidVpcID.NotFound", "no", NotFoundError),
        ("sqs", "GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue", "no", NotFoundError),
        ("sqs", "GetQueueUrl", "QueueDoesNotExist", "no", NotFoundError),
        ("ecs", "DescribeTaskDefinition", "ClientException", "Unable to describe task definition.", NotFoundError),
        ("cloudformation", "DescribeStacks", "ValidationError", "Stack with id x does not exist", NotFoundError),
        ("elbv2", "DeleteTargetGroup", "ResourceInUse", "no", ConflictError),
        ("ec2", "DeleteSecurityGroup", "DependencyViolation", "no", ConflictError),
        ("ecs", "DeleteCluster", "ClusterContainsServicesException", "no", ConflictError),
        ("ecs", "DeleteCluster", "ClusterContainsContainerInstancesException", "no", ConflictError),
        ("ecs", "UpdateCapacityProvider", "UpdateInProgressException", "no", ConflictError),
        ("elbv2", "SetRulePriorities", "PriorityInUse", "no", ConflictError),
        ("elbv2", "CreateListener", "DuplicateListener", "no", ConflictError),
        ("ecs", "CreateService", "InvalidParameterException", "Creation of service was not idempotent.", ConflictError),
        ("ecr", "DeleteRepository", "RepositoryNotEmptyException", "no", ConflictError),
        ("sqs", "CreateQueue", "QueueNameExists", "no", ConflictError),
        ("sqs", "CreateQueue", "AWS.SimpleQueueService.QueueDeletedRecently", "no", ConflictError),
        ("cloudformation", "UpdateStack", "ValidationError", "Stack is in UPDATE_IN_PROGRESS state", ConflictError),
        ("ec2", "CreateSecurityGroup", "InvalidGroup.Duplicate", "no", ConflictError),
        ("elbv2", "AddTags", "DuplicateTagKeys", "no", RefusedError),
        ("application-autoscaling", "PutScalingPolicy", "ConcurrentUpdateException", "no", ConflictError),
        ("ecs", "UpdateService", "InvalidParameterException", "no", RefusedError),
        ("ecs", "CreateCluster", "LimitExceededException", "no", RefusedError),
        ("elbv2", "CreateRule", "TooManyRules", "no", RefusedError),
        ("elbv2", "DeleteLoadBalancer", "OperationNotPermitted", "no", RefusedError),
    ],
)
def test_each_code_has_its_class(service, operation, code, message, expected):
    failure = translate(refused(code, message, operation=operation), Call(service, operation))
    assert type(failure.error) is expected
    assert failure.cause is Cause.FINAL
    assert not failure.effect_possible


@pytest.mark.parametrize(
    "code", ["Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"]
)
@pytest.mark.parametrize("status", [400, 429, 503])
def test_throttling_had_no_effect_whatever_the_status(code, status):
    failure = translate(refused(code, status=status), CALL)
    assert (type(failure.error), failure.cause, failure.effect_possible) == (UnavailableError, Cause.THROTTLED, False)


@pytest.mark.parametrize(
    "error",
    [refused("ServerException", status=500), refused("InternalFailure", status=400), refused("503", status=503)],
)
def test_a_fault_of_aws_may_have_had_an_effect(error):
    failure = translate(error, CALL)
    assert (type(failure.error), failure.cause, failure.effect_possible) == (UnavailableError, Cause.TRANSIENT, True)


@pytest.mark.parametrize(
    "error",
    [
        boto.EndpointConnectionError(endpoint_url="https://x"),
        boto.ConnectTimeoutError(endpoint_url="https://x"),
        boto.ProxyConnectionError(proxy_url="http://p"),
    ],
)
def test_a_call_that_found_no_connection_had_no_effect(error):
    failure = translate(error, CALL)
    assert (type(failure.error), failure.cause, failure.effect_possible) == (UnavailableError, Cause.TRANSIENT, False)


@pytest.mark.parametrize(
    "error",
    [
        boto.ReadTimeoutError(endpoint_url="https://x"),
        boto.ConnectionClosedError(endpoint_url="https://x"),
        boto.HTTPClientError(error="broken pipe"),
        boto.SSLError(endpoint_url="https://x", error="bad record"),
        ResponseParserError("hunter2"),
    ],
)
def test_a_lost_answer_may_hide_an_effect_but_not_before_the_call_was_sent(error):
    assert translate(error, CALL).effect_possible
    assert not translate(error, CALL, sent=False).effect_possible
    assert "hunter2" not in str(translate(error, CALL).error)


def test_the_message_names_call_reason_code_request_and_what_to_do():
    failure = translate(refused("InvalidParameterException", "No such subnet"), CALL)
    assert str(failure.error) == (
        "ecs:UpdateService failed: No such subnet (InvalidParameterException, request id r-9). "
        "Correct the manifest that it comes from."
    )
    assert (failure.error.code, failure.error.call, failure.error.request_id) == (
        "InvalidParameterException", "ecs:UpdateService", "r-9",
    )  # fmt: skip


def test_a_very_long_message_is_cut():
    assert len(str(translate(refused("UnauthorizedOperation", "x" * 9000), CALL).error)) < 1300


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (boto.NoCredentialsError(), AccessDeniedError, "no AWS credentials"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), AccessDeniedError, "incomplete"),
        (boto.UnauthorizedSSOTokenError(), AccessDeniedError, "aws sso login"),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), AccessDeniedError, "aws sso login"),
        (boto.CredentialRetrievalError(provider="p", error_msg="x"), AccessDeniedError, "check the profile"),
        (boto.ProfileNotFound(profile="shop"), RefusedError, "'shop'"),
        (boto.NoRegionError(), RefusedError, r"spec\.region"),
        (boto.InvalidRegionError(region_name="not a region"), RefusedError, r"spec\.region"),
        (boto.EndpointProviderError(msg="x"), RefusedError, "AWS_ENDPOINT_URL"),
        (boto.UnknownServiceError(service_name="x", known_service_names="y"), RefusedError, "upgrade boto3"),
        (boto.BotoCoreError(), RefusedError, "BotoCoreError"),
    ],
)
def test_what_is_not_set_up_is_one_sentence_with_what_to_do(error, expected, words):
    failure = translate(error, CALL, sent=False)
    assert type(failure.error) is expected
    assert failure.cause is Cause.FINAL
    with pytest.raises(expected, match=words):
        raise failure.error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "Allow ecs:UpdateService to this role"),
        ("ExpiredToken", "renew them"),
        ("RequestTimeTooSkewed", "clock"),
        ("LimitExceededException", "Service Quotas"),
        ("ThrottlingException", "throttles"),
    ],
)
def test_the_advice_fits_the_code(code, words):
    assert words in str(translate(refused(code), CALL).error)


def test_a_role_that_cannot_be_assumed_is_not_taken_for_the_call_itself():
    failure = translate(refused("AccessDenied", operation="AssumeRole"), CALL)
    assert str(failure.error).startswith("AssumeRole failed")
    assert "external id" in str(failure.error)
    lost = translate(refused("InternalFailure", status=500, operation="AssumeRole"), CALL)
    assert (lost.cause, lost.effect_possible) == (Cause.TRANSIENT, False)


def test_propagation_is_a_cause_of_its_own_and_a_server_error_is_not_propagation():
    message = "The target group x does not have an associated load balancer."
    call = Call("ecs", "CreateService")
    refusal = refused("InvalidParameterException", message, operation="CreateService")
    assert translate(refusal, call).cause is Cause.PROPAGATING
    assert translate(
        refused("CertificateNotFound", operation="CreateListener"), Call("elbv2", "CreateListener")
    ).cause is (Cause.PROPAGATING)
    fault = refused("InvalidParameterException", message, status=500, operation="CreateService")
    assert translate(fault, call).cause is Cause.TRANSIENT
