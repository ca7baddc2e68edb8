"""A reason to end the campaign before its end that is not Ctrl-C: the alert that the campaign file names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from campaign.records import StopReason


class Halt:
    """Holds why no further phase shall begin, as a phrase ("": none given) and for the report; the first one
    stands.
    """

    def __init__(self) -> None:
        self.why = ""
        self.reason = StopReason.FINISHED
        self._stop: Callable[[], object] | None = None

    def ask(self, why: str, reason: StopReason) -> None:
        """End the running phase cleanly and begin no other."""
        if not self.why:
            self.why, self.reason = why, reason
        if self._stop is not None:
            self._stop()

    @contextmanager
    def aimed_at(self, stop: Callable[[], object]) -> Iterator[None]:
        """Within this block `stop` is called when somebody asks."""
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None
