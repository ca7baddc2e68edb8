"""The bare driver: so many tasks that each execute one prepared statement again and again.

    python bare_asyncpg.py URL CLIENTS SECONDS HIGHEST

Prints the statements done and the CPU seconds that they took, without those of connecting.
"""

import asyncio
import random
import sys
import time

import asyncpg
import asyncpg.prepared_stmt
import uvloop

SQL = "SELECT abalance FROM pgbench_accounts WHERE aid = $1"


async def ask(statement: asyncpg.prepared_stmt.PreparedStatement, highest: int, until: float) -> int:
    done = 0
    while time.monotonic() < until:
        await statement.fetch(1 + int(random.random() * highest))
        done += 1
    return done


async def main(url: str, clients: int, seconds: float, highest: int) -> None:
    connections = [await asyncpg.connect(url) for _ in range(clients)]
    statements = [await each.prepare(SQL) for each in connections]
    await asyncio.gather(*(ask(each, highest, time.monotonic() + 0.5) for each in statements))
    cpu, until = time.process_time(), time.monotonic() + seconds
    done = await asyncio.gather(*(ask(each, highest, until) for each in statements))
    print(sum(done), time.process_time() - cpu)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
