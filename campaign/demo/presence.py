"""Whether something that the service depends on answers, so that nobody waits for what is away.

Whoever finds it away says so. From then on every caller is refused at once, and one thread of our own asks
it again and again, with pauses, until it answers.
"""

import threading
from collections.abc import Callable

from campaign.demo.problems import UnavailableError

ASK_EVERY_S = 0.2
RETRY_AFTER_S = 1


class Presence:
    """What is known of one dependency; `ask` returns if it answers now and raises if it does not."""

    def __init__(self, name: str, ask: Callable[[], None]) -> None:
        self._name = name
        self._ask = ask
        self._away = False
        self._one_watcher = threading.Lock()
        self._closed = threading.Event()

    def require(self) -> None:
        """Return unless it is known to be away; else raise UnavailableError, without any waiting."""
        if self._away:
            raise self.unavailable()

    def unavailable(self) -> UnavailableError:
        """What a caller is told while it is away."""
        message = f"the {self._name} does not answer now, please try again"
        return UnavailableError(message, retry_after_s=RETRY_AFTER_S)

    def lost(self) -> None:
        """It did not answer just now."""
        with self._one_watcher:
            if self._away:
                return
            self._away = True
        threading.Thread(target=self._watch, name=f"watch {self._name}", daemon=True).start()

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._answers():
            if self._closed.wait(ASK_EVERY_S):
                return
        self._away = False

    def _answers(self) -> bool:
        try:
            self._ask()
        except Exception:  # noqa: BLE001 - whatever it was, there was no answer
            return False
        return True
