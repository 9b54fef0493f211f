"""One call into moto, and whatever it does, an answer: moto's handlers by URL, without Flask in between.

Used by `edge`, inside the world's lock. moto's own server builds a Flask application per service; its in-process mocks
match the URL against `urls.py` and call the handler. This does the latter for requests that came over HTTP: less work
per request, nothing more to import, and moto's crashes stay visible instead of becoming HTML.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from botocore.exceptions import ClientError
from moto import backends
from moto.backend_index import backend_url_patterns
from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from reconciler.emulator.wire import Answer, Incoming, MotoRequest, error_answer

__all__ = ["UNIMPLEMENTED", "Unimplemented", "dispatch"]

UNIMPLEMENTED = "EmulatorUnimplemented"  # a 400: botocore does not retry it, and no AWS error has this name

# Services whose host pattern several moto backends share.
_BACKENDS = {"dynamodb": "dynamodb", "s3": "s3", "elasticloadbalancing": "elbv2"}
_ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>")


class Unimplemented(Exception):  # noqa: N818 - a finding, not an error of ours
    """moto has no such operation, or crashed in it. The text says which, with the traceback's last line."""


def dispatch(call: Incoming) -> Answer:
    """Run the call in moto. Raises Unimplemented where moto does not know it or breaks; else always answers."""
    url = f"https://{call.signing_name}.{call.region}.amazonaws.com{call.environ['PATH_INFO']}"
    try:
        handler = _handler(call.signing_name, url)
    except ImportError as error:
        raise Unimplemented(f"moto's {call.signing_name} needs a package that is not installed: {error}") from error
    if handler is None:
        raise Unimplemented(f"no handler in moto for {url}")
    if call.signing_name not in {"sqs", "s3"}:  # these two build URLs for the client from the host that it used
        call.environ["HTTP_HOST"] = f"{call.signing_name}.{call.region}.amazonaws.com"
    request = MotoRequest(call.environ)
    try:
        status, headers, body = handler(request, request.raw_url, request.headers)
    except HTTPException as error:
        status, headers, body = error.code or 400, dict(error.get_headers()), error.get_body()
    except ServiceException as error:
        return error_answer(call, error.code, error.message)
    except ClientError as error:
        return error_answer(call, error.response["Error"]["Code"], error.response["Error"]["Message"])
    except NotImplementedError as error:
        raise Unimplemented(str(error) or "moto raised NotImplementedError") from error
    except Exception as error:
        raise Unimplemented("moto crashed: " + "".join(traceback.format_exception(error)[-3:])) from error
    return _answer(int(status), dict(headers), body)


def _answer(status: int, headers: dict[str, Any], body: Any) -> Answer:
    clean = {str(k): str(v) for k, v in headers.items() if str(k).lower() not in {"status", "server", "date"}}
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    code = "ok"
    if status >= 400:
        found = _ERROR_CODE.search(raw)
        name = next((v for k, v in clean.items() if k.lower() == "x-amzn-errortype"), "")
        code = found.group(1).decode() if found else _json_code(raw) or name or str(status)
    return Answer(status, clean, raw, code)


def _json_code(raw: bytes) -> str:
    try:
        return str(json.loads(raw).get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        return ""


@cache
def _routes(signing_name: str) -> tuple[tuple[re.Pattern[str], Callable[..., Any]], ...]:
    name = _BACKENDS.get(signing_name)
    host = f"https://{signing_name}.us-east-1.amazonaws.com"
    if name is None:
        name = next((backend for backend, pattern in backend_url_patterns if pattern.match(host)), None)
    if name is None:
        return ()
    found: Any = backends.get_backend(name)  # type: ignore[call-overload]  # the overloads list literal names
    backend = getattr(found, "backend", None) or type(found["global"])
    urls = import_module(backend.__module__.split(".models")[0] + ".urls")
    return tuple(
        (re.compile(path.format(base)), handler) for base in urls.url_bases for path, handler in urls.url_paths.items()
    )


def _handler(signing_name: str, url: str) -> Callable[..., Any] | None:
    return next((handler for pattern, handler in _routes(signing_name) if pattern.match(url)), None)
