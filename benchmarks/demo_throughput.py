"""Requests per second of the demo's ordinary mix, with the server pinned to one core.

    python benchmarks/demo_throughput.py [--seconds 10] [--users 30] [--defect NAME]

The mix: conversation 40 %, history 25 %, stats 10 %, search 10 %, profile 10 %, activity 5 %. The users are
signed in before the clock starts; each sends its next request as soon as the last is answered. The client
parses only as much HTTP as it must, and runs on the other core.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import httpx
import numpy as np
import psutil
import uvloop

MIX = {"conversation": 40, "history": 25, "stats": 10, "search": 10, "me": 10, "activity": 5}
WORDS = ("Tell me a story about animals", "Can we play a game?", "Help me with my homework", "Hello teddy")
WARM_UP_S = 2.0


@dataclass
class Result:
    """What the users saw after the warm-up."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)


def sign_in(url: str, number: int) -> dict[str, bytes]:
    """The requests of one seeded parent, ready to be sent."""
    with httpx.Client(base_url=url) as client:
        credentials = {"email": f"parent{number:04}@example.com", "password": "demo-password"}
        token = client.post("/api/auth/login/json", json=credentials).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        (child,) = client.get("/api/children", headers=headers).json()["children"]
    said = {"child_id": child["id"], "session_id": child["session_id"], "text": WORDS[number % len(WORDS)]}
    return {
        "conversation": raw(token, "POST /api/conversation", said),
        "history": raw(token, f"GET /api/session/{child['session_id']}/history"),
        "stats": raw(token, "GET /api/stats"),
        "search": raw(token, "POST /api/search", {"child_id": child["id"], "query": "dragon"}),
        "me": raw(token, "GET /api/user/me"),
        "activity": raw(token, f"POST /api/children/{child['id']}/activity", {"kind": "story"}),
    }


def raw(token: str, line: str, document: object = None) -> bytes:
    """One HTTP/1.1 request as bytes."""
    body = b"" if document is None else json.dumps(document).encode()
    head = f"{line} HTTP/1.1\r\nHost: demo\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def use(
    port: int, requests: dict[str, bytes], *, think_s: float, seed: int, began: float, ends: float
) -> Result:
    """Send requests one after the other until `ends`."""
    result, chance = Result(), random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    names, weights = list(MIX), list(MIX.values())
    while (sent := time.perf_counter()) < ends:
        (name,) = chance.choices(names, weights)
        writer.write(requests[name])
        status = await answer(reader)
        if sent >= began:
            result.seconds[name].append(time.perf_counter() - sent)
            result.statuses[status] += 1
        await asyncio.sleep(chance.uniform(0.5, 1.5) * think_s)
    writer.close()
    return result


async def answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12])


async def load(url: str, *, users: int, seconds: float, think_s: float) -> list[Result]:
    """What all users saw, together."""
    everyone = [sign_in(url, number) for number in range(1, users + 1)]
    began = time.perf_counter() + WARM_UP_S
    port, ends = int(url.rsplit(":", 1)[1]), began + seconds
    return await asyncio.gather(
        *(use(port, own, think_s=think_s, seed=n, began=began, ends=ends) for n, own in enumerate(everyone))
    )


def report(results: list[Result], seconds: float) -> None:
    """Print what was measured."""
    statuses: Counter[int] = sum((r.statuses for r in results), Counter())
    print(f"{sum(statuses.values()) / seconds:8.0f} requests/s    statuses {dict(statuses)}")
    print(f"{'operation':14}{'count':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for name in MIX:
        times = np.concatenate([r.seconds[name] for r in results]) * 1000
        p50, p95, p99, slowest = np.percentile(times, [50, 95, 99, 100])
        print(f"{name:14}{len(times):8}{p50:9.1f}{p95:9.1f}{p99:9.1f}{slowest:9.1f}")


def main() -> None:
    """Start the demo, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--think", type=float, default=0, help="mean seconds between two requests of a user")
    parser.add_argument("--cores", type=int, default=1, help="for the server; 0 shares all with the client")
    options, demo_options = parser.parse_known_args()
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "campaign.demo", "--port=0", "--exit-with-stdin"]
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, "--requests-per-second=1000000", *demo_options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        if options.cores:
            os.sched_setaffinity(server.pid, cores[: options.cores])
            os.sched_setaffinity(0, cores[options.cores :] or cores)
        url = server.stdout.readline().split()[1]
        print(f"{time.perf_counter() - began:8.2f} s to start")
        process = psutil.Process(server.pid)
        before_mb, before_s = process.memory_info().rss / 1e6, sum(process.cpu_times()[:2])
        results = uvloop.run(load(url, users=options.users, seconds=options.seconds, think_s=options.think))
        report(results, options.seconds)
        after_mb, used_s = process.memory_info().rss / 1e6, sum(process.cpu_times()[:2]) - before_s
        print(f"{used_s / (options.seconds + WARM_UP_S):8.2f} cores used by the server")
        print(f"{before_mb:8.0f} MB resident after the start, {after_mb:.0f} MB at the end")
        server.stdin.close()


if __name__ == "__main__":
    main()
