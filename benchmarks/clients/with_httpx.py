"""httpx: one client for each of 50 users that fetch a page without think time, for some seconds."""

import asyncio
import sys
import time

import httpx


async def user(url: str, end: float) -> None:
    async with httpx.AsyncClient() as client:
        while time.monotonic() < end:
            (await client.get(url)).raise_for_status()


async def main(url: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    await asyncio.gather(*(user(url, end) for _ in range(50)))


asyncio.run(main(sys.argv[1], float(sys.argv[2])))
