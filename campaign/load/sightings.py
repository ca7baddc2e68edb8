"""What the search for canaries came to, as plain data: whether any was carried, and who was shown whose."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from campaign.canary import mint_of
from campaign.load.lookout import ANSWERS, BYTES, LEFT, SEEN
from campaign.load.outcome import LoadOutcome
from campaign.target.spec import OperationSpec, Vocabulary

NAMED = re.compile(r"\{\{[^{}]*\bcanary\b")


def carries_canaries(vocabulary: Vocabulary) -> bool:
    """Whether any operation sends a canary."""
    return any(_mentions(each) for each in vocabulary.operations.values())


def _mentions(operation: OperationSpec) -> bool:
    return NAMED.search(repr(operation)) is not None


def seen(outcome: LoadOutcome, seed: int) -> dict[str, Any]:
    """What was searched and found, as plain JSON; empty where nothing was searched."""
    counts = outcome.counts
    if ANSWERS not in counts:
        return {}
    mint = mint_of(str(seed))
    owners = {mint.canary(str(number)): number for number in range(1, outcome.scenario.users + 1)}
    return {
        "answers": counts[ANSWERS],
        "bytes": counts.get(BYTES, 0),
        "left": counts.get(LEFT, 0),
        "seen": counts.get(SEEN, 0),
        "sightings": [
            {
                "operation": each.operation,
                "canary": each.canary,
                "owner": owners.get(each.canary),
                **asdict(each.sample),
            }
            for each in outcome.sightings
        ],
    }


def first_of(found: dict[str, Any]) -> str:
    """The first sighting in a sentence."""
    first = next(iter(found["sightings"]), None)
    if first is None:
        return "none was kept"
    owner = f"user {first['owner']}" if first["owner"] else "another user"
    shown = f"{first['operation']} showed user {first['user']} what is {owner}'s"
    return f"{shown}, {first['at']:.1f} s after it began"
