"""Client processes killed in the middle of a transaction: what they had confirmed stays, the rest goes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

from phases.database.invariants.atomicity import (
    Ledger,
    await_gone,
    contradictions,
    rows_there,
    steps_table,
)
from phases.database.invariants.bench import Bench
from phases.database.invariants.history import Status
from phases.database.invariants.judge import LEAST_KILLED

CLIENT = (sys.executable, "-m", "phases.database.invariants.client")
CONFIRMED = 5
"""Transactions that each client has confirmed before the one in which it is killed."""

LONGEST = 15.0
"""Seconds after which a client that has not come so far is killed anyway."""


def run_killed_clients(bench: Bench) -> dict[str, Any]:
    """The fact of this check: clients killed with a transaction half done, one after the other."""
    table = steps_table(bench, "inv_client_steps")
    ledger, middle, troubles = Ledger(), 0, []
    bench.begin()
    first = 0
    while not bench.over(middle, least=LEAST_KILLED):
        said, trouble = _kill_one(bench, table.fullname, first)
        ledger.ends |= said
        middle += first + CONFIRMED in said
        troubles += [trouble] if trouble else []
        first += CONFIRMED + 1
        if trouble:
            break
    await_gone(bench)
    confirmed = sum(1 for end in ledger.ends.values() if end is Status.OK)
    return {
        "commits": confirmed,
        "middle": middle,
        "failures": dict.fromkeys(troubles, 1),
        **contradictions(ledger, rows_there(bench, table)),
    }


def _kill_one(bench: Bench, table: str, first: int) -> tuple[dict[int, Status], str]:
    """How each transaction of one client ended, as far as it said, and what went wrong with it."""
    address = bench.server.address
    task = {
        "url": address.control.render_as_string(hide_password=False),
        "tag": bench.server.tag,
        "table": table,
        "first": first,
        "last": first + CONFIRMED,
    }
    client = subprocess.Popen(
        CLIENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    guard = threading.Timer(LONGEST, client.kill)
    guard.start()
    try:
        ends = _follow(client, task)
    finally:
        guard.cancel()
        client.kill()
        _, complaint = client.communicate()
    half_done = task["last"] in ends
    return ends, "" if half_done else (complaint.strip().splitlines() or ["the client said nothing"])[-1][
        :200
    ]


def _follow(client: subprocess.Popen[str], task: dict[str, Any]) -> dict[int, Status]:
    """What the client said until its last transaction was half done."""
    ends: dict[int, Status] = {}
    if client.stdin is None or client.stdout is None:
        return ends
    client.stdin.write(json.dumps(task) + "\n")
    client.stdin.flush()
    for line in client.stdout:
        what, _, number = line.strip().partition(" ")
        ends[int(number)] = Status.OK if what == "done" else Status.FAIL
        if what == "open":
            break
    return ends
