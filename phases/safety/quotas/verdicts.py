"""The verdicts on one kind of slots, from the counts of its rounds.

More than there is room for is always a failure. Fewer is one only where it is shown that there was room: the
same users were let in one after the other, or the service's own counter stood at zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from campaign import checks
from campaign.records import Finding, Severity
from phases.safety.quotas.plan import kinds_of
from phases.safety.quotas.settings import SlotSettings

Row = dict[str, Any]

Verdict = tuple[bool | None, str]
"""Whether it held (None: that cannot be told), and what was seen."""

NEEDS = {
    "per_user": "each",
    "global": "everybody",
    "bursts": "bursts",
    "cycles": "cycles",
    "refusals": "bursts",
    "released": "again",
}
"""What must have been recorded before anything is said."""

ROUNDS = {"per_user": "one user", "global": "users within their own limit", "bursts": "bursts"}

REMEDIES = {
    "per_user": "Look and take in one atomic step (a lock, a constraint, one script in Redis), per user.",
    "global": "Look and take in one atomic step, and refuse when as many are taken as there may be.",
    "refusals": "Refuse with 429 or 503 and Retry-After, whatever the hurry.",
    "released": "Give the slot back in a `finally`, also when the start itself goes wrong.",
    "bursts": "Look and take in one atomic step; give slots back before the answer to the stop.",
    "cycles": "Find what is left over from start and stop: a slot, a lock, a count that is not undone.",
}


def judged_slots(name: str, slot: SlotSettings, fact: Row, *, trouble: str) -> Iterator[Finding]:
    """A finding per kind of check."""
    for kind in kinds_of(slot):
        check = f"quotas.{name}.{kind}"
        ok, said = _verdict(kind, slot, fact, trouble=trouble)
        if ok is None:
            yield checks.inconclusive(check, f"not tested: {said}", severity=Severity.CRITICAL)
        else:
            yield checks.holds(check, ok, message=said, severity=Severity.CRITICAL, remedy=REMEDIES[kind])


def _verdict(kind: str, slot: SlotSettings, fact: Row, *, trouble: str) -> Verdict:
    if fact.get("before"):
        return None, f"{fact['before']} slots were taken before we began, by somebody else"
    if NEEDS[kind] not in fact:
        return None, fact.get("why") or trouble or "it was never reached"
    if kind in ROUNDS:
        return _rounds(kind, slot, fact)
    if kind == "released":
        return _released(slot, fact)
    return _cycles(fact["cycles"]) if kind == "cycles" else _refusals(_all_rounds(fact))


def _rounds(kind: str, slot: SlotSettings, fact: Row) -> Verdict:
    who = ROUNDS[kind] if kind != "bursts" else f"bursts of {slot.bursts.size}"
    in_turn = fact.get(f"{NEEDS[kind]}_in_turn")
    alone = fact.get("before") == 0 or (in_turn or {}).get("accepted") == (in_turn or {}).get("room", -1)
    return _held(fact[NEEDS[kind]], who, in_turn=in_turn, alone=alone, told_apart=slot.told_apart)


def _held(rows: list[Row], who: str, *, in_turn: Row | None, alone: bool, told_apart: bool) -> Verdict:
    """Whether exactly as many were let in as there is room for, in every round."""
    every = [*rows, *([in_turn] if in_turn else [])]
    over = [row for row in every if row["accepted"] > row["room"]]
    if over:
        how = "one after the other" if in_turn in over else "at the same moment"
        worst = max(over, key=lambda row: row["accepted"] - row["room"])
        said = f"{worst['accepted']} of {worst['asked']} were let in where {worst['room']} may be"
        return False, f"{who}, {how}: {said} ({len(over)} of {len(every)} rounds){_shown(worst)}"
    under = [row for row in every if row["accepted"] < row["room"]]
    if not under:
        return True, f"{who}: {_counts(rows, 'accepted')} of {rows[0]['asked']} let in each time, as may be"
    least = min(under, key=lambda row: row["accepted"])
    said = f"{who}: only {least['accepted']} of {least['asked']} were let in where {least['room']} may be"
    unclear = {kind: least[kind] for kind in ("lost", "elsewhere", "improper") if least[kind]}
    if unclear:
        why = next(iter(least["whys"]), "")
        return None, f"{said}, but {', '.join(f'{count} {kind}' for kind, count in unclear.items())}: {why}"
    if not told_apart:
        return None, f"{said}; another limit may have refused them (quotas.slots: refused: {{json, equals}})"
    if alone:
        return False, f"{said}, and nobody else held a slot{_shown(least)}"
    return None, f"{said}; whether somebody else held the others cannot be seen (quotas.slots.counter)"


def _refusals(rows: list[Row]) -> Verdict:
    refused, improper = (sum(row[kind] for row in rows) for kind in ("refused", "improper"))
    if improper:
        row = next(row for row in rows if row["improper"])
        why = next(iter(row["whys"]), "")
        return (
            False,
            f"{improper} of {refused + improper} refusals were not as they should be: {why}{_shown(row)}",
        )
    if not refused:
        return None, "nobody was refused"
    return True, f"all {refused:,} refusals were proper"


def _released(slot: SlotSettings, fact: Row) -> Verdict:
    """Whether all that was taken is free again: stops, the service's count, and the same rush once more."""
    rows = _all_rounds(fact)
    if wrong := _not_released(rows):
        return False, wrong
    if slot.counter is not None and any(row["counted"] is None for row in rows):
        return None, "the service's counter could not be read"
    return _again(slot, fact)


def _not_released(rows: list[Row]) -> str:
    """What is plainly wrong with stops or counts; "" where nothing is."""
    for row in rows:
        if row["not_left"]:
            return f"slots could not be given back: {row['not_left'][0]}"
        if row["after"]:
            return f"the service still counts {row['after']} when all were given back{_shown(row)}"
        if row["counted"] not in {None, row["accepted"]}:
            return f"the service counts {row['counted']} while {row['accepted']} were let in"
    return ""


def _again(slot: SlotSettings, fact: Row) -> Verdict:
    again, before = fact["again"], fact.get("everybody") or fact.get("each") or []
    fewest = min((row["accepted"] for row in before), default=0)
    if again["lost"] or again["elsewhere"] or again["improper"]:
        return None, f"the last rush was not answered as the others: {next(iter(again['whys']), '')}"
    if again["accepted"] < min(fewest, again["room"]):
        return False, f"after all that only {again['accepted']} were let in, and {fewest} before"
    counted = "" if slot.counter is None else ", the service's own count was right and back at zero each time"
    return True, f"the same rush let {again['accepted']} in again after all that{counted}"


def _cycles(seen: Row) -> Verdict:
    asked, done = seen["asked"], seen["done"]
    if not seen["whys"] and done < asked:
        return None, f"only {done:,} of {asked:,} cycles were done when the run was stopped"
    if done < asked:
        why, count = next(iter(seen["whys"].items()))
        outcome = None if "another limit" in why or "no answer" in why else False
        return (
            outcome,
            f"{asked - done:,} of {asked:,} cycles of start and stop went wrong: {why} ({count:,})",
        )
    if seen["after"]:
        return False, f"the service still counts {seen['after']} after {done:,} cycles of start and stop"
    return True, f"{done:,} cycles of start and stop went well, in {seen['seconds']:.1f} s"


def _all_rounds(fact: Row) -> list[Row]:
    single = [fact[name] for name in ("each_in_turn", "everybody_in_turn", "again") if name in fact]
    return [*single, *(row for name in ("each", "everybody", "bursts") for row in fact.get(name, ()))]


def _counts(rows: Iterable[Row], key: str) -> str:
    return " and ".join(str(each) for each in sorted({row[key] for row in rows}))


def _shown(row: Row) -> str:
    return f" [{', '.join(row['exchanges'])}]" if row["exchanges"] else ""
