"""Whether any user was shown what only another user's data holds, while all of them were at work.

Searched for where the campaign file puts `{{ canary }}` into what users send; each of them must have an
account of its own then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.load.lookout import SEEN
from campaign.load.sightings import first_of
from campaign.phase import Alert
from campaign.records import Finding, Severity

REMEDY = (
    "Stop the release. Read who was shown what: connections or buffers that are given back with an answer "
    "nobody read, cache keys that two users share, a query without its owner, state kept between requests."
)


class Alarm:
    """Gives an alert the first time that a scenario's counts say so."""

    def __init__(self, scenario: str) -> None:
        self._scenario = scenario
        self._rung = False

    def __call__(self, counts: Mapping[str, int]) -> Alert | None:
        """An alert where other users' canaries were seen; it rings once."""
        if self._rung or not counts.get(SEEN):
            return None
        self._rung = True
        return Alert("violation", f"{self._scenario}.all.isolation: a user was shown another user's data")


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
            f"{name}: {first_of(found)}",
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
