"""What the users of a run do, as plain data that goes to the workers."""

from __future__ import annotations

from dataclasses import dataclass, field

from campaign.errors import CampaignError
from phases.database.pattern import Pattern

MOST_ROWS = 10_000
"""Rows of one answer that are read; what has more is a failure, and no matter of our memory."""

MOST_BYTES = 64 * 2**20
"""Of one answer that is read for the first time, about."""


@dataclass(frozen=True, slots=True)
class Work:
    """Patterns on the database at `url` (of SQLAlchemy, with its password), over at most `connections`.

    `product` is the server's ("MariaDB"), `tag` what our sessions are called, `timeout` in seconds that of a
    pattern as a whole. `guarded`: the database itself refuses a write of a pattern that is not said to write.
    """

    url: str = field(repr=False)
    product: str
    tag: str
    patterns: tuple[Pattern, ...]
    connections: int
    timeout: float
    most_rows: int = MOST_ROWS
    guarded: bool = False

    @property
    def read_only(self) -> bool:
        """Whether its sessions may be read-only as a whole."""
        return self.guarded and not any(each.writes for each in self.patterns)


class TooLargeError(CampaignError):
    """An answer with more rows or bytes than are read; `unread`: the rest is still on the connection."""

    slug = "result-too-large"

    def __init__(self, most: str, *, unread: bool = False) -> None:
        super().__init__(f"result too large: more than {most}")
        self.unread = unread
