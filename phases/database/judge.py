"""The verdict of the phase: what each part says, and which parts have no meaning for this target."""

from __future__ import annotations

from collections.abc import Iterator

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.parts import asked
from phases.database.scene import KEPT_RUNNING, NAMED, STORES, TERRITORY, Part, facts_of, trouble_of
from phases.database.settings import DatabaseSettings

_STORE = {"database": "database", "territory": "database", "redis": "redis"}
"""Which store a part needs, by what it says that it cannot be without."""

CLEAN = "`campaign clean` drops them, as soon as the database is there and lets us."


def judge_database(evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
    """The findings of all parts, also of those that were never reached."""
    for part in asked(settings):
        if missing := _missing(part, evidence):
            yield checks.not_applicable(part.name, f"the target has no {missing} (target.{missing})")
        else:
            yield from _unfinished(part, evidence)
            yield from part.judge(evidence, settings)
    yield from _dropped(evidence)
    if kept := evidence.facts.get(KEPT_RUNNING):
        yield _kept_running(str(kept))


_SAID = {
    "yes": "kept running",
    "restarted": "was restarted while it was tested, by nobody that we know of",
    "gone": "does not answer any more",
}


def _kept_running(kept: str) -> Finding:
    """A database that crashes and comes back within a second costs few errors, and a night's sleep."""
    if kept == "full":
        why = "whether the database server kept running is not known: it takes no further session of ours"
        return checks.inconclusive(
            "database.kept_running", why, remedy="Allow this account more connections."
        )
    return checks.holds(
        "database.kept_running", kept == "yes", message=f"the database server {_SAID.get(kept, kept)}",
        remedy="See its log: a crash, the kernel's out-of-memory killer, or a colleague?",
    )  # fmt: skip


def _dropped(evidence: Evidence) -> Iterator[Finding]:
    """Whether the database is left as it was found, where we made tables in it."""
    fact = facts_of(evidence, TERRITORY)
    if not fact:
        return
    name = fact.get("name", "")
    if "left" not in fact:
        why = f"whether tables of ours ({name}) are left in the database is not known: the phase was cut off"
        yield checks.inconclusive("territory.dropped", why, remedy=CLEAN)
        return
    why = f": {fact['why']}" if fact.get("why") else ""
    message = (
        f"tables of ours ({name}) are left in the database{why}"
        if fact["left"]
        else f"tables of ours ({name}) were dropped, and the database has them no more"
    )
    yield checks.holds("territory.dropped", not fact["left"], message=message, remedy=CLEAN)


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
