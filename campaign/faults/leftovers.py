"""What runs that died have left broken: found by the undo records that are still open, and put back.

Who broke something holds its target's lock, and so does its guardian. So a lock that can be had says that
both are dead, and having it keeps a second command, or a new run, from healing or breaking meanwhile.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from campaign.faults.alive import alive
from campaign.faults.healing.put_back import heal
from campaign.faults.journal import Entry, Journal
from campaign.faults.lock import TargetLock, try_lock
from campaign.faults.record import UndoRecord

LOOK = 0.1
"""Seconds between two looks at what another process heals."""


class Standing(StrEnum):
    """What an open record has come to."""

    OPEN = "open"
    """It is open, and nothing was tried."""
    HEALED = "healed"
    """All of it was seen to be as it was before."""
    BROKEN = "broken"
    """It was tried, and something is missing."""
    IN_USE = "in use"
    """The run that broke it is at work."""
    TRYING = "being put back"
    """The run that broke it is dead, and its guardian still tries to put it back."""
    ELSEWHERE = "elsewhere"
    """It was broken from another machine."""
    UNREADABLE = "unreadable"
    """Its file cannot be read."""


UNSETTLED = (Standing.OPEN, Standing.BROKEN, Standing.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Leftover:
    """An open record, what it came to, and why or by what, in words."""

    path: Path
    record: UndoRecord | None
    standing: Standing
    detail: str

    @property
    def name(self) -> str:
        """Its id."""
        return self.path.stem

    @property
    def what(self) -> str:
        """What was broken, in words."""
        return self.record.what if self.record else f"an undo record that cannot be read, {self.path}"

    @property
    def by_hand(self) -> tuple[str, ...]:
        """What a person would type."""
        return self.record.by_hand if self.record else (f"cat {self.path}",)


@dataclass(frozen=True, slots=True)
class Zeal:
    """How to go about it: `patience` seconds of trying, `wait` seconds for a guardian that is at it; with
    `elsewhere` also what another machine broke; with `dry` nothing is done.
    """

    patience: float = 10.0
    wait: float = 30.0
    elsewhere: bool = False
    dry: bool = False


def heal_leftovers(
    state: str, zeal: Zeal, *, waiting: Callable[[UndoRecord], None] = lambda _: None
) -> tuple[Leftover, ...]:
    """What became of every open record, oldest first. Blocks; what is independent is healed at once.

    `waiting` is called for each that is being healed by a guardian, or is about to be healed here.
    """
    journal = Journal(state)
    entries = journal.entries()
    with _Locks(state) as locks:
        found: dict[Path, Leftover] = {}
        threads = [
            threading.Thread(target=_settle, args=(journal, each, locks), daemon=True,
                             kwargs={"zeal": zeal, "waiting": waiting, "found": found})
            for each in entries
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return tuple(found[each.path] for each in entries)


def _settle(
    journal: Journal,
    entry: Entry,
    locks: _Locks,
    *,
    zeal: Zeal,
    waiting: Callable[[UndoRecord], None],
    found: dict[Path, Leftover],
) -> None:
    try:
        standing, detail = _standing(journal, entry, locks, zeal=zeal, waiting=waiting)
    except Exception as error:  # noqa: BLE001 - the others are healed all the same
        standing, detail = Standing.BROKEN, f"{type(error).__name__}: {error}"
    found[entry.path] = Leftover(entry.path, entry.record, standing, detail)


def _standing(
    journal: Journal,
    entry: Entry,
    locks: _Locks,
    *,
    zeal: Zeal,
    waiting: Callable[[UndoRecord], None],
) -> tuple[Standing, str]:
    record = entry.record
    if record is None:
        return Standing.UNREADABLE, entry.why
    if record.maker.host != socket.gethostname() and not zeal.elsewhere:
        return Standing.ELSEWHERE, f"it was broken from the machine {record.maker.host}"
    if not locks.have(record.target):
        return _others(entry, record, zeal=zeal, waiting=waiting)
    if zeal.dry:
        return Standing.OPEN, ""
    waiting(record)
    return _healed(journal, entry, record, zeal.patience)


def _others(
    entry: Entry, record: UndoRecord, *, zeal: Zeal, waiting: Callable[[UndoRecord], None]
) -> tuple[Standing, str]:
    """What comes of a record that is another process's: a dead run's guardian is waited for."""
    if alive(record.maker.process, record.maker.began):
        return Standing.IN_USE, f"the run that broke it is at work (process {record.maker.process})"
    if not zeal.dry:
        waiting(record)
        until = time.monotonic() + zeal.wait
        while time.monotonic() < until:
            if not entry.path.exists():
                return Standing.HEALED, "put back by the guardian of the run"
            time.sleep(LOOK)
    return Standing.TRYING, "the run that broke it is dead, and its guardian still tries to put it back"


def _healed(journal: Journal, entry: Entry, record: UndoRecord, patience: float) -> tuple[Standing, str]:
    with journal.held(record.id, seconds=patience):
        journal.note(record.id, "healing", by="a later command")
        healing = heal(record, injected=entry.injected, long_ago=_long_ago(record), patience=patience)
        if not healing.restored:
            journal.note(record.id, "not_restored", by="a later command", detail=healing.detail)
            return Standing.BROKEN, "; ".join(healing.missing)
        journal.close(record.id, by="a later command", detail=healing.detail)
    return Standing.HEALED, healing.detail


LONG_AGO = 60.0
"""Seconds after which nothing of a fault can still be on its way."""


def _long_ago(record: UndoRecord) -> bool:
    """Whether all of it is made; a clock that was set back says nothing."""
    return time.time() - record.opened_at > LONG_AGO


class _Locks:
    """The locks of dead runs' targets, each taken once, all let go at the end."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._taken: dict[str, TargetLock | None] = {}
        self._guard = threading.Lock()

    def have(self, target: str) -> bool:
        """Whether nobody else has that target's lock."""
        with self._guard:
            if target not in self._taken:
                self._taken[target] = try_lock(self._state, target, run="campaign heal")
            return self._taken[target] is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for lock in self._taken.values():
            if lock is not None:
                lock.release()


def unsettled(leftovers: Iterable[Leftover]) -> tuple[Leftover, ...]:
    """Those that keep a new run from beginning."""
    return tuple(each for each in leftovers if each.standing in UNSETTLED)


def shouted(leftovers: Sequence[Leftover]) -> str:
    """The loudest message there is: what is broken still, and what to type."""
    lines = ["", "!!! NOT RESTORED: a run that died has left this broken, and it could not be put back:"]
    for each in leftovers:
        lines += ["", f"!!!   {each.what}", f"      {each.detail}"]
        lines += [f"      $ {line}" for line in each.by_hand]
    names = " ".join(f"--forget {each.name}" for each in leftovers)
    lines += [
        "",
        "!!! Try again with: campaign heal",
        f"!!! When it is put back by hand: campaign heal {names}",
    ]
    return "\n".join([*lines, ""])
