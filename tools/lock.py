"""Writes the lock files: every dependency at one version, with the hashes of all its published files.

`make lock` runs it; nothing else does. It exists because pip reads its settings from many places (environment, user,
machine), and any of them could put a private index, a local folder or a locally built wheel into a file that everybody
installs from. Here pip gets none of them, and what comes out is checked before it is written.

| file | what it holds | who installs it |
|---|---|---|
| requirements.lock | what Reconciler needs to run | the image |
| requirements-demo.lock | that, and the embedded AWS | `make demo` |
| requirements-dev.lock | that, and the tools | `make test`, `make lint` |
| requirements-build.lock | what turns the source into a wheel | all of them, first |

The development lock is resolved first and constrains the others, so that a package has one version everywhere.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = "requirements-dev.lock"
KEPT_SETTINGS = frozenset({"PIP_CERT", "PIP_DEFAULT_TIMEOUT", "PIP_PROXY", "PIP_CACHE_DIR"})
OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",  # pip-tools needs pip and setuptools: with hashes, everything has to be pinned
    "--strip-extras",
    "--no-config",
    "--no-emit-options",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
)
LOCKS = {
    DEV: ("--extra=demo", "pyproject.toml", "-"),
    "requirements-demo.lock": (f"--constraint={DEV}", "--extra=demo", "pyproject.toml"),
    "requirements.lock": (f"--constraint={DEV}", "pyproject.toml"),
    "requirements-build.lock": (
        f"--constraint={DEV}",
        "--only-build-deps",
        "--build-deps-for=editable",
        "pyproject.toml",
    ),
}
FOREIGN = re.compile(r"https?:|file:/|--(extra-)?index-url|--find-links|--trusted-host|(?<![\w.-])/\w")


def pip_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return `environment` without any setting of pip that could name another source than the public index."""
    kept = {name: value for name, value in environment.items() if not name.startswith("PIP_") or name in KEPT_SETTINGS}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "CUSTOM_COMPILE_COMMAND": "make lock"}


def foreign_lines(text: str) -> list[str]:
    """Return the lines of a lock that name an address, a folder of this machine, or a setting of pip."""
    return [line for line in text.splitlines() if FOREIGN.search(line)]


def compile_lock(name: str, arguments: tuple[str, ...], extra: list[str]) -> None:
    """Resolve one lock and write it.

    Raises `subprocess.CalledProcessError` when pip finds no resolution, and `SystemExit` when the result names a place.
    """
    group = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["dev"]
    target = ROOT / name
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / name
        if target.exists():  # pip-compile keeps the versions that it finds, unless it is told to upgrade
            result.write_bytes(target.read_bytes())
        subprocess.run(
            [sys.executable, "-m", "piptools", "compile", *OPTIONS, *extra, f"--output-file={result}", *arguments],
            cwd=ROOT,
            env=pip_environment(dict(os.environ)),
            input="\n".join(group),
            text=True,
            check=True,
        )
        text = result.read_text(encoding="utf-8")
    text = re.sub(r"(# +(?:via )?)-r -$", r"\1reconciler (pyproject.toml, group dev)", text, flags=re.MULTILINE)
    if foreign := foreign_lines(text):
        raise SystemExit(f"{name} would name a place of this machine; it was not written:\n" + "\n".join(foreign))
    target.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Renew all locks; `arguments` (such as `--upgrade`) go to pip-compile."""
    for name, inputs in LOCKS.items():
        # Only the first is upgraded: the others follow its versions.
        compile_lock(name, inputs, arguments if name == DEV else ["--upgrade"])
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
