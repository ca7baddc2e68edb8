"""The benchmark phase's evidence: each kind of entry by its own means, then held against the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.load.outcome import Second
from campaign.phase import PhaseContext, Progress
from campaign.records import Measurement
from campaign.target.guard import check_environment
from campaign.target.http import health
from phases.benchmark.choice import chosen_operations, definition_of, fingerprint, start_operations
from phases.benchmark.comparison import MACHINE, URL, compared, elsewhere, with_baseline
from phases.benchmark.operations import REFERENCE, TARGET, measure_operations
from phases.benchmark.settings import DEFAULT_CACHE, BenchmarkSettings, Entry
from phases.benchmark.timed import COMMAND, OPERATION, STATEMENT, Timed

NO_DATABASE = "the target has no database (target.database)"
NO_REDIS = "the target has no Redis (target.redis)"


async def run_benchmarks(context: PhaseContext) -> None:
    """Measure operations, then statements, then cache commands, each recorded before the next begins."""
    run = Run(context)
    if context.baseline is not None:
        context.record.note(MACHINE)
        if there := elsewhere(context.baseline, context.target.url):
            context.record.note(f"The earlier run was of another target, {there}.")
    context.record.fact(URL, context.target.url)
    context.record.fact("planned", run.planned())
    await run.operations()
    for what in (run.statements, run.commands):
        if not context.stop.requested:
            await what()


@dataclass(slots=True)
class Outcome:
    """One entry as it came out; `reference` is the second target's, where there is one."""

    kind: str
    name: str
    entry: Entry
    definition: str
    target: Timed
    reference: Timed | None = None


class Run:
    """One run of the phase: what is left of its time, and what was recorded."""

    def __init__(self, context: PhaseContext) -> None:
        self._context = context
        self._settings: BenchmarkSettings = context.settings
        self._ends = context.clock.now_ns() + round(self._settings.at_most * SECOND)
        self._entries: list[dict[str, Any]] = []

    def over(self) -> bool:
        """Whether the time is up, or the user wants an end."""
        return self._context.stop.requested or self._context.clock.now_ns() >= self._ends

    async def _over(self) -> None:
        """Return when it is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout((self._ends - self._context.clock.now_ns()) / SECOND):
                await self._context.stop.wait()

    def planned(self) -> list[list[str]]:
        """Kind and name of all that is to be measured."""
        chosen: dict[str, Mapping[str, Entry]] = {
            OPERATION: chosen_operations(self._settings, self._context.vocabulary),
            STATEMENT: self._settings.statements,
            COMMAND: self._commands(),
        }
        return [[kind, name] for kind, entries in chosen.items() for name in entries]

    def _commands(self) -> dict[str, Entry]:
        """The cache commands: those that the file names, else the usual ones where there is a Redis."""
        usual = DEFAULT_CACHE if self._context.target.stores.get("redis") else {}
        named = usual if self._settings.cache is None else self._settings.cache
        return {str(name): entry for name, entry in named.items()}

    async def operations(self) -> None:
        """Measure the operations, on both targets where there are two."""
        context, settings = self._context, self._settings
        chosen = chosen_operations(settings, context.vocabulary)
        if not chosen:
            return
        start = start_operations(settings, context.vocabulary, chosen)
        absent = await self._second_target()
        sides = (TARGET, REFERENCE) if settings.against and not absent else (TARGET,)
        measured = await measure_operations(
            context, tuple(chosen), start=start, sides=sides, seconds=self._left(), on_second=self._tell
        )
        health = measured.generator
        context.record.fact("generator", {"saturation": health.saturation(), "delay": health.delay()})
        context.record.fact("start", list(start))
        if measured.made:
            context.record.fact("made", {"made": measured.made, "deleted": measured.deleted})
        for name, entry in chosen.items():
            other = measured.times.get((REFERENCE, name))
            if settings.against and other is None:
                other = Timed(trouble=absent)
            definition = definition_of(context.vocabulary.operations[name])
            timed = measured.times[TARGET, name]
            self._record(Outcome(OPERATION, name, entry, definition, timed, other))

    async def _second_target(self) -> str:
        """Why the second target cannot be measured; "" where it can, and where there is none."""
        context, url = self._context, self._settings.against
        if not url:
            return ""
        try:
            report = await health(replace(context.target, url=url))
            why = "" if report.ok else f"the second target cannot be judged: {report.detail}"
        except CampaignError as error:
            why = f"the second target cannot be judged: {error}"
        context.record.fact("against", {"url": url, "trouble": why})
        return why

    async def statements(self) -> None:
        """Measure the statements, in a thread."""
        settings = self._settings
        if not settings.statements:
            return
        times = await self._contained(self._time_statements, settings.statements)
        for name, entry in settings.statements.items():
            definition = fingerprint(f"{entry.sql}\n{sorted(entry.params.items())!r}")
            self._record(Outcome(STATEMENT, name, entry, definition, times[name]))

    async def _time_statements(self) -> dict[str, Timed]:
        from campaign.database.address import read_address  # noqa: PLC0415 - only with a database
        from campaign.database.blocking import until_over  # noqa: PLC0415
        from campaign.database.server import open_server, tag_of  # noqa: PLC0415
        from phases.benchmark.statements import time_statements  # noqa: PLC0415

        context, settings = self._context, self._settings
        url = context.target.stores.get("database", "")
        if not url:
            raise NotThereError(NO_DATABASE)
        if any(each.writes for each in settings.statements.values()):
            check_environment(context.target.environment, allow_production=False)
        context.notify(Progress(0.8, "statements"))
        server = await asyncio.to_thread(open_server, read_address(url), tag=tag_of(f"{context.seed:08x}"))
        ended = False
        try:
            return await until_over(
                server, self._over(), time_statements, server, settings, over=lambda: ended or self.over()
            )
        finally:
            ended = True
            await asyncio.shield(asyncio.to_thread(server.close))

    async def commands(self) -> None:
        """Measure the cache commands."""
        url = self._context.target.stores.get("redis", "")
        chosen = self._commands()
        if not chosen:
            return
        times = await self._contained(lambda: self._time_commands(url, chosen), chosen)
        for name, entry in chosen.items():
            self._record(Outcome(COMMAND, name, entry, name, times[name]))

    async def _time_commands(self, url: str, chosen: Mapping[str, Entry]) -> dict[str, Timed]:
        from phases.benchmark.commands import time_commands  # noqa: PLC0415 - only with a Redis

        if not url:
            raise NotThereError(NO_REDIS)
        self._context.notify(Progress(0.9, "cache commands"))
        return await time_commands(url, tuple(chosen), self._settings, over=self.over)

    async def _contained(self, measure: Callable[[], Any], names: Mapping[str, Entry]) -> dict[str, Timed]:
        """What `measure` gives, or why there is nothing, for each of the names."""
        try:
            found: dict[str, Timed] = await measure()
        except CampaignError as error:
            return {name: Timed(trouble=str(error)) for name in names}
        except Exception as error:  # noqa: BLE001 - a store that is gone must not cost what was measured
            from campaign.database.failure import failure_of  # noqa: PLC0415

            return {name: Timed(trouble=str(failure_of(error))) for name in names}
        return found

    def _record(self, outcome: Outcome) -> None:
        context, metric = self._context, outcome.entry.metric
        entry: dict[str, Any] = {
            "kind": outcome.kind,
            "name": outcome.name,
            "metric": metric,
            "definition": outcome.definition,
            "target": outcome.target.plain(),
        }
        if outcome.reference is not None:
            entry["reference"] = outcome.reference.plain()
            entry["against"] = compared(
                outcome.target, outcome.reference, metric=metric, seed=context.seed, whose="second target"
            )
        if context.baseline is not None:
            entry["baseline"] = with_baseline(
                entry, context.baseline, now=outcome.target, seed=context.seed, url=context.target.url
            )
        self._entries.append(entry)
        context.record.fact("entries", self._entries)
        for measurement in _measurements(entry, outcome):
            context.record.measurement(measurement)

    def _left(self) -> float:
        left: int = self._ends - self._context.clock.now_ns()
        return max(1.0, left / SECOND)

    def _tell(self, second: Second) -> None:
        done = min(0.8, second.at / self._settings.at_most)
        figures = {"rate": second.rate, "p95": second.p95 or 0.0}
        self._context.notify(Progress(done, "one request at a time", figures))


class NotThereError(CampaignError):
    """The target does not have what an entry is about."""


def _measurements(entry: Mapping[str, Any], outcome: Outcome) -> list[Measurement]:
    """The entry's figures, by names that begin with the entry's own."""
    name = f"{outcome.kind}.{outcome.name}"
    found = [outcome.target.measure(metric, f"{name}.{metric}") for metric in ("mean", "p50", "p95", "p99")]
    for key, unit in (("against", "x the second target's"), ("baseline", "x the earlier run's")):
        told = entry.get(key) or {}
        if "ratio" in told:
            count = told["counts"][0]
            found.append(Measurement(f"{name}.{key}", told["ratio"], unit, count, told["low"], told["high"]))
    return found
