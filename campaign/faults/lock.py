"""One campaign at a time breaks a target. The lock is the kernel's: it is free again as soon as the run and
its guardian, which inherits it, are both dead. So who holds no lock is not there to heal any more.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from campaign.errors import RefusedError

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_mine: dict[Path, TargetLock] = {}


class TargetLock:
    """A lock that is held: by `count` parts of this process, and by children given its `descriptor`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.count = 1

    def release(self) -> None:
        """Hold it no more, once every part of this process that took it says so."""
        self.count -= 1
        if not self.count:
            del _mine[self.path]
            os.close(self.descriptor)


def same_target(url: str) -> str:
    """What two URLs of one target have in common: scheme, host and port, with the spellings of this machine
    made one.
    """
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return url
    host = "127.0.0.1" if parts.hostname in ("localhost", "::1", "0.0.0.0") else parts.hostname  # noqa: S104
    return f"{host}:{port}" if host else url


def try_lock(state: str, target: str, *, run: str) -> TargetLock | None:
    """The lock on a target, or None where another process holds it. Raises OSError.

    Within one process it may be taken many times, and is free after as many releases.
    """
    path = _path(state, target)
    if path in _mine:
        _mine[path].count += 1
        return _mine[path]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    _say_who(descriptor, target, run)
    _mine[path] = TargetLock(path, descriptor)
    return _mine[path]


def take_lock(state: str, target: str, *, run: str) -> TargetLock:
    """The lock on a target. Raises RefusedError where another campaign breaks it now, and OSError."""
    held = try_lock(state, target, run=run)
    if held is None:
        raise RefusedError(f"{target}: {in_use(state, target)}; wait for its end, or stop it")
    return held


def is_locked(state: str, target: str) -> bool:
    """Whether another process holds the lock on a target; leaves no trace. Raises OSError."""
    path = _path(state, target)
    if path in _mine or not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def in_use(state: str, target: str) -> str:
    """Who holds the lock, in a sentence."""
    try:
        said = json.loads(_path(state, target).read_text(encoding="utf-8"))
        run, process = said["run"], said["process"]
    except (OSError, ValueError, KeyError, TypeError):
        return "another campaign breaks this target, or puts it back, right now"
    return f"another campaign breaks this target, or puts it back, right now (process {process}, {run})"


def _path(state: str, target: str) -> Path:
    name = hashlib.sha256(same_target(target).encode()).hexdigest()[:16]
    return Path(state) / "locks" / f"{name}.lock"


def _say_who(descriptor: int, target: str, run: str) -> None:
    """Leave a word for those who find it locked; what cannot be written is no reason not to lock."""
    said = {"process": os.getpid(), "run": run, "target": target, "since": time.time()}
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(said).encode(), 0)
