"""From open undo records to a target that is whole, told line by line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

import typer

from campaign.errors import ConfigurationError
from campaign.faults.journal import Journal
from campaign.faults.leftovers import Leftover, Standing, Zeal, heal_leftovers, shouted, unsettled
from campaign.faults.place import state_folder
from campaign.faults.record import UndoRecord
from campaign.units import format_quantity

NOT_RESTORED = 4

MARKS = {
    Standing.HEALED: "put back",
    Standing.OPEN: "broken",
    Standing.IN_USE: "left",
    Standing.TRYING: "broken",
    Standing.ELSEWHERE: "left",
}


def execute(zeal: Zeal) -> int:
    """Heal what is open and return the exit code."""
    found = heal_leftovers(state_folder(os.environ), zeal, waiting=_working)
    for line in _told(found, zeal):
        typer.echo(line)
    if zeal.dry:
        return 0
    broken = unsettled(found)
    if broken:
        typer.echo(shouted(broken), err=True)
    return NOT_RESTORED if broken or any(each.standing is Standing.TRYING for each in found) else 0


def forget_all(names: Iterable[str]) -> int:
    """Close these records unseen and return the exit code. Raises ConfigurationError for unknown ones."""
    journal = Journal(state_folder(os.environ))
    known = {each.path.stem: each for each in journal.entries()}
    for name in names:
        if name not in known:
            allowed = ", ".join(known) or "nothing is open"
            raise ConfigurationError(f"--forget {name}: no such record\n  allowed  {allowed}")
        journal.close(name, by="a person", detail="put back by hand")
        typer.echo(f"forgotten  {name}")
    return 0


def _working(record: UndoRecord) -> None:
    typer.echo(f"putting back: {record.what}", err=True)


def _told(found: tuple[Leftover, ...], zeal: Zeal) -> Iterator[str]:
    for each in found:
        if each.standing in MARKS:
            yield _line(each)
            if zeal.dry and each.standing is not Standing.IN_USE:
                yield from (f"    $ {line}" for line in each.by_hand)
        elif zeal.dry:
            yield f"unreadable  {each.path}: {each.detail}"
    if not found:
        yield "nothing is broken: every fault of every run has been put back"
    elif zeal.dry:
        yield "dry run: nothing was touched"


def _line(each: Leftover) -> str:
    detail = f": {each.detail}" if each.detail else ""
    ago = ""
    if each.record is not None:
        passed = format_quantity(max(time.time() - each.record.opened_at, 0), "s")
        ago = f" (broken {passed} ago by {each.record.run})"
    return f"{MARKS[each.standing]}  {each.name}  {each.what}{ago}{detail}"
