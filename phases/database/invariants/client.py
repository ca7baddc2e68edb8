"""A client process that is killed in the middle of a transaction; `killed.py` starts it.

Its task comes as JSON on standard input, in one line. It says `done N` for each transaction that was
confirmed, `open N` when the last is half done, and then waits for its end, or for that of its parent.
"""

from __future__ import annotations

import json
import sys

from sqlalchemy import create_engine, text

from campaign.database.address import read_address
from campaign.database.server import connect_args
from phases.database.invariants.atomicity import ROWS


def main() -> None:
    """Confirm some transactions, begin one more, and wait to be killed."""
    task = json.loads(sys.stdin.readline())
    address = read_address(task["url"])
    insert = text(f"INSERT INTO {task['table']} (number, step) VALUES (:number, :step)")  # noqa: S608 - ours
    arguments = connect_args(address.kind, tag=task["tag"])
    engine = create_engine(address.control, connect_args=arguments, hide_parameters=True)
    with engine.connect() as connection:
        for number in range(task["first"], task["last"]):
            for step in range(ROWS):
                connection.execute(insert, {"number": number, "step": step})
            connection.commit()
            _say("done", number)
        for step in range(ROWS // 2):
            connection.execute(insert, {"number": task["last"], "step": step})
        _say("open", task["last"])
        sys.stdin.read()
        connection.rollback()


def _say(what: str, number: int) -> None:
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
