"""An AWS that answers a benchmark's questions from bytes prepared beforehand, so that it is never the slow part.

`python -m benchmarks.canned REPOSITORY --services N` renders the repository, prepares what AWS would say if all of it
were applied, prints its address as one line, and serves until its standard input ends: whoever started it is gone then.
`running` starts it in a process of its own and waits for the address.

It keeps every request; `GET /calls` answers them as `[[service, operation, parameters], …]`, in order, and forgets
them. That record is what the bare boto3 loop repeats, and what the counts of calls are taken from.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from benchmarks.answers import Answers, RefusedError, dumped
from benchmarks.generate import ENVIRONMENT, Fleet
from benchmarks.live import LiveFleet
from reconciler.engine.render import CommitSource
from reconciler.git import open_repository
from reconciler.kinds import KINDS
from reconciler.manifests.load import load

Recorded = list[tuple[str, str, dict[str, Any]]]

_TARGETS: Final = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AnyScaleFrontendService": "application-autoscaling",
}
_VERSIONS: Final = {"2015-12-01": "elbv2", "2011-06-15": "sts"}
_NUMBERS: Final = ("PageSize",)


class Connection(asyncio.Protocol):
    """One kept-alive connection: requests in, answers out, in order."""

    def __init__(self, answers: Answers, record: list[tuple[str, bytes]]) -> None:
        self._answers = answers
        self._record = record
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            stop = end + 4 + int(headers.get("content-length", 0))
            if len(self._received) < stop:
                return
            body = bytes(self._received[end + 4 : stop])
            del self._received[:stop]
            self._transport.write(self._respond(head[0], headers, body))

    def _respond(self, line: str, headers: dict[str, str], body: bytes) -> bytes:
        if line.startswith("GET /calls"):
            calls = [_recorded(target, kept) for target, kept in self._record]
            self._record.clear()
            return _response("200 OK", "application/json", dumped(calls))
        target = headers.get("x-amz-target", "")
        self._record.append((target, body))
        service, operation, params = _recorded(target, body)
        media = "application/x-amz-json-1.1" if target else "text/xml"
        try:
            return _response("200 OK", media, self._answers.answer(f"{service}:{operation}", params))
        except RefusedError as error:
            refusal = {"__type": error.code, "message": str(error)}
            return _response("400 Bad Request", media, dumped(refusal) if target else _xml_error(error))


def _recorded(target: str, body: bytes) -> tuple[str, str, dict[str, Any]]:
    """Service, operation and parameters of a request, the last as boto3 takes them."""
    if target:
        prefix, _, operation = target.partition(".")
        return _TARGETS.get(prefix, prefix), operation, json.loads(body)
    params: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        key, dot, _ = name.partition(".member.")
        if dot:
            params.setdefault(key, []).append(value)
        else:
            params[key] = int(value) if key in _NUMBERS else value
    operation, version = params.pop("Action", ""), params.pop("Version", "")
    return _VERSIONS.get(version, version), operation, params


def _response(status: str, media: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\nDate: {formatdate(usegmt=True)}"
        "\r\nx-amzn-RequestId: 5d6f2f0e-0d7c-4d0a-9f4e-3b8a6f1c2d3e\r\n\r\n"
    )
    return head.encode("latin-1") + body


def _xml_error(error: RefusedError) -> bytes:
    inner = f"<Type>Sender</Type><Code>{error.code}</Code><Message>{error}</Message>"
    return f"<ErrorResponse><Error>{inner}</Error><RequestId>0</RequestId></ErrorResponse>".encode()


def prepared(repository: Path, services: int) -> Answers:
    """The answers for the newest commit of a generated repository."""
    with open_repository(str(repository), repository / "unused") as opened:
        source = CommitSource(opened, opened.commit("HEAD").id)
        desired = load(source, KINDS, ENVIRONMENT)
    return Answers(LiveFleet(Fleet(services), desired))


async def _serve(answers: Answers) -> None:
    record: list[tuple[str, bytes]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers, record), "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def running(repository: Path, services: int) -> Iterator[str]:
    """A server in a process of its own; the value is its address."""
    command = [sys.executable, "-m", "benchmarks.canned", str(repository), "--services", str(services)]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError("the canned AWS did not start; what it says stands above")
            yield address
        finally:
            process.stdin.close()


def calls(address: str) -> Recorded:
    """What was asked since the last time."""
    with urllib.request.urlopen(f"{address}/calls") as answer:  # noqa: S310  # our own server's address
        return [(service, operation, params) for service, operation, params in json.load(answer)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve canned answers for a generated repository.")
    parser.add_argument("repository", type=Path)
    parser.add_argument("--services", type=int, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(prepared(given.repository, given.services)))


if __name__ == "__main__":
    main()
