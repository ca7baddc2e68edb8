"""Commands that heal run in every case: after a break, when asked to stop, and when we are killed."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from pydantic import ValidationError
from scene import settings_of
from servers import wait_until

from phases.database.recovery.commands import run_command, run_pair
from phases.database.recovery.disturbances import planned
from phases.database.recovery.settings import RecoverySettings


def test_a_command_is_told_with_its_exit_code_and_the_end_of_its_output():
    ran = run_command("echo one; echo two >&2; exit 7", 5)
    assert (ran.exit_code, ran.output) == (7, "one\ntwo")


def test_a_command_that_never_ends_is_ended_with_all_that_it_started(tmp_path):
    child = tmp_path / "child"
    ran = run_command(f"sleep 60 & echo $! > {child}; wait", 0.3)
    assert (ran.exit_code, ran.seconds < 5) == (None, True)
    wait_until(lambda: not psutil.pid_exists(int(child.read_text())), seconds=5)


def test_a_command_that_starts_a_server_does_not_wait_for_its_output(tmp_path):
    child = tmp_path / "child"
    ran = run_command(f"sleep 60 & echo $! > {child}", 10)
    os.kill(int(child.read_text()), signal.SIGKILL)
    assert (ran.exit_code, ran.seconds < 5) == (0, True)


@pytest.mark.parametrize("breaks", ["echo break", "exit 1", "sleep 60"])
def test_the_healing_command_follows_whatever_became_of_the_first(tmp_path, breaks):
    healed = tmp_path / "healed"
    ran = run_pair(breaks, f"echo x >> {healed}", between=threading.Event(), seconds=0.01, timeout=0.3)
    assert (len(ran), healed.read_text()) == (2, "x\n"), "once, and not by the guardian again"


def test_asked_to_stop_the_healing_command_follows_at_once(tmp_path):
    asked = threading.Event()
    asked.set()
    began = time.monotonic()
    run_pair("true", "true", between=asked, seconds=60, timeout=5)
    assert time.monotonic() - began < 5


KILLED = """
import sys, threading
from phases.database.recovery.commands import run_pair
run_pair("touch " + sys.argv[1], "touch " + sys.argv[2], between=threading.Event(), seconds=60, timeout=5)
"""


def test_killed_in_between_somebody_still_heals(tmp_path):
    broken, healed = tmp_path / "broken", tmp_path / "healed"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(broken), str(healed)])
    wait_until(broken.exists)
    process.kill()
    process.wait()
    wait_until(healed.exists, seconds=10)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"stop": "systemctl stop postgresql"}, "stop and start together"),
        ({"freeze": {"begin": "pause"}}, "end"),
        ({"freeze": {"begin": "a", "end": "b", "seconds": 40}}, "below recovered_within"),
        ({"restart": " "}, "at least 1 character"),
        ({"rate": "5/s"}, "10/s to 2000/s"),
        ({"write_timeout": "2h"}, "100ms to 60s"),
        ({"connections": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_that_says_what_is_allowed(said, what):
    with pytest.raises(ValidationError) as caught:
        settings_of(recovery=said)
    assert what in str(caught.value.errors())


def test_the_server_itself_suffers_only_by_commands_that_were_given():
    assert planned(RecoverySettings()) == ("kill_idle", "kill_in_transaction")
    every = RecoverySettings(freeze={"begin": "a", "end": "b"}, restart="c", stop="d", start="e")
    assert planned(every)[2:] == ("freeze", "restart", "stop_start")


def test_a_command_with_a_nul_character_is_refused_before_anything_runs():
    with pytest.raises(ValidationError, match="without NUL"):
        RecoverySettings(restart="a\0b")
