"""What the trials' evidence says: nothing lost, nothing there that was refused, healthy in time, no leak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Limit, Measurement, Outcome, Severity
from phases.database.recovery.disturbances import COMMANDS, TITLES, planned
from phases.database.recovery.settings import RecoverySettings
from phases.database.scene import facts_of, trouble_of

CHECKS = {
    "lost": Severity.BLOCKER,
    "phantom": Severity.BLOCKER,
    "recovered": Severity.CRITICAL,
    "leaked": Severity.CRITICAL,
}
"""The checks of every disturbance."""

DURABILITY = (
    "See the durability settings (synchronous_commit, fsync; innodb_flush_log_at_trx_commit), caches of "
    "disks that are not safe, and a standby that was promoted without the last writes."
)
PHANTOM = (
    "Look for something between client and server that repeats statements, and for commits that are split."
)
SLOW = (
    "See how long the server's own recovery takes, and whether clients notice dead connections: pre-ping, "
    "connect time-outs, statement time-outs, TCP keep-alive."
)
LEAK = "Look for a proxy or pool that keeps sessions whose client is gone; idle transactions hold locks."


def findings(evidence: Evidence, settings: RecoverySettings) -> Iterator[Finding]:
    """One finding per check and disturbance that the settings ask for. Pure."""
    facts = facts_of(evidence, "recovery")
    trials = {each["name"]: each for each in facts.get("disturbances", ())}
    for name in planned(settings):
        if why_not := facts.get("why_not"):
            yield from (
                checks.not_applicable(_check(name, each), f"{TITLES[name]}: {why_not}") for each in CHECKS
            )
        elif name in trials:
            yield from _judged(trials[name], settings)
        else:
            why = trouble_of(evidence, "recovery") or facts.get("rest", "it was never reached")
            yield from (_undecided(name, each, f"{TITLES[name]}: {why}") for each in CHECKS)


def _check(name: str, check: str) -> str:
    return f"recovery.{name}.{check}"


def _undecided(name: str, check: str, why: str) -> Finding:
    return checks.inconclusive(_check(name, check), why, severity=CHECKS[check])


def _judged(trial: dict[str, Any], settings: RecoverySettings) -> Iterator[Finding]:
    doubt = _doubt(trial)
    found: tuple[Finding, ...] = (
        _lost(trial, doubt),
        _phantom(trial, doubt),
        _recovered(trial, doubt, settings),
        _leaked(trial, doubt),
    )
    if broken := _broken_commands(trial):
        yield _command(trial, broken)
        told = not trial["proved"]  # then the rest is undecided by that alone, and it is said once
        found = tuple(each for each in found if not told or each.outcome is Outcome.FAILED)
    yield from found


def _broken_commands(trial: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The commands that did not end well, by what the campaign file calls them."""
    ran = zip(COMMANDS.get(trial["name"], ()), trial["commands"], strict=False)
    return [(name, command) for name, command in ran if command["exit_code"] != 0]


def _command(trial: dict[str, Any], broken: list[tuple[str, dict[str, Any]]]) -> Finding:
    commands = "; ".join(f"{name}: {command['command']}" for name, command in broken)
    return checks.inconclusive(
        _check(trial["name"], "command"),
        f"{trial['title']}: {'; '.join(_ending(*each) for each in broken)}",
        severity=Severity.BLOCKER,
        remedy=f"Mend what the campaign file says under recovery ({commands}), and run it again.",
    )


def _ending(name: str, command: dict[str, Any]) -> str:
    said = next(iter(command["output"].splitlines()), "it said nothing")
    if command["exit_code"] is None:
        return f"the {name} command did not end within {command['seconds']:.1f} s: {said}"
    return f"the {name} command failed with exit code {command['exit_code']}: {said}"


def _doubt(trial: dict[str, Any]) -> str:
    """Why nothing good can be said; "" where the disturbance happened under writes that were acknowledged."""
    if trial["why"]:
        return str(trial["why"])
    if not trial["acknowledged_before"]:
        return "no write was acknowledged before it"
    if not trial["proved"]:
        return f"it is not proved to have happened ({trial['proof']})"
    return ""


def _lost(trial: dict[str, Any], doubt: str) -> Finding:
    name, title = trial["name"], trial["title"]
    lost = trial.get("lost")
    if lost is None:
        return _undecided(name, "lost", f"{title}: the writes could not be read back: {_unreadable(trial)}")
    gone = "; our table itself is gone" if trial["table_gone"] else ""
    message = f"{title}: {lost['count']:,} of {trial['acknowledged']:,} acknowledged writes were lost{gone}"
    if lost["count"]:
        message += f" (the first: {', '.join(map(str, lost['first']))})"
    return _fact(trial, "lost", ok=not lost["count"], message=message, doubt=doubt, remedy=DURABILITY)


def _phantom(trial: dict[str, Any], doubt: str) -> Finding:
    name, title = trial["name"], trial["title"]
    kinds = {each: trial.get(each, {}).get("count") for each in ("phantom", "unexpected", "doubled")}
    if None in kinds.values():
        return _undecided(
            name, "phantom", f"{title}: the writes could not be read back: {_unreadable(trial)}"
        )
    message = (
        f"{title}: of {trial['found']:,} rows {kinds['phantom']:,} had been refused, {kinds['unexpected']:,} "
        f"were never written by us, {kinds['doubled']:,} were there twice"
    )
    return _fact(trial, "phantom", ok=not any(kinds.values()), message=message, doubt=doubt, remedy=PHANTOM)


def _recovered(trial: dict[str, Any], doubt: str, settings: RecoverySettings) -> Finding:
    name, title, most = trial["name"], trial["title"], settings.recovered_within
    limit = Limit(most, most, "s")
    if "recovered" not in trial:
        return _undecided(name, "recovered", f"{title}: {doubt}")
    if not trial["recovered"] or not trial["flowing"]:
        if doubt.endswith("interrupted"):
            return _undecided(name, "recovered", f"{title}: {doubt}")
        message = (
            f"{title}: not healthy again within > {most:g} s ({trial['errors']:,} errors; limit {most:g} s)"
        )
        return checks.holds(
            _check(name, "recovered"), ok=False, message=message, severity=CHECKS["recovered"], remedy=SLOW
        )
    seconds, what = _outage(trial)
    judged = checks.within(
        _check(name, "recovered"),
        Measurement.exact(_check(name, "recovered"), seconds, unit="s", count=trial.get("acknowledged", 0)),
        limit=limit,
        subject=f"{title}: {what}",
        severity=CHECKS["recovered"],
        remedy=SLOW,
    )
    if doubt and judged.outcome is not Outcome.FAILED:
        return _undecided(name, "recovered", f"{judged.message}, but {doubt}")
    return judged


def _outage(trial: dict[str, Any]) -> tuple[float, str]:
    """How long clients suffered, and what that is: whatever is longer, failures or silence."""
    to_healthy, gap = trial["to_healthy"], trial["longest_gap"]
    if to_healthy is not None and to_healthy >= gap:
        return to_healthy, "time to healthy, from the first failure"
    silence = "the longest time without an acknowledgement"
    return gap, silence if to_healthy is not None else f"nothing failed; {silence}"


def _leaked(trial: dict[str, Any], doubt: str) -> Finding:
    name, title, leaked = trial["name"], trial["title"], trial["leaked"]
    if leaked is None:
        return _undecided(name, "leaked", f"{title}: the server could not be asked: {_unreadable(trial)}")
    message = (
        f"{title}: {leaked['sessions']} sessions of ours stayed in the server's list, "
        f"{leaked['in_transaction']} of them in a transaction"
    )
    if held := leaked["checked_out"]:
        message += (
            f"; connections that our own pool still misses: {held}, taken by writes that were given up and "
            "whose driver did not let go of them"
        )
    if 0 < leaked["sessions"] <= held:
        doubt = doubt or "no more than our own driver still holds"
        return _undecided(name, "leaked", f"{message}: {doubt}")
    return _fact(trial, "leaked", ok=not leaked["sessions"], message=message, doubt=doubt, remedy=LEAK)


def _unreadable(trial: dict[str, Any]) -> str:
    return str(trial["unreadable"] or trial["why"] or "it was never reached")


def _fact(
    trial: dict[str, Any],
    check: str,
    *,
    ok: bool,
    message: str,
    doubt: str,
    remedy: str,
) -> Finding:
    """A finding for a fact; a good one proves nothing while there is a doubt."""
    if ok and doubt:
        return _undecided(trial["name"], check, f"{message}, but {doubt}")
    return checks.holds(
        _check(trial["name"], check), ok, message=message, severity=CHECKS[check], remedy=remedy
    )
