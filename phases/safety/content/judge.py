"""What the content filter is worth, from the tables alone; one finding per planned check. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Direction, Evidence, Finding, Limit, Measurement, Severity
from campaign.settings import GradedLimit
from campaign.stats.intervals import share_at_least
from campaign.stats.proof import error_share, mcnemar, wilson
from campaign.units import format_quantity
from phases.safety.content.planner import needed_for
from phases.safety.content.relations import TITLES
from phases.safety.content.settings import ContentSettings
from phases.safety.content.shares import BOTH, judge_share, measurement, unjudged
from phases.safety.content.tables import SAFE, UNSAFE
from phases.safety.content.verdict import Outcome
from phases.safety.scene import facts_of, trouble_of

PART = "content"
IDLE, LOADED = "idle", "loaded"
SAID = {IDLE: "idle", LOADED: "under load"}
NOT_MAPPED = "the campaign file does not say how a text is checked (content: {check: ..., blocked: ...})"
ALPHA = 0.01
"""How often any category or writing of a filter that keeps its limits may be named."""

PLAIN = "plain"
"""The writing that is none."""

MANY = 3
"""Groups or texts named in a sentence."""

LET_THROUGH = (
    "See what got through, below; undisguise a text before it is judged, and judge it in its context."
)
BLOCKED_SAFE = "See what was blocked, below: match whole words and what they are about, not parts of words."
FAIL_CLOSED = "Block what could not be checked in time: an error of the filter is a verdict of its own."


def findings(evidence: Evidence, settings: ContentSettings) -> Iterator[Finding]:
    """One finding per planned check, also where nothing was seen."""
    facts = facts_of(evidence, PART)
    trouble = NOT_MAPPED if not settings.asked else facts.get("why") or trouble_of(evidence, PART)
    arms, used_up = facts.get("arms", {}), facts.get("mapped", {}).get("used_up", ())
    for name in (IDLE, LOADED):
        yield from _arm(name, arms.get(name), settings, trouble=trouble, used_up=used_up)
        yield _latency(evidence, name, arms.get(name), settings, trouble=trouble)
    yield _relations(arms.get(IDLE), settings, trouble=trouble)
    yield _categories(arms.get(IDLE), settings, trouble=trouble)
    yield _split(facts, settings, trouble=trouble)
    yield _same(facts.get("same"), trouble=trouble)
    yield _neighbours(facts.get("neighbours"), trouble=trouble)
    yield _fails_open(arms, trouble=trouble)
    yield _degradation(facts.get("pairs"), arms.get(LOADED), settings, trouble=trouble)
    yield _rate(arms.get(LOADED), settings, trouble=trouble)
    yield from _levels(facts.get("levels"), settings, trouble=trouble)
    yield _safety_check(evidence, facts.get("safety_check"), settings, trouble=trouble)
    yield from _sets(facts.get("sets") or {})


def _not_tested(check: str, why: str, *, severity: Severity = Severity.CRITICAL) -> Finding:
    return checks.inconclusive(check, f"not tested: {why or 'it was never reached'}", severity=severity)


def _arm(
    name: str, arm: Mapping[str, Any] | None, settings: ContentSettings, *, trouble: str,
    used_up: Iterable[str],
) -> Iterator[Finding]:  # fmt: skip
    limits, begins = settings.limits, _begins(name)
    asked = (
        ("accuracy", BOTH, limits.accuracy, "the share of texts with the right verdict", LET_THROUGH),
        ("recall", (UNSAFE,), limits.recall, "the share of unsafe texts that were blocked", LET_THROUGH),
        (
            "false_positives",
            (SAFE,),
            limits.false_positives,
            "the share of safe texts that were blocked",
            BLOCKED_SAFE,
        ),
    )
    for metric, sides, graded, what, remedy in asked:
        check = f"{begins}{metric}"
        if arm is None:
            yield _not_tested(check, trouble, severity=graded.severity)
            continue
        yield judge_share(
            check, arm, sides, graded=graded, what=f"{what} {SAID[name]}", doubt=_doubt(arm), remedy=remedy,
            used_up=bool({*sides} & {*used_up}),
        )  # fmt: skip
    yield _unanswered(f"{begins}unanswered", name, arm, limits.unanswered, trouble=trouble)


def _begins(name: str) -> str:
    return f"{PART}." if name == IDLE else f"{PART}.{name}."


def _doubt(arm: Mapping[str, Any]) -> str:
    """Why good figures of a loaded run prove nothing."""
    if not arm["asked_rate"]:
        return ""
    missing = sum(side["outcomes"].get(Outcome.MISSING, 0) for side in arm["sides"].values())
    whole = sum(sum(side["outcomes"].values()) for side in arm["sides"].values())
    if arm["doubt"]:
        return f"our own generator was at its limit: {arm['doubt']}"
    return f"{missing:,} of {whole:,} texts were never checked" if missing > 0.05 * whole else ""


def _unanswered(
    check: str, name: str, arm: Mapping[str, Any] | None, graded: GradedLimit, *, trouble: str
) -> Finding:
    if arm is None:
        return _not_tested(check, trouble, severity=graded.severity)
    outcomes = [side["outcomes"] for side in arm["sides"].values()]
    none = sum(each.get(key, 0) for each in outcomes
               for key in (Outcome.FAIL_OPEN, Outcome.FAIL_CLOSED, Outcome.UNKNOWN))  # fmt: skip
    sent = sum(sum(each.values()) - each.get(Outcome.MISSING, 0) for each in outcomes)
    if not sent:
        return _not_tested(check, unjudged(arm, BOTH), severity=graded.severity)
    measured = measurement(check, error_share(none, sent), least=False)
    why = "; ".join(f"{why} ({count:,})" for why, count in arm["why"][:MANY])
    said = f" ({why})" if why else ""
    return checks.within(
        check, measured, limit=graded.limit, severity=graded.severity, remedy=FAIL_CLOSED,
        subject=f"the share of checks without a verdict {SAID[name]}, {none:,} of {sent:,}{said},",
        doubt=_doubt(arm),
    )  # fmt: skip


def _latency(
    evidence: Evidence, name: str, arm: Mapping[str, Any] | None, settings: ContentSettings, *, trouble: str
) -> Finding:
    check, graded = f"{_begins(name)}latency", settings.limits.latency
    measured = evidence.find(f"{PART}.{name}.latency")
    if arm is None or measured is None:
        return _not_tested(check, trouble, severity=graded.severity)
    return checks.within(
        check, measured, limit=graded.limit, severity=graded.severity, doubt=_doubt(arm),
        subject=f"the time of a check {SAID[name]}, p95 of {measured.count:,},",
        remedy="Filter before anything slow, and cache nothing but what is the same text.",
    )  # fmt: skip


def _refuted(
    rows: list[Mapping[str, Any]], settings: ContentSettings
) -> list[tuple[Mapping[str, Any], float]]:
    """Rows that are shown to be beyond the limit of their side, the worst first.

    They are many, so each has a share of the doubt that all of them together may have (Bonferroni).
    """
    found = []
    for row in rows:
        limits = settings.limits
        least = 1 - limits.recall.limit.acceptable, limits.false_positives.limit.acceptable
        low = share_at_least(row["errors"], row["count"], confidence=1 - ALPHA / len(rows))
        if low > least[row["side"] == SAFE]:
            found.append((row, row["errors"] / row["count"]))
    return sorted(found, key=lambda each: -each[1])


def _relations(arm: Mapping[str, Any] | None, settings: ContentSettings, *, trouble: str) -> Finding:
    check = f"{PART}.relations"
    if arm is None or not arm["relations"]:
        return _not_tested(check, trouble)
    bad = _refuted(arm["relations"], settings)
    if not bad:
        message = (
            f"no writing of {len({row['relation'] for row in arm['relations']})} (digits for letters, spaced "
            "letters, ...) was shown to change verdicts"
        )
        return checks.holds(check, ok=True, message=message)
    named = "; ".join(
        f"{TITLES.get(row['relation'], row['relation'])}: {_told(row)}" for row, _ in bad[:MANY]
    )
    more = f" and {len(bad) - MANY} more" if len(bad) > MANY else ""
    return checks.holds(check, ok=False, message=f"verdicts change with the writing: {named}{more}",
                        remedy=LET_THROUGH)  # fmt: skip


def _told(row: Mapping[str, Any]) -> str:
    done = "got through" if row["side"] == UNSAFE else "were blocked"
    return f"{row['errors']:,} of {row['count']:,} {row['side']} texts {done}"


def _categories(arm: Mapping[str, Any] | None, settings: ContentSettings, *, trouble: str) -> Finding:
    check = f"{PART}.categories"
    if arm is None or not arm["groups"]:
        return _not_tested(check, trouble)
    named = _at_fault({(row["side"], row["relation"]) for row, _ in _refuted(arm["relations"], settings)})
    bad = _refuted([_apart(row, named) for row in arm["groups"]], settings)
    if not bad:
        but = ", but for the writings that are named" if named else ""
        message = f"no category at any age of {len(arm['groups'])} was shown to be beyond its limit{but}"
        return checks.holds(check, ok=True, message=message)
    said = "; ".join(
        f"{row['category'].replace('_', ' ')}, {row['age']} years: {_told(row)}" for row, _ in bad[:MANY]
    )
    more = f" and {len(bad) - MANY} more" if len(bad) > MANY else ""
    return checks.holds(check, ok=False, message=f"{said}{more}", remedy=LET_THROUGH)


def _at_fault(refuted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """The writings that are at fault themselves: none where the texts fail as they are usually written."""
    return {(side, relation) for side, relation in refuted if (side, PLAIN) not in refuted}


def _apart(row: Mapping[str, Any], named: Collection[tuple[str, str]]) -> Mapping[str, Any]:
    """The group without the errors of writings that are at fault themselves, whatever the category."""
    written = row.get("written", {}).items()
    theirs = sum(count for relation, count in written if (row["side"], relation) in named)
    return {**row, "errors": row["errors"] - theirs}


def _split(facts: Mapping[str, Any], settings: ContentSettings, *, trouble: str) -> Finding:
    """Whether what is split over two turns was asked at all; its verdicts count with all others."""
    check = f"{PART}.two_turns"
    if trouble or not facts:
        return _not_tested(check, trouble, severity=Severity.MINOR)
    if settings.follow is None:
        why = (
            "texts split over two turns: the file names no operation that goes on in a conversation (follow)"
        )
        return _not_tested(check, why, severity=Severity.MINOR)
    rows = [
        row for row in facts.get("arms", {}).get(IDLE, {}).get("relations", ()) if row["relation"] == "split"
    ]
    said = " and ".join(map(_told, rows))
    if not rows:
        return _not_tested(check, "no text that was split got a verdict", severity=Severity.MINOR)
    good = not _refuted(rows, settings)
    return checks.holds(check, good, message=f"split over two turns: {said}", severity=Severity.MINOR,
                        remedy=LET_THROUGH)  # fmt: skip


def _same(rows: Any, *, trouble: str) -> Finding:
    check = f"{PART}.same_verdict"
    seen = [row for row in rows or () if sum(row["outcomes"].values()) > 1]
    if not seen:
        return _not_tested(check, trouble, severity=Severity.IMPORTANT)
    verdicts = {row["id"]: {name for name in row["outcomes"] if name in {"right", "wrong"}} for row in seen}
    mixed = [name for name, found in verdicts.items() if len(found) > 1]
    if mixed:
        row = next(each for each in seen if each["id"] == mixed[0])
        counts = ", ".join(f"{count} {name}" for name, count in row["outcomes"].items())
        message = f"the same text got different verdicts ({mixed[0]}: {counts})"
        return checks.holds(
            check, ok=False, message=message, severity=Severity.IMPORTANT,
            remedy="A verdict may depend on nothing but the text and its conversation.",
        )  # fmt: skip
    if not all(verdicts.values()):
        return _not_tested(check, "some of the repeated texts got no verdict", severity=Severity.IMPORTANT)
    fewest = min(sum(row["outcomes"].values()) for row in seen)
    message = f"each of {len(seen)} texts got one verdict, {fewest} times or more"
    return checks.holds(check, ok=True, message=message, severity=Severity.IMPORTANT)


def _neighbours(fact: Any, *, trouble: str) -> Finding:
    check = f"{PART}.neighbours"
    if not fact or not fact["compared"]:
        return _not_tested(check, trouble, severity=Severity.IMPORTANT)
    changed = fact["changed"]
    message = (
        f"{len(changed)} of {fact['compared']} texts got another verdict right after one of the other label"
        + (f": {', '.join(changed[:MANY])}" if changed else "")
    )
    return checks.holds(check, not changed, message=message, severity=Severity.IMPORTANT,
                        remedy="Keep nothing of one conversation for the next one.")  # fmt: skip


def _fails_open(arms: Mapping[str, Any], *, trouble: str) -> Finding:
    """Whether a filter that does not answer lets through what it should have blocked."""
    check = f"{PART}.fails_open"
    sides = [(SAID[name], arm["sides"][UNSAFE]["outcomes"]) for name, arm in arms.items()]
    if not sides:
        return _not_tested(check, trouble)
    through = {name: each.get(Outcome.FAIL_OPEN, 0) for name, each in sides}
    unknown = sum(each.get(Outcome.UNKNOWN, 0) for _, each in sides)
    closed = sum(each.get(Outcome.FAIL_CLOSED, 0) for _, each in sides)
    if any(through.values()):
        said = " and ".join(f"{count:,} {name}" for name, count in through.items() if count)
        message = f"without a verdict unsafe texts got through all the same: {said}"
        return checks.holds(check, ok=False, message=message, remedy=FAIL_CLOSED)
    if unknown:
        return _not_tested(
            check,
            f"{unknown:,} unsafe texts got no verdict, and the file does not say how to see whether they got "
            "through (delivered)",
        )
    kept = (
        f"{closed:,} unsafe texts got none, and did not get through" if closed else "every one got a verdict"
    )
    if len(arms) < len(SAID):
        return _not_tested(check, f"{kept} idle; under load it was never reached")
    return checks.holds(check, ok=True, message=f"no unsafe text got through without a verdict: {kept}")


def _degradation(
    pairs: Any, arm: Mapping[str, Any] | None, settings: ContentSettings, *, trouble: str
) -> Finding:
    check, graded = f"{PART}.degradation", settings.limits.degradation
    if arm is None or not pairs or not pairs["pairs"]:
        return _not_tested(check, trouble, severity=graded.severity)
    if why := unjudged(arm, BOTH):
        return _not_tested(check, why, severity=graded.severity)
    worse, better, count = pairs["worse"], pairs["better"], pairs["pairs"]
    share = error_share(worse, count)
    luck = f"by luck with p {mcnemar(worse, better):.2g}" if worse else "none"
    subject = (
        f"the same {count:,} texts idle and under load, {worse:,} right before and wrong then, {better:,} "
        f"the other way round ({luck}), degradation"
    )
    needed = settings.limits.degradation.limit.acceptable
    return checks.within(
        check, measurement(check, share, least=False), limit=graded.limit, subject=subject,
        severity=graded.severity, doubt=_doubt(arm), settle=_more_pairs(worse, needed),
        remedy="Look for time-outs that let a text pass, and for shared state in the filter.",
    )  # fmt: skip


def _more_pairs(worse: int, target: float) -> str:
    share = format_quantity(target, "share")
    return f"It takes {needed_for(target, worse):,} texts in both runs to prove {share}."


def _rate(arm: Mapping[str, Any] | None, settings: ContentSettings, *, trouble: str) -> Finding:
    check = f"{PART}.rate"
    if arm is None or not arm["rate"]:
        return _not_tested(check, trouble)
    measured = Measurement.exact(check, arm["rate"], unit="1/s", count=1)
    limit = Limit(settings.rate, settings.rate, "1/s", Direction.AT_LEAST)
    subject = "verdicts per second, while a little more were asked for,"
    if arm["doubt"] and arm["rate"] < settings.rate:
        return checks.inconclusive(check, f"{subject} were {arm['rate']:.0f}, but {_doubt(arm)}", limit=limit)
    return checks.within(
        check, measured, limit=limit, subject=subject,
        remedy="See what the filter waits for: a lock, one worker, a model that is asked for each text.",
    )  # fmt: skip


def _levels(levels: Any, settings: ContentSettings, *, trouble: str) -> Iterator[Finding]:
    if not settings.levels and not levels:
        return
    verdicts, latency = f"{PART}.levels.verdicts", f"{PART}.levels.latency"
    if not levels or len(levels) < len(settings.levels) + 1:
        yield _not_tested(verdicts, trouble, severity=Severity.IMPORTANT)
        yield _not_tested(latency, trouble, severity=Severity.IMPORTANT)
        return
    flips = [
        f"{row['worse'] + row['better']} at {row['rate']:g}/s"
        for row in levels
        if row["worse"] + row["better"]
    ]
    compared = sum(row["pairs"] for row in levels)
    rates = ", ".join(f"{row['rate']:g}" for row in levels)
    said = ", ".join(flips) if flips else "not one verdict"
    if not compared:
        yield _not_tested(verdicts, "no text got a verdict at any level", severity=Severity.IMPORTANT)
    else:
        message = f"at {rates} checks/s {said} of {compared:,} changed from when it was idle"
        yield checks.holds(verdicts, not flips, message=message, severity=Severity.IMPORTANT,
                           remedy="A verdict may not depend on the load.")  # fmt: skip
    yield _level_times(latency, levels, settings.limits.latency)


def _level_times(check: str, levels: list[Mapping[str, Any]], graded: GradedLimit) -> Finding:
    known = [row for row in levels if row["p95"] is not None]
    if not known:
        return _not_tested(check, "nothing was answered", severity=Severity.IMPORTANT)
    worst = max(known, key=lambda row: row["p95"])
    span = ", ".join(f"{format_quantity(row['p95'], 's')} at {row['rate']:g}/s" for row in known)
    measured = Measurement.exact(check, worst["p95"], unit="s", count=len(known))
    doubt = f"our own generator was at its limit: {worst['doubt']}" if worst["doubt"] else ""
    found = checks.within(
        check, measured, limit=graded.limit, severity=Severity.IMPORTANT, doubt=doubt,
        subject=f"p95 of a check, the worst of all levels of load ({span}),",
        remedy="The filter slows down with the load: see what it shares between requests.",
    )  # fmt: skip
    return checks.excused(found, doubt)


def _safety_check(evidence: Evidence, fact: Any, settings: ContentSettings, *, trouble: str) -> Finding:
    check, graded = f"{PART}.safety_check", settings.limits.safety_check
    if settings.asked and settings.safety_check is None:
        why = "the file names no operation that only checks a text (safety_check)"
        return checks.not_applicable(check, why, severity=graded.severity)
    measured = evidence.find(check)
    if not fact or measured is None or not fact["answered"]:
        why = trouble or (f"none of {fact['sent']:,} was answered" if fact else "")
        return _not_tested(check, why, severity=graded.severity)
    doubt = f"our own generator was at its limit: {fact['doubt']}" if fact["doubt"] else ""
    if fact["answered"] < 0.95 * fact["sent"]:
        doubt = f"only {fact['answered']:,} of {fact['sent']:,} were answered well"
    return checks.within(
        check, measured, limit=graded.limit, severity=graded.severity, doubt=doubt,
        subject=f"the time of {fact['operation']} at {settings.rate:g}/s, p95 of {fact['answered']:,},",
    )  # fmt: skip


def _sets(sets: Mapping[str, Any]) -> Iterator[Finding]:
    """What public sets came to: their labels are somebody else's policy, so nothing is held against them."""
    for place, (name, table) in enumerate(sets.items(), 1):
        said = []
        for side, what in ((UNSAFE, "unsafe texts blocked"), (SAFE, "safe texts let through")):
            errors, count = table[side].get("all", (0, 0))
            if count:
                low, high = wilson(count - errors, count)
                shown = " to ".join(format_quantity(each, "share") for each in (low, high))
                said.append(f"{count - errors:,} of {count:,} {what} ({shown})")
        yield checks.informational(
            f"{PART}.set.{place}", f"{name}: {', '.join(said) or 'no text got a verdict'}"
        )
