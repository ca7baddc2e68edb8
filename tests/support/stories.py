"""Hand-made stories of failover scenarios: a service of which we say what it does at each moment."""

from campaign.clock import SECOND
from campaign.ledger.comparison import Comparison, Ids
from phases.failover.story import Consistent, Ending, Probe, Readback, Story, Strike

NOBODY = Ids(0, ())


def ns(seconds):
    return round(seconds * SECOND)


def compared(*, acknowledged=200, lost=0, phantom=0, unexpected=0, doubled=0):
    """A ledger held against a place, with so many of each kind."""
    kinds = (Ids(count, tuple(range(count))) for count in (lost, phantom, unexpected, doubled))
    return Comparison(acknowledged, 0, 0, acknowledged - lost, *kinds, 0)


def probes(answer, *, seconds, rate=20.0, kind="read", operation="history"):
    """Probes at a constant rate; `answer(due)` gives (ending, seconds it took, status, said) or shorter."""
    made = []
    for number in range(round(seconds * rate)):
        due = number / rate
        given = answer(due)
        ending, took, status, said = (*given, *(0, "")[len(given) - 2 :])
        made.append(Probe(kind, operation, ns(due), ns(due), ns(due + took), ending, status, said))
    return tuple(made)


def down(began, ended, *, ending=Ending.STATUS, took=0.002, status=503, said="unavailable"):
    """A service that fails between two moments and else answers in 5 ms."""

    def answer(due):
        if began <= due < ended:
            return ending, took, status, said
        return Ending.OK, 0.005, 200

    return answer


def strike(sent=5.0, confirmed=5.1, start=10.0, running=10.2, **changes):
    """A fault that we put back, with its moments in seconds."""
    moments = {"sent": sent, "confirmed": confirmed, "start": start, "running": running, "healthy": None}
    moments |= {name: changes.pop(name) for name in tuple(changes) if name in moments}
    known = {f"{name}_ns": None if at is None else ns(at) for name, at in moments.items()}
    said = {"subject": "database", "what": "stop the database", "proved": True, "proof": "it is not running"}
    return Strike(**{**said, "restored": True, "restored_detail": "it runs", **known, **changes})


def story(answer=None, *, seconds=20.0, strikes=None, **changes):
    """A story of `database_down`: 5 s steady, the database away from 5.1 to 10.2 s, well again at 10.5 s."""
    answer = down(5.15, 10.5) if answer is None else answer
    made = {
        "name": "database_down",
        "title": "database down and up",
        "during": "outage",
        "rate": 20.0,
        "timeout": 2.0,
        "probes": probes(answer, seconds=seconds)
        + probes(answer, seconds=seconds, rate=10.0, kind="write", operation="converse"),
        "strikes": (strike(),) if strikes is None else strikes,
        "steady_ns": ns(5.0),
        "ended_ns": ns(seconds),
        "readbacks": (Readback("api", compared()), Readback("database", compared())),
        "consistent": (Consistent("orphans", True, "0 orphans"),),
        "sessions_before": 5,
        "sessions_after": 5,
        "pool_sessions_before": 10,
        "pool_sessions_after": 10,
    }
    return Story(**made | changes)
