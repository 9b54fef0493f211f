"""What is refused as a location, and where the password of a URL goes: to the remote, and nowhere else."""

from __future__ import annotations

import base64
import http.server
import logging
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.git.errors import AccessRefusedError, FetchFailedError, GitError, UnsafeLocationError
from reconciler.git.location import Remote, mask, parse_location

PASSWORD = "p@ss/wörd 1"
QUOTED = "p%40ss%2Fw%C3%B6rd%201"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Git's own server program behind a password, as a git host has it."""

    root: Path

    def do_GET(self) -> None:
        expected = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        url = urlsplit(self.path)
        done = subprocess.run(
            ["git", "http-backend"],
            input=self.rfile.read(int(self.headers.get("Content-Length", 0))),
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
            capture_output=True,
            check=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the base class calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
        """Say nothing on stderr."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """The host and port of a git server that serves the folders of tmp_path to ada and her password."""
    handler = type("Handler", (_Handler,), {"root": tmp_path})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def said(error: BaseException | None) -> str:
    """Everything that an error and what led to it say."""
    return f"{error} {error!r} {said(error.__cause__)} {said(error.__context__)}" if error else ""


def is_secret_in(text: str) -> bool:
    return any(secret in text for secret in (PASSWORD, QUOTED, "p@ss", "wörd", "w%C3", "ada:"))


def test_the_password_of_a_url_opens_the_remote_and_is_written_nowhere(
    shop, remote, opened, host, cache, git_calls, caplog
):
    caplog.set_level(logging.DEBUG)
    repository = opened(f"http://ada:{QUOTED}@{host}/remote.git")
    pushed = shop.save("a", "1")
    shop.git("push", "-q")
    repository.fetch()
    assert repository.obtain(pushed)
    assert repository.location == f"http://***@{host}/remote.git"
    written = [file.read_bytes().decode("latin-1") for file in cache.rglob("*") if file.is_file()]
    assert git_calls()
    assert [text for text in (*written, *git_calls(), caplog.text, repr(vars(repository))) if is_secret_in(text)] == []


def test_a_wrong_password_is_refused_at_once_and_does_not_show_in_the_error(remote, opened, host):
    with pytest.raises(AccessRefusedError, match="Check that the credentials") as caught:
        opened(f"http://ada:{QUOTED}x@{host}/remote.git")
    assert not is_secret_in(said(caught.value))


def test_without_credentials_nobody_is_asked_for_any(remote, opened, host, tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    (tmp_path / "ask").write_text(f"#!/bin/sh\ntouch {asked}\necho x\n")
    (tmp_path / "ask").chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(tmp_path / "ask"))
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(AccessRefusedError):
        opened(f"http://{host}/remote.git")
    assert not asked.exists()


def test_the_credentials_of_a_clones_own_remote_do_not_show_in_its_errors(remote, opened, clone_of):
    clone = clone_of(remote, "laptop")
    clone.git("remote", "set-url", "origin", "http://ada:hunter2@127.0.0.1:1/shop.git")
    with pytest.raises(FetchFailedError) as caught:
        opened(clone).fetch()
    assert "hunter2" not in said(caught.value)
    assert "http://***@127.0.0.1:1/shop.git" in str(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "https://ada:hunter2@[bad/shop.git",
        "https://ada:hunter2@host:port/shop.git",
        "http://ada:hunter2@git.example/shop.git",
        "ssh://git:hunter2@git.example/shop.git",
        "ftp://ada:hunter2@git.example/shop.git",
        "https://ada:hunter2@-oProxyCommand=x/shop.git",
        "https://ada:hunter2@host/sh\nop.git",
        "ext::https://ada:hunter2@host/shop.git",
        "-https://ada:hunter2@host/shop.git",
        "https://ada:hunter2/x@host/shop.git",
        "https://ada:x@hunter2@host:port/shop.git",
        "https://ada:x?hunter2@host/shop.git",
        "https://ada:x#hunter2@host/shop.git",
    ],
)
def test_a_refused_url_does_not_show_its_password(opened, location):
    with pytest.raises(GitError) as caught:
        opened(location)
    assert "hunter2" not in said(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "--upload-pack=touch owned",
        "-u",
        "ext::sh -c touch% owned",
        "fd::17",
        "git://git.example/shop.git",
        "http://git.example/shop.git",
        "file://other-machine/srv/shop.git",
        "ssh://-oProxyCommand=touch owned/shop",
        "ssh://git@host/-x",
        "-oProxyCommand=touch owned:shop",
        "git@-oProxyCommand:shop",
        "git@host:-shop",
        "a\nb",
    ],
)
def test_a_location_that_could_run_something_or_be_tampered_with_is_refused(opened, tmp_path, monkeypatch, location):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnsafeLocationError):
        opened(location)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("url", ["ext::touch owned", "git://127.0.0.1:1/shop.git", "fd::17"])
def test_a_clone_whose_remote_has_a_refused_transport_is_not_fetched(
    remote, opened, clone_of, tmp_path, monkeypatch, url
):
    monkeypatch.chdir(tmp_path)
    clone = clone_of(remote, "laptop")
    clone.git("remote", "set-url", "origin", url)
    clone.git("config", "protocol.allow", "always")
    clone.git("config", "protocol.ext.allow", "always")
    with pytest.raises(FetchFailedError, match="not allowed"):
        opened(clone).fetch()
    assert not (tmp_path / "owned").exists()


def test_a_trace_of_the_requests_does_not_get_into_an_error(remote, opened, host, monkeypatch):
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    with pytest.raises(AccessRefusedError) as caught:
        opened(f"http://ada:{QUOTED}x@{host}/remote.git")
    assert "Authorization" not in said(caught.value)


def test_ssh_is_told_never_to_ask_and_keeps_the_users_own_command(opened, tmp_path, monkeypatch):
    (tmp_path / "own-ssh").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ssh-calls\nexit 255\n')
    (tmp_path / "own-ssh").chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(tmp_path / "own-ssh"))
    with pytest.raises(FetchFailedError):
        opened("git@git.example:team/shop.git")
    assert "-o BatchMode=yes" in (tmp_path / "ssh-calls").read_text()


def test_paths_and_urls_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c:d").mkdir()
    assert [type(parse_location(text)) is Remote for text in (".", "../shop", "c:d", "/srv/shop.git", "./a:b")] == [
        False
    ] * 5
    assert parse_location("git@git.example:team/shop.git") == Remote(
        "git@git.example:team/shop.git", "git@git.example:team/shop.git"
    )


def test_the_mirror_of_a_url_stays_the_same_with_new_credentials():
    remotes = [parse_location(f"https://{user}git.example/shop.git") for user in ("", "ada:one@", "ada:two@")]
    assert {remote.url for remote in remotes if isinstance(remote, Remote)} == {"https://git.example/shop.git"}
    assert len({remote.key for remote in remotes if isinstance(remote, Remote)}) == 1


def test_tokens_in_the_user_part_and_in_the_query_are_masked():
    remote = parse_location("https://ghp_token@git.example/shop.git?private_token=hunter2")
    assert isinstance(remote, Remote)
    assert remote.masked == "https://***@git.example/shop.git?***"
    assert mask("fatal: 'https://ghp_token@git.example/x' or s3cret", ("s3cret",)) == (
        "fatal: 'https://***@git.example/x' or ***"
    )
