"""Imports a user's module in a process of its own first: one that ends its process would end us, and
one that is never done would keep us.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

IMPORT_LIMIT = 30.0
"""Seconds that a module may take to be imported."""

_DONE = b"\0"
_PROGRAM = """
import importlib, os, sys
out = os.dup(1)
os.dup2(2, 1)
from campaign.load.python.blame import told
try:
    importlib.import_module(sys.argv[1])
except (Exception, SystemExit):
    pass  # told by who imports it next
except BaseException as error:
    os.write(out, told(error).encode())
os.write(out, b"\\0")
os._exit(0)
"""


def obstacle(module: str, folder: str) -> str:
    """Why the module cannot be imported into this process, as a clause; "" where it can be tried."""
    with tempfile.TemporaryFile() as said:
        process = _begin(module, folder, said)
        try:
            code = process.wait(IMPORT_LIMIT)
        except subprocess.TimeoutExpired:
            return f"which is not imported within {IMPORT_LIMIT:g} s"
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        words = said.read()
    if not words.endswith(_DONE):
        return f"which ends the process that imports it (exit code {code})"
    reason = words[: -len(_DONE)].decode("utf-8", "replace")
    return f"which cannot be imported: {reason}" if reason else ""


def _begin(module: str, folder: str, said: IO[bytes]) -> subprocess.Popen[bytes]:
    places = [folder or ".", *(each or str(Path.cwd()) for each in sys.path)]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM, module],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        start_new_session=True,  # an interrupt from the keyboard is for us
    )
