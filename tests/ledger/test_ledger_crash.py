"""The ledger of a process that was killed: nothing that it counted as acknowledged is missing."""

import contextlib
import errno
import os
import subprocess
import sys

import pytest

from campaign.clock import RealClock
from campaign.ledger.book import State, entries, read_book
from campaign.ledger.entry import Mark
from campaign.ledger.writer import Ledger

WRITER = """
import pathlib, sys, threading
from campaign.clock import RealClock
from campaign.ledger.writer import Ledger

ledger = Ledger(pathlib.Path(sys.argv[1]), RealClock())

def work():
    while True:
        number = ledger.allot()
        ledger.sent(number)
        ledger.acknowledged(number)
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()

for each in range(3):
    threading.Thread(target=work).start()
"""


def test_a_killed_writer_leaves_every_acknowledged_write_in_its_ledger(tmp_path):
    path = tmp_path / "ledger"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    try:
        told = [int(writer.stdout.readline()) for _ in range(2000)]
    finally:
        writer.kill()
    told += [int(line) for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith(b"\n")]
    book = read_book(path)
    assert [number for number in told if book.state(number) is not State.ACKNOWLEDGED] == []


def test_what_the_disk_did_not_take_does_not_count_and_spoils_no_line_after_it(tmp_path, monkeypatch):
    real, calls = os.write, []

    def full(file, data):
        calls.append(data)
        if len(calls) == 2:
            return real(file, data[:5])
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data)

    with Ledger(tmp_path / "ledger", RealClock()) as ledger:
        monkeypatch.setattr(os, "write", full)
        ledger.sent(ledger.allot())
        with pytest.raises(OSError, match="No space"):
            ledger.acknowledged(0)
        ledger.sent(ledger.allot())
        ledger.acknowledged(1)
    marks = [(each.mark, each.id) for each in entries(ledger.path)]
    assert marks == [(Mark.SENT, 0), (Mark.SENT, 1), (Mark.ACKNOWLEDGED, 1)]
    assert read_book(ledger.path).state(0) is State.UNKNOWN


def test_a_listener_hears_of_a_mark_when_it_is_in_the_file(tmp_path):
    heard = []
    with Ledger(tmp_path / "ledger", RealClock()) as ledger:
        ledger.listener = lambda entry: heard.append((entry, list(entries(ledger.path))[-1]))
        ledger.refused(ledger.allot())
    ((entry, written),) = heard
    assert (entry.mark, entry.id) == (written.mark, written.id) == (Mark.REFUSED, 0)


def test_a_ledger_is_never_written_over_another(tmp_path):
    with contextlib.closing(Ledger(tmp_path / "ledger", RealClock())), pytest.raises(FileExistsError):
        Ledger(tmp_path / "ledger", RealClock())
