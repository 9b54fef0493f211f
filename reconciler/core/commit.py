"""A commit as the rest of the program knows it: a value, without git behind it.

The git layer makes it; plans, incidents and blame name it ("who changed this, when, in which commit").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. `time` is the committer's, aware and in UTC: when the change entered this history."""

    id: str  # the full object id, 40 (SHA-1) or 64 (SHA-256) hexadecimal digits
    author_name: str
    author_email: str
    time: datetime
    subject: str  # the first paragraph of the message, on one line
    parents: tuple[str, ...]

    @property
    def short(self) -> str:
        """The first ten digits of the id, enough for people to tell commits apart."""
        return self.id[:10]

    @property
    def author(self) -> str:
        """The author as git writes it: `Name <email>`."""
        return f"{self.author_name} <{self.author_email}>"
