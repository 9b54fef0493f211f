"""The one place that starts git.

Everything in this package reaches git through `GitProgram`, on top of GitPython. It exists so that every command has
the same guards: no prompt, no hook, no transport that runs programs, no replaced objects, no variables of a
surrounding git (a hook sets GIT_DIR), paths taken literally, and errors without credentials.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Final, cast

# GitPython runs `git version` when it is imported and raises a page of text if there is none; GitMissingError says it
# in a sentence, and only to those who need git.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from git.cmd import Git
from git.exc import GitCommandNotFound

from reconciler.git.errors import (
    CorruptRepositoryError,
    GitCommandError,
    GitError,
    GitMissingError,
    RepositoryNotFoundError,
)
from reconciler.git.location import mask

FETCH_SECONDS: Final = 600.0
"""A command that talks to a remote is ended after this time."""

_CONFIGURATION: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "protocol.version=2",  # lets a commit be fetched by its id
    "core.disambiguate=commit",  # abbreviated ids
    "gc.autoDetach=false",  # a mirror's collection stays under its lock
    "fetch.recurseSubmodules=false",
    "init.defaultBranch=main",
    "http.lowSpeedLimit=1",  # a server that counts objects sends no more than a few bytes each 5 s
    "http.lowSpeedTime=120",
)

_ENVIRONMENT: Final[Mapping[str, str]] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit's id must say what it holds
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}

_SURROUNDING: Final = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG_PARAMETERS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
"""Variables by which a surrounding git (a hook, an alias) would turn us to its own repository."""

_CORRUPT: Final = re.compile(
    r"is corrupt|corrupt (?:loose )?object|object corrupt|inflate: |unable to (?:unpack|read) (?!from)|hash mismatch|"
    r"bad (?:object|tree|packed)|missing (?:blob|tree|commit|object)|object file .* is empty|far too short|"
    r"does not match index|packfile .* (?:cannot|does not|is )|index file .* (?:small|bad|wrong|too)|"
    r"[Cc]ould not read [0-9a-f]{40}|Failed to traverse",
)

# git asks this helper only if the remote wants credentials, and only for the remote's own address. They travel in the
# environment, because arguments can be read by every user of the machine, and files outlive the process.
_HELPER: Final = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$RECONCILER_GIT_USERNAME" "$RECONCILER_GIT_PASSWORD"; }; f'
)


@dataclass(frozen=True, slots=True)
class GitProgram:
    """Git, started on one repository (`git_dir`), or in one folder to look for a repository upwards."""

    git_dir: Path | None = None
    folder: Path | None = None
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # what is taken out of every message of git's

    def run(self, *arguments: str, network: bool = False) -> bytes:
        """Run a command and return what it printed.

        Raises GitMissingError, CorruptRepositoryError when git says that objects are damaged, and GitCommandError for
        every other failure. With `network` it may talk to a remote, and is ended after FETCH_SECONDS.
        """
        extra = self._network_environment() if network else {}
        try:
            answer = Git().execute(
                self._command(arguments),
                env={**_ENVIRONMENT, **extra},
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=FETCH_SECONDS if network else None,
            )
        except GitCommandNotFound:
            raise _missing() from None  # its text repeats the command line
        status, output, errors = cast("tuple[int, bytes, str | bytes]", answer)
        if status == 0:
            return output
        text = errors.decode(errors="replace") if isinstance(errors, bytes) else errors
        raise self.failure(arguments[0], status, text)

    def start(self, *arguments: str) -> Popen[bytes]:
        """Start a command that is talked to through pipes; the caller ends it by closing them."""
        try:
            handle = Git().execute(self._command(arguments), istream=PIPE, as_process=True, env=dict(_ENVIRONMENT))
        except GitCommandNotFound:
            raise _missing() from None
        process = cast("Popen[bytes]", handle.proc)
        handle.proc = None  # the caller ends it: GitPython would kill it when this handle is collected, just below
        return process

    def failure(self, command: str, status: int, errors: str) -> GitError:
        """The error for a command that failed, from what it printed; nothing in it is secret."""
        error = GitCommandError(command, status, mask(errors.strip(), self.secrets))
        if self.git_dir and f"not a git repository: '{self.git_dir}'" in error.errors:
            gone = RepositoryNotFoundError(f"the git repository {self.git_dir} has gone: open it where it is now")
            gone.__cause__ = error
            return gone
        local = "\n".join(line for line in error.errors.splitlines() if not line.startswith("remote:"))
        if not _CORRUPT.search(local):
            return error
        corrupt = self.corrupt(local)
        corrupt.__cause__ = error
        return corrupt

    def corrupt(self, what: str) -> CorruptRepositoryError:
        """The error for a damaged object."""
        place = self.git_dir or self.folder
        return CorruptRepositoryError(
            f"the git repository {place} is damaged: {what}. See `git fsck`; fetch the missing objects again, or "
            "clone the repository anew (a mirror in the cache may simply be deleted)"
        )

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        # traces go to stderr, where they would look like errors, and may hold credentials
        present = [name for name in os.environ if name in _SURROUNDING or name.startswith("GIT_TRACE")]
        unset = ["env", *(word for name in present for word in ("-u", name))] if present else []
        # not the process's folder: GitPython falls back to its own when a folder has gone, and reads what is there
        place = ["--git-dir", str(self.git_dir)] if self.git_dir else ["-C", str(self.folder)]
        settings = [*_CONFIGURATION, *(("credential.helper=", f"credential.helper={_HELPER}") if self.password else ())]
        options = [word for setting in settings for word in ("-c", setting)]
        return [*unset, str(Git.GIT_PYTHON_GIT_EXECUTABLE), *place, *options, *arguments]

    def _network_environment(self) -> dict[str, str]:
        environment = {"GIT_SSH_COMMAND": self._ssh(), "GIT_ASKPASS": os.environ.get("GIT_ASKPASS", "")}
        if self.password:
            environment["RECONCILER_GIT_USERNAME"] = self.username
            environment["RECONCILER_GIT_PASSWORD"] = self.password
        return environment

    def _ssh(self) -> str:
        """The user's own ssh command, told never to ask."""
        command = os.environ.get("GIT_SSH_COMMAND")
        if not command and "GIT_SSH" not in os.environ:
            try:
                command = self.run("config", "--get", "core.sshCommand").decode().strip()
            except GitCommandError:
                command = "ssh"
        command = command or shlex.quote(os.environ.get("GIT_SSH") or "ssh")
        return f"{command} -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"


def _missing() -> GitMissingError:
    return GitMissingError("git is not installed, or not on the PATH: install git 2.36 or newer")
