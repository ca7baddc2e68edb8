"""One blocker for each resource and verb: not one forbidden cell may show or change anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.safety.cast.settings import CastSettings
from phases.safety.isolation.collect import PART, told
from phases.safety.isolation.matrix import planned
from phases.safety.scene import facts_of, trouble_of

REMEDY = (
    "Every query for somebody's data names whose it is and compares that with the token, in the statement "
    "itself. The exchanges show who got what; the scripts under 'See it yourself' repeat it."
)
NOTHING = "the campaign file names no resources, so nobody's data was tried"


def findings(evidence: Evidence, settings: CastSettings) -> Iterator[Finding]:
    """A finding per resource and verb, also of those that were never tried."""
    if not settings.resources:
        yield checks.inconclusive("isolation.matrix", f"not tested: {NOTHING}", severity=Severity.BLOCKER)
        return
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    facts = facts_of(evidence, PART)
    unmade = "the phase was ended before" if facts.get("ended") else "nobody could be made who has one"
    for row in facts.get("cells", ()):
        rows.setdefault((row["resource"], row["verb"]), []).append(row)
    for name, verb in planned(settings):
        if (name, verb) in rows:
            yield _judged(name, verb, rows[name, verb])
        else:
            why = trouble_of(evidence, PART) or unmade
            yield _undecided(name, verb, why)


def _judged(name: str, verb: str, rows: list[dict[str, Any]]) -> Finding:
    forbidden = [row for row in rows if not row["allowed"]]
    broken = [row for row in forbidden if row["seen"] or row["changed"]]
    blind = [row for row in forbidden if row["why"]]
    if broken:
        first = broken[0]
        message = (
            f"{name} {verb}: {len(broken)} of {len(forbidden)} forbidden attempts got through: "
            f"{told(first)} [{', '.join(first['exchanges'])}]"
        )
        return checks.holds(
            _check(name, verb), ok=False, message=message, severity=Severity.BLOCKER, remedy=REMEDY
        )
    if not forbidden:
        return checks.not_applicable(_check(name, verb), f"{name} {verb}: everybody may do it, says the file")
    if blind:
        return _undecided(name, verb, f"{len(blind)} of {len(forbidden)} attempts: {blind[0]['why']}")
    message = f"{name} {verb}: none of {len(forbidden)} forbidden attempts showed or changed anything"
    return checks.holds(_check(name, verb), ok=True, message=message, severity=Severity.BLOCKER)


def _undecided(name: str, verb: str, why: str) -> Finding:
    return checks.inconclusive(
        _check(name, verb), f"not tested: {name} {verb}: {why}", severity=Severity.BLOCKER
    )


def _check(name: str, verb: str) -> str:
    return f"isolation.{name}.{verb}"
