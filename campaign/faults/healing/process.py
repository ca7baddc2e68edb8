"""Puts a process back: it goes on, or another takes its place, by a supervisor's hand or by ours."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from campaign.faults.alive import alive, began, state
from campaign.faults.healing.answer import PutBack

LOOK = 0.05
"""Seconds between two looks."""

SUPERVISOR_SECONDS = 30.0
"""How long a supervisor may take to bring another."""

START_SECONDS = 30.0
"""How long our own start may take until the pid file or the port says so."""

FIRM = 0.5
"""Seconds that it must live on, where neither a pid file nor a port tells."""


def put_back(where: Mapping[str, Any], how: Mapping[str, Any]) -> PutBack:
    """What came of making it run again. A process that was not stopped may still be on its way out: then what
    was seen is `passing`.
    """
    process, start = int(where.get("pid") or 0), int(where.get("began") or 0)
    if alive(process, start):
        return _go_on(process)
    if how.get("may_be_gone"):  # a child of what was stopped
        return PutBack(restored=True)
    if _there(where, old=process, start=start):
        return PutBack(restored=True, did=("another process has taken its place",))
    if how.get("supervised"):
        return _awaited(where, process, start)
    return _started(where, how, old=process)


def _go_on(process: int) -> PutBack:
    stopped = state(process) in ("T", "t")
    try:
        os.kill(process, signal.SIGCONT)  # also where it runs: a stop may be on its way
    except OSError as error:
        return PutBack(restored=False, missing=f"process {process} cannot be continued: {error.strerror}")
    until = time.monotonic() + 2.0
    while state(process) in ("T", "t") and time.monotonic() < until:
        time.sleep(LOOK)
    if state(process) in ("T", "t"):
        return PutBack(restored=False, missing=f"process {process} is still stopped")
    did = (f"process {process} continued",) if stopped else ()
    return PutBack(restored=True, did=did, passing=not stopped)


def _awaited(where: Mapping[str, Any], process: int, start: int) -> PutBack:
    until = time.monotonic() + SUPERVISOR_SECONDS
    while time.monotonic() < until:
        if _there(where, old=process, start=start):
            return PutBack(restored=True, did=("its supervisor has brought another",))
        time.sleep(LOOK)
    told = where.get("pid_file") or (f"port {where['port']}" if where.get("port") else "")
    missing = f"its supervisor brought no other within {SUPERVISOR_SECONDS:.0f} s ({told})"
    if not told:
        missing = "nothing tells whether its supervisor brought another: there is no pid file and no port"
    return PutBack(restored=False, missing=missing, final=not told)


def _started(where: Mapping[str, Any], how: Mapping[str, Any], *, old: int) -> PutBack:
    command = str(how.get("start") or "")
    if not command:
        missing = f"process {old} is gone and no command was given that starts another"
        return PutBack(restored=False, missing=missing, final=True)
    try:
        program = _launch(command, where)
    except (OSError, subprocess.SubprocessError) as error:
        return PutBack(restored=False, missing=f"it cannot be started: {error}")
    until = time.monotonic() + START_SECONDS
    tells = bool(where.get("pid_file") or where.get("port"))
    firm = time.monotonic() + FIRM
    while time.monotonic() < until:
        code = program.poll()
        if tells and _there(where, old=old, start=int(where.get("began") or 0)):
            return PutBack(restored=True, did=(f"started by: {command}",))
        if code:
            return PutBack(restored=False, missing=f"`{command}` ended with exit code {code}")
        if not tells and (code == 0 or time.monotonic() >= firm):
            return PutBack(restored=True, did=(f"started by: {command}",))
        time.sleep(LOOK)
    return PutBack(restored=False, missing=f"started by `{command}`, but it does not answer")


def _launch(command: str, where: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """The command in a session of its own, so that it outlives us."""
    user = where.get("user")
    return subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=where.get("cwd") or None,
        user=user if user and os.geteuid() == 0 else None,
        start_new_session=True,
    )


def _there(where: Mapping[str, Any], *, old: int, start: int) -> bool:
    """Whether the pid file names a living process other than the old one, and the port listens: what is given
    of the two, and at least one is.
    """
    if not where.get("pid_file") and not where.get("port"):
        return False
    if where.get("pid_file") and not _names_another(str(where["pid_file"]), old, start):
        return False
    return not where.get("port") or listens(int(where["port"]))


def _names_another(path: str, old: int, start: int) -> bool:
    try:
        named = int(Path(path).read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return False
    return alive(named) and (named != old or began(named) != start)


def listens(port: int) -> bool:
    """Whether something on this machine takes connections at that port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
