"""What the server counted while patterns ran, beside what we counted: for every part that runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from campaign import checks
from campaign.database.failure import failure_of
from campaign.database.view import Activity, Comparison, ServerView, between, compare
from campaign.records import Finding
from phases.database.pattern import Pattern

if TYPE_CHECKING:
    from campaign.database.server import Server
    from campaign.load.outcome import LoadOutcome

ALIKE = 0.05
"""The share by which two counts of the same thing may differ: connections are made, sessions looked at."""

SETTLE_SECONDS = 2.0
"""How long PostgreSQL's sessions may take to report what they did."""

Ran = TypeVar("Ran", bound="LoadOutcome")


async def watched(
    server: Server,
    patterns: Iterable[Pattern],
    run: Callable[[], Awaitable[Ran]],
    *,
    guarded: bool = False,
) -> tuple[Ran, dict[str, Any]]:
    """What `run` came to, and the server's view of that time as plain data; what it would not tell is its
    "why". `guarded` as in the run.
    """
    try:
        before = await asyncio.to_thread(ServerView.take, server)
    except Exception as error:  # noqa: BLE001 - the run is worth having all the same
        return await run(), {"why": str(failure_of(error))}
    outcome = await run()
    statements, transactions = done(outcome, patterns, guarded=guarded)
    try:
        activity = await _settled(server, before, statements, transactions)
    except Exception as error:  # noqa: BLE001
        return outcome, {"why": str(failure_of(error))}
    compared = compare(activity, statements=statements, transactions=transactions)
    return outcome, {**activity.as_data(), "compared": _plain(compared)}


def done(outcome: LoadOutcome, patterns: Iterable[Pattern], *, guarded: bool) -> tuple[float, float]:
    """Statements and transactions of the whole run, about; none where a pattern is a piece of Python."""
    statements = transactions = 0.0
    for pattern in patterns:
        if pattern.python:
            return 0.0, 0.0
        count = sum(tally.count for (name, _), tally in outcome.tallies.items() if name == pattern.name)
        count += outcome.counts.get(f"{pattern.name}.retries", 0)
        many = len(pattern.statements)
        alone = many == 1 and (pattern.writes or not guarded)
        statements += count * (many if alone else many + 2)  # BEGIN and COMMIT
        transactions += count
    return statements, transactions


async def _settled(server: Server, before: ServerView, statements: float, transactions: float) -> Activity:
    """What was counted since, once it is no less than what we did, or a while later."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_SECONDS
    while True:
        activity = between(before, await asyncio.to_thread(ServerView.take, server))
        found = compare(activity, statements=statements, transactions=transactions)
        if found is None or found.theirs >= found.ours or loop.time() > until:
            return activity
        await asyncio.sleep(0.1)


def _plain(compared: Comparison | None) -> dict[str, Any] | None:
    if compared is None:
        return None
    return {
        "ours": compared.ours,
        "theirs": compared.theirs,
        "unit": compared.unit,
        "others": compared.others,
    }


def judge_counts(part: str, seen: Mapping[str, Any]) -> Finding:
    """Whether the server counted what we did, for reading: `seen` is the plain data of `watched`."""
    check = f"{part}.server_count"
    compared = seen.get("compared")
    if not compared:
        why = seen.get("why") or "it counts nothing that we could compare"
        return checks.informational(check, f"the server's own count is not known: {why}")
    said = f"the server counted {compared['theirs']:,.0f} {compared['unit']}, we sent {compared['ours']:,.0f}"
    if compared["others"] > ALIKE:
        said = f"{said}: somebody else uses it too, and the figures hold with their load"
    elif compared["others"] < -ALIKE:
        said = f"{said}: not all of ours reached it, or were counted there"
    return checks.informational(check, said)
