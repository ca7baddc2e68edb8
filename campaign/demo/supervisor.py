"""The demo as several processes, so that parts of it can be broken: the service, which is started again
whenever it ends, and the companion, which is not.

In its folder `service.pid` and `companion.pid` say who they are now. The database outlives the service; it is
filled before the first start and left as it was found at the end. All of them end with the supervisor.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from campaign.demo.options import DemoOptions
from campaign.demo.pid_files import write_pid
from campaign.demo.server import leaving_on_signals, listening, stores

SERVICE_PID, COMPANION_PID, OWN_PID = "service.pid", "companion.pid", "supervisor.pid"
PAUSE_S = 0.2
"""Between the end of the service and its next start: one that cannot start is not tried all the time."""

STOP_WITHIN_S = 8.0
UNUSABLE = 2
"""The exit code of a service that cannot start with its options."""


def supervise(options: DemoOptions, folder: Path) -> None:
    """Return after a graceful stop; raises UnusableOptionError as `serve` does, and SystemExit where the
    service itself says that it cannot start.
    """
    write_pid(folder / OWN_PID, os.getpid())
    with (
        leaving_on_signals(exit_with_stdin=options.exit_with_stdin),
        stores(options) as url,
        _companion(options.companion_port, folder),
    ):
        if options.announce_database:
            print(f"DATABASE {options.database_url or url}", flush=True)  # noqa: T201
        with listening(options) as listener:
            port = listener.getsockname()[1]  # the same for all starts
        _keep(_command(replace(options, database_url=url, port=port)), folder / SERVICE_PID)


def _keep(command: list[str], pid_file: Path) -> None:
    """Run the service again and again; an exception leads out, and the service ends with it."""
    output = None  # it says READY itself, once
    while True:
        service = Popen(command, stdin=PIPE, stdout=output)
        try:
            write_pid(pid_file, service.pid)
            if service.wait() == UNUSABLE and output is None:
                raise SystemExit(UNUSABLE)
        finally:
            _stop(service)
        output = DEVNULL
        time.sleep(PAUSE_S)


@contextmanager
def _companion(port: int, folder: Path) -> Iterator[None]:
    """A companion, if there is to be one; ended with the block, also where somebody started another."""
    if not port:
        yield
        return
    command = [
        *(sys.executable, "-m", "campaign.demo.companion_service", "--port", str(port)),
        *("--pid-file", str(folder / COMPANION_PID), "--while", str(folder / OWN_PID)),
    ]
    companion = Popen(command, stdout=PIPE, stdin=PIPE)
    assert companion.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        if not companion.stdout.readline():
            raise SystemExit(UNUSABLE)
        threading.Thread(target=companion.wait, daemon=True).start()  # so that one that was killed is gone
        yield
    finally:
        _stop(companion)


def _command(options: DemoOptions) -> list[str]:
    """What starts the service alone, on a database that is prepared."""
    own = {"supervised": None, "companion_port": 0, "announce_database": False, "leave_nothing": False}
    given = asdict(options) | own | {"prepared": True, "exit_with_stdin": True}
    command = [sys.executable, "-m", "campaign.demo"]
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if name == "defects":
            command += [part for defect in sorted(value) for part in ("--defect", defect)]
        elif value is True:
            command.append(option)
        elif value is not False and value is not None:
            command += [option, str(value)]
    return command


def _stop(process: "Popen[bytes]") -> None:
    for number in (signal.SIGCONT, signal.SIGTERM):
        with suppress(ProcessLookupError):
            process.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_WITHIN_S)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
