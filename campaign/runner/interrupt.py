"""Ctrl-C and SIGTERM: once ends the running phase cleanly, twice cancels it; the report is written either
way.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Counts how often the user asked to stop, and tells the running phase."""

    def __init__(self) -> None:
        self.count = 0
        self._soft: Callable[[], object] | None = None
        self._hard: Callable[[], object] | None = None

    def __call__(self) -> None:
        """The user asked to stop, once more."""
        self.count += 1
        act = self._soft if self.count == 1 else self._hard
        if act is not None:
            act()

    @contextmanager
    def aimed_at(self, soft: Callable[[], object], hard: Callable[[], object]) -> Iterator[None]:
        """Within this block the first request calls `soft`, the next ones `hard`."""
        self._soft, self._hard = soft, hard
        try:
            yield
        finally:
            self._soft = self._hard = None


@contextmanager
def on_signals(interrupt: Interrupt, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Within this block SIGINT and SIGTERM go to `interrupt`; only the main thread can listen to them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in SIGNALS:
        with suppress(NotImplementedError):  # Windows' loop has no signal handlers
            loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in SIGNALS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
