"""The command line: `reconciler COMMAND`. Each command is one file; `app` puts them together."""

from reconciler.cli.app import main

__all__ = ["main"]
