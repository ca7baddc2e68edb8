"""A target that wants us to fail ends as errors in the report, never in a crash, hang or much memory."""

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e"
BOMB = gzip.compress(gzip.compress(b"\0" * 300_000_000)[:0] + zlib.compress(b"\0" * 100_000_000) * 4)
HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
ENDLESS = object()


def whole(body, *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ANSWERS = {
    "garbage": b"\x00\xff\xfe this is no HTTP \r\n\r\n" * 20,
    "bomb": whole(BOMB, "Content-Encoding: gzip"),
    "loop": whole(b"", "Location: /loop", status="302 Found"),
    "markup": whole(MARKUP.encode(), f"X-{'A' * 10}: <b>", status="500 <script>alert(3)</script>"),
    "endless": ENDLESS,
    "hangup": b"",
}


class Hostile:
    """Answers /health well and everything else as it was told, one thread a connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                path = connection.recv(65536).split(b" ")[1].decode().strip("/")
                answer = ANSWERS.get(path, HEALTHY)
                if answer is not ENDLESS:
                    connection.sendall(answer)
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(4000):  # 256 MB at the most
                    connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except (OSError, IndexError):
                pass


@pytest.fixture
def hostile():
    server = Hostile()
    yield server
    server.listener.close()


def test_every_kind_of_malice_ends_as_an_error_in_the_report(tmp_path, hostile):
    operations = "".join(
        f"  {name}: {{request: GET /{name}, expect: {{contains: never}}, timeout: 2s, max_body: 1MiB}}\n"
        for name in ANSWERS
    )
    (tmp_path / "campaign.yaml").write_text(
        f"name: '{MARKUP[:25]}'\ntarget: {{url: {hostile.url}, health: GET /health}}\n"
        f"operations:\n{operations}"
        f"users: {{victim: {{wait: 10ms, tasks: [{', '.join(ANSWERS)}]}}}}\n"
        "phases: {load: {scenarios: {rough: {users: 6, hold: 3s}}}}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "campaign", "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    memory = 0
    while process.poll() is None:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for each in family:
            try:
                memory = max(memory, each.memory_info().rss)
            except psutil.Error:
                continue
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    output, errors = process.communicate()
    (run,) = (tmp_path / "reports").iterdir()
    report = json.loads((run / "report.json").read_text())
    (phase,) = report["test_results"]
    (scenario,) = phase["evidence"]["facts"]["scenarios"]
    failed = {group["operation"] for group in scenario["errors"]}
    assert (process.returncode, "Traceback" in errors) == (1, False), output + errors
    assert failed == set(ANSWERS)
    assert memory < 400_000_000
    page = (run / "report.html").read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\x1b[31m" not in output
