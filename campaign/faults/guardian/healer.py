"""Puts back records in threads of their own, so that an engine that hangs keeps nobody else broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from campaign.faults.healing.put_back import ClearRoute, Healing, heal
from campaign.faults.journal import Journal

HELD_SECONDS = 15.0
"""How long the run may hold a record that it heals itself, until we heal it beside it."""

Report = Callable[[Mapping[str, Any]], None]


class Healer:
    """Heals each record once at a time; `report` gets what came of it, from any thread."""

    def __init__(self, journal: Journal, *, clear_route: ClearRoute, report: Report) -> None:
        self._journal = journal
        self._clear_route = clear_route
        self._report = report
        self._working: dict[str, threading.Thread] = {}
        self._guard = threading.Lock()

    def start(self, name: str, *, patience: float) -> None:
        """Begin to heal that record, unless it is being healed."""
        with self._guard:
            if name in self._working:
                return
            thread = threading.Thread(target=self._run, args=(name, patience), daemon=True)
            self._working[name] = thread
        thread.start()

    @property
    def busy(self) -> bool:
        """Whether something is still being healed."""
        with self._guard:
            return bool(self._working)

    def _run(self, name: str, patience: float) -> None:
        try:
            report = self._healed(name, patience)
        except Exception as error:  # noqa: BLE001 - the others must be healed all the same
            report = _said(Healing(False, (), (f"{type(error).__name__}: {error}",), None))
        with self._guard:
            del self._working[name]
        self._report({"event": "healed", "id": name, **report})

    def _healed(self, name: str, patience: float) -> dict[str, Any]:
        with self._journal.held(name, seconds=HELD_SECONDS):
            entry = self._journal.entry(name)
            if entry is None or entry.record is None:
                return {"restored": entry is None, "did": [], "missing": [entry.why] if entry else [],
                        "seconds": None}  # fmt: skip
            self._journal.note(name, "healing", by="guardian")
            healing = heal(
                entry.record,
                injected=entry.injected,
                patience=patience,
                clear_route=self._clear_route,
                well=lambda early: self._journal.note(name, "well", by="guardian", detail=early.detail),
            )
            if healing.restored:
                self._journal.close(name, by="guardian", detail=healing.detail)
            else:
                self._journal.note(name, "not_restored", by="guardian", detail=healing.detail)
        return _said(healing)


def _said(healing: Healing) -> dict[str, Any]:
    return {
        "restored": healing.restored,
        "did": list(healing.did),
        "missing": list(healing.missing),
        "seconds": healing.seconds,
    }
