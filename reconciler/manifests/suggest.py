"""The nearest valid name, for messages: `no TargetGroup is named wbe: did you mean web?`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that the word was most likely meant to be, if any is near; spelling in another case counts as near."""
    candidates = sorted(names)
    folded = word.casefold().replace("_", "").replace("-", "")
    for name in candidates:
        if name.casefold().replace("_", "").replace("-", "") == folded:
            return name
    found = difflib.get_close_matches(word[:200], candidates, n=1, cutoff=0.65)
    return found[0] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """`: did you mean web?`, or nothing."""
    name = nearest(word, names)
    return f": did you mean {name}?" if name else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a sentence, cut where there are very many."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
