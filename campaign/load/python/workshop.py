"""What all Python users of one worker share: the operations of the campaign file, and ways to make others."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from campaign.load.python.requests import RequestMaker
from campaign.load.step import Step

MOST_NAMES = 200
"""Names that come up only at run time; what has a further one is counted as `OTHER`."""

OTHER = "other"
LONGEST = 80
_TAKEN = "all"


class Names:
    """The names under which requests and timed pieces are counted: bounded, as each costs memory for good."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def known(self, name: str, redact: Callable[[str], str]) -> str:
        """The name to count under, without secrets. Raises ValueError for what is no name."""
        if name in self._known:
            return name[:LONGEST]
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or name == _TAKEN:
            raise ValueError(f"{name!r:.60} is no name to count under")
        name = redact(name)
        if name in self._known:
            return name[:LONGEST]
        if len(self._known) >= MOST_NAMES:
            return OTHER
        self._known.add(name)
        return name[:LONGEST]


class Workshop:
    """Steps by operation, and makers of others."""

    def __init__(self, steps: Mapping[str, Step], requests: RequestMaker) -> None:
        self._steps = steps
        self.names = Names()
        self.requests = requests

    def step(self, operation: str) -> Step:
        """The operation's step. Raises LookupError for a name that the campaign file does not have."""
        step = self._steps.get(operation)
        if step is None:
            close = difflib.get_close_matches(str(operation), self._steps, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise LookupError(f"the campaign file has no operation {operation!r}{hint}")
        return step
