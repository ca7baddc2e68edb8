"""How an exchange failed: the kind, a short detail to group by, and what was known of the answer."""

from __future__ import annotations

from campaign.load.tally import ErrorKind

MAX_DETAIL = 200
"""Characters of a detail."""


class ExchangeError(Exception):
    """An exchange that failed; raised inside the load generator only, where it becomes a counted sample.

    `detail` is short and free of figures that differ each time, because failures are grouped by it.
    `answered`: there was a whole answer, only not the right one.
    """

    def __init__(self, kind: ErrorKind, detail: str, *, answered: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail[:MAX_DETAIL]
        self.answered = answered
