"""A process without this machine's AWS configuration: nothing of the demo may reach a real account.

Entered before the emulator is imported: moto opens a session of boto3's then, and fails on a profile that is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def nobody() -> Iterator[None]:
    """Take AWS's variables and files, and proxies, out of the process; put the variables back at the end."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_") or name.lower() in _PROXIES:
            del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
