"""Checks of the way back: in time, without a wave of slow requests, and with a pool that is whole again."""

from __future__ import annotations

from typing import Any

from campaign.records import Finding, Limit, Measurement
from campaign.units import format_quantity
from phases.failover.case import NOT_FELT, Case
from phases.failover.measure import time_of

SLOW = (
    "See what it waits for: connections that are opened once and never replaced, a pool without a ping, "
    "time-outs, long pauses between tries, a slow start."
)
STORM = (
    "Something works off what nobody waits for any more: give tries a limit, a growing pause with jitter and "
    "a deadline, and drop what is stale."
)
POOL = "Connections are opened anew and the old ones never closed: see what the pool does with broken ones."

NEVER_WELL = "it was never well again, and what is refused at once is not slow"

STORM_LIMIT = Limit(2.0, 5.0, "s")
"""How long requests may be slow after what had failed runs again."""

POOL_MORE, POOL_TIMES = 2, 1.5
"""Sessions in the database afterwards: so many more than before, or so many times as many."""


def recovered(case: Case, *, check: str = "recovered") -> Finding:
    """Whether it was well again within the limit, after the worst of its faults."""
    episodes = case.figures["episodes"]
    if not episodes:
        return case.undecided(check, case.doubt or "nothing was broken")
    limit = Limit(case.within, case.within, "s")
    never = [each for each in episodes if not each["recovered"]]
    if late := [each for each in never if each["known"] and each["watched"] >= case.within]:
        return case.holds(check, ok=False, message=_never(case, late[-1]), remedy=SLOW)
    known = [each for each in episodes if each["to_recover"] is not None]
    if not episodes[-1]["recovered"] or not known:
        return case.undecided(check, case.doubt or _too_short(episodes[-1]))
    worst = max(known, key=lambda each: float(each["to_recover"]))
    measured = time_of(case.check(check), worst["to_recover"], worst)
    return case.limited(check, measured, limit, what=_what(worst), remedy=SLOW, told=_outage(worst, never))


def _what(episode: dict[str, Any]) -> str:
    since = "the confirmed stop" if episode["heals_itself"] else "the start command"
    return f"time to recover, from {since},"


def _never(case: Case, episode: dict[str, Any]) -> str:
    bad, limit = episode["requests"], format_quantity(case.within, "s")
    since = "the confirmed stop" if episode["heals_itself"] else "the start command"
    return (
        f"time to recover, from {since}, was > {limit} (at most {limit}): {bad['failed']:,} of "
        f"{bad['count']:,} requests failed since the first command"
    )


def _too_short(episode: dict[str, Any]) -> str:
    return f"it was watched for {format_quantity(episode['watched'], 's')} only, and was not well by then"


def _outage(worst: dict[str, Any], never: list[dict[str, Any]]) -> str:
    """What clients felt, in the words that follow."""
    off = f" ± {format_quantity(worst['resolution'], 's')}"
    if not worst["felt"]:
        told = f"; {NOT_FELT}"
    elif worst["first_failure"] is None:
        told = f"{off}; nothing failed, but requests were slow"
    else:
        told = f"{off}; unavailable for {format_quantity(worst['unavailable'], 's')} from the first failure"
    return f"{told}; {len(never)} times the next fault came before it was well again" if never else told


def no_storm(case: Case) -> Finding:
    """Whether requests were as fast as before soon after what had failed ran again."""
    waves = [each["overshoot"] for each in case.figures["episodes"] if each["overshoot"] is not None]
    seen = [each for each in waves if each["count"]]
    if not seen:
        return case.undecided("no_storm", case.doubt or "nothing was sent after what had failed ran again")
    worst = max(seen, key=lambda each: float(each["seconds"]))
    if not case.felt and not case.doubt:
        return case.meaningless("no_storm", NOT_FELT)
    if worst["seconds"] <= STORM_LIMIT.target and not case.figures["episodes"][-1]["recovered"]:
        return case.undecided("no_storm", case.doubt or NEVER_WELL)
    off = case.figures["resolution"] if worst["seconds"] else 0.0
    name, value = case.check("no_storm"), worst["seconds"]
    measured = Measurement(name, value, "s", worst["count"], max(0.0, value - off), value + off)
    what = "the time for which requests were slow after what had failed ran again"
    return case.limited("no_storm", measured, STORM_LIMIT, what=what, remedy=STORM, told=_wave(case, worst))


def _wave(case: Case, worst: dict[str, Any]) -> str:
    before, after = case.figures["steady"]["p95"], worst["p95"]
    told = ""
    if before is not None and after is not None:
        told = f"; p95 {format_quantity(after, 's')} then, {format_quantity(before, 's')} before"
    load = case.figures["load"]
    if load["before"] is not None and load["after"] is not None:
        load_told = (format_quantity(load[each], "s") for each in ("before", "after"))
        told += "; p95 of the load beside it {} before and {} after".format(*load_told)
    return told


def pool(case: Case) -> Finding:
    """Whether the service has about as many sessions in the database as before."""
    before, after = case.figures["pool"]["before"], case.figures["pool"]["after"]
    if before is None:
        return case.meaningless("pool", "the database's list of sessions could not be read")
    if after is None:
        return case.undecided(
            "pool", case.doubt or "the database could not be asked for its sessions afterwards"
        )
    most = max(before + POOL_MORE, round(POOL_TIMES * before))
    message = f"{after} sessions of others in the database afterwards, {before} before (at most {most})"
    return case.holds("pool", after <= most, message, remedy=POOL)
