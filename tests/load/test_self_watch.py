"""The generator watches itself: what it is granted, what held it up, and what that does to the verdict."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
from dataclasses import asdict, replace

import pytest

from campaign.clock import SECOND, RealClock
from campaign.load import fleet, machine, process
from campaign.load.fleet import run_load
from campaign.load.generator import GeneratorHealth
from campaign.load.machine import Means, PauseWatch, Vitals, shortages, stolen_share
from campaign.load.merge import Merge
from campaign.load.messages import Began, Failed, Finished, Interval
from campaign.load.silence import Silences
from campaign.load.tally import Stage, Tally
from campaign.stats.histogram import Histogram

WELL = GeneratorHealth(0.001, 0.001, 0.3, 1, 0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def histogram(*values: int) -> Histogram:
    made = Histogram()
    made.record_many(values)
    return made


def interval(sequence: int, *times: int, vitals: Vitals | None = None) -> Interval:
    tally = Tally(histogram(*times), histogram(*times))
    return Interval(
        sequence=sequence,
        began_ns=sequence * SECOND,
        ended_ns=(sequence + 1) * SECOND,
        tallies={("home", Stage.HOLD): tally},
        views={},
        measures={},
        counts={},
        errors={},
        users=1,
        waiting=0,
        worked_ns=SECOND,
        silences=Silences(),
        reconnects=0,
        schedule_lags=Histogram(),
        loop_lags=Histogram(),
        cpu=0.1,
        vitals=vitals or Vitals(),
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"longest_pause": 0.4}, "garbage collector paused it for 0.40 s (at most 0.25 s)"),
        ({"exhausted": 3}, "3 connections could not be opened"),
        ({"schedule_lag_p99": 0.2}, "schedule lag p99 200 ms (at most 50 ms)"),
        ({"start_skew": 0.8}, "began 0.80 s away from the common start (at most 0.5 s)"),
        ({"stolen": 0.25}, "25% of its processor time was given to other machines (at most 10%)"),
        ({"longest_lag": 2.0}, "stood still for 2.0 s"),
        ({"closing": 20_000, "ports": 20_000, "shortages": ("few files",)}, ""),
    ],
)
def test_each_stated_limit_that_is_passed_is_said_in_a_sentence(change, words):
    said = replace(WELL, **change).saturation()
    assert words in said
    assert bool(words) == bool(said)


def test_the_health_is_plain_data():
    assert json.loads(json.dumps(asdict(WELL)))["start_skew"] == 0.0


def test_a_pass_of_the_garbage_collector_is_a_pause():
    watch = PauseWatch()
    rings = [[] for _ in range(50_000)]
    for ring in rings:
        ring.append(ring)
    del rings, ring
    watch.start()
    gc.collect()
    watch.stop()
    longest, total = watch.take()
    gc.collect()
    assert 0 < longest <= total
    assert watch.take() == (0, 0)
    assert watch._called not in gc.callbacks


def test_what_may_run_out_is_said_before_it_does():
    few = Means(open_files=1024, ports=28_232, machine="one")
    assert shortages([few], 500, hosts=1) == ()
    (files,) = shortages([few], 5_000, hosts=1)
    assert "1,024 files open" in files
    assert "5,000 users may want 5,064" in files
    assert shortages([few] * 10, 5_000, hosts=1) == ()
    assert "files" in shortages([few], 500, hosts=3)[0]
    rich = replace(few, open_files=10**6)
    (ports,) = shortages([rich] * 2, 60_000, hosts=1)
    assert "28,232 ports" in ports
    assert (
        shortages([rich, replace(rich, machine="two"), replace(rich, machine="three")], 60_000, hosts=1) == ()
    )
    assert shortages([Means()], 10**6, hosts=1) == ()


def test_the_machine_is_read_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "net").mkdir()
    (tmp_path / "stat").write_text("cpu  10 0 10 60 0 0 0 20 5 0\ncpu0 1 2 3\n")
    (tmp_path / "net/sockstat").write_text("sockets: used 9\nTCP: inuse 5 orphan 0 tw 77 alloc 6 mem 1\n")
    monkeypatch.setattr(machine, "PROC", tmp_path)
    assert machine.processor_ticks() == (20, 100)
    assert machine.closing_connections() == 77
    assert machine.means().ports == 0
    assert stolen_share((20, 100), (30, 150)) == pytest.approx(0.2)
    monkeypatch.setattr(machine, "PROC", tmp_path / "nowhere")
    assert (machine.processor_ticks(), machine.closing_connections()) == ((0, 0), 0)
    assert stolen_share((0, 0), (0, 0)) == 0.0


def test_the_worst_worker_speaks_for_all(make_plan):
    merge = Merge(make_plan("http://127.0.0.1:9", workers=2), 0, on_second=lambda second: None)
    merge.begin(0, -2_000_000, error_ns=1_000_000)
    merge.begin(1, 1_000_000)
    merge.add(0, interval(0, 5, vitals=Vitals(30_000_000, 40_000_000, 7, 0.0)))
    merge.add(1, interval(0, 5, vitals=Vitals(10_000_000, 10_000_000, 9, 0.1)))
    merge.add(0, interval(1, 5, vitals=Vitals(20_000_000, 20_000_000, 3, 0.05)))
    health = merge.outcome().generator
    assert health.start_skew == pytest.approx(0.003)
    assert (health.longest_pause, health.paused) == (pytest.approx(0.03), pytest.approx(0.06))
    assert (health.closing, health.stolen) == (9, 0.1)


def test_percentiles_of_two_workers_are_those_of_the_union(make_plan):
    luck = random.Random(3)
    some = [round(luck.lognormvariate(9, 1)) for _ in range(4_000)]
    others = [round(luck.lognormvariate(11, 0.3)) for _ in range(1_000)]

    def outcome(*shards):
        merge = Merge(make_plan("http://127.0.0.1:9", workers=len(shards)), 0, on_second=lambda second: None)
        for number, times in enumerate(shards):
            half = len(times) // 2
            merge.add(number, interval(0, *times[:half]))
            merge.add(number, interval(1, *times[half:]), last=True)
        return merge.outcome().tallies["home", Stage.HOLD].response

    apart, together = outcome(some, others), outcome(luck.sample(some + others, 5_000))
    assert apart.count == together.count == 5_000
    for share in (0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0):
        assert apart.percentile(share) == together.percentile(share)
    assert together.percentile(0.5) == pytest.approx(sorted(some + others)[2_500], rel=2e-3)


GAP = ("second 1 of what it saw never arrived",)


class Scripted:
    """A worker that says what a test wrote for it."""

    index = 0
    means = Means(open_files=100, ports=10)
    clock_error = 0

    def __init__(self, *messages: object) -> None:
        self.killed = False
        self._messages = list(messages)

    async def start(self, shard): ...
    async def tell(self, message): ...
    async def exited(self): ...

    async def hear(self, limit):
        return self._messages.pop(0) if self._messages else None

    async def epitaph(self, last):
        return last.reason if last else "fell silent"

    def kill(self):
        self.killed = True


@pytest.mark.parametrize(
    ("messages", "losses", "count"),
    [
        ((interval(0, 1), interval(1, 2), Finished(interval(2, 3))), (), 3),
        ((interval(0, 1), interval(0, 1), interval(1, 2), Finished(interval(2, 3))), (), 3),
        ((interval(0, 1), interval(2, 2), Finished(interval(3, 3))), GAP, 1),
        ((interval(0, 1), Failed("no luck")), ("no luck",), 1),
        ((interval(0, 1),), ("fell silent",), 1),
    ],
    ids=["all", "a repeat", "a gap", "a failure", "silence"],
)  # fmt: skip
def test_a_second_counts_once_and_one_that_is_missing_makes_the_worker_lost(
    make_plan, messages, losses, count
):
    worker = Scripted(Began(0), *messages)
    merge = Merge(make_plan("http://127.0.0.1:9"), 0, on_second=lambda second: None)
    asyncio.run(fleet._follow(worker, merge))
    outcome = merge.outcome()
    assert outcome.generator.losses == losses
    assert outcome.tallies["home", Stage.HOLD].count == count
    assert worker.killed is ("never arrived" in "".join(losses))


@pytest.fixture
def few_files(tmp_path, monkeypatch):
    """Workers may have 80 files open, and cannot raise that."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -n 80\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(process.sys, "executable", str(python))


@pytest.mark.usefixtures("few_files")
def test_too_few_files_are_told_before_and_make_the_generator_saturated(serve, make_plan):
    told = []
    plan = make_plan(serve(OK).url, users=120, hold=1.0, wait=0.1)
    silent = {"stop": asyncio.Event(), "on_second": lambda second: None}
    outcome = asyncio.run(run_load(plan, clock=RealClock(), warn=told.append, **silent))
    health = outcome.generator
    assert health.open_files == 80
    assert "may have 80 files open" in told[0]
    assert health.shortages == tuple(told)
    assert health.exhausted > 0
    assert "could not be opened" in health.saturation()
