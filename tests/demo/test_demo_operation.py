"""Health, metrics, the OpenAPI document, refusals, starting and stopping."""

import json
import re
import signal
import socket
import subprocess
import sys

import pytest

from campaign.demo.defects import DEFECTS

ERROR = {"code", "message"}


def test_health_asks_the_database(demo):
    with demo.client() as client:
        answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "1.0.0", "database": "ok", "cache": "ok"}


def test_metrics_count_by_route_template_and_carry_no_ids(demo, new_parent):
    parent = new_parent()
    session = parent.say("Hello").json()["session_id"]
    parent.http.get(f"/api/session/{session}/history")
    text = parent.http.get("/metrics").text
    route = 'method="GET",route="/api/session/{session_id}/history"'
    assert f'http_requests_total{{{route},status="200"}}' in text
    assert "http_request_duration_seconds_bucket{le=" in text
    assert re.search(r"^process_resident_memory_bytes \d", text, re.MULTILINE)
    assert re.search(r"^teddy_signed_in \d", text, re.MULTILINE)
    assert re.search(r"^teddy_database_connections_in_use \d", text, re.MULTILINE)
    assert [trace for trace in (session, parent.child_id, parent.email) if trace in text] == []


def test_the_openapi_document_knows_every_route_and_that_tokens_are_needed(demo):
    with demo.client() as client:
        document = client.get("/openapi.json").json()
    expected = {
        "/health", "/metrics", "/api/auth/register", "/api/auth/login/json", "/api/auth/refresh",
        "/api/auth/logout", "/api/auth/welcome", "/api/user/me", "/api/user/password",
        "/api/children", "/api/children/{child_id}",
        "/api/children/{child_id}/consent", "/api/children/{child_id}/consent/question",
        "/api/children/{child_id}/guardian", "/api/guardian/children", "/api/operator/children/{child_id}",
        "/api/children/{child_id}/sessions",
        "/api/children/{child_id}/activity", "/api/conversation", "/api/conversation/stream", "/api/story",
        "/api/live", "/api/live/{call_id}", "/api/voice", "/privacy",
        "/api/toy", "/api/toy/conversation", "/api/children/{child_id}/toy",
        "/api/session/{session_id}/history", "/api/search", "/api/stats", "/api/parent/dashboard",
        "/api/safety/audit", "/api/gdpr/export", "/api/gdpr/export/{export_id}", "/api/gdpr/delete",
    }  # fmt: skip
    assert set(document["paths"]) == expected
    open_to_all = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "security" not in operation
    }
    assert open_to_all == {
        "/health",
        "/metrics",
        "/api/auth/register",
        "/api/auth/login/json",
        "/api/auth/refresh",
        "/api/auth/welcome",
        "/privacy",
    }


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/no/such/route", None, 404),
        ("PUT", "/api/user/me", None, 405),
        ("POST", "/api/auth/login/json", b"{", 422),
        ("POST", "/api/auth/login/json", b'{"email": "a@b.c", "password": "\\ud800"}', 422),
        ("POST", "/api/auth/login/json", b"x" * 70_000, 413),
        ("POST", "/api/auth/login/json", iter([b"x" * 40_000, b"x" * 40_000]), 413),
    ],
)
def test_each_refusal_is_one_json_shape(demo, method, path, content, status):
    with demo.client() as client:
        answer = client.request(method, path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == ERROR


def test_a_refusal_does_not_repeat_what_was_sent(demo):
    body = {"email": "canary-7f3a", "password": "canary-7f3a", "name": ["canary-7f3a"]}
    with demo.client() as client:
        answer = client.post("/api/auth/register", json=body)
    assert answer.status_code == 422
    assert "canary" not in answer.text


def test_a_database_that_cannot_be_used_is_a_503_without_details(start, tmp_path):
    file = tmp_path / "teddy.sqlite"
    options = ("--seed-parents=1", "--seed-history=0", f"--database-url=sqlite:///{file}")
    with start(*options) as demo, demo.login() as client:
        for name in ("consents", "messages", "safety_events", "sessions"):
            subprocess.run([sys.executable, "-c", DROP, file, name], check=True)
        answer = client.get("/api/stats")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert set(answer.json()["error"]) == ERROR
    assert "SELECT" not in answer.text


DROP = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(f'DROP TABLE {sys.argv[2]}')"


@pytest.mark.parametrize("stop", ["stdin", signal.SIGTERM, signal.SIGINT])
def test_it_stops_gracefully_and_removes_its_folder(start, stop, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with start("--seed-parents=1", "--seed-history=0") as demo, demo.login() as client:
        assert [folder.name.startswith("campaign-demo-") for folder in tmp_path.iterdir()] == [True]
        assert client.get("/api/stats").status_code == 200
        if stop == "stdin":
            demo.process.stdin.close()
        else:
            demo.process.send_signal(stop)
        assert demo.process.wait(15) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_one_sentence_and_exit_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "campaign.demo", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr == f"cannot listen on 127.0.0.1 port {port}: Address already in use\n"


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--port=70000", "cannot listen on 127.0.0.1 port 70000: bind(): port must be 0-65535."),
        ("--host=192.0.2.1", "cannot listen on 192.0.2.1 port 8000: Cannot assign requested address"),
        ("--database-url=nonsense", "the demo keeps its data in PostgreSQL (postgresql://...) or SQLite"),
        (
            "--database-url=sqlite:////no/such/folder/x",
            "cannot use the database: unable to open database file",
        ),
        ("--redis-url=nonsense", "cannot use Redis: Redis URL must specify one of the following schemes"),
    ],
)
def test_an_option_that_cannot_be_used_is_one_sentence_and_exit_2(option, sentence):
    command = [sys.executable, "-m", "campaign.demo", "--seed-history=0", option]
    if not option.startswith(("--port", "--host")):
        command.append("--port=0")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(sentence)


def test_the_defects_are_listed_without_loading_a_web_framework():
    code = (
        "import sys; from campaign.demo.__main__ import main; main(['--list-defects']);"
        "sys.exit(any(name in sys.modules for name in ('fastapi', 'uvicorn', 'sqlalchemy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert names == list(DEFECTS)


def test_the_access_log_has_no_personal_data(start, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as stream:
        command = [sys.executable, "-m", "campaign.demo", "--port=0", "--seed-parents=1", "--seed-history=2"]
        options = ["--exit-with-stdin", "--log-level=info"]
        with subprocess.Popen(
            [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream, text=True
        ) as process:
            url = process.stdout.readline().split()[1]
            code = json.dumps({"email": "parent0001@example.com", "password": "demo-password"})
            subprocess.run([sys.executable, "-c", POST, f"{url}/api/auth/login/json", code], check=True)
            process.stdin.close()
            process.wait(15)
    text = log.read_text()
    assert "POST /api/auth/login/json 200" in text
    assert [trace for trace in ("example.com", "demo-password", "127.0.0.1:") if trace in text] == []


POST = """
import sys
import httpx
httpx.post(sys.argv[1], content=sys.argv[2], headers={"content-type": "application/json"})
"""


def test_it_does_not_outlive_the_one_who_started_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-m", "campaign.demo", "--port=0", "--exit-with-stdin", "--seed-history=0"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
