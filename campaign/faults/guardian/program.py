"""The guardian's loop: one thread that listens, keeps the lease and moves what flows through the routes."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from campaign.faults.alive import began
from campaign.faults.guardian.healer import Healer
from campaign.faults.guardian.lease import Lease, awake, since_boot
from campaign.faults.guardian.routes import Routes
from campaign.faults.journal import Journal
from campaign.faults.place import lingering_file
from campaign.faults.record import HealStep, UndoRecord

LONG_PATIENCE = 900.0
"""Seconds of trying where nobody else will: the run is dead."""

PATIENCE = 30.0
"""Seconds of trying while the run lives, which tells its user."""

LINGER_IDLE, LINGER_MOST = 10.0, 3600.0
"""Seconds for which a dead run's routes stay open, undisturbed: while something flows, and at most."""


class Guardian:
    """Listens to a run on `source` and answers it on `sink` (descriptors)."""

    def __init__(self, journal: Journal, run: str, *, lock: int, engine: str) -> None:
        self._journal, self._run, self._engine, self._lock = journal, run, engine, lock
        self._source, self._sink = 0, 1
        self._selector = selectors.DefaultSelector()
        self._lease = Lease(awake())
        self._routes = Routes(self._selector, awake, self._wake)
        self._healer = Healer(journal, clear_route=self._routes.clear, report=self._tell)
        self._unread = b""
        self._over = self._ending = False
        self._wakeup, self._waker = os.pipe()

    def stop(self, *_: object) -> None:
        """The lease is over: somebody wants this process to end."""
        self._over = True
        self._wake()

    def _wake(self) -> None:
        """Make the loop turn, from a thread or a signal."""
        with suppress(OSError):
            os.write(self._waker, b"x")

    def serve(self) -> None:
        """Return when the run is over and all of its faults are undone, or cannot be."""
        for descriptor in (self._source, self._wakeup):
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, self._read)
        self._tell({"event": "ready", "process": os.getpid()})
        while not self._over:
            self._turn(self._lease.wait(awake_now=awake(), boot_now=since_boot()))
            for name in self._lease.due(awake_now=awake(), boot_now=since_boot()):
                self._healer.start(name, patience=LONG_PATIENCE if self._lease.lost else PATIENCE)
        self._finish()

    def _turn(self, most: float) -> None:
        """Move what is to be moved, for `most` seconds where nothing is."""
        for key, events in self._selector.select(min(most, self._routes.wait())):
            if key.data == self._read:
                self._read(key.fd)
            else:
                key.data(events)
        self._routes.tick()

    def _read(self, descriptor: int) -> None:
        try:
            piece = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if descriptor == self._wakeup:
            return
        if not piece:
            self._over = True
            self._selector.unregister(descriptor)
            return
        *lines, self._unread = (self._unread + piece).split(b"\n")
        for line in lines:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        self._lease.beat(awake())
        try:
            asked = json.loads(line)
            answer = self._act(str(asked["do"]), asked)
        except (ValueError, KeyError, TypeError, OSError) as error:
            asked = {"re": _number(line)}
            answer = {"error": _words(error)}
        if answer is not None:
            self._tell({"re": asked.get("re"), **answer})

    def _act(self, do: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        if do == "beat":
            return None
        if do == "arm":
            return self._arm(asked)
        if do == "disarm":
            self._lease.disarm(asked["id"])
            if self._engine:  # the record is a copy of ours; the run has closed its own
                self._journal.drop(asked["id"])
            return {}
        if do == "heal":
            self._lease.disarm(asked["id"])
            self._healer.start(asked["id"], patience=float(asked["patience"]))
            return {}
        if do == "end":
            self._ending = self._over = True
            return {}
        return self._routes.act(do, asked)

    def _arm(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if self._journal.entry(asked["id"]) is None:
            self._journal.write(_own(UndoRecord.from_json(json.dumps(asked["record"])), self._engine))
        self._lease.arm(asked["id"], until=since_boot() + float(asked["seconds"]))
        return {}

    def _finish(self) -> None:
        """Undo all that is open of this run, then see the routes out."""
        self._routes.calm()
        patience = PATIENCE if self._ending else LONG_PATIENCE
        for entry in self._journal.entries():
            if entry.record is not None and entry.record.run == self._run:
                self._healer.start(entry.record.id, patience=patience)
        while self._healer.busy:
            self._turn(0.1)
        if not self._ending:
            self._linger()
        self._routes.close()

    def _linger(self) -> None:
        """Keep a dead run's routes open while somebody needs them, or until another run takes them over."""
        self._over = False
        let_go(self._lock)
        files = [Path(lingering_file(self._journal.state, *each)) for each in self._routes.addresses]
        for file in files:
            _say_here(file)
        until = awake() + LINGER_MOST
        while self._routes.needed(LINGER_IDLE) and awake() < until and not self._over:
            self._turn(0.5)
        for file in files:
            file.unlink(missing_ok=True)

    def _tell(self, message: Mapping[str, Any]) -> None:
        with suppress(OSError):  # a run that is dead reads no more
            os.write(self._sink, json.dumps(message).encode() + b"\n")


def _say_here(file: Path) -> None:
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(f"{os.getpid()} {began(os.getpid())}", encoding="utf-8")


def let_go(lock: int) -> None:
    """Let go of the target's lock, as all is healed: another run may begin."""
    if lock >= 0:
        with suppress(OSError):
            os.close(lock)


def _own(record: UndoRecord, engine: str) -> UndoRecord:
    """The part of a record that can be healed from beside the engine: its containers."""
    steps = tuple(
        HealStep(each.kind, {**each.where, "engine": engine, "tls": None}, each.state, each.by_hand)
        for each in record.steps
        if each.kind == "container"
    )
    return UndoRecord(
        record.id,
        record.what,
        record.target,
        record.run,
        steps,
        record.opened_at,
        record.seconds,
        record.maker,
    )


def _number(line: bytes) -> Any:
    try:
        return json.loads(line).get("re")
    except (ValueError, AttributeError):
        return None


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"


def main(arguments: list[str]) -> None:
    """Be the guardian of a run: its state folder, its report's folder, the number of its lock's descriptor
    (-1: none) and, beside an engine, that engine's address.
    """
    state, run, lock, engine = arguments
    guardian = Guardian(Journal(state), run, lock=int(lock), engine=engine)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, guardian.stop)
    guardian.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
