"""How other load generators are told to do the same; None where one is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path

CLIENTS = Path(__file__).parent / "clients"

ENVIRONMENT = Path(__file__).parent.parent / ".cache" / "bench-venv"
"""Made by scripts/bench_environment: the Python peers would change what the project itself is tested with."""

FOR_LONG = 120
"""Seconds that a client is told to go on; it is ended when it has been measured."""


def wrk(url: str, *, users: int) -> list[str] | None:
    """One thread."""
    found = shutil.which("wrk")
    return found and [found, "-t1", f"-c{users}", f"-d{FOR_LONG}s", url]  # type: ignore[return-value]


def hey(url: str, *, users: int) -> list[str] | None:
    """As it comes."""
    found = shutil.which("hey")
    return found and [found, "-c", str(users), "-z", f"{FOR_LONG}s", url]  # type: ignore[return-value]


def locust(url: str, *, users: int, think: float, kind: str = "Visitor") -> list[str] | None:
    """FastHttpUser, one process, no web page, all users within a second or two."""
    found = _program("locust")
    if found is None:
        return None
    script = str(CLIENTS / "locust_users.py")
    return [
        "/usr/bin/env", f"THINK={think}", found, "-f", script, kind, "--headless", "--only-summary",
        "--loglevel", "ERROR", "--users", str(users), "--spawn-rate", str(min(users, 1000)),
        "--run-time", f"{FOR_LONG}s", "--host", url,
    ]  # fmt: skip


def in_python(name: str, url: str) -> list[str] | None:
    """`aiohttp` or `httpx`, 50 users."""
    found = _program("python")
    return found and [found, str(CLIENTS / f"with_{name}.py"), url, str(FOR_LONG)]  # type: ignore[return-value]


def _program(name: str) -> str | None:
    path = ENVIRONMENT / "bin" / name
    return str(path) if path.exists() else None
