"""A phase that breaks things, in whole campaigns: interrupted in every way, beside another one, and when
what it broke cannot be put back.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers import wait_until

from campaign.faults.alive import state
from campaign.faults.journal import Journal

ROOT = Path(__file__).parents[2]
PHASE = '''
import asyncio, os, signal
from pathlib import Path
from campaign import checks
from campaign.faults.alive import began, state
from campaign.faults.breaker import open_breaker
from campaign.faults.fault import Effect, Healed, Injected
from campaign.faults.record import HealStep
from campaign.phase import PhaseInfo
from campaign.settings import Settings

class BreakerSettings(Settings):
    """Which process to freeze."""
    pid: int
    lost: bool = False

class Freeze:
    subject, heals_itself = "service", False
    def __init__(self, settings, clock):
        self.pid, self.lost, self.clock = settings.pid, settings.lost, clock
    def describe(self):
        return f"freeze {self.pid}"
    async def look(self):
        pid = 2**22 + 1 if self.lost else self.pid
        return (HealStep("process", {"pid": pid, "began": began(self.pid)}, {"settle": 0.2}, ("thaw it",)),)
    async def inject(self):
        sent = self.clock.now_ns()
        os.kill(self.pid, signal.SIGSTOP)
        return Injected(sent, self.clock.now_ns())
    async def took_effect(self):
        return Effect(True, "frozen")
    async def heal(self):
        started = self.clock.now_ns()
        await asyncio.sleep(0.5)
        os.kill(self.pid, signal.SIGCONT)
        return Healed(started, self.clock.now_ns(), None, not self.lost, "thawed")

class BreakerPhase:
    info = PhaseInfo("breaker", "Breaker", "Breaks.", ("http",), BreakerSettings, disruptive=True)
    async def collect(self, context):
        run = str(context.workdir.parent.parent)
        async with open_breaker(target_url=context.target.url, run=run, clock=context.clock) as breaker:
            await breaker.strike(Freeze(context.settings, context.clock), seconds=30)
            context.record.note("struck")
            if not context.settings.lost:
                await asyncio.sleep(25)
    def judge(self, evidence, settings):
        return (checks.holds("breaker.ok", ok=True, message="all is well"),)
    def seconds(self, settings):
        return 25.0
'''


@pytest.fixture
def site(tmp_path):
    """A folder in which the phase above is installed."""
    folder = tmp_path / "site"
    info = folder / "breaker_phase-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "breaker_phase.py").write_text(PHASE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: breaker-phase\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[campaign.phases]\nbreaker = breaker_phase:BreakerPhase\n")
    return folder


@pytest.fixture
def victim():
    process = subprocess.Popen(["sleep", "1000"])
    yield process.pid
    process.kill()
    process.wait()


@pytest.fixture
def start(tmp_path, site, plain_target):
    """Starts campaigns in one folder; those that still run are killed."""
    started = []
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)]),
        "CAMPAIGN_STATE_HOME": str(tmp_path / "state"),
    }

    def begin(phases, name="campaign"):
        text = {"name": name, "target": {"url": plain_target.url, "health": "GET /"}, "phases": phases}
        text |= {
            "operations": {"look": {"request": "GET /"}},
            "users": {"one": {"tasks": {"look": 1}, "wait": "100ms"}},
        }
        (tmp_path / f"{name}.yaml").write_text(json.dumps(text))
        command = [sys.executable, "-m", "campaign", "run", f"{name}.yaml", "--yes"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environ, **pipes, start_new_session=True))
        return started[-1]

    yield begin
    for each in started:
        if each.poll() is None:
            os.killpg(each.pid, signal.SIGKILL)
        each.communicate(timeout=10)


LOAD = {"load": {"scenarios": {"s": {"users": 1, "hold": "1s"}}}}


def frozen(pid):
    return state(pid) == "T"


def exit_code(report_folder):
    (report,) = report_folder.glob("reports/*/report.json")
    return json.loads(report.read_text())["production_readiness"]["exit_code"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [1, 2, 10])
def test_interrupted_however_often_it_puts_back_and_reports(start, victim, tmp_path, number, times):
    run = start({"breaker": {"pid": victim}})
    wait_until(lambda: frozen(victim))
    for _ in range(times):
        run.send_signal(number)
        time.sleep(0.02)  # signals that come at once are one
    if times == 1:
        assert frozen(victim)  # asked once, the phase ends in its own time
        run.send_signal(number)
    _, errors = run.communicate(timeout=40)
    assert run.returncode == 130, errors
    assert not frozen(victim)
    assert exit_code(tmp_path) == 130
    assert Journal(str(tmp_path / "state")).entries() == ()


def test_what_a_phase_leaves_broken_ends_with_4_even_where_it_says_nothing(start, victim, tmp_path):
    run = start({"breaker": {"pid": victim, "lost": True}})
    said, errors = run.communicate(timeout=100)
    assert run.returncode == 4, errors
    assert "THE TARGET IS NOT RESTORED" in said
    assert "thaw it" in said
    assert exit_code(tmp_path) == 4
    assert len(Journal(str(tmp_path / "state")).entries()) == 1
    again = start(LOAD, "again")
    _, errors = again.communicate(timeout=60)
    assert again.returncode == 2
    assert "NOT RESTORED" in errors


@pytest.mark.parametrize("second", ["breaks too", "only measures"])
def test_beside_a_run_that_breaks_the_target_no_other_begins(start, victim, tmp_path, second):
    run = start({"breaker": {"pid": victim}})
    wait_until(lambda: frozen(victim))
    other = start({"breaker": {"pid": victim}} if second == "breaks too" else LOAD, "other")
    _, errors = other.communicate(timeout=60)
    assert other.returncode == 2
    assert "another campaign breaks this target" in errors
    assert f"process {run.pid}" in errors
    assert frozen(victim)
    assert len(list(tmp_path.glob("reports/*"))) == 1


def test_a_killed_run_is_healed_and_the_next_one_begins(start, victim, tmp_path):
    run = start({"breaker": {"pid": victim}})
    wait_until(lambda: frozen(victim))
    os.killpg(run.pid, signal.SIGKILL)
    wait_until(lambda: not frozen(victim), seconds=10)
    other = start(LOAD, "other")
    _, errors = other.communicate(timeout=60)
    assert other.returncode in (0, 1, 3), errors
