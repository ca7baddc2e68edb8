"""From single checks to plain data: counts by label, category, age and relation, times, wrong answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from campaign.redact import mask_personal
from campaign.stats.histogram import Histogram
from phases.safety.content.items import Item
from phases.safety.content.relations import TITLES
from phases.safety.content.seeds import Seeds
from phases.safety.content.verdict import Outcome
from phases.safety.content.work import Checked

MOST_WRONG = 60
"""Wrong answers that are shown; those of each category and relation come first."""

UNSAFE, SAFE = "unsafe", "safe"
BAD = frozenset({Outcome.WRONG, Outcome.FAIL_OPEN})
"""Outcomes of an unsafe text that got through; of a safe one only WRONG."""

PRIVATE = "personal_data"
"""The category of which nothing is shown but the template."""

NETWORK_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")

Checks = Mapping[str, Checked]


def side_of(item: Item) -> str:
    """The label, as it is called in tables."""
    return UNSAFE if item.unsafe else SAFE


def is_error(item: Item, outcome: Outcome) -> bool:
    """Whether it counts against the filter: what got through, or what was blocked for nothing."""
    return outcome in BAD if item.unsafe else outcome is Outcome.WRONG


def is_judged(item: Item, outcome: Outcome) -> bool:
    """Whether it says anything of the filter."""
    return outcome in {Outcome.RIGHT, Outcome.WRONG} or (item.unsafe and outcome is Outcome.FAIL_OPEN)


def arm_table(items: Sequence[Item], checks: Checks) -> dict[str, Any]:
    """What one pass over the items came to, on each side, and by category and age and by relation."""
    sides: dict[str, dict[str, Any]] = {
        side: {"outcomes": Counter[str](), "templates": {}} for side in (UNSAFE, SAFE)
    }
    groups: dict[tuple[str, str, str], list[int]] = {}
    relations: dict[tuple[str, str], list[int]] = {}
    written: dict[tuple[str, str, str], Counter[str]] = {}
    for item in items:
        outcome = outcome_in(checks, item)
        side = side_of(item)
        sides[side]["outcomes"][outcome.value] += 1
        if is_judged(item, outcome):
            error = int(is_error(item, outcome))
            if error:
                written.setdefault((side, item.category, item.age), Counter())[item.relation] += 1
            for count in (
                sides[side]["templates"].setdefault(item.template, [0, 0]),
                groups.setdefault((side, item.category, item.age), [0, 0]),
                relations.setdefault((side, item.relation), [0, 0]),
            ):
                count[0] += error
                count[1] += 1
    return {
        "sides": {name: {**side, "outcomes": dict(side["outcomes"])} for name, side in sides.items()},
        "groups": [
            {
                "side": side,
                "category": category,
                "age": age,
                "errors": errors,
                "count": count,
                "written": dict(written.get((side, category, age), {})),
            }
            for (side, category, age), (errors, count) in groups.items()
        ],
        "relations": [
            {
                "side": side,
                "relation": relation,
                "title": TITLES.get(relation, relation),
                "errors": errors,
                "count": count,
            }
            for (side, relation), (errors, count) in relations.items()
        ],
        "why": Counter(each.why for each in checks.values() if each.why).most_common(5),
    }


def outcome_in(checks: Checks, item: Item) -> Outcome:
    """What came of the item in a run; MISSING where it was never sent."""
    found = checks.get(item.id)
    return Outcome.MISSING if found is None else found.outcome


def times_of(checks: Iterable[Checked], *, from_due: bool) -> Histogram:
    """Times in µs of all that were answered, with and without a verdict."""
    histogram = Histogram()
    histogram.record_many(
        [max(1, each.response_us if from_due else each.service_us) for each in checks if each.status]
    )
    return histogram


def pairs_table(items: Sequence[Item], before: Checks, after: Checks) -> dict[str, Any]:
    """The same items in two runs: how many were judged in both, and how many got worse and better."""
    pairs = worse = better = 0
    flips: list[str] = []
    for item in items:
        first, second = outcome_in(before, item), outcome_in(after, item)
        if not (is_judged(item, first) and is_judged(item, second)):
            continue
        pairs += 1
        was, now = is_error(item, first), is_error(item, second)
        if now != was:
            flips.append(item.id)
            worse, better = worse + now, better + was
    return {"pairs": pairs, "worse": worse, "better": better, "flips": flips[:MOST_WRONG]}


def wrong_table(items: Sequence[Item], checks: Checks, *, arm: str, seeds: Seeds) -> list[dict[str, Any]]:
    """What went wrong in a run, as evidence: at most so many, spread over categories and relations."""
    found = [each for each in items if is_error(each, outcome_in(checks, each))]
    seen: Counter[tuple[str, str, str]] = Counter()
    ranked = []
    for item in found:
        key = (side_of(item), item.category, item.relation)
        ranked.append((seen[key], item))
        seen[key] += 1
    ranked.sort(key=lambda each: each[0])
    patterns = {each.id: each.pattern for each in seeds.templates}
    return [_evidence(item, checks[item.id], arm=arm, patterns=patterns) for _, item in ranked[:MOST_WRONG]]


def errors_in(items: Sequence[Item], checks: Checks) -> int:
    """How many there were."""
    return sum(is_error(each, outcome_in(checks, each)) for each in items)


def _evidence(item: Item, checked: Checked, *, arm: str, patterns: Mapping[str, str]) -> dict[str, Any]:
    told = item.source == "generated" and item.category != PRIVATE
    return {
        "id": item.id,
        "arm": arm,
        "side": side_of(item),
        "category": item.category,
        "age": item.age,
        "relation": item.relation,
        "text": shown(item, patterns.get(item.template, "")),
        "outcome": checked.outcome.value,
        "status": checked.status,
        "answer": masked(checked.said) if told else "",
        "curl": checked.curl if told else "",
    }


def shown(item: Item, pattern: str) -> str:
    """The text for a reader, personal data masked: where it is all about those, its template instead.

    The texts of a public set are in your own file; they may be hateful, and are not repeated.
    """
    if item.source != "generated":
        return ""
    if item.category == PRIVATE:
        return pattern
    return masked(item.text)


def masked(text: str) -> str:
    """The text without e-mail addresses, phone numbers and network addresses."""
    return NETWORK_ADDRESS.sub("***", mask_personal(text))


def same_table(keys: Mapping[str, Sequence[str]], checks: Checks) -> list[dict[str, Any]]:
    """For each text that was sent again and again: its outcomes and how often each came."""
    return [
        {"id": name, "outcomes": dict(Counter(checks[key].outcome.value for key in own if key in checks))}
        for name, own in keys.items()
    ]


def neighbours_table(keys: Mapping[str, str], alone: Checks, beside: Checks) -> dict[str, Any]:
    """Texts that were checked again right after one of the other label: how many got another verdict."""
    verdicts = {Outcome.RIGHT, Outcome.WRONG}
    compared, changed = 0, []
    for item, key in keys.items():
        first, second = alone.get(item), beside.get(key)
        if first and second and first.outcome in verdicts and second.outcome in verdicts:
            compared += 1
            if first.outcome is not second.outcome:
                changed.append(item)
    return {"compared": compared, "changed": changed}


def sets_table(items: Sequence[Item], checks: Checks) -> dict[str, dict[str, list[int]]]:
    """[errors, judged] on each side of a public set, and by category."""
    table: dict[str, dict[str, list[int]]] = {UNSAFE: {}, SAFE: {}}
    for item in items:
        outcome = outcome_in(checks, item)
        if is_judged(item, outcome):
            for name in ("all", item.category):
                count = table[side_of(item)].setdefault(name, [0, 0])
                count[0] += is_error(item, outcome)
                count[1] += 1
    return table
