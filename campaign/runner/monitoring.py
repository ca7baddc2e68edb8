"""Watching alone, without any phase: what `campaign monitor` does."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from campaign.clock import SECOND, RealClock
from campaign.config.plan import Campaign
from campaign.errors import ReportError
from campaign.events import Events, Listener
from campaign.evidence import EvidenceLog
from campaign.monitor.feed import Feed
from campaign.monitor.sampler import monitoring
from campaign.monitor.source import Reading
from campaign.redact import Redactor
from campaign.report.tables import SERIES
from campaign.runner.alerting import Alerting
from campaign.runner.campaign import new_folder, webhook_of
from campaign.runner.halt import Halt
from campaign.runner.interrupt import Interrupt, on_signals


@dataclass(frozen=True, slots=True)
class Watched:
    """What was watched: the folder with series.csv, all series, why it ended before its time ("": it did
    not), and whether the target's process was there to be seen.
    """

    folder: Path
    feed: Feed
    stopped: str
    target_seen: bool


async def watch(
    campaign: Campaign,
    *,
    seconds: float,
    output: Path,
    hear: Callable[[float, Reading], None],
    listeners: Iterable[Listener] = (),
) -> Watched:
    """Watch for so long, or until Ctrl-C or an alert that ends it; `hear` is called with each reading.

    Every value is written to series.csv as it comes. Raises ReportError where the folder cannot be made.
    """
    clock = RealClock()
    began_ns = clock.now_ns()
    folder = new_folder(output, f"{campaign.name} monitor", clock)
    redact = Redactor(campaign.secrets)
    webhook = webhook_of(campaign, redact)
    events, halt, feed, done = Events((*listeners, webhook)), Halt(), Feed(), asyncio.Event()
    interrupt = Interrupt()
    with ExitStack() as stack:
        log = EvidenceLog(
            folder / "monitoring.jsonl", lambda: (clock.now_ns() - began_ns) / SECOND, redact=redact
        )
        stack.callback(log.close)
        table = Table(stack.enter_context(_opened(folder / "series.csv")))
        alerting = Alerting(campaign, log, events=events, halt=halt)

        def sink(reading: Reading) -> None:
            at = log.elapsed()
            table.add(at, reading)
            for each in (feed.hear, alerting.hear, hear):
                each(at, reading)

        stack.enter_context(halt.aimed_at(done.set))
        stack.enter_context(interrupt.aimed_at(soft=done.set, hard=done.set))
        stack.enter_context(on_signals(interrupt, asyncio.get_running_loop()))
        watching = monitoring(campaign.target, sink, clock=clock, interval=campaign.monitor.interval)
        async with watching as process:
            await _until(done, seconds)
        alerting.end()
        log.evidence()
    await asyncio.to_thread(webhook.close)
    why = halt.why or ("interrupted" if interrupt.count else "")
    return Watched(folder, feed, why, process.ever_seen)


async def _until(done: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error


class Table:
    """series.csv as it grows; the columns are those of a campaign's, and an empty value is a gap."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._writer = file, csv.writer(file)
        self._writer.writerow(SERIES)

    def add(self, at: float, reading: Reading) -> None:
        """One line for each series."""
        for name, (value, unit) in reading.items():
            self._writer.writerow(("", name, unit, round(at, 3), "" if value is None else value))
        self._file.flush()
