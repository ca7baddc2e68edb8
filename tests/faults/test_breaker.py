"""The breaker: nothing is broken without its undo record, more than allowed, or for good."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from servers import wait_until

from campaign.clock import RealClock
from campaign.errors import RefusedError
from campaign.faults.alive import began, state
from campaign.faults.breaker import open_breaker
from campaign.faults.fault import Effect, FaultError, Healed, Injected
from campaign.faults.journal import Journal
from campaign.faults.record import HealStep

TARGET = "http://127.0.0.1:9"


class Freeze:
    """Stops a process with SIGSTOP; each part of it can be told to misbehave."""

    subject, heals_itself = "service", False

    def __init__(self, pid, *, steps=None, inject=None, heal=None):
        self.pid, self.clock = pid, RealClock()
        self.steps, self.misinject, self.misheal = steps, inject, heal

    def describe(self):
        return f"freeze {self.pid}"

    async def look(self):
        where = {"pid": self.pid, "began": began(self.pid)}
        return self.steps or (HealStep("process", where, {"settle": 0.5}, (f"kill -CONT {self.pid}",)),)

    async def inject(self):
        sent = self.clock.now_ns()
        os.kill(self.pid, signal.SIGSTOP)
        await asyncio.to_thread(wait_until, lambda: frozen(self.pid))
        if self.misinject:
            await self.misinject()
        return Injected(sent, self.clock.now_ns())

    async def took_effect(self):
        return Effect(proved=state(self.pid) == "T", detail=state(self.pid))

    async def heal(self):
        started = self.clock.now_ns()
        if self.misheal:
            return await self.misheal(started)
        os.kill(self.pid, signal.SIGCONT)
        return Healed(started, self.clock.now_ns(), None, restored=True, detail="continued")


@pytest.fixture
def victim():
    """Makes processes that can be frozen."""
    made = []

    def make():
        made.append(subprocess.Popen(["sleep", "1000"]))
        return made[-1].pid

    yield make
    for each in made:
        each.kill()
        each.wait()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(folder))
    return folder


def breaker(tmp_path, **options):
    return open_breaker(target_url=TARGET, run=str(tmp_path / "run"), clock=RealClock(), **options)


def frozen(pid):
    return state(pid) == "T"


def run(work):
    return asyncio.run(work())


def test_the_record_is_on_disk_before_the_fault_and_gone_after_its_healing(victim, tmp_path, home):
    pid = victim()
    seen = []

    async def look_at_disk():
        seen.extend(Journal(str(home)).entries())

    async def work():
        async with breaker(tmp_path) as ours:
            struck = await ours.strike(Freeze(pid, inject=look_at_disk), seconds=20)
            assert struck.effect.proved
            healed = await ours.heal(struck)
            assert (healed.restored, frozen(pid)) == (True, False)
            assert Journal(str(home)).entries() == ()
            assert (await ours.heal(struck)).restored
            assert ours.unrestored == ()

    run(work)
    (entry,) = seen
    assert entry.record.by_hand == (f"kill -CONT {pid}",)
    assert entry.record.target == TARGET
    assert not entry.injected


def test_leaving_the_block_heals_whatever_is_open(victim, tmp_path):
    pids = victim(), victim()

    async def work():
        async with breaker(tmp_path) as ours:
            for pid in pids:
                await ours.strike(Freeze(pid), seconds=20)
            assert all(frozen(pid) for pid in pids)
            raise ValueError("our own mistake")

    with pytest.raises(ValueError, match="our own"):
        run(work)
    assert not any(frozen(pid) for pid in pids)


def test_cancelled_ten_times_in_the_middle_of_breaking_it_heals(victim, tmp_path):
    pid = victim()
    broken = asyncio.Event()

    async def slowly():
        broken.set()
        await asyncio.sleep(0.3)

    async def work():
        async def phase():
            async with breaker(tmp_path) as ours:
                await ours.strike(Freeze(pid, inject=slowly), seconds=20)

        task = asyncio.create_task(phase())
        await broken.wait()
        for _ in range(10):
            task.cancel()
            await asyncio.sleep(0.02)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not frozen(pid)

    run(work)
    assert not frozen(pid)


def test_a_fault_that_fails_half_way_is_undone(victim, tmp_path):
    pid = victim()

    async def fails():
        raise FaultError("only half of it")

    async def work():
        async with breaker(tmp_path) as ours:
            with pytest.raises(FaultError, match="only half"):
                await ours.strike(Freeze(pid, inject=fails), seconds=20)
            assert not frozen(pid)

    run(work)


@pytest.mark.parametrize("how", ["lies", "raises", "gives up"])
def test_a_fault_that_does_not_heal_is_healed_by_its_record(victim, tmp_path, how):
    pid = victim()

    async def not_at_all(started):
        if how == "raises":
            raise RuntimeError("a mistake")
        return Healed(started, None, None, restored=how == "lies", detail="")

    async def work():
        async with breaker(tmp_path) as ours:
            struck = await ours.strike(Freeze(pid, heal=not_at_all), seconds=20)
            healed = await ours.heal(struck)
            assert (healed.restored, frozen(pid)) == (True, False)
            assert "continued" in healed.detail

    run(work)


def test_what_cannot_be_put_back_is_told_with_what_to_type_and_stays_open(victim, tmp_path, home):
    pid = victim()
    gone = HealStep("process", {"pid": 2**22 + 1, "began": 1}, {}, ("systemctl start it",))

    async def not_at_all(started):
        os.kill(pid, signal.SIGCONT)
        return Healed(started, None, None, restored=False, detail="no use")

    async def work():
        async with breaker(tmp_path) as ours:
            struck = await ours.strike(Freeze(pid, steps=(gone,), heal=not_at_all), seconds=20)
            assert not (await ours.heal(struck)).restored
        return ours.unrestored

    (left,) = run(work)
    assert left.as_fact()["by_hand"] == ["systemctl start it"]
    assert left.what == f"freeze {pid}"
    assert "no command was given" in left.why
    assert len(Journal(str(home)).entries()) == 1


def test_the_guardian_ends_a_fault_at_its_deadline_and_the_run_is_told(victim, tmp_path):
    pid = victim()

    async def work():
        async with breaker(tmp_path) as ours:
            struck = await ours.strike(Freeze(pid), seconds=0.5)
            await asyncio.to_thread(wait_until, lambda: not frozen(pid), seconds=5)
            healed = await ours.heal(struck)
            assert healed.restored
            assert healed.running_ns is not None

    run(work)


def test_a_guardian_that_is_killed_is_replaced_before_the_next_fault(victim, tmp_path):
    pids = victim(), victim()

    async def work():
        async with breaker(tmp_path) as ours:
            await ours.strike(Freeze(pids[0]), seconds=1.5)
            first = ours.guardians
            os.kill(first[0], signal.SIGKILL)
            await asyncio.to_thread(wait_until, lambda: state(first[0]) in ("", "Z"), seconds=5)
            await asyncio.sleep(0.1)
            await ours.strike(Freeze(pids[1]), seconds=20)
            assert ours.guardians != first
            await asyncio.to_thread(wait_until, lambda: not frozen(pids[0]), seconds=10)  # its old deadline
            assert frozen(pids[1])

    asyncio.run(asyncio.wait_for(work(), 20))
    assert not frozen(pids[1])


@pytest.mark.parametrize(
    ("options", "seconds", "why"),
    [
        ({"longest": 5.0}, 6, "5 s are allowed"),
        ({"total": 9.0}, 10, "in total"),
        ({"most_at_once": 0}, 1, "at most 0 things"),
    ],
)
def test_the_blast_radius_is_kept(victim, tmp_path, options, seconds, why):
    pid = victim()

    async def work():
        async with breaker(tmp_path, **options) as ours:
            with pytest.raises(RefusedError, match=why):
                await ours.strike(Freeze(pid), seconds=seconds)
            assert not frozen(pid)

    run(work)


def test_two_campaigns_never_break_one_target(tmp_path):
    script = (
        "import asyncio, sys\n"
        "from campaign.clock import RealClock\n"
        "from campaign.faults.breaker import open_breaker\n"
        "async def work():\n"
        "    async with open_breaker(target_url=sys.argv[1], run='/other', clock=RealClock()):\n"
        "        pass\n"
        "asyncio.run(work())\n"
    )

    def other(target):
        command = [sys.executable, "-c", script, target]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environ())

    async def work():
        async with breaker(tmp_path):
            return [await asyncio.to_thread(other, each) for each in SAME]

    for done in run(work):
        assert done.returncode == 1
        assert "another campaign breaks this target" in done.stderr
        assert str(os.getpid()) in done.stderr
    assert other(TARGET).returncode == 0


SAME = (TARGET, "http://localhost:9/", "HTTP://LOCALHOST:9/path")


def environ():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@contextlib.contextmanager
def full_disk(folder):
    """A file system at that folder on which not a byte is left."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    with contextlib.suppress(OSError), (folder / "filler").open("wb") as file:
        while True:
            file.write(b"x" * 512)
            file.flush()


def test_on_a_full_disk_nothing_is_broken(victim, tmp_path, home):
    pid = victim()

    async def work():
        async with breaker(tmp_path) as ours:
            fill(home)
            with pytest.raises(FaultError, match=r"No space left on device.*CAMPAIGN_STATE_HOME"):
                await ours.strike(Freeze(pid), seconds=20)
            assert not frozen(pid)
            assert Journal(str(home)).entries() == ()

    with full_disk(home):
        run(work)


def test_a_disk_that_fills_up_meanwhile_is_no_reason_not_to_heal(victim, tmp_path, home):
    pid = victim()

    async def work():
        async with breaker(tmp_path) as ours:
            struck = await ours.strike(Freeze(pid), seconds=20)
            fill(home)
            assert (await ours.heal(struck)).restored
            assert Journal(str(home)).entries() == ()

    with full_disk(home):
        run(work)


def test_where_the_state_folder_cannot_be_used_the_records_are_beside_the_report(
    victim, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "file" / "below"))
    said = []

    async def work():
        async with breaker(tmp_path, notify=said.append) as ours:
            await ours.strike(Freeze(victim()), seconds=20)
            assert len(Journal(str(tmp_path / "run" / "undo")).entries()) == 1

    run(work)
    assert "cannot be written to" in said[0]
    assert Journal(str(tmp_path / "run" / "undo")).entries() == ()


def test_what_the_guardian_puts_back_at_last_is_not_called_broken(victim, tmp_path, home):
    """An engine, here a command, that does not work until the very end."""
    pid = victim()
    works = tmp_path / "works"
    where = {"heal": f"test -e {works} && kill -CONT {pid}"}
    step = HealStep("command", where, {}, ("make it work",))

    async def not_at_all(started):
        return Healed(started, None, None, restored=False, detail="no use")

    async def work():
        async with breaker(tmp_path) as ours:
            struck = await ours.strike(Freeze(pid, steps=(step,), heal=not_at_all), seconds=60)
            healing = asyncio.create_task(ours.heal(struck))
            assert not (await healing).restored
            assert [each.what for each in ours.unrestored] == [f"freeze {pid}"]
            works.touch()
        assert ours.unrestored == ()

    run(work)
    assert not frozen(pid)
    assert Journal(str(home)).entries() == ()
