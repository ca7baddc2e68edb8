"""What every command does first: put back what a run that died has left broken, and say so."""

from __future__ import annotations

import os
import sys

from campaign.faults.place import anything_open, state_folder


def heal_first(arguments: list[str]) -> None:
    """Put back what is open, with a word on standard error; a few microseconds where nothing is.

    `campaign heal` does it itself, as its options say.
    """
    state = state_folder(os.environ)
    if arguments[:1] != ["heal"] and anything_open(state):
        _heal(state, tells_itself=arguments[:1] == ["run"])


def _heal(state: str, *, tells_itself: bool) -> None:
    from campaign.faults.leftovers import (  # noqa: PLC0415 - only where there is something
        Standing,
        Zeal,
        heal_leftovers,
        shouted,
        unsettled,
    )

    found = heal_leftovers(state, Zeal(), waiting=lambda record: _say(f"putting back: {record.what}"))
    for each in found:
        if each.standing is Standing.HEALED:
            _say(f"put back what a run that died had left broken: {each.what} ({each.detail})")
        elif each.standing is Standing.TRYING:
            _say(f"broken still: {each.what} ({each.detail})")
    broken = unsettled(found)
    if broken and not tells_itself:
        _say(shouted(broken))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
