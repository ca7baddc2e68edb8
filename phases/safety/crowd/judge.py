"""Not one answer may hold another child's canary; none seen in n answers bounds the rate at 3/n (95 %)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.load.sightings import first_of
from campaign.records import Evidence, Finding, Severity
from phases.safety.crowd.collect import OWN_WORDS, PART, SAME_WORDS
from phases.safety.crowd.settings import CrowdSettings
from phases.safety.scene import facts_of, trouble_of

TITLES = {
    OWN_WORDS: "children who say what they would say",
    SAME_WORDS: "children who all say the same at once",
}

FEWEST = 200
"""Good answers from which "none seen" says anything."""

MOST_FAILED = 0.5
"""The share of failed requests beyond which the service was not at work."""

REMEDY = (
    "Stop the release. Look for connections or buffers that are given back with an answer nobody read (drop "
    "a connection whose request was cancelled), for caches whose key lacks the child, for state kept between "
    "requests."
)


def findings(evidence: Evidence, settings: CrowdSettings) -> Iterator[Finding]:
    """One blocker per scenario."""
    if not settings.kinds:
        yield _undecided(OWN_WORDS, "the campaign file names no kinds of users under crowd")
        yield _undecided(SAME_WORDS, "the campaign file names no kinds of users under crowd")
        return
    fact = facts_of(evidence, PART)
    runs = {run["name"]: run for run in fact.get("runs", ())}
    for name in (OWN_WORDS, SAME_WORDS):
        run = runs.get(name)
        if run is None:
            yield _undecided(name, fact.get("why") or trouble_of(evidence, PART) or "it was never reached")
        else:
            yield _judged(name, run)


def _judged(name: str, run: dict[str, Any]) -> Finding:
    found, title = run["canaries"], TITLES[name]
    answers = found.get("answers", 0)
    if found.get("seen"):
        message = (
            f"{found['seen']:,} times in {answers:,} answers a child was shown another child's data, {title} "
            f"({found['left']:,} requests were left in mid-answer): {first_of(found)}"
        )
        return checks.holds(_check(name), ok=False, message=message, severity=Severity.BLOCKER, remedy=REMEDY)
    if run["lost"]:
        return _undecided(name, f"a load worker of ours was lost: {run['lost'][0]}")
    if run["failed"] > MOST_FAILED * max(run["requests"], 1):
        return _undecided(name, f"{run['failed']:,} of {run['requests']:,} requests failed: {_why(run)}")
    if answers < FEWEST:
        return _undecided(
            name, f"only {answers:,} answers were searched, {FEWEST} are the fewest that say anything"
        )
    message = (
        f"none of {answers:,} answers showed another child's data, {title}, while {found['left']:,} "
        f"requests were left in mid-answer: at most {3 / answers:.2g} of all do (95 %)"
    )
    return checks.holds(_check(name), ok=True, message=message, severity=Severity.BLOCKER)


def _why(run: dict[str, Any]) -> str:
    first = next(iter(run["errors"]), None)
    return (
        f"{first['operation']}: {first['detail']} ({first['count']:,})"
        if first
        else "for no reason that was told"
    )


def _undecided(name: str, why: str) -> Finding:
    return checks.inconclusive(_check(name), f"not tested: {TITLES[name]}: {why}", severity=Severity.BLOCKER)


def _check(name: str) -> str:
    return f"crowd.{name}"
