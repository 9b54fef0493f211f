"""Git: opening repositories, and reading them at any commit from their objects.

The only package that starts git or imports GitPython; what it hands out are plain values.
"""

from reconciler.git.objects import Entry
from reconciler.git.repository import Repository, open_repository
from reconciler.git.sources import SourceFile, SourceLimits, is_lfs_pointer, manifest_files

__all__ = [
    "Entry",
    "Repository",
    "SourceFile",
    "SourceLimits",
    "is_lfs_pointer",
    "manifest_files",
    "open_repository",
]
