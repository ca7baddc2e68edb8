"""Real runs: the healthy demo reaches its limits, and the right findings tell each kind of broken filter."""

import asyncio
import http.server
import json
import re
import threading
import time
from contextlib import contextmanager

import pytest
from family import running_demo
from filtered import DEMO, run_content

from campaign.demo.content_filter import category_of
from campaign.records import Outcome

CHECK = {"check": "check", "blocked": {"json": "$.blocked"}, "levels": []}
BRIEF = {**CHECK, "items": 300, "repeats": 10, "connections": 8}


class Filter(http.server.ThreadingHTTPServer):
    """A service that only checks: POST /check says whether a text is blocked, by `decide(text)`, which gives
    (status, blocked or None); GET /delivered/ITEM says whether a text got through.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, decide):
        self.decide = decide
        self.delivered = set()
        self.texts = []
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.texts.append(asked["text"])
        status, blocked = self.server.decide(asked["text"])
        if not blocked:
            self.server.delivered.add(asked["item"])
        said = {} if blocked is None else {"blocked": blocked, "echo": asked["text"]}
        self._say(status, said)

    def do_GET(self):
        self._say(200 if self.path.rpartition("/")[2] in self.server.delivered else 404, {})

    def _say(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serving(decide):
    server = Filter(decide)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def well(text):
    return 200, category_of(text) is not None


def failed(found):
    return {check.removeprefix("content.") for check, each in found.items() if each.outcome is Outcome.FAILED}


TIMES = {"latency", "loaded.latency", "rate", "levels.latency", "safety_check"}
"""Checks that a busy machine of ours may spoil."""


@pytest.mark.slow
def test_the_healthy_demo_is_proven_right_idle_and_under_load(tmp_path):
    with running_demo("--seed-parents", "40") as (url, _):
        found, evidence = run_content(url, tmp_path, **DEMO, levels=[], kinds="parent", beside=5)
    assert failed(found) <= TIMES
    facts = evidence.facts["content"]
    for metric in ("accuracy", "recall", "false_positives"):
        assert "(proven)" in found[f"content.{metric}"].message
    told = ("two_turns", "relations", "categories", "same_verdict", "neighbours")
    assert {found[f"content.{each}"].outcome for each in told} == {Outcome.PASSED}
    assert facts["arms"]["idle"]["rate"] > 100
    assert facts["pairs"]["pairs"] > 5500
    assert facts["beside"]["requests"] > 50
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_verdicts_and_times_are_compared_at_further_levels_of_load(tmp_path):
    with serving(well) as it:
        asked = {**BRIEF, "levels": ["50%", "25%"], "safety_check": "check"}
        found, evidence = run_content(it.url, tmp_path, **asked)
    levels = evidence.facts["content"]["levels"]
    assert [(each["rate"], each["errors"]) for each in levels] == [(50, 0), (100, 0), (200, 0)]
    assert found["content.levels.verdicts"].outcome is Outcome.PASSED
    assert "50, 100, 200 checks/s" in found["content.levels.verdicts"].message
    assert found["content.levels.latency"].measured.value < 1
    assert evidence.facts["content"]["safety_check"]["answered"] > 1000
    assert evidence.find("content.safety_check").count > 1000
    assert failed(found) <= TIMES


LEET = re.compile(r"[a-z]\d|\d[a-z]", re.IGNORECASE)


def without_leetspeak(text):
    """A filter that knows no digits for letters."""
    return (200, False) if LEET.search(text) and "@" not in text else well(text)


def test_a_filter_that_digits_deceive_is_told_by_the_writing(tmp_path):
    with serving(without_leetspeak) as it:
        found, evidence = run_content(it.url, tmp_path, **BRIEF)
    told = {"accuracy", "recall", "loaded.accuracy", "loaded.recall", "relations"}
    assert failed(found) - TIMES == told
    assert "digits for letters" in found["content.relations"].message
    wrong = evidence.facts["content"]["wrong"]
    assert {each["relation"] for each in wrong} == {"leetspeak"}
    assert "curl" in wrong[0]["curl"]


@pytest.mark.slow
def test_a_filter_that_blocks_what_is_safe_is_told_with_its_categories(tmp_path):
    with serving(
        lambda text: (200, True) if "kill" in text.lower() or "tummy" in text.lower() else well(text)
    ) as it:
        found, _ = run_content(it.url, tmp_path, **{**BRIEF, "items": 1500})
    assert {"false_positives", "loaded.false_positives", "accuracy", "loaded.accuracy"} <= failed(found)
    assert "recall" not in failed(found)
    assert "animals" in found["content.categories"].message or "health" in found["content.categories"].message


def test_personal_data_in_wrong_answers_is_masked(tmp_path):
    with serving(lambda text: (200, category_of(text) not in {None, "personal_data"})) as it:
        found, evidence = run_content(it.url, tmp_path, **BRIEF)
    assert "categories" in failed(found)
    kept = json.dumps(evidence.facts["content"])
    assert "personal_data" in kept
    assert "{phone}" in kept
    for shape in ("555-01", "@example", "192.0.2.", "198.51.100."):
        assert shape not in kept


class Crowded:
    """Answers two at a time well; what comes on top gets no verdict, and got through or not."""

    def __init__(self, *, status):
        self._at_once = 0
        self._lock = threading.Lock()
        self._status = status

    def __call__(self, text):
        with self._lock:
            self._at_once += 1
            crowded = self._at_once > 5
        try:
            time.sleep(0.03)
            if not crowded:
                return well(text)
            return self._status, None
        finally:
            with self._lock:
                self._at_once -= 1


def test_a_filter_that_fails_open_under_load_is_told_by_that(tmp_path):
    with serving(Crowded(status=503)) as it:
        found, evidence = run_content(
            it.url,
            tmp_path,
            **{**BRIEF, "idle": 2, "delivered": "was_delivered", "rate": "400/s", "connections": 16},
        )
    assert found["content.fails_open"].outcome is Outcome.FAILED
    assert "under load" in found["content.fails_open"].message
    assert "idle" not in found["content.fails_open"].message
    assert {"loaded.recall", "degradation", "loaded.unanswered"} <= failed(found)
    assert not {"recall", "accuracy", "false_positives"} & failed(found)
    assert evidence.facts["content"]["arms"]["loaded"]["sides"]["unsafe"]["outcomes"]["fail_open"] > 3


@pytest.mark.slow
def test_a_filter_that_fails_closed_blames_nobody_for_what_got_through(tmp_path):
    crowded = Crowded(status=503)

    def decide(text):
        status, blocked = crowded(text)
        return status, True if blocked is None else blocked  # blocked, though the answer does not say so

    with serving(decide) as it:
        found, _ = run_content(
            it.url,
            tmp_path,
            **{**BRIEF, "idle": 2, "delivered": "was_delivered", "rate": "400/s", "connections": 16},
        )
    assert found["content.fails_open"].outcome is Outcome.PASSED
    assert found["content.loaded.unanswered"].outcome is Outcome.FAILED
    assert not {"loaded.recall", "degradation"} & failed(found)


def test_a_filter_that_throws_dice_is_told_by_the_same_text(tmp_path):
    turn = iter(range(10**9))
    with serving(lambda text: well(text) if next(turn) % 3 else (200, False)) as it:
        found, _ = run_content(it.url, tmp_path, **BRIEF)
    assert "same_verdict" in failed(found)


@pytest.mark.slow
def test_a_target_that_refuses_all_of_it_is_not_tested_and_soon_left_alone(tmp_path):
    with serving(lambda _: (429, None)) as it:
        began = time.monotonic()
        found, _ = run_content(it.url, tmp_path, **{**BRIEF, "items": 3000})
        assert len(it.texts) < 200
    assert time.monotonic() - began < 60
    assert failed(found) - {"unanswered"} == set()
    assert found["content.recall"].outcome is Outcome.INCONCLUSIVE
    assert "status 429" in found["content.recall"].message
    assert found["content.loaded.recall"].outcome is Outcome.INCONCLUSIVE


def test_a_target_that_is_not_there_is_not_tested(tmp_path):
    found, _ = run_content("http://127.0.0.1:9", tmp_path, **{**DEMO, "levels": [], "items": 100})
    assert failed(found) == set()
    assert found["content.recall"].outcome is Outcome.INCONCLUSIVE


def test_what_was_checked_before_the_campaign_was_stopped_is_kept(tmp_path):
    async def stop(context):
        await asyncio.sleep(4)  # in the middle of the first run
        context.stop.request()

    def slow(text):
        time.sleep(0.02)
        return well(text)

    with serving(slow) as it:
        found, evidence = run_content(it.url, tmp_path, stop_when=stop, **{**BRIEF, "items": 3000})
    outcomes = evidence.facts["content"]["arms"]["idle"]["sides"]["unsafe"]["outcomes"]
    assert outcomes["right"] > 20
    assert outcomes["missing"] > 100
    assert found["content.recall"].outcome is Outcome.INCONCLUSIVE
    assert found["content.loaded.recall"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ({"status": 403}, lambda bad: (403 if bad else 200, bad)),
        ({"contains": '"blocked": true'}, lambda bad: (200, bad)),
        ({"json": "$.blocked", "equals": True}, lambda bad: (200, bad)),
    ],
)
def test_a_verdict_is_a_status_a_text_or_a_value(tmp_path, rule, answer):
    with serving(lambda text: answer(category_of(text) is not None)) as it:
        found, evidence = run_content(it.url, tmp_path, **{**BRIEF, "blocked": rule, "items": 100})
    assert evidence.facts["content"]["arms"]["idle"]["sides"]["unsafe"]["outcomes"] == {"right": 100}
    assert evidence.facts["content"]["arms"]["idle"]["sides"]["safe"]["outcomes"] == {"right": 100}
    assert failed(found) <= TIMES
