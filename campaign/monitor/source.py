"""What a source of series is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Reading = Mapping[str, tuple[float | None, str]]
"""Series name -> (value, unit); None where it could not be read this time, which stays a gap."""


class Source(Protocol):
    """Something that can be looked at again and again, cheaply (a millisecond or so)."""

    def read(self) -> Reading:
        """What it shows now; what cannot be read is None. Never raises."""
