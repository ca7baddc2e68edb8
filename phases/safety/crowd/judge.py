"""Not one answer may hold another child's canary; none seen in n answers bounds the rate at 3/n (95 %)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.load.sightings import first_of
from campaign.records import Evidence, Finding, Severity
from phases.safety.crowd.collect import DURING_FAULT, OWN_WORDS, PART, SAME_WORDS
from phases.safety.crowd.settings import CrowdSettings
from phases.safety.scene import facts_of, trouble_of

TITLES = {
    OWN_WORDS: "children who say what they would say",
    SAME_WORDS: "children who all say the same at once",
    DURING_FAULT: "children who go on while something is broken",
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
        yield from _no_fault(settings)
        return
    fact = facts_of(evidence, PART)
    runs = {run["name"]: run for run in fact.get("runs", ())}
    yield from _no_fault(settings)
    for name in (OWN_WORDS, SAME_WORDS, *((DURING_FAULT,) if settings.fault else ())):
        run = runs.get(name)
        if run is None:
            yield _undecided(name, fact.get("why") or trouble_of(evidence, PART) or "it was never reached")
        else:
            yield _judged(name, run)


def _no_fault(settings: CrowdSettings) -> Iterator[Finding]:
    if not settings.fault:
        why = "not tested: the campaign file allows no fault (crowd.during_fault)"
        yield checks.not_applicable(_check(DURING_FAULT), why)


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
    fault = run.get("fault")
    if fault and (why := _no_proof(fault)):
        return _undecided(name, why)
    if not fault and run["failed"] > MOST_FAILED * max(run["requests"], 1):
        return _undecided(name, f"{run['failed']:,} of {run['requests']:,} requests failed: {_why(run)}")
    if answers < FEWEST:
        return _undecided(
            name, f"only {answers:,} answers were searched, {FEWEST} are the fewest that say anything"
        )
    broken = ""
    if fault:
        lasted = fault["ended"] - fault["began"]
        broken = f" ({fault['what']}, for {lasted:.1f} s; {fault['answers_since']:,} answers since)"
    message = (
        f"none of {answers:,} answers showed another child's data, {title}{broken}, while {found['left']:,} "
        f"requests were left in mid-answer: at most {3 / answers:.2g} of all do (95 %)"
    )
    return checks.holds(_check(name), ok=True, message=message, severity=Severity.BLOCKER)


def _no_proof(fault: dict[str, Any]) -> str:
    """Why a crowd that saw nothing proves nothing of a fault; "" where it does."""
    if fault["trouble"] or fault["began"] is None:
        return fault["trouble"] or "nothing was broken: it was stopped before"
    if fault["missing"]:
        return f"{fault['what']}: {fault['missing']}"
    if fault["unrestored"]:
        return f"what was broken could not be put back: {fault['unrestored']}"
    if fault["answers_since"] < FEWEST:
        since = f"only {fault['answers_since']:,} good answers came after it began"
        return f"{fault['what']}: {since}, {FEWEST} are the fewest that say anything"
    return ""


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
