"""Runs that break a real container or process over and over, to be killed in the middle by a test.

As a program: `python breaking.py JSON`; it prints `ready GUARDIAN` once it is about to begin.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from campaign.clock import RealClock
from campaign.faults.breaker import GuardianChoice, open_breaker
from campaign.faults.catalogue import make_fault
from campaign.faults.means import EngineChoice, FaultKind, Means, ProcessMeans, Strength

CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 60
KINDS = ("stop", "kill", "pause", "squeeze", "restart")


def break_on(plan):
    """Break and heal what the plan says until we are killed."""
    luck = random.Random(plan["seed"])
    clock = RealClock()

    def fault():
        if "container" in plan:
            means = Means(container=plan["container"], engine=EngineChoice(plan["engine"]))
        else:
            means = Means(process=ProcessMeans(**plan["process"]))
        how = Strength(grace=3.0, cpus=0.2, memory=64 << 20)
        kind = FaultKind(luck.choice(plan["kinds"]))
        return make_fault(kind, role="part", means=means, clock=clock, strength=how, ready=10.0)

    async def run():
        for number in (signal.SIGINT, signal.SIGTERM):  # as the runner does when it is asked twice
            asyncio.get_running_loop().add_signal_handler(number, asyncio.current_task().cancel)
        choice = GuardianChoice(plan.get("image", ""), plan.get("engine", ""))
        where = {"target_url": plan["target"], "run": plan["run"], "clock": clock, "guardian": choice}
        async with open_breaker(**where, total=1e6, longest=plan["longest"]) as breaker:
            say("ready", breaker.guardians[0])
            while True:
                struck = await breaker.strike(fault(), seconds=plan["seconds"])
                say("struck", struck.record.id, struck.effect.proved)
                await asyncio.sleep(luck.uniform(0, plan["outage"]))
                healed = await breaker.heal(struck)
                say("healed", healed.restored, healed.detail)
                if plan["once"]:
                    return

    asyncio.run(run())


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Run:
    """A run in a process of its own, as a session's leader; `guardian` is its guardian's process."""

    def __init__(self, state, plan, *, environ=None):
        plan = {
            "target": "http://127.0.0.1:9", "run": "/nowhere", "seed": 0, "seconds": 30.0, "longest": 60.0,
            "outage": 1.5, "once": False, "kinds": KINDS, **plan,
        }  # fmt: skip
        self.state = Path(state)
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(plan)],
            env={
                **os.environ, "PYTHONPATH": str(CHECKOUT), "CAMPAIGN_STATE_HOME": str(state),
                **(environ or {}),
            },
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        word, _, guardian = self.says().partition(" ")
        assert word == "ready", word
        self.guardian = int(guardian)

    def says(self):
        """Its next line."""
        return self.process.stdout.readline().strip()

    def until(self, word):
        """The rest of its next line that begins so."""
        while line := self.says():
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise AssertionError(f"it ended before it said {word!r}")

    def kill(self):
        """SIGKILL, for all of its group; `at` is when."""
        self.at = time.monotonic()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def open_records(self):
        """What is not undone yet."""
        return sorted((self.state / "open").glob("*.json"))

    def end(self):
        """Whatever it is at, end it, and see its guardian out."""
        if self.process.poll() is None:
            self.kill()
        until = time.monotonic() + 60
        while lives(self.guardian) and time.monotonic() < until:
            time.sleep(0.05)
        assert not lives(self.guardian), "the guardian does not end"


def lives(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def seconds_until_whole(run, whole, *, most=45.0):
    """Seconds from the kill to the last moment at which something was amiss, watched until the guardian has
    ended: what comes back and goes down again counts. None where it was never whole.
    """
    latest, fine = 0.0, False
    while (now := time.monotonic() - run.at) < most:
        fine = whole()
        if not fine:
            latest = time.monotonic() - run.at
        if fine and not lives(run.guardian):
            return latest
        time.sleep(0.02 if now < 15 else 0.1)
    return latest if fine else None


def is_as_before(engine, name, before):
    """Whether a container runs, unpaused, with the limits and the restart policy that it had."""
    found = engine.client.api.inspect_container(name)
    state, config = found["State"], found["HostConfig"]
    return state["Running"] and not state["Paused"] and settings(config) == before


def settings(config):
    """Limits that say the same whichever way an engine writes "none", and the restart policy."""
    cpus = max(0, config["CpuQuota"])
    memory = (
        config["Memory"] if config["Memory"] < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") else 0
    )
    return cpus, memory, config["RestartPolicy"]["Name"]


if __name__ == "__main__":
    break_on(json.loads(sys.argv[1]))
