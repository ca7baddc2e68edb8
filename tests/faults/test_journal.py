"""Undo records on disk, locks, leases: what the guardian goes by."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from campaign.faults.alive import this_process
from campaign.faults.guardian.lease import LEASE_SECONDS, Lease
from campaign.faults.journal import INJECTED, KEPT, Journal
from campaign.faults.lock import same_target
from campaign.faults.place import anything_open, state_folder, usable_state
from campaign.faults.record import HealStep, UndoRecord

ROOT = Path(__file__).parents[2]
RECORD = UndoRecord(
    id="1",
    what="stop the container db",
    target="http://127.0.0.1:8000",
    run="/reports/run",
    steps=(HealStep("container", {"id": "abc"}, {"running": True}, ("docker start db",)),),
    opened_at=1_800_000_000.0,
    seconds=30.0,
    maker=this_process(),
)


@pytest.fixture
def journal(tmp_path):
    return Journal(str(tmp_path / "state"))


def test_a_record_is_read_as_it_was_written_with_what_was_done_to_it(journal):
    journal.write(RECORD)
    journal.note("1", INJECTED, by="run")
    (entry,) = journal.entries()
    assert (entry.record, entry.notes, entry.injected) == (RECORD, (INJECTED,), True)
    assert anything_open(journal.state)
    journal.close("1", by="run", detail="started")
    journal.close("1", by="guardian")
    assert journal.entries() == ()
    assert not anything_open(journal.state)
    (closed,) = journal.closed.iterdir()
    assert '"event": "restored", "by": "run", "detail": "started"' in closed.read_text()


def test_nobody_but_its_account_reads_what_is_kept(journal):
    journal.write(RECORD)
    assert journal.open.stat().st_mode & 0o077 == 0


def test_a_line_that_a_full_disk_cut_short_hides_nothing(journal):
    journal.write(RECORD)
    path = journal.open / "1.json"
    path.write_text(path.read_text() + '{"at": 1, "eve')
    (entry,) = journal.entries()
    assert entry.record == RECORD


def test_a_record_is_never_overwritten(journal):
    journal.write(RECORD)
    (journal.open / "1.new").touch()
    with pytest.raises(OSError, match="exists"):
        journal.write(replace(RECORD, what="another"))


def test_only_so_many_closed_records_are_kept(journal):
    for number in range(KEPT + 5):
        journal.write(replace(RECORD, id=f"{number:06}"))
        journal.close(f"{number:06}", by="run")
    kept = sorted(each.stem for each in journal.closed.iterdir())
    assert (len(kept), kept[0]) == (KEPT, "000005")


def test_one_heals_at_a_time(journal):
    journal.write(RECORD)
    with journal.held("1", seconds=0) as mine, journal.held("1", seconds=0.1) as theirs:
        assert (mine, theirs) == (True, False)
    seen = []

    def other():
        with journal.held("1", seconds=5) as mine:
            seen.append(mine)

    with journal.held("1", seconds=0):
        thread = threading.Thread(target=other)
        thread.start()
        journal.close("1", by="run")
    thread.join()
    assert seen == [False]  # closed in the meantime: there is nothing to heal any more


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"CAMPAIGN_STATE_HOME": "/here", "XDG_STATE_HOME": "/there"}, "/here"),
        ({"XDG_STATE_HOME": "/there"}, "/there/campaign"),
        ({"XDG_STATE_HOME": "relative"}, str(Path("~/.local/state/campaign").expanduser())),
        ({}, str(Path("~/.local/state/campaign").expanduser())),
    ],
)
def test_where_records_are_kept(environ, folder):
    assert state_folder(environ) == folder


def test_where_neither_folder_can_be_used_it_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        usable_state(str(tmp_path / "file" / "a"), instead=str(tmp_path / "file" / "b"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://localhost:8000/", "http://127.0.0.1:8000", True),
        ("https://staging.example", "https://STAGING.example:443/api", True),
        ("http://staging.example", "https://staging.example", False),
        ("http://a:1", "http://a:2", False),
        ("http://[::1]:80", "http://localhost", True),
        ("not a url", "not a url", True),
        ("http://a:port", "http://a:port", True),
    ],
)
def test_what_is_one_target(one, other, same):
    assert (same_target(one) == same_target(other)) is same


def test_a_lease_ends_with_the_heartbeat_and_all_that_is_armed_is_due_once():
    lease = Lease(beaten=100.0)
    lease.arm("a", until=1000.0)
    lease.arm("b", until=1000.0)
    assert lease.due(awake_now=100.0 + LEASE_SECONDS, boot_now=500.0) == ()
    assert lease.due(awake_now=100.1 + LEASE_SECONDS, boot_now=500.0) == ("a", "b")
    assert lease.due(awake_now=200.0, boot_now=500.0) == ()
    assert lease.lost


def test_a_deadline_ends_one_fault_whatever_the_heartbeat_says():
    lease = Lease(beaten=0.0)
    lease.arm("a", until=10.0)
    lease.arm("b", until=20.0)
    lease.disarm("c")
    lease.beat(9.0)
    assert lease.due(awake_now=9.5, boot_now=9.9) == ()
    assert lease.due(awake_now=9.5, boot_now=10.0) == ("a",)
    assert not lease.lost


def test_a_machine_that_slept_loses_no_lease_but_a_deadline():
    lease = Lease(beaten=50.0)
    lease.arm("a", until=60.0)
    assert lease.due(awake_now=51.0, boot_now=4000.0) == ("a",)
    assert not lease.lost


def test_it_never_waits_past_what_is_due():
    lease = Lease(beaten=0.0)
    assert lease.wait(awake_now=0.0, boot_now=0.0) <= 1.01
    lease.arm("a", until=0.2)
    assert 0.2 <= lease.wait(awake_now=0.0, boot_now=0.0) <= 0.25
    assert lease.wait(awake_now=0.0, boot_now=5.0) <= 0.01


def test_a_guardian_is_made_of_the_standard_library_alone():
    script = (
        "import sys, campaign.faults.guardian.program as program\n"
        "foreign = sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))\n"
        "heavy = ('ssl', 'asyncio', 'random', 'logging')\n"
        "print(foreign, sorted(name for name in heavy if name in sys.modules))"
    )
    command = [sys.executable, "-S", "-c", script]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == "['__main__', 'campaign'] []\n"
