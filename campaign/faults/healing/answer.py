"""What came of putting one thing back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PutBack:
    """Whether all of it was seen to be as it was, what was done for that, and what is missing.

    `final` says that trying again cannot help. `passing` says that what was seen may not last: a stop, say,
    that is still on its way.
    """

    restored: bool
    did: tuple[str, ...] = ()
    missing: str = ""
    final: bool = False
    passing: bool = False

    @property
    def detail(self) -> str:
        """All of it in a sentence."""
        return "; ".join([*self.did, *([self.missing] if self.missing else [])]) or "it was as before"
