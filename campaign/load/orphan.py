"""Ends a process whose parent is gone, even where its main thread is stuck in somebody's endless loop."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import NoReturn

_EVERY = 1.0
"""Seconds."""


def end_with_parent() -> None:
    """From now on this process ends within about a second of its parent, with all of its group where it leads
    one.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), name="parent watch", daemon=True).start()


def end_all() -> NoReturn:
    """End this process at once, with all of its group where it leads one: what a user's code has started."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_EVERY)
    end_all()
