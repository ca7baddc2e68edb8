"""Whose something of ours on a target is: the run that made it, and whether that still runs."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Owner:
    """Who made a place: `began` in seconds since 1970; `host` "" where it does not say."""

    host: str
    process: int
    began: float

    @classmethod
    def here(cls) -> Self:
        """This process, now."""
        return cls(socket.gethostname(), os.getpid(), time.time())

    @property
    def alive(self) -> bool:
        """Whether the process that made it still runs, as far as this machine can tell."""
        import psutil  # noqa: PLC0415 - only where somebody asks

        if self.host != socket.gethostname():
            return False
        try:
            return psutil.Process(self.process).create_time() <= self.began
        except psutil.Error:
            return False

    @property
    def elsewhere(self) -> bool:
        """Whether it was made on another machine, so that we cannot know."""
        return self.host not in {"", socket.gethostname()}

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}" if self.host else "a run that did not say"
