"""Where a repository is: a local path, or the URL of a remote. Decides what is safe to hand to git, and to show.

`open_repository` calls it first. It exists so that there is one place which knows that `ext::` runs programs, that a
location beginning with `-` is an option to git, and that a URL may carry a password which nobody may ever see.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from reconciler.git.errors import UnsafeLocationError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")  # git-remote-<helper>: `ext::` runs any command
_SCP = re.compile(r"(?P<user>[\w.~+-]+@)?(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\]):(?P<path>.+)")
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s'\"]*@")
_ADVICE = "use a local path, or a URL with https://, ssh:// or file://"


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote repository. `url` is what git gets and holds no password; `masked` is what people get."""

    url: str
    masked: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """The name of its mirror in the cache; new credentials keep the mirror."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every spelling of the credentials that could appear in what git prints."""
        if not self.password:
            return ()
        spellings = {self.password, quote(self.password, safe=""), quote(self.password)}
        return tuple(sorted(spellings, key=len, reverse=True))


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without the secrets given, and without the user part of any URL in it."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _USERINFO.sub(r"\g<scheme>***@", text)


def parse_location(location: str) -> Path | Remote:
    """Tell a local path from a remote.

    Raises UnsafeLocationError for what git would read as an option, a transport that is not https, ssh or file, plain
    http to another machine, and a host or path beginning with `-`. The message shows the location masked.
    """
    if not location:
        raise UnsafeLocationError(f"the location of the repository is empty: {_ADVICE}")
    if location.startswith("-"):
        raise UnsafeLocationError(f"{_shown(location)} looks like an option, not like a repository: {_ADVICE}")
    if _CONTROL.search(location):
        raise UnsafeLocationError(f"{_shown(location)} has control characters in it: {_ADVICE}")
    if _HELPER.match(location):
        raise UnsafeLocationError(f"{_shown(location)} names a git remote helper, which can run programs: {_ADVICE}")
    if "://" in location:
        return _parse_url(location)
    scp = _SCP.fullmatch(location)
    if scp and not Path(location).exists():
        if scp["host"].startswith("-") or scp["path"].startswith("-") or (scp["user"] or "").startswith("-"):
            raise UnsafeLocationError(f"{_shown(location)} has a part that looks like an option: {_ADVICE}")
        return Remote(location, location)
    return Path(location).expanduser()


def _parse_url(location: str) -> Remote:
    parts = _split(location)
    if parts is None:
        raise UnsafeLocationError(f"{_shown(location)} is not a valid URL: {_ADVICE}")
    host = parts.hostname or ""
    if host.startswith("-") or (parts.username or "").startswith("-") or parts.path.lstrip("/").startswith("-"):
        raise UnsafeLocationError(f"{_shown(location)} has a part that looks like an option: {_ADVICE}")
    match parts.scheme:
        case "https":
            return _http(parts)
        case "http":
            if host not in _LOOPBACK:
                raise UnsafeLocationError(
                    f"{_shown(location)} is not encrypted, so anybody on the way could change what runs: use https://"
                )
            return _http(parts)
        case "ssh":
            if parts.password is not None:
                raise UnsafeLocationError(f"{_shown(location)}: ssh takes no password from a URL: use a key")
            return Remote(location, location)
        case "file":
            if host not in {"", "localhost"}:
                raise UnsafeLocationError(f"{_shown(location)} names a file on another machine: {_ADVICE}")
            return Remote(location, location)
        case other:
            raise UnsafeLocationError(f"{_shown(location)}: the transport {other!r} is refused: {_ADVICE}")


def _split(location: str) -> SplitResult | None:
    """The parts of a URL, or None: the error of `urlsplit` quotes what may be the password, so no error may have it."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(location)
        if parts.port is None or parts.hostname:  # a port is checked only when it is read
            return parts
    return None


def _http(parts: SplitResult) -> Remote:
    """Take the credentials out of the URL: git would show them to every user of the machine, as its arguments."""
    user, at, host = parts.netloc.rpartition("@")
    query = "?***" if parts.query else ""
    masked = f"{parts.scheme}://{'***@' if at else ''}{host}{parts.path}{query}"
    if parts.password is None:
        # a name alone stays: git's credential helpers look an account up by it
        return Remote(parts._replace(fragment="").geturl(), masked)
    name, _, password = user.partition(":")
    bare = parts._replace(netloc=host, fragment="").geturl()
    return Remote(bare, masked, unquote(name), unquote(password))


def _shown(location: str) -> str:
    """The location for a message: masked, on one line, quoted."""
    scheme, separator, rest = location.partition("://")
    # up to the last @: what is refused may be refused because its password was not escaped
    rest = f"***@{rest.rpartition('@')[2]}" if "@" in rest else rest
    return repr(f"{scheme}{separator}{rest}".partition("?")[0])
