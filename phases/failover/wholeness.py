"""Checks of the fault itself: that it happened, that all is as it was, and that the data agree."""

from __future__ import annotations

from typing import Any

from campaign.records import Finding
from phases.failover.case import Case, unproved_of

UNPROVED = "See why nothing shows it: without the fault the rest of the scenario proves nothing."
BY_HAND = "Put it back by hand: {commands}"
LOOK = "Look at it yourself: nothing that we could look at tells how it is."
DATA = "Find what wrote one half: a transaction that is two, a retry that is no transaction, a stale cache."
MOST_TOLD = 3
"""Proofs and the like that are told in one message; the page has them all."""

NO_INVARIANT = "nothing that must hold could be looked at (failover.consistency, target.database)"


def effect(case: Case) -> Finding:
    """Whether the faults happened: without that nothing else is proved."""
    if unproved := unproved_of(case.figures):
        why = case.figures["why"] if not case.figures["strikes"] else ""
        return case.undecided("effect", f"{unproved}{f': {why}' if why else ''}", remedy=UNPROVED)
    strikes = case.figures["strikes"]
    proofs = _some([f"{each['what']}: {each['proof']}" for each in strikes])
    count = f"{len(strikes)} faults are" if len(strikes) > 1 else "the fault is"
    return case.settled("effect", ok=True, message=f"{count} proved to have happened ({proofs})")


def restored(case: Case) -> Finding:
    """Whether all is as it was before: what is not is the worst that we can do to a target."""
    broken = [each for each in case.figures["strikes"] if each["sent"] is not None]
    if not broken:
        return case.meaningless("restored", "nothing was broken, so there is nothing to put back")
    left = [each for each in broken if not each["restored"]]
    if not left:
        told = _some([part for each in broken for part in each["restored_detail"].split("; ") if part])
        return case.settled("restored", ok=True, message=f"all is as it was{f' ({told})' if told else ''}")
    told = "; ".join(f"{each['what']}: {each['restored_detail'] or 'nothing shows it'}" for each in left)
    commands = "; ".join(line for each in left for line in each["by_hand"])
    remedy = BY_HAND.format(commands=commands) if commands else LOOK
    return case.settled("restored", ok=False, message=f"not proved to be as it was: {told}", remedy=remedy)


def consistent(case: Case) -> Finding:
    """Whether every invariant, count and cache that was looked at agrees."""
    looked = case.figures["consistent"]
    wrong = [each for each in looked if each["holds"] is False]
    unknown = [each for each in looked if each["holds"] is None]
    if wrong:
        told = f"{len(wrong)} of {len(looked)} things that must hold do not: {_listed(wrong)}"
        return case.holds("consistent", ok=False, message=told, remedy=DATA)
    if case.doubt and not looked:
        return case.undecided("consistent", case.doubt)
    if not looked:
        return case.meaningless("consistent", NO_INVARIANT)
    if unknown:
        told = f"{len(unknown)} of {len(looked)} things that must hold could not be looked at"
        return case.undecided("consistent", f"{told}: {_listed(unknown)}")
    told = f"all {len(looked)} things that must hold do" if len(looked) > 1 else "what must hold does"
    return case.holds("consistent", ok=True, message=f"{told} ({_listed(looked)})", remedy=DATA)


def _some(texts: list[str]) -> str:
    """Each text once, the first few of them."""
    told = list(dict.fromkeys(texts))
    more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f"{'; '.join(told[:MOST_TOLD])}{more}"


def _listed(looked: list[dict[str, Any]]) -> str:
    return "; ".join(f"{each['name']}: {each['detail']}" for each in looked)
