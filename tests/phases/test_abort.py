"""A scenario that a rule stops: at once, said why and when, never a pass. Against a real server."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from campaign.clock import SECOND, RealClock
from campaign.config.mistakes import CampaignFileError
from campaign.config.read import read
from campaign.load.outcome import Second
from campaign.load.spec import ramp_and_hold
from campaign.load.tally import Tally
from campaign.phase import PhaseContext, Stop
from campaign.records import Evidence, Outcome, Severity
from campaign.registry import installed
from campaign.stats.histogram import Histogram
from phases.load import LoadPhase
from phases.load.settings import LoadSettings
from phases.load.subjects import Subjects
from phases.load.watch import Watch

ROOT = Path(__file__).parents[2]
CAMPAIGN = """
name: Shop
target: {{url: {url}, health: GET /health}}
operations:
  search: {{request: GET /search, tags: [gdpr]}}
users:
  visitor: {{wait: 20ms, tasks: {{search: 1}}}}
phases:
  load:
    workers: 1
    {load}
"""


class Server:
    """Answers from a thread of its own: `answer(seconds since the first search)` gives status and delay."""

    def __init__(self, answer):
        self.answer = answer
        self.port, self.first = 0, None
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)

    async def serve(self):
        self.loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        there = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        self.port = there.sockets[0].getsockname()[1]
        self.ready.set()
        await self.done.wait()
        there.close()

    async def talk(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                status, delay = 200, 0.0
                if b"/search" in head:
                    self.first = self.first or time.monotonic()
                    status, delay = self.answer(time.monotonic() - self.first)
                await asyncio.sleep(delay)
                writer.write(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        server = Server(answer)
        server.thread.start()
        assert server.ready.wait(10)
        servers.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        server.loop.call_soon_threadsafe(server.done.set)
        server.thread.join(10)


class Record:
    """Keeps what a phase records."""

    def __init__(self):
        self.began = time.monotonic()
        self.kept, self.facts, self.notes = {}, {}, []
        self.note, self.fact = self.notes.append, self.facts.__setitem__

    def measurement(self, measurement):
        self.kept[measurement.name] = measurement

    def points(self, at, values):
        pass

    def elapsed(self):
        return time.monotonic() - self.began


def run(url, load, tmp_path):
    """The findings by check, and the facts, of the load phase of a campaign against `url`."""
    campaign = read(CAMPAIGN.format(url=url, load=load), phases=installed().infos(), environ={})
    record, clock, phase = Record(), RealClock(), LoadPhase()
    context = PhaseContext(
        target=campaign.target, vocabulary=campaign.vocabulary, settings=campaign.phases[0].settings,
        clock=clock, seed=1, workdir=tmp_path, baseline=None, record=record,
        notify=lambda progress: None, stop=Stop(clock.now_ns() + 60 * SECOND),
    )  # fmt: skip
    asyncio.run(asyncio.wait_for(phase.collect(context), 60))
    evidence = Evidence(tuple(record.kept.values()), (), record.facts, tuple(record.notes))
    return {each.check: each for each in phase.judge(evidence, context.settings)}, record


RULE = 'abort_when: [{error_rate: "> 50%", for: 2s, after: 1s}]'


def test_a_broken_target_ends_the_scenario_at_once_and_fails(serve, tmp_path):
    url = serve(lambda at: (500 if at > 1 else 200, 0.0))
    load = "scenarios: {calm: {users: 4, ramp: 1000/s, hold: 40s}, later: {users: 1, hold: 2s}}\n    " + RULE
    began = time.monotonic()
    found, record = run(url, load, tmp_path)
    assert time.monotonic() - began < 30
    (calm,) = record.facts["scenarios"]
    aborted = found["calm.all.aborted"]
    assert (aborted.outcome, aborted.severity) == (Outcome.FAILED, Severity.CRITICAL)
    assert "error rate above 50 % for 2 s on end" in aborted.message
    assert 3 <= calm["aborted"]["at"] < 20
    assert calm["hold_seconds"] < 30
    assert found["calm.all.error_rate"].outcome is Outcome.FAILED
    assert found["calm.all.longest_stall"].outcome is Outcome.INCONCLUSIVE
    assert found["later.all.error_rate"].outcome is Outcome.INCONCLUSIVE
    assert "not run, as scenario calm was aborted" in found["later.all.error_rate"].message
    assert found["target_afterwards"].outcome is Outcome.PASSED
    assert any("calm was aborted" in note for note in record.notes)


def until(true, within=40.0):
    give_up = time.monotonic() + within
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def workers_of(pid):
    children = psutil.Process(pid).children(recursive=True)
    return [each for each in children if "campaign.load.worker" in each.cmdline()]


def end_one(worker):
    worker.send_signal(signal.SIGKILL)


def freeze_one(worker):
    worker.send_signal(signal.SIGSTOP)
    time.sleep(4)  # the freeze itself, not a wait for something
    worker.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("rule", "harm", "said"),
    [
        ('{rate: "< 120/s", for: 2s, after: 1s}', end_one, "1 of 2 load workers were lost"),
        ('{max: "> 500ms", for: 1s}', freeze_one, "our own load generator was saturated"),
    ],
)
def test_an_abort_that_our_own_worker_brought_about_is_not_the_targets_failure(
    serve, tmp_path, rule, harm, said
):
    asked = threading.Event()
    url = serve(lambda at: (asked.set() if at > 1 else None) or (200, 0.0))
    load = f"scenarios: {{calm: {{users: 4, ramp: 1000/s, hold: 20s}}}}\n    abort_when: [{rule}]"
    text = CAMPAIGN.format(url=url, load=load).replace("workers: 1", "workers: 2")
    (tmp_path / "campaign.yaml").write_text(text)
    running = subprocess.Popen(
        [sys.executable, "-m", "campaign", "run", "campaign.yaml"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert asked.wait(40)
        harm(workers_of(running.pid)[0])
        output, _ = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 3, output
    (report,) = (tmp_path / "reports").glob("*/report.json")
    (load,) = json.loads(report.read_text())["test_results"]
    aborted = next(each for each in load["findings"] if each["check"] == "calm.all.aborted")
    assert (aborted["outcome"], aborted["severity"]) == ("inconclusive", "blocker")
    assert said in aborted["message"]


def test_a_sound_target_is_not_aborted(serve, tmp_path):
    url = serve(lambda at: (200, 0.0))
    found, record = run(url, "scenarios: {calm: {users: 9, ramp: 1000/s, hold: 3s}}\n    " + RULE, tmp_path)
    assert "calm.all.aborted" not in found
    assert record.facts["scenarios"][0]["aborted"] is None
    assert found["calm.all.error_rate"].outcome is Outcome.PASSED


@pytest.mark.parametrize(("delay", "verdict"), [(0.6, Outcome.FAILED), (0.0, Outcome.PASSED)])
def test_a_limit_over_time_is_missed_by_a_slow_stretch_only(serve, tmp_path, delay, verdict):
    url = serve(lambda at: (200, delay if 1 < at < 5 else 0.0))
    limits = "limits: {'tag:gdpr': {p95: [{limit: 300ms, for: 2s}, {limit: 300ms, for: 20s}]}}"
    load = "scenarios: {calm: {users: 4, ramp: 1000/s, hold: 6s}}\n    " + limits
    found, _ = run(url, load, tmp_path)
    missed = found["calm.tag:gdpr.p95.for_2s"]
    assert missed.outcome is verdict
    assert ("after the scenario began" in missed.message) == bool(delay)
    assert found["calm.tag:gdpr.p95.for_20s"].outcome is Outcome.INCONCLUSIVE


# The rules alone.


def histogram(*milliseconds):
    filled = Histogram()
    filled.record_many([each * 1000 for each in milliseconds])
    return filled


def watch(*rules, hold=60.0):
    chosen = LoadSettings.model_validate(
        {"scenarios": {"calm": {"users": 10, "hold": "1m"}}, "abort_when": list(rules)}
    )
    spec = ramp_and_hold("calm", 10, 10.0, hold)
    return Watch(spec, Subjects(), limits=chosen.planned_for("calm"), rules=chosen.aborts("calm"))


def aborted_at(observer, milliseconds):
    for at, each in enumerate(milliseconds):
        tally = Tally(histogram(*([each] * 10 if each else [])), histogram())
        observer.see(Second(float(at), 10.0, None, None, None, 1, 0, {"search": tally} if each else {}))
    return observer.aborted and observer.aborted.at


@pytest.mark.parametrize(
    ("rule", "milliseconds", "at"),
    [
        ({"p95": "> 1s", "for": "3s"}, [10, 10, 1500, 1500, 1500, 1500], 5.0),
        ({"p95": "> 1s", "for": "3s"}, [10, 1500, 1500, 10, 1500, 1500, 10], None),
        ({"p95": "> 1s", "for": "3s", "after": "3s"}, [900 + 1000] * 10, 6.0),
        ({"p95": "> 1s", "for": "3s", "of": "search"}, [1500] * 4, 3.0),
        ({"p95": "> 1s", "for": "3s", "of": "story"}, [1500] * 4, None),
        ({"rate": "< 5/s", "for": "3s"}, [10, 10, 0, 0, 0, 0], 5.0),
        ({"rate": "< 5/s", "for": "3s"}, [10] * 9, None),
    ],
)
def test_a_rule_is_met_after_as_many_seconds_on_end(rule, milliseconds, at):
    assert aborted_at(watch(rule), milliseconds) == at


def test_nothing_is_aborted_after_the_scenarios_end():
    assert aborted_at(watch({"p95": "> 1s", "for": "3s"}, hold=1.0), [10, 10, 2000, 2000, 2000, 2000]) is None


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{error_rate: 50%}", 'such as "> 50%"'),
        ("{error_rate: '< 50%'}", 'such as "> 50%"'),
        ("{rate: '> 5/s'}", 'such as "< 10/s"'),
        ("{for: 5s}", "one figure and its bound"),
        ("{p95: '> 1s', p99: '> 2s'}", "one figure and its bound"),
        ("{p95: '> 1s', for: 0s}", "at least 1"),
        ("{p95: '> 1s', of: serch}", "did you mean  search"),
        ("{error_rat: '> 1%'}", "did you mean  error_rate"),
        ("{longest_stall: '> 1s'}", "unknown key"),
    ],
)
def test_a_wrong_rule_is_a_mistake_with_its_place(rule, said):
    load = f"scenarios: {{calm: {{users: 2}}}}\n    abort_when:\n      - {rule}"
    with pytest.raises(CampaignFileError) as caught:
        read(CAMPAIGN.format(url="http://127.0.0.1:9", load=load), phases=installed().infos(), environ={})
    assert said in str(caught.value)
    assert "campaign.yaml:13" in str(caught.value)
