"""Leaves the 1,300 public machine images out of moto's EC2, which would be built anew for each region and each reset.

That takes a tenth of a second; the two dozen images of moto's base list stay. Installed by `server`.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import amis

__all__ = ["install"]


def _no_more_images(path: str) -> list[dict[str, Any]]:
    raise FileNotFoundError(path)  # what moto expects for a region that it has no list for


def install() -> None:
    """Patch moto. Twice is once."""
    module: Any = amis
    module.load_resource = _no_more_images
