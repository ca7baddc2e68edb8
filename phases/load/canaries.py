"""Whether any user was shown what only another user's data holds, while all of them were at work.

Searched for where the campaign file puts `{{ canary }}` into what users send; each of them must have an
account of its own then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from campaign import checks
from campaign.canary import mint_of
from campaign.load.lookout import ANSWERS, BYTES, LEFT, SEEN
from campaign.load.outcome import LoadOutcome
from campaign.records import Finding, Severity
from campaign.target.spec import OperationSpec, Vocabulary

NAMED = re.compile(r"\{\{[^{}]*\bcanary\b")

REMEDY = (
    "Stop the release. Read who was shown what: connections or buffers that are given back with an answer "
    "nobody read, cache keys that two users share, a query without its owner, state kept between requests."
)


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


def judge_canaries(scenario: dict[str, Any]) -> Iterator[Finding]:
    """A blocker: not one answer may hold the canary of another user. Nothing seen bounds the rate (95 %)."""
    found = scenario.get("canaries")
    if not found:
        return
    name, answers = scenario["name"], found["answers"]
    check = f"{name}.all.isolation"
    if found["seen"]:
        yield checks.holds(
            check,
            ok=False,
            message=f"{found['seen']:,} times in {answers:,} answers a user was shown another user's data, "
            f"{name}: {_first(found)}",
            severity=Severity.BLOCKER,
            remedy=REMEDY,
        )
    elif not answers:
        yield checks.inconclusive(
            check, f"no answer of {name} was searched for other users' data", severity=Severity.BLOCKER
        )
    else:
        yield checks.holds(
            check,
            ok=True,
            message=f"none of {answers:,} answers showed another user's data, {name}: at most "
            f"{3 / answers:.2g} of all do (95 %)",
            severity=Severity.BLOCKER,
        )


def _first(found: dict[str, Any]) -> str:
    first = next(iter(found["sightings"]), None)
    if first is None:
        return "none was kept"
    owner = f"user {first['owner']}" if first["owner"] else "another user"
    shown = f"{first['operation']} showed user {first['user']} what is {owner}'s"
    return f"{shown}, {first['at']:.1f} s after it began"
