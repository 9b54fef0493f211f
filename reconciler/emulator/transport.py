"""HTTP/1.1 with keep-alive in threads, from the standard library, in front of the edge.

`server.Emulator` starts it. Not werkzeug's server: that one closes the connection after every answer, and a connection
that a client means to reuse is where dropped answers and retries become interesting. An answer goes out in one write,
or Nagle's algorithm and delayed acknowledgements cost 40 ms a call.
"""

from __future__ import annotations

import io
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_to_bytes

from reconciler.emulator.edge import ConnectionDropped
from reconciler.emulator.wire import Answer

__all__ = ["Application", "Transport"]

Application = Callable[[dict[str, Any], bytes], Answer]


class Transport(ThreadingHTTPServer):
    """A listening socket, a thread that accepts, and one thread per connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, application: Application) -> None:
        self.application = application
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="emulator", daemon=True)

    def start(self) -> None:
        """Begin to serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and close every connection that clients still keep."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._guard:
            open_connections = list(self._connections)
        for connection in open_connections:
            _shut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then serve it in a thread of its own."""
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection, and close it."""
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away in the middle of an answer is not our error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Transport

    def _serve(self) -> None:
        body = self._body()
        try:
            answer = self.server.application(self._environ(), body)
        except ConnectionDropped:
            self.close_connection = True
            _shut(self.connection)
            return
        except Exception:  # noqa: BLE001 - a bug of ours must reach whoever runs the client, not end in silence
            answer = Answer(500, {"Content-Type": "text/plain"}, traceback.format_exc().encode())
        self._send(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)

    def _environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.input_terminated": True,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
                environ[key] = value
            elif key != "TRANSFER_ENCODING":
                previous = environ.get("HTTP_" + key)
                environ["HTTP_" + key] = f"{previous},{value}" if previous else value
        return environ

    def _send(self, answer: Answer) -> None:
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {answer.status} {phrase}"]
        has_length = False
        for name, value in answer.headers.items():
            if name.lower() == "content-length":
                if self.command != "HEAD":
                    continue
                has_length = True
            lines.append(f"{name}: {value}")
        if not has_length and answer.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(answer.body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        silent = self.command == "HEAD" or answer.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        self.wfile.write(head if silent else head + answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Log nothing: the calls are recorded at the edge."""


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it was closed already
        connection.shutdown(socket.SHUT_RDWR)
