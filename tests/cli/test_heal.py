"""What a run that died left broken: every command puts it back first, `campaign heal` on demand, and no run
begins while it cannot be.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers import wait_until

from campaign.faults.alive import began, state
from campaign.faults.journal import Journal
from campaign.faults.lock import try_lock
from campaign.faults.record import HealStep, Maker, UndoRecord

ROOT = Path(__file__).parents[2]
DEAD = 2**22 + 1


@pytest.fixture
def journal(tmp_path):
    return Journal(str(tmp_path / "state"))


@pytest.fixture
def frozen_process():
    """A process that stands still, as a dead run would leave it."""
    process = subprocess.Popen(["sleep", "1000"])
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: state(process.pid) == "T")
    yield process.pid
    process.kill()
    process.wait()


def campaign(journal, *arguments, cwd=None):
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "CAMPAIGN_STATE_HOME": journal.state, "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "campaign", *arguments],
        capture_output=True, text=True, check=False, env=environ, cwd=cwd, timeout=100,
    )  # fmt: skip


def left(journal, step, *, host=None, target="http://127.0.0.1:9", process=DEAD, began_at=1):
    """An open record of a run that is dead, made a while ago."""
    record = UndoRecord(
        id="00000000000001-1-abc",
        what="freeze the database",
        target=target,
        run="/reports/old",
        steps=(step,),
        opened_at=time.time() - 3600,
        seconds=30,
        maker=Maker(host or os.uname().nodename, process, began_at),
    )
    journal.write(record)
    return record


def thaw(pid):
    where = {"pid": pid, "began": began(pid)}
    return HealStep("process", where, {"settle": 0.0}, (f"kill -CONT {pid}",))


LOST = HealStep("process", {"pid": DEAD, "began": 1}, {}, ("systemctl start postgresql",))


@pytest.mark.parametrize("command", [["version"], ["--help"], ["schema"], ["run", "nowhere.yaml"]])
def test_every_command_heals_first_and_says_so(journal, frozen_process, command, tmp_path):
    left(journal, thaw(frozen_process))
    done = campaign(journal, *command, cwd=tmp_path)
    assert "put back what a run that died had left broken: freeze the database" in done.stderr
    assert "freeze the database" not in done.stdout
    assert state(frozen_process) == "S"
    assert journal.entries() == ()


def test_heal_puts_it_back_and_a_second_time_there_is_nothing(journal, frozen_process):
    left(journal, thaw(frozen_process))
    done = campaign(journal, "heal")
    assert (done.returncode, state(frozen_process)) == (0, "S")
    assert "put back  00000000000001-1-abc  freeze the database" in done.stdout
    again = campaign(journal, "heal")
    assert (again.returncode, again.stdout) == (
        0,
        "nothing is broken: every fault of every run has been put back\n",
    )


def test_a_dry_run_says_what_it_would_do_and_touches_nothing(journal, frozen_process):
    left(journal, thaw(frozen_process))
    done = campaign(journal, "heal", "--dry-run")
    assert done.returncode == 0
    assert f"$ kill -CONT {frozen_process}" in done.stdout
    assert state(frozen_process) == "T"
    assert len(journal.entries()) == 1


def test_what_cannot_be_put_back_is_shouted_with_the_commands_to_type(journal):
    left(journal, LOST)
    done = campaign(journal, "heal", "--patience", "0")
    assert done.returncode == 4
    assert "!!! NOT RESTORED" in done.stderr
    assert "$ systemctl start postgresql" in done.stderr
    assert "--forget 00000000000001-1-abc" in done.stderr


def test_no_run_begins_while_something_is_broken(journal, tmp_path, plain_target):
    left(journal, LOST)
    file = tmp_path / "campaign.yaml"
    file.write_text(
        f"name: t\ntarget: {{url: '{plain_target.url}', health: GET /}}\n"
        "operations: {look: {request: GET /}}\nusers: {one: {tasks: {look: 1}}}\n"
        "phases: {load: {scenarios: {s: {users: 1, hold: 1s}}}}\n"
    )
    done = campaign(journal, "run", str(file), "--output", str(tmp_path / "reports"))
    assert done.returncode == 2
    assert "nothing was run" in done.stderr
    assert done.stderr.count("NOT RESTORED") == 1
    assert "systemctl start postgresql" in done.stderr
    assert plain_target.requests == []
    assert not (tmp_path / "reports").exists()
    assert campaign(journal, "heal", "--forget", "00000000000001-1-abc").returncode == 0
    done = campaign(journal, "run", str(file), "--output", str(tmp_path / "reports"))
    assert "nothing was run" not in done.stderr
    assert plain_target.requests


def test_an_unknown_id_is_a_mistake_and_the_known_ones_are_named(journal):
    left(journal, LOST)
    done = campaign(journal, "heal", "--forget", "nonsense")
    assert done.returncode == 2
    assert "00000000000001-1-abc" in done.stderr
    assert len(journal.entries()) == 1


def test_what_a_living_run_has_broken_is_left_to_it(journal, frozen_process, tmp_path):
    record = left(journal, thaw(frozen_process), process=os.getpid(), began_at=began(os.getpid()))
    lock = try_lock(journal.state, record.target, run="this test")
    try:
        for command in (["version"], ["heal"]):
            done = campaign(journal, *command)
            assert done.returncode == 0
            assert "put back what" not in done.stderr
            assert state(frozen_process) == "T"
        assert f"the run that broke it is at work (process {os.getpid()})" in done.stdout
    finally:
        lock.release()


def test_another_machines_faults_are_left_unless_asked_for(journal, frozen_process):
    left(journal, thaw(frozen_process), host="elsewhere")
    done = campaign(journal, "heal")
    assert "broken from the machine elsewhere" in done.stdout
    assert state(frozen_process) == "T"
    assert campaign(journal, "heal", "--all").returncode == 0
    assert state(frozen_process) == "S"


@pytest.mark.parametrize("content", ["", "garbage", '{"id": 1}', "\x00" * 40])
def test_a_record_that_cannot_be_read_is_told_with_its_file(journal, content):
    journal.open.mkdir(parents=True)
    file = journal.open / "broken.json"
    file.write_text(content)
    done = campaign(journal, "heal")
    assert done.returncode == 4
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr
    assert campaign(journal, "heal", "--forget", "broken").returncode == 0
    assert journal.entries() == ()


def test_records_of_nonsense_never_end_in_a_traceback(journal):
    for step in (
        HealStep("container", {}, {}),
        HealStep("container", {"engine": "unix:///nowhere", "id": "x", "name": "y"}, {"running": True}),
        HealStep("process", {"pid": "many"}, {}),
        HealStep("command", {"heal": "exit 3"}, {}),
        HealStep("route", {}, {}),
        HealStep("carrier pigeon", {}, {}),
    ):
        left(journal, step)
        done = campaign(journal, "heal", "--patience", "0")
        assert done.returncode == 4
        assert "Traceback" not in done.stderr
        assert "This is a mistake" not in done.stderr


def test_commands_of_the_user_put_back_and_check(journal, tmp_path):
    where = {"heal": "touch healed", "check": "test -e healed", "cwd": str(tmp_path)}
    left(journal, HealStep("command", where, {}))
    assert campaign(journal, "heal").returncode == 0
    assert (tmp_path / "healed").exists()


def test_a_state_folder_that_cannot_be_read_keeps_no_command_from_its_work(tmp_path):
    (tmp_path / "state").touch()
    assert campaign(Journal(str(tmp_path / "state")), "version").returncode == 0
