"""The verdict of the phase: what each part says, and which parts have no meaning for this target."""

from __future__ import annotations

from collections.abc import Iterator

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.parts import asked
from phases.database.scene import NAMED, RESTARTED, STORES, Part, trouble_of
from phases.database.settings import DatabaseSettings

_STORE = {"database": "database", "territory": "database", "redis": "redis"}
"""Which store a part needs, by what it says that it cannot be without."""


def judge_database(evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
    """The findings of all parts, also of those that were never reached."""
    for part in asked(settings):
        if missing := _missing(part, evidence):
            yield checks.not_applicable(part.name, f"the target has no {missing} (target.{missing})")
        else:
            yield from _unfinished(part, evidence)
            yield from part.judge(evidence, settings)
    if (again := evidence.facts.get(RESTARTED)) is not None:
        yield _kept_running(again=bool(again))


def _kept_running(*, again: bool) -> Finding:
    """A database that crashes and comes back within a second costs few errors, and a night's sleep."""
    said = "was restarted while it was tested, by nobody that we know of" if again else "kept running"
    return checks.holds(
        "database.kept_running", not again, message=f"the database server {said}",
        remedy="See its log: a crash, the kernel's out-of-memory killer, or a colleague?",
    )  # fmt: skip


def _unfinished(part: Part, evidence: Evidence) -> Iterator[Finding]:
    """What a part that could not be done would have said must not be outvoted by those that were."""
    if why := trouble_of(evidence, part.name):
        yield checks.inconclusive(
            f"{part.name}.done", f"{part.name} could not be done: {why}", severity=Severity.BLOCKER,
            remedy=f"Mend that, or leave the part out: `database: {{skip: [{part.name}]}}`.",
        )  # fmt: skip


def _missing(part: Part, evidence: Evidence) -> str:
    """The store that the target is known not to have, though the part needs it, unless the file asks for the
    part by name: then it stays undecided.
    """
    store, there = _STORE.get(part.needs, ""), evidence.facts.get(STORES)
    named = part.name in evidence.facts.get(NAMED, ())
    return store if store and there is not None and store not in there and not named else ""
