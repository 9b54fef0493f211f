"""botocore's exceptions as the errors of `reconciler.core.errors`, with what the gate must know to repeat a call.

Every message names the call, says what AWS said, gives the request id and says what to do next. Parameters of requests
are never in it: they may hold secrets, and botocore's own messages quote them.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from reconciler.aws import error_codes as codes
from reconciler.core.call import Call
from reconciler.core.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnknownOutcomeError,
)

__all__ = ["Cause", "Failure", "translate"]


class Cause(enum.Enum):
    """Why a call failed, as far as it matters for making it again."""

    THROTTLED = "throttled"
    TRANSIENT = "transient"  # the network, or AWS's own failure
    PROPAGATING = "propagating"  # what the request names is not known everywhere yet
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt. `effect_possible`: the request may have done its work, only the answer is missing."""

    error: AwsError
    cause: Cause
    effect_possible: bool = False

    def lost(self, call: Call) -> UnknownOutcomeError:
        """The error for a write that may have taken effect and is not made again blindly."""
        error = self.error
        return UnknownOutcomeError(
            f"{call.name} was sent, but its answer was lost ({error.code or 'no answer'}): it may have taken effect. "
            "The next pass looks at what is there before it writes again.",
            code=error.code,
            call=call.name,
            request_id=error.request_id,
        )


_LONGEST_MESSAGE: Final = 1000  # characters of AWS's text: an encoded authorization message has many more


def translate(error: Exception, call: Call, *, sent: bool = True) -> Failure:
    """What a failed attempt means. `sent` is False while credentials and client were still being prepared.

    For botocore's exceptions only: any other is a fault of the program, and the gate lets it pass as it is.
    """
    match error:
        case boto.ClientError():
            return _answered(error, call)
        case boto.EndpointConnectionError() | boto.ConnectTimeoutError() | boto.ProxyConnectionError():
            return Failure(_unreachable(call), Cause.TRANSIENT)
        case boto.SSLError():
            text = "no TLS connection: check the clock, the proxy and AWS_CA_BUNDLE"
            return Failure(_unreachable(call, text), Cause.TRANSIENT, effect_possible=sent)
        case boto.HTTPClientError() | ResponseParserError():
            return Failure(_cut_short(error, call), Cause.TRANSIENT, effect_possible=sent)
        case boto.ParamValidationError():
            return Failure(_invalid(error, call), Cause.FINAL)
        case _:
            return Failure(_not_set_up(error, call), Cause.FINAL)


def _answered(error: boto.ClientError, call: Call) -> Failure:
    """AWS answered with an error."""
    details = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    code, text = str(details.get("Code", "")), str(details.get("Message") or "")[:_LONGEST_MESSAGE].strip()
    status = int(metadata.get("HTTPStatusCode", 0))
    request_id = str(metadata.get("RequestId", ""))
    name = call.name
    own = error.operation_name in (call.operation, None)
    if not own:  # botocore's own call, on the way to credentials
        name = error.operation_name
    kind, cause = _classify(call if own else Call("sts", error.operation_name), code, text, status)
    where = f"{code or status}{f', request id {request_id}' if request_id else ''}"
    message = f"{name} failed: {text or 'AWS gave no reason'} ({where}). {_advice(name, kind, cause, code, own)}"
    return Failure(
        kind(message, code=code, call=name, request_id=request_id),
        cause,
        effect_possible=own and cause is Cause.TRANSIENT,
    )


def _classify(call: Call, code: str, text: str, status: int) -> tuple[type[AwsError], Cause]:
    fits = (call.service, call.operation, code, text)
    if code in codes.THROTTLING or (status == 429 and code in ("429", "")):
        return UnavailableError, Cause.THROTTLED
    kind = next((row.error for row in codes.MESSAGES if row.fits(*fits)), None) or _by_code(code)
    propagating = next((row for row in codes.PROPAGATING if row.fits(*fits)), None)
    if propagating and status < 500:
        if propagating.throttles:
            return UnavailableError, Cause.THROTTLED
        return kind or RefusedError, Cause.PROPAGATING
    if status >= 500 or code in codes.SERVER:
        return UnavailableError, Cause.TRANSIENT
    return kind or RefusedError, Cause.FINAL


def _by_code(code: str) -> type[AwsError] | None:
    for kind, globs in codes.CLASSES:
        if any(fnmatchcase(code, glob) for glob in globs):
            return kind
    return None


def _advice(name: str, kind: type[AwsError], cause: Cause, code: str, own: bool) -> str:
    if code in codes.CREDENTIALS:
        return "The credentials are not valid, or no longer: renew them (`aws sso login`, or a new role session)."
    if code in codes.CLOCK:
        return "AWS does not accept the signature: check the machine's clock and the secret key."
    if cause is Cause.THROTTLED:
        return "AWS throttles the account; the same is tried again later."
    if not own and kind is AccessDeniedError:
        return "Check that the role exists, that its trust policy names the caller, and the external id."
    if any(fnmatchcase(code, glob) for glob in codes.QUOTAS) and kind is RefusedError:
        return "A quota is used up: raise it in Service Quotas, or delete what is not needed."
    advice: dict[type[AwsError], str] = {
        AccessDeniedError: f"Allow {name} to this role; `reconciler iam-policy` prints all that it needs.",
        NotFoundError: "It was deleted, or never was there; the next pass looks again.",
        ConflictError: "What it is about is in use or being changed; the next pass looks again.",
        UnavailableError: "AWS had a fault; the same is tried again later.",
        RefusedError: "Correct the manifest that it comes from.",
    }
    return advice[kind]


def _unreachable(
    call: Call, text: str = "no connection: check the region, the network and AWS_ENDPOINT_URL"
) -> AwsError:
    return UnavailableError(f"{call.name} could not be sent: {text}.", call=call.name)


def _cut_short(error: Exception, call: Call) -> AwsError:
    match error:
        case boto.ReadTimeoutError():
            reason = "no answer in time"
        case boto.ConnectionClosedError():
            reason = "the connection was closed before the answer"
        case _:
            reason = "the answer is not whole, or not AWS's (a proxy?)"
    return UnavailableError(f"{call.name} failed: {reason}. The same is tried again later.", call=call.name)


_COMPLAINT: Final = re.compile(
    r'^(Missing required parameter in [\w.\[\]]+: "\w+"'
    r'|Unknown parameter in [\w.\[\]]+: "\w+"'
    r"|Invalid (?:type|length|range) for parameter [\w.\[\]]+)",
    re.MULTILINE,
)


def _invalid(error: boto.ParamValidationError, call: Call) -> AwsError:
    """botocore refused the parameters; its report quotes their values, so only the places are taken from it."""
    complaints = "; ".join(_COMPLAINT.findall(str(error.kwargs.get("report", "")))) or "parameters of a wrong form"
    message = f"{call.name} was not sent: {complaints}. Correct the manifest that it comes from."
    return RefusedError(message, code="ParamValidation", call=call.name)


def _not_set_up(error: Exception, call: Call) -> AwsError:
    """Credentials, profile, region or endpoint are wrong: nothing was sent."""
    text = f"{call.name} was not sent: "
    match error:
        case boto.NoCredentialsError():
            text += "there are no AWS credentials. Set AWS_PROFILE, sign in with `aws sso login`, or run with a role."
        case boto.PartialCredentialsError():
            text += "the AWS credentials are incomplete: set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        case boto.SSOError() | boto.TokenRetrievalError() | boto.NoAuthTokenError():
            text += "the SSO session is over, or there is none: run `aws sso login`."
        case boto.CredentialRetrievalError():
            text += "the AWS credentials could not be fetched: check the profile, its role, and the clock."
        case boto.ProfileNotFound():
            text += f"there is no AWS profile {error.kwargs.get('profile')!r}: see `aws configure list-profiles`."
        case boto.NoRegionError() | boto.InvalidRegionError() | boto.UnknownRegionError():
            text += "the region is unknown: correct spec.region of the environment (as in eu-west-1)."
        case boto.UnknownEndpointError() | boto.EndpointProviderError() | boto.InvalidEndpointConfigurationError():
            text += "there is no such endpoint: check spec.region of the environment and AWS_ENDPOINT_URL."
        case boto.UnknownServiceError() | boto.DataNotFoundError():
            text += f"this version of botocore does not know {call.service}: upgrade boto3."
        case _:
            text += f"botocore could not prepare it ({type(error).__name__}): check the AWS configuration."
    is_access = isinstance(
        error,
        boto.NoCredentialsError | boto.PartialCredentialsError | boto.SSOError | boto.TokenRetrievalError
        | boto.NoAuthTokenError | boto.CredentialRetrievalError,
    )  # fmt: skip
    kind = AccessDeniedError if is_access else RefusedError
    return kind(text, code=type(error).__name__, call=call.name)
