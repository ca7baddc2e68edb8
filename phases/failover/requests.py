"""What became of the requests of a story: how they failed, what users were told, how many were cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from campaign.clock import SECOND
from phases.failover.episodes import Episode
from phases.failover.steady import p95
from phases.failover.story import Ending, Probe, Strike

FAST = (Ending.REFUSED, Ending.RESET, Ending.STATUS, Ending.WRONG)
"""Failures that come at once, so that the client can do something else."""

CUT_OFF = (Ending.RESET, Ending.HUNG, Ending.WRONG)
"""Endings of a request that was taken and not answered, or not wholly."""

TURNED_AWAY = range(400, 500), (503,)
"""Status codes of a definite answer: the request was looked at, or sent away to come again."""

UNTAKEN = (Ending.REFUSED, Ending.UNSENT)
"""Endings of a request that was never taken."""

ON_THE_WIRE_NS, LONGEST_ON_THE_WIRE_NS = SECOND // 200, SECOND // 20
"""So long after we began to send it a request may still be on its way, or in a buffer that nobody has read.
Of eight that are kept in flight by httpx those that a service in good order lost had been sent less than 2 ms
before the command; on a machine that is busy it is as long as an answer to a read takes, and no more than the
second figure.
"""

MOST_TOLD = 12
"""Kinds of answers that are kept of each story, the most frequent ones."""

MOST_SAID = 160
"""Characters of an answer."""

OBJECTIVE, OBJECTIVE_DAYS = 0.999, 30
"""The service level that the error budget is of, as nobody told us another."""


def failing(probes: Sequence[Probe]) -> dict[str, Any]:
    """How requests failed: fast or hanging, by kind, and how long a failure took (95th percentile, s)."""
    bad = [each for each in probes if each.ending is not Ending.OK]
    kinds = Counter(each.ending.value for each in bad)
    return {
        "count": len(probes),
        "failed": len(bad),
        "fast": sum(kinds[each] for each in FAST),
        "hung": kinds[Ending.HUNG],
        "kinds": dict(kinds.most_common()),
        "p95": rounded(p95(bad)),
    }


def served(probes: Iterable[Probe], kinds: tuple[str, ...] = ()) -> dict[str, int]:
    """How many requests of these kinds (all, where none is named) there were, and how many succeeded."""
    chosen = [each for each in probes if not kinds or each.kind in kinds]
    return {"count": len(chosen), "ok": sum(each.ending is Ending.OK for each in chosen)}


def under_fault(episode: Episode, probes: Iterable[Probe]) -> list[Probe]:
    """The requests that were made while all faults of an episode were there for certain."""
    since = max(each.confirmed_ns or each.sent_ns or 0 for each in episode.strikes)
    return [each for each in probes if since <= each.due_ns < episode.over_ns]


def in_flight(strike: Strike, probes: Iterable[Probe]) -> dict[str, int]:
    """The requests that a command met: surely under way before it, answered or lost after it. Those that were
    kept in flight on purpose count as well.

    One sent later may meet a connection that is just closing, and one that was refused was never taken:
    whoever sent them may try elsewhere. `reset` are those lost without a word, of which nobody outside knows
    for certain that the service had read them.
    """
    began = strike.sent_ns
    if began is None:
        return {"met": 0, "lost": 0, "reset": 0}
    sent = list(probes)
    wire = _on_the_wire_ns(sent, began)
    met = [
        each for each in sent if each.sent_ns + wire <= began <= each.done_ns and each.ending not in UNTAKEN
    ]
    reset = sum(each.ending is Ending.RESET for each in met)
    return {"met": len(met), "lost": sum(_lost(each) for each in met), "reset": reset}


def _on_the_wire_ns(probes: list[Probe], began: int) -> int:
    """Nine in ten reads were answered within this before the command, within the bounds."""
    took = sorted(
        each.done_ns - each.sent_ns
        for each in probes
        if each.kind == "read" and each.ending is Ending.OK and each.done_ns <= began
    )
    usual = took[len(took) * 9 // 10] if took else 0
    return min(max(usual, ON_THE_WIRE_NS), LONGEST_ON_THE_WIRE_NS)


def _lost(probe: Probe) -> bool:
    """Whether a request that was taken came to nothing: cut off, or dropped with an error."""
    if probe.ending is Ending.STATUS:
        return not any(probe.status in codes for codes in TURNED_AWAY)
    return probe.ending in CUT_OFF


def told(probes: Iterable[Probe]) -> list[dict[str, Any]]:
    """What users got instead of an answer, the most frequent first: status codes and first words."""
    bad = (each for each in probes if each.ending is not Ending.OK)
    counted = Counter((each.operation, each.ending.value, each.status, each.said[:MOST_SAID]) for each in bad)
    return [
        {"operation": operation, "ending": ending, "status": status, "said": said, "count": count}
        for (operation, ending, status, said), count in counted.most_common(MOST_TOLD)
    ]


def budget(failed: int, count: int, seconds: float) -> dict[str, float]:
    """The error budget that was spent: so many seconds of nothing but failures, and their share of what the
    objective leaves.
    """
    spent = seconds * failed / count if count else 0.0
    left = (1 - OBJECTIVE) * OBJECTIVE_DAYS * 86400
    return {
        "objective": OBJECTIVE,
        "days": OBJECTIVE_DAYS,
        "seconds": round(spent, 3),
        "share": round(spent / left, 6),
    }


def rounded(value: float | None) -> float | None:
    """Four digits after the point, a tenth of a millisecond."""
    return None if value is None else round(value, 4)
