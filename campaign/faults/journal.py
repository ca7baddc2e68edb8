"""The undo records on disk: one file per fault, there before anything is broken, gone once it is undone.

The first line of a file is the record, the lines after it say what was done to it since. A file lies in
`open/` until all is restored, then in `closed/`. Standard library only; the guardian reads and closes too.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from campaign.faults.place import open_folder
from campaign.faults.record import UndoRecord

KEPT = 200
"""Closed records that are kept to look into; older ones go."""

INJECTED = "injected"
"""What a record's note says once the fault is made whole: nothing of it is on its way any more."""

RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in `open/`: its record, or why there is none in it; `notes` are what was done to it since."""

    path: Path
    record: UndoRecord | None
    why: str = ""
    notes: tuple[str, ...] = ()

    @property
    def injected(self) -> bool:
        """Whether the fault is known to be made whole, so that nothing of it can still be on its way."""
        return INJECTED in self.notes


class Journal:
    """The undo records below a state folder."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.open = Path(open_folder(state))
        self.closed = Path(state) / "closed"

    def write(self, record: UndoRecord) -> None:
        """Put the record on disk; it survives a power cut once this returns. Raises OSError, and then no
        file is left.
        """
        self.open.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(record.id)
        unfinished = path.with_suffix(".new")
        try:
            _write_through(unfinished, record.to_json() + "\n")
            unfinished.rename(path)
            _sync_folder(self.open)
        except OSError:
            for each in (unfinished, path):
                with suppress(OSError):
                    each.unlink()
            raise

    def entries(self) -> tuple[Entry, ...]:
        """All that is open, oldest first; files that cannot be read too."""
        try:
            paths = sorted(self.open.glob("*.json"))
        except OSError:
            return ()
        return tuple(each for path in paths if (each := _entry(path)) is not None)

    def entry(self, name: str) -> Entry | None:
        """What is open under that id, or None."""
        return _entry(self._path(name))

    def note(self, name: str, event: str, *, by: str, detail: str = "") -> None:
        """Add a line on what was done; a disk that is full now is no reason not to heal."""
        line = json.dumps({"at": time.time(), "event": event, "by": by, "detail": detail})
        with suppress(OSError), self._path(name).open("r+", encoding="utf-8") as file:
            file.seek(0, os.SEEK_END)
            file.write(line + "\n")

    def close(self, name: str, *, by: str, detail: str = "") -> None:
        """Say that all of it is restored: it is open no more. Doing so twice is the same as once.

        Raises OSError where the file can neither be moved nor removed.
        """
        self.note(name, RESTORED, by=by, detail=detail)
        path = self._path(name)
        try:
            self.closed.mkdir(mode=0o700, exist_ok=True)
            path.rename(self.closed / path.name)
        except FileNotFoundError:
            return
        except OSError:
            path.unlink(missing_ok=True)
        self._prune()

    def drop(self, name: str) -> None:
        """Take away the record of a fault that was never made."""
        with suppress(OSError):
            self._path(name).unlink()

    @contextmanager
    def held(self, name: str, *, seconds: float) -> Iterator[bool]:
        """Within this block nobody else heals that record. False: it is closed, or another held it for all of
        these seconds.
        """
        try:
            file = self._path(name).open("rb")
        except OSError:
            yield False
            return
        with file:
            yield _locked(file.fileno(), seconds) and self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self.open / f"{name}.json"

    def _prune(self) -> None:
        with suppress(OSError):
            for old in sorted(self.closed.glob("*.json"))[:-KEPT]:
                old.unlink(missing_ok=True)


def _entry(path: Path) -> Entry | None:
    try:
        first, *rest = path.read_text(encoding="utf-8").splitlines() or [""]
        return Entry(path, UndoRecord.from_json(first), notes=tuple(_event(line) for line in rest))
    except FileNotFoundError:  # closed since its name was read
        return None
    except (OSError, ValueError) as error:
        return Entry(path, None, str(error))


def _event(line: str) -> str:
    try:
        return str(json.loads(line)["event"])
    except (ValueError, KeyError, TypeError):  # a line that a full disk cut short
        return ""


def _locked(descriptor: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        else:
            return True


def _write_through(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
