"""Runs patterns on the target's database with the load engine, and says what they came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from campaign.database.server import Server
from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.profile import Segment
from campaign.load.spec import LoadPlan, Model, ScenarioSpec
from campaign.target.journey import WaitSpec
from campaign.target.spec import UserSpec, Vocabulary
from phases.database.pattern import Pattern
from phases.database.running.work import MOST_ROWS, Work
from phases.database.scene import Scene

LIFE = "phases.database.running.life:make"
KIND = "statements"

READY_SECONDS = 0.5
"""In which the connections of an open run are made, before the first arrival."""

LEAVING = 2.0
"""Seconds in which users let go of their connections, beside what a statement may take."""


async def run_patterns(
    scene: Scene,
    patterns: tuple[Pattern, ...],
    *,
    name: str,
    rate: float | None = None,
    users: int | None = None,
    connections: int = 10,
    hold: float,
    warm_up: float = 0.0,
    timeout: float = 10.0,  # noqa: ASYNC109 - of each pattern, on the server too
    most_rows: int = MOST_ROWS,
    guarded: bool = False,
    workers: int = 1,
    on_second: Callable[[Second], None] = lambda _: None,
) -> LoadOutcome:
    """What the patterns came to, each an operation of the outcome under its own name.

    With `rate` an open model: so many patterns per second, over at most `connections`; with `users` a closed
    one: so many connections, each going on when it has its answer. `warm_up` and `hold` in seconds; the hold
    is judged. No pattern takes longer than `timeout`, on the server neither, and no more than `most_rows` of
    an answer are read. `guarded`: the database itself refuses to write for a pattern that is not said to.
    The counts of the outcome have `<pattern>.rows`, `.retries` and `.deadlocks`, over the whole run. Returns
    early where the phase is stopped. Raises GeneratorError.
    """
    server = scene.server
    if server is None:
        raise ValueError("patterns need a database")
    spec = scenario(
        name, rate=rate, users=users, connections=connections, hold=hold, warm_up=warm_up, timeout=timeout
    )
    most = max(users or 0, connections)
    work = work_on(server, patterns, connections=most, timeout=timeout, most_rows=most_rows, guarded=guarded)
    context = scene.context
    user = UserSpec(KIND, 1.0, WaitSpec(), (), {}, life=LIFE, options=work)
    vocabulary = Vocabulary(users={KIND: user}, feeds=context.vocabulary.feeds)
    plan = LoadPlan(context.target, vocabulary, spec, context.seed, min(workers, spec.users))
    return await run_load(
        plan,
        clock=context.clock,
        stop=context.stop,
        on_second=on_second,
        warn=lambda shortage: context.record.note(f"{name}: {shortage}."),
    )


def work_on(
    server: Server, patterns: tuple[Pattern, ...], *, connections: int, timeout: float, most_rows: int,
    guarded: bool,
) -> Work:  # fmt: skip
    """The patterns on that server, as the users of a run are told of them."""
    return Work(
        url=server.address.load.render_as_string(hide_password=False),
        product=server.version.product,
        tag=server.tag,
        patterns=patterns,
        connections=connections,
        timeout=timeout,
        most_rows=most_rows,
        guarded=guarded,
    )


def scenario(
    name: str, *, rate: float | None, users: int | None, connections: int, hold: float, warm_up: float,
    timeout: float,
) -> ScenarioSpec:  # fmt: skip
    """What the load engine is asked to do. Raises ValueError unless there is either a rate or users."""
    if (rate is None) == (users is None):
        raise ValueError("either a rate or a number of users")
    if users is not None:
        segments = Segment(users, 0.0), Segment(users, warm_up + hold)
        return ScenarioSpec(
            name, segments, (warm_up, warm_up + hold), graceful_stop=timeout + LEAVING, warm_up=warm_up
        )
    level = rate or 0.0
    lead = READY_SECONDS + warm_up
    closed = ScenarioSpec(
        name,
        (Segment(0, READY_SECONDS), Segment(level, 0.0), Segment(level, warm_up + hold)),
        (lead, lead + hold),
        graceful_stop=2 * (timeout + LEAVING),  # half of it is for what was due before the end
        warm_up=warm_up,
    )
    return replace(closed, model=Model.OPEN, ready=connections, most=connections)
