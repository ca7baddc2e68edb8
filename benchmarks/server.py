"""The server that every load generator is measured against: nginx on loopback, which also counts requests."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ANSWER = '{"id": 7, "name": "bear", "mood": "happy"}'

CONFIGURATION = """
daemon off; worker_processes 1; worker_rlimit_nofile 65000; pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 60000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=8192;
    location / {{ default_type application/json; return 200 '{answer}'; }}
    location = /status {{ stub_status; }}
  }}
}}
"""


class Counts(NamedTuple):
    """What the server has seen so far: requests answered, and connections open now (without ours)."""

    requests: int
    connections: int


class Server(NamedTuple):
    """A running server."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def counts(self) -> Counts:
        """Taken from nginx itself, the same for every client."""
        with urllib.request.urlopen(f"{self.url}/status", timeout=10) as answer:  # noqa: S310 - our own
            text = answer.read().decode()
        connections = re.search(r"Active connections: (\d+)", text)
        requests = re.search(r"\n\s*\d+ \d+ (\d+)", text)
        assert connections, text
        assert requests, text
        return Counts(int(requests[1]), int(connections[1]) - 1)


def nginx() -> str:
    """Where nginx is; ends the program where it is not installed."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise SystemExit("nginx is missing: run  scripts/services bench")
    return found


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """The server, while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(CONFIGURATION.format(folder=folder, port=port, answer=ANSWER))
        process = subprocess.Popen([nginx(), "-c", str(configuration)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start")
