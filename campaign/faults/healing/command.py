"""Puts back by the user's own command, and believes the user's own check."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from campaign.faults.healing.answer import PutBack

HEAL_SECONDS = 60.0
CHECK_SECONDS = 30.0
"""How long the check may be unhappy after the heal command has ended."""

TRY_SECONDS = 10.0
"""How long one check may take."""

BETWEEN = 0.2


def put_back(where: Mapping[str, Any], state: Mapping[str, Any]) -> PutBack:
    """What came of the heal command and, where there is one, of the check."""
    heal, check = str(where.get("heal") or ""), str(where.get("check") or "")
    cwd = where.get("cwd") or None
    if not heal:
        return PutBack(restored=False, missing="no command was given that puts it back", final=True)
    trouble = run(heal, cwd=cwd, seconds=float(state.get("seconds") or HEAL_SECONDS))
    if trouble:
        return PutBack(restored=False, missing=trouble)
    did = (f"ran: {heal}",)
    trouble = _unhappy(check, cwd) if check else ""
    return PutBack(restored=not trouble, did=did, missing=trouble)


def holds(where: Mapping[str, Any]) -> bool | None:
    """Whether the check is content right now; None where there is none."""
    check = str(where.get("check") or "")
    return not run(check, cwd=where.get("cwd") or None, seconds=TRY_SECONDS) if check else None


def _unhappy(check: str, cwd: str | None) -> str:
    until = time.monotonic() + CHECK_SECONDS
    while trouble := run(check, cwd=cwd, seconds=TRY_SECONDS):
        if time.monotonic() >= until:
            return trouble
        time.sleep(BETWEEN)
    return ""


def run(command: str, *, cwd: str | None, seconds: float) -> str:
    """Why the shell command did not succeed in that time, or ""; it is killed with its children when late."""
    try:
        program = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        return f"`{command}` cannot be run: {error.strerror}"
    try:
        code = program.wait(seconds)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        return f"`{command}` did not end within {seconds:.0f} s"
    return f"`{command}` ended with exit code {code}" if code else ""
