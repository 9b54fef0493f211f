"""HTTP to API call and back: which operation a request means, and how an error of it looks on the wire.

Used by `edge` before and after moto. It knows AWS's protocols only through moto's parsers and serialisers, which are
driven by the botocore model; the emulator itself never writes XML or JSON by hand, except where a fault wants garbage.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.core import errors as moto_errors
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from reconciler.emulator.errors import AwsError

__all__ = ["Answer", "Incoming", "MotoRequest", "error_answer", "parse", "set_body"]

# Signing name → botocore's service name, where they differ, for the services that are told apart by nothing else.
_BOTOCORE_NAMES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "email": "ses",
    "states": "stepfunctions",
    "servicequotas": "service-quotas",
    "elasticfilesystem": "efs",
    "eventbridge": "events",
}
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_ELB_CLASSIC = "2012-06-01"


class MotoRequest(Request):
    """moto's request, marked as coming from a server, so that moto leaves the transport's headers to us."""

    from_wsgi_server = True


@dataclass(slots=True)
class Answer:
    """One HTTP answer. `code` is the AWS error code, or "ok"."""

    status: int
    headers: dict[str, str]
    body: bytes
    code: str = "ok"


@dataclass(slots=True)
class Incoming:
    """One request, understood. `parameters` has the API's member names; operation "" means: not an AWS API call."""

    environ: dict[str, Any]
    body: bytes
    service: str
    signing_name: str
    operation: str
    region: str
    access_key: str
    parameters: dict[str, Any] = field(default_factory=dict)
    account: str = ""

    def header(self, name: str) -> str:
        """Return a request header, or ""."""
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))


@cache
def model_of(service: str) -> ServiceModel | None:
    """Return the botocore model of a service as moto reads it, or None where there is none of that name."""
    try:
        return get_service_model(service)
    except Exception:  # noqa: BLE001 - botocore has several errors for "no such data"; each means: unknown service
        return None


def set_body(environ: dict[str, Any], body: bytes) -> None:
    """Make `body` what the next reader of this environ finds."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def parse(environ: dict[str, Any], body: bytes, default_region: str) -> Incoming:
    """Understand a request: service and region by its signature, the operation by header, form or path."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found:
        access_key, region, signing = found.group(1), found.group(2), found.group(3).lower()
    else:
        query = parse_qs(environ.get("QUERY_STRING", ""))
        scope = unquote(query.get("X-Amz-Credential", [""])[0]).split("/")
        access_key, region, signing = (scope[0], scope[2], scope[3]) if len(scope) > 4 else ("", default_region, "s3")
    set_body(environ, body)
    call = Incoming(environ, body, _BOTOCORE_NAMES.get(signing, signing), signing, "", region, access_key)
    target = call.header("X-Amz-Target")
    content_type = environ.get("CONTENT_TYPE", "")
    if target:
        call.operation = target.rpartition(".")[2]
        call.parameters = _json_object(body)
    elif content_type.startswith("application/x-www-form-urlencoded") and b"Action=" in body:
        _parse_form(call)
    else:
        _parse_rest(call)
    return call


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _parse_form(call: Incoming) -> None:
    form = parse_qs(call.body.decode(), keep_blank_values=True)
    call.operation = form["Action"][0]
    if call.service == "elbv2" and form.get("Version") == [_ELB_CLASSIC]:
        call.service = "elb"
    elif not call.signing_name or (call.signing_name == "s3" and call.operation.startswith("AssumeRoleWith")):
        call.service = call.signing_name = "sts"
    operation = operation_model(call.service, call.operation)
    if operation is None:
        return
    values = {key: value[0] for key, value in form.items()}
    parser: Any = PROTOCOL_PARSERS["ec2" if call.service == "ec2" else "query"](operation)
    call.parameters = dict(parser.parse({"values": values}) or {})


def _parse_rest(call: Incoming) -> None:
    service = model_of(call.service)
    if service is None:
        return
    request = MotoRequest(dict(call.environ))
    try:
        operation, uri = get_service_router(call.service).match(request)
    except Exception:  # noqa: BLE001 - the router has several ways to say that no operation has this path
        return
    call.operation = operation.name
    call.parameters = {**_json_object(call.body), **{str(k): v for k, v in uri.items()}}


def operation_model(service: str, operation: str) -> OperationModel | None:
    """Return the model of an operation, or None where the loaded botocore knows none of that name."""
    model = model_of(service)
    if model is None or operation not in model.operation_names:
        return None
    return model.operation_model(operation)


def error_answer(call: Incoming, code: str, message: str, status: int | None = None) -> Answer:
    """Render an AWS error in the protocol of the call; `status` defaults to what the service's model says, else 400."""
    model = model_of(call.service)
    if model is None:
        text = json.dumps({"__type": code, "message": message}).encode()
        return Answer(status or 400, {"Content-Type": "application/x-amz-json-1.1"}, text, code)
    operation = operation_model(call.service, call.operation) or OperationModel({}, model)
    try:
        protocol = determine_request_protocol(model, call.environ.get("CONTENT_TYPE", ""))
    except NotImplementedError:
        protocol = str(model.protocol)
    if code not in moto_errors.COMMON_ERROR_CODES:
        moto_errors.COMMON_ERROR_CODES.append(code)  # else moto warns that the service's model has no such error
    rendered = get_serializer_class(call.service, protocol)(operation).serialize(AwsError(code, message))
    body = rendered["body"]
    headers = {str(k): str(v) for k, v in rendered["headers"].items()}
    headers.setdefault("x-amzn-ErrorType", code)
    return Answer(
        status or int(rendered["status_code"]), headers, body.encode() if isinstance(body, str) else body, code
    )
