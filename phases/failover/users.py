"""Checks of what users had to bear: during the fault, in flight when it came, signed in before it."""

from __future__ import annotations

from campaign import checks
from campaign.records import Direction, Finding, Limit, Measurement
from phases.failover.case import NOT_FELT, Case

READS = Limit(0.99, 0.95, "share", Direction.AT_LEAST)
DEGRADED = Limit(0.95, 0.80, "share", Direction.AT_LEAST)
HUNG = Limit(0.01, 0.05, "share")
"""Of the requests made while something is broken: how many must succeed, how many may hang."""

DURING = (
    "It was promised to work meanwhile: see what it needs the broken part for, and what it could do without."
)
HANGS = "Give everything that is waited for a time-out, and refuse at once while it is known to be away."
DRAIN = "On SIGTERM: take no new connections, finish what was accepted, then end; and give it time to."
FEW_RESET = (
    "{reset:,} of {met:,} requests in flight met a closed connection, and so few may not have been read yet; "
    "name an operation that lasts as `in_flight`, or run it again"
)
SESSIONS = "Keep sessions and keys where they outlive the part that failed."


def during(case: Case) -> Finding:
    """Whether what was promised for the time of the fault was kept."""
    declared, made = case.figures["declared"], case.figures["under_fault"]
    counted = made["reads"] if declared == "reads" else made["all"]
    served = f"{counted['ok']:,} of {counted['count']:,}"
    if declared == "outage":
        if case.doubt:
            return case.undecided("during", case.doubt)
        told = f"{case.title}: a full outage was declared; {served} requests made meanwhile succeeded"
        return checks.informational(case.check("during"), told)
    if not counted["count"]:
        return case.undecided("during", case.doubt or "no request was made while it was broken")
    measured = Measurement.exact(
        case.check("during"), counted["ok"] / counted["count"], unit="share", count=counted["count"]
    )
    limit, what = (READS, "reads") if declared == "reads" else (DEGRADED, "requests")
    told = f"; {served} (declared: {declared})"
    return case.limited(
        "during",
        measured,
        limit,
        what=f"the share of {what} that succeeded meanwhile",
        remedy=DURING,
        told=told,
    )


def fails_fast(case: Case) -> Finding:
    """Whether what could not be served was refused, and not left hanging."""
    failing = case.figures["under_fault"]["failing"]
    if not failing["count"]:
        return case.undecided("fails_fast", case.doubt or "no request was made while it was broken")
    if not case.felt and not case.doubt:
        return case.meaningless("fails_fast", NOT_FELT)
    share = failing["hung"] / failing["count"]
    measured = Measurement.exact(case.check("fails_fast"), share, unit="share", count=failing["count"])
    told = f"; {failing['hung']:,} hung for {case.figures['timeout']:g} s, {failing['fast']:,} failed fast"
    what = "the share of requests that hung while it was broken"
    return case.limited("fails_fast", measured, HUNG, what=what, remedy=HANGS, told=told)


def in_flight(case: Case) -> Finding:
    """Whether requests that were under way when a stop was asked for got their answers."""
    met, lost, reset = (
        sum(each["in_flight"].get(key, 0) for each in case.figures["strikes"])
        for key in ("met", "lost", "reset")
    )
    if not met:
        return case.undecided("in_flight", case.doubt or "no request was in flight when it came")
    if lost and lost == reset and lost * 2 <= met:
        return case.undecided("in_flight", FEW_RESET.format(reset=reset, met=met))
    message = f"{lost:,} of {met:,} requests in flight were cut off or dropped with an error (at most 0)"
    return case.holds("in_flight", not lost, message, remedy=DRAIN)


def sessions(case: Case) -> Finding:
    """Whether those who were signed in before still are."""
    before, after = case.figures["sessions"]["before"], case.figures["sessions"]["after"]
    if not before:
        return case.undecided("sessions", case.doubt or "nobody was signed in before it")
    if after is None:
        return case.undecided("sessions", case.doubt or "nobody could be asked afterwards")
    message = f"{after:,} of {before:,} who were signed in before still were afterwards (at least {before:,})"
    return case.holds("sessions", after >= before, message, remedy=SESSIONS)
