"""Who else gets children's data: outgoing calls of a service against its declared parties, and its notice."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from demo_file import FILE as DEMO_FILE
from demo_file import section, tried_alone
from family import judged, running_demo
from servers import free_port

from campaign.records import Evidence, Outcome
from phases.safety.parties.judge import findings
from phases.safety.parties.notice import plain_text
from phases.safety.parties.settings import PartiesSettings
from phases.safety.settings import PartName

OTHERS = [
    "isolation", "consent", "crowd", "content", "sessions", "transport", "deletion", "retention", "quotas",
    "audio",
]  # fmt: skip
CALLS = ["parties.declared", "parties.disclosure", "parties.usable", "parties.allowed"]
NOTICES = ["parties.notice.open", "parties.notice.phrases", "parties.notice.parties"]
FILE = """
name: parties
target: {url: "URL"}
operations:
  say: {request: POST /say, json: {text: "I am {{ canary }}"}, expect: 200}
  allow: {request: POST /allow, expect: 200}
users:
  child: {tasks: {say: 1}}
phases:
  load: {scenarios: {one: {users: 1, hold: 1s}}}
"""
PARTIES = {
    "declared": {
        "Speech Ltd": {"hosts": ["speech.example"], "integral": True},
        "Stats Inc": {"hosts": "*.stats.example"},
    },
    "use": ["say"],
    "consent": ["allow"],
    "settle": "100ms",
    "notice": {"url": "/privacy", "phrases": ["third parties", "how long"]},
}
NOTICE = "<h1>Third\nparties</h1><p>Speech Ltd, <b>Stats</b> Inc. How long: a year.</p>"


class Toy(BaseHTTPRequestHandler):
    """A service that calls others through a proxy; `server.calls` says whom, with what, in each state."""

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/allow":
            self.server.allowed = True
        elif self.server.refuses and not self.server.allowed:
            return self._answer(403, b"")
        else:
            for host, sealed, told in self.server.calls(self.server.allowed):
                _call(self.server.proxy, host, text if told else b"{}", sealed=sealed)
        return self._answer(200, b"{}")

    def do_GET(self):
        self._answer(self.server.notice[0], self.server.notice[1].encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def _call(proxy, host, body, *, sealed):
    """A call through the proxy, as HTTP clients make it; a proxy that is not there is no reason to stop."""
    with (
        contextlib.suppress(OSError),
        contextlib.closing(socket.create_connection(("127.0.0.1", proxy), 5)) as to,
    ):
        if sealed:
            to.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        else:
            head = (
                f"POST http://{host}/v1/take HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            to.sendall(head.encode() + body)
        to.recv(1000)


def tried(calls, *, refuses=False, notice=(200, NOTICE), **changes):
    """The findings of the part on a toy that makes these calls."""
    proxy = free_port()
    with ThreadingHTTPServer(("127.0.0.1", 0), Toy) as server:
        server.allowed, server.refuses, server.notice = False, refuses, notice
        server.calls, server.proxy = calls, changes.pop("proxy", proxy)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            found, evidence = judged(
                url,
                file=FILE.replace("URL", url),
                roles={"child": {"families": 1}},
                resources={},
                allow={},
                consent={},
                skip=OTHERS,
                parties={**PARTIES, "listen": proxy, **changes},
            )
        finally:
            server.shutdown()
            thread.join()
    return {check: each for check, each in found.items() if check.startswith("parties.")}, evidence


def outcomes(found):
    return {check: each.outcome.value for check, each in found.items() if each.outcome is not Outcome.PASSED}


def told(found):
    return {check: each.message for check, each in found.items()}


def sound(allowed):
    """An integral party is told, the other one only when that was allowed."""
    return [("speech.example", False, True), ("eu.stats.example", False, allowed)]


def test_a_sound_service_tells_others_only_what_was_consented_to():
    found, evidence = tried(sound)
    assert outcomes(found) == {}, told(found)
    assert sorted(found) == sorted([*CALLS, *NOTICES])
    assert "eu.stats.example" in found["parties.allowed"].message
    calls = evidence.facts["parties"]["calls"]
    assert [(each["host"], each["what"], len(each["canaries"])) for each in calls] == [
        ("speech.example", "POST /v1/take", 1), ("eu.stats.example", "POST /v1/take", 0),
        ("speech.example", "POST /v1/take", 1), ("eu.stats.example", "POST /v1/take", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("calls", "more", "wanted"),
    [
        (lambda _: [("eu.stats.example", False, True)], {}, {"parties.disclosure": "failed"}),
        (
            lambda _: [("ads.example", False, False)], {},
            {"parties.declared": "failed", "parties.notice.parties": "failed"},
        ),
        (lambda _: [("eu.stats.example", True, True)], {}, {"parties.disclosure": "inconclusive"}),
        (lambda _: [("speech.example", True, True)], {}, {}),
        (lambda _: [], {}, {"parties.declared": "inconclusive", "parties.disclosure": "inconclusive"}),
        (sound, {"refuses": True}, {"parties.usable": "failed", "parties.disclosure": "inconclusive"}),
        (sound, {"notice": (302, "")}, dict.fromkeys(NOTICES[1:], "inconclusive") | {NOTICES[0]: "failed"}),
        (sound, {"notice": (200, "How long: Speech Ltd")}, dict.fromkeys(NOTICES[1:], "failed")),
        (sound, {"consent": []}, {"parties.allowed": "inconclusive"}),
    ],
    ids=["told without consent", "undeclared", "sealed", "sealed and integral", "nothing came",
         "of no use without", "no notice", "a poor notice", "no consent mapped"],
)  # fmt: skip
@pytest.mark.defects
def test_each_fault_is_told_by_its_own_check(calls, more, wanted):
    found, _ = tried(calls, **more)
    assert outcomes(found) == wanted, told(found)


@pytest.mark.defects
def test_a_port_that_is_taken_is_said_and_nothing_passes():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found, _ = tried(sound, listen=taken.getsockname()[1])
    assert {check: found[check].outcome.value for check in CALLS} == dict.fromkeys(CALLS, "inconclusive")
    assert "cannot listen on 127.0.0.1" in found["parties.declared"].message
    assert found["parties.notice.open"].outcome is Outcome.PASSED


@pytest.mark.defects
def test_a_call_that_may_pass_reaches_its_party_and_brings_the_answer_back():
    seen = []

    class Party(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(201)
            self.send_header("content-length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, *_):
            pass

    port, answers = free_port(), []

    def calls(_):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", f"http://127.0.0.1:{party.server_port}/take?x=1", b"a word")
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
        connection.close()
        return []

    with ThreadingHTTPServer(("127.0.0.1", 0), Party) as party:
        thread = threading.Thread(target=party.serve_forever, args=(0.05,))
        thread.start()
        try:
            declared = {"Own": {"hosts": ["127.0.0.1"], "integral": True, "forward": True}}
            found, _ = tried(
                calls, listen=port, declared=declared, notice=(200, "own third parties how long")
            )
        finally:
            party.shutdown()
            thread.join()
    assert seen == [b"a word"] * 2
    assert answers == [(201, b"done")] * 2
    assert found["parties.declared"].outcome is Outcome.PASSED


@pytest.mark.defects
def test_the_demo_says_what_it_does_and_to_whom():
    with running_demo() as (url, _):
        phrases = ["third parties", "audio recordings", "what we use it for", "how long"]
        found, _ = judged(url, skip=OTHERS, parties={"notice": {"url": "/privacy", "phrases": phrases}})
    assert outcomes({check: found[check] for check in NOTICES[:2]}) == {}
    assert found[NOTICES[2]].outcome is Outcome.INCONCLUSIVE


def demo_told(**changes):
    """The findings of the demo's own section, with the demo pointed at the recorder."""
    port = free_port()
    with running_demo("--outgoing-proxy", f"127.0.0.1:{port}") as (url, database):
        return tried_alone("parties", url, database=database, listen=port, **changes)


def test_the_demo_tells_its_third_party_with_consent_alone():
    found, evidence = demo_told()
    assert outcomes(found) == {}, told(found)
    assert sorted(found) == sorted([*CALLS, *NOTICES])
    calls = evidence.facts["parties"]["calls"]
    assert [(each["stage"], each["host"], each["what"]) for each in calls] == [
        ("with consent to disclosure", "insights.example", "POST /v1/turns")
    ] * len(section()["parties"]["use"])
    assert all(each["canaries"] for each in calls)


@pytest.mark.defects
def test_what_the_demo_tells_undeclared_or_before_it_may_is_found():
    found, _ = demo_told(declared={}, use=["allow_disclosure", "say"])
    assert outcomes(found) == {
        "parties.declared": "failed",
        "parties.disclosure": "failed",
        "parties.notice.parties": "inconclusive",
    }, told(found)
    assert "to insights.example (POST /v1/turns)" in found["parties.disclosure"].message


@pytest.mark.defects
def test_run_demo_listens_to_what_its_demo_tells(tmp_path):
    others = ", ".join(name for name in PartName.__args__ if name != "parties")
    alone = DEMO_FILE.read_text().replace("  safety:\n", f"  safety:\n    skip: [{others}]\n", 1)
    (tmp_path / "campaign.yaml").write_text(alone)
    subprocess.run(
        [sys.executable, "-m", "campaign", "run", "--demo", "campaign.yaml", "--only", "safety"],
        cwd=tmp_path, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    (report,) = tmp_path.glob("reports/*/report.json")
    (safety,) = (each for each in json.loads(report.read_text())["test_results"] if each["phase"] == "safety")
    seen = {each["check"]: each["outcome"] for each in safety["findings"]}
    assert {check: seen[check] for check in CALLS} == dict.fromkeys(CALLS, "passed")


def test_a_page_is_read_as_a_reader_sees_it():
    page = "<style>b{}</style><P>Third&nbsp;parties: <b>A</b> &amp; B<script>hidden()</script><!-- no -->"
    assert plain_text(page) == "third parties: a & b"


@pytest.mark.parametrize("mapped", [{}, {**PARTIES, "listen": 9000}], ids=["nothing mapped", "never reached"])
def test_what_was_not_asked_is_not_tested(mapped):
    settings = PartiesSettings.model_validate(mapped)
    found = list(findings(Evidence(), settings))
    assert [each.check for each in found] == [*CALLS, *NOTICES]
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
