"""A small HTTP server that answers AWS calls as the test says, and a gate in front of it whose time is virtual."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.aws.gate import Gate
from reconciler.aws.session import Session, connect
from reconciler.aws.trace import TraceRecord

ACCOUNT = "123456789012"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class Request:
    """What arrived: operation, parameters (JSON) or form, headers."""

    operation: str
    params: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Reply:
    """What is sent back. `drop` closes the connection instead; `cut` promises more bytes than are sent."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False


def answer(**members) -> Reply:
    return Reply(json.dumps(members).encode())


def error(code: str, message: str = "no", status: int = 400) -> Reply:
    return Reply(json.dumps({"__type": code, "message": message}).encode(), status)


def xml(operation: str, result: str) -> Reply:
    text = f"<{operation}Response><{operation}Result>{result}</{operation}Result>"
    return Reply(
        f"{text}<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>".encode()
    )


Handler = Callable[[Request], Reply]


class FakeAws:
    """Answers each operation from its script: replies in order, the last one for ever, or a function of the request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.date = "Fri, 02 Jan 2026 04:04:05 GMT"
        self._scripts: dict[str, list[Reply] | Handler] = {}
        self._lock = threading.Lock()
        self.on("GetCallerIdentity", xml("GetCallerIdentity", f"<Account>{ACCOUNT}</Account>"))
        aws = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                aws._serve(self, body)

            def log_message(self, *_: object) -> None:
                pass

            def date_time_string(self, timestamp=None) -> str:
                return aws.date

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def on(self, operation: str, *replies: Reply, by: Handler | None = None) -> None:
        self._scripts[operation] = by or list(replies)

    def operations(self) -> list[str]:
        return [request.operation for request in self.requests if request.operation != "GetCallerIdentity"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, connection: BaseHTTPRequestHandler, body: bytes) -> None:
        target = connection.headers.get("X-Amz-Target")
        if target:
            request = Request(target.rpartition(".")[2], json.loads(body or b"{}"), dict(connection.headers))
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            request = Request(form["Action"], form, dict(connection.headers))
        with self._lock:
            self.requests.append(request)
            script = self._scripts[request.operation]
            reply = None if callable(script) else script.pop(0) if len(script) > 1 else script[0]
        reply = reply or script(request)  # type: ignore[operator]
        self._send(connection, reply)

    def _send(self, connection: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.drop:
            connection.close_connection = True
            connection.connection.shutdown(socket.SHUT_RDWR)
            return
        connection.send_response(reply.status)
        connection.send_header("Content-Length", str(len(reply.body) + (10 if reply.cut else 0)))
        connection.send_header("x-amzn-RequestId", "r-1")
        for name, value in reply.headers.items():
            connection.send_header(name, value)
        connection.end_headers()
        connection.wfile.write(reply.body)
        connection.close_connection = reply.cut


class VirtualTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += timedelta(seconds=seconds)


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    fake = FakeAws()
    yield fake
    fake.close()


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


@pytest.fixture(autouse=True)
def credentials(monkeypatch, tmp_path) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def session(aws) -> Iterator[Session]:
    made = connect("eu-west-1", endpoint_url=aws.url)
    yield made
    made.close()


@pytest.fixture
def trace() -> list[TraceRecord]:
    return []


@pytest.fixture
def make_gate(session, virtual, trace) -> Iterator[Callable[..., Gate]]:
    made: list[Gate] = []

    def make(**changed: Any) -> Gate:
        settings: dict[str, Any] = {
            "account": ACCOUNT,
            "clock": virtual.clock,
            "sleep": virtual.sleep,
            "jitter": lambda most: most,
        }
        gate = Gate(changed.pop("session", session), **(settings | {"trace": trace.append} | changed))
        made.append(gate)
        return gate

    yield make
    for gate in made:
        gate.close()


@pytest.fixture
def gate(make_gate: Callable[..., Gate]) -> Gate:
    return make_gate()
