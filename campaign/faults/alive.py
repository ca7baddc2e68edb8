"""Which processes live. A pid alone may be somebody else's by now, so its start time goes with it.

Standard library only; the guardian asks too. Start times are clock ticks since the machine was started, as
/proc tells them: setting the clock does not change them. Where there is no /proc they are 0, unknown.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from campaign.faults.record import Maker


def this_process() -> Maker:
    """The process that runs this."""
    return Maker(socket.gethostname(), os.getpid(), began(os.getpid()))


def began(pid: int) -> int:
    """When the process was started; 0 where that is unknown or there is none."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def state(pid: int) -> str:
    """The letter that /proc says it by (`R`, `S`, `T` stopped, `Z` dead), or ""."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def alive(pid: int, start: int = 0) -> bool:
    """Whether that process runs or is stopped; `start` 0 takes any process of that number for it."""
    if pid <= 0:
        return False
    if not Path("/proc/self/stat").exists():
        return _answers(pid)
    return state(pid) not in ("", "Z", "X") and (not start or began(pid) == start)


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: the second is a name that may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
