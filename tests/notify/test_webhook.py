"""What is told to a webhook says no more than it may, and whatever the receiver does holds nobody up."""

import threading
import time

import pytest
from receiver import receiving
from servers import free_port

from campaign.events import Alerted, CampaignBegan, Notice
from campaign.notify import webhook as module
from campaign.notify.message import LONGEST, Wording
from campaign.notify.webhook import Webhook
from campaign.redact import Redactor

SECRET = "correct-horse-battery"


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


@pytest.fixture
def hasty(monkeypatch):
    """The same patience, in tenths of a second."""
    monkeypatch.setattr(module, "PATIENCE", 0.4)
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.05, 0.1))


def told(url, *events, on=("violation", "ended")):
    redact = Redactor([SECRET])
    return tell(Webhook(url, Wording(on, redact=redact), redact=redact), *events)


def tell(webhook, *events):
    for event in (CampaignBegan("Teddy", "http://127.0.0.1:1", "demo", 1, "x", ()), *events):
        webhook(event)
    return webhook.close()


def violation(text):
    return Alerted("safety", "violation", text)


def test_an_alert_arrives_with_its_campaign_and_phase(receiver):
    assert told(receiver.url, violation("talk.read: B read A"), Notice("nobody's")) == ""
    assert receiver.texts == [
        "VIOLATION in Teddy -&gt; http://127.0.0.1:1 (demo), phase safety: talk.read: B read A"
    ]


def test_only_what_is_asked_for_is_told(receiver):
    assert told(receiver.url, violation("x"), on=("ended",)) == ""
    assert receiver.texts == []


def test_no_secret_and_no_mark_and_nobodys_address_is_told(receiver):
    hostile = f"<!channel> {SECRET} kim.miller@example.com +49 170 1234567 \x1b[2J" + "a" * 1000 + SECRET
    assert told(receiver.url, violation(hostile)) == ""
    (text,) = receiver.texts
    assert "&lt;!channel&gt; *** *** ***" in text
    assert all(part not in text for part in ("<", "\x1b", "miller", "170", SECRET[:12]))
    assert len(text) < LONGEST + 20  # as marks are longer written


def test_a_secret_at_the_end_of_a_long_text_is_not_cut_in_half(receiver):
    for length in range(LONGEST - 90, LONGEST - 50, 7):
        assert told(receiver.url, violation("a" * length + " " + SECRET)) == ""
    assert not [text for text in receiver.texts if SECRET[:6] in text]


def test_a_receiver_that_recovers_gets_the_message(receiver, hasty):
    answers = iter([500, 503, 200])
    receiver.behaviour = lambda handler: handler.behaves(next(answers))
    assert told(receiver.url, violation("x")) == ""
    assert len(receiver.heard) == 3


def test_one_that_goes_on_failing_is_named_without_its_path(receiver, hasty):
    receiver.behaviour = lambda handler: handler.behaves(500)
    said = told(receiver.url, violation("x"), violation("y"))
    host = f"127.0.0.1:{receiver.server_port}"
    assert said == (
        f"2 messages were not delivered to the webhook at {host} (notify.webhook): it answered 500"
    )
    assert len(receiver.heard) == 6


def test_a_closed_port_is_named(hasty):
    said = told(f"http://127.0.0.1:{free_port()}/x", violation("x"))
    assert said.startswith("1 message was not delivered")
    assert "ConnectError" in said


def test_no_redirect_is_followed(receiver, hasty):
    with receiving() as other:
        receiver.behaviour = lambda handler: handler.behaves(307, Location=other.url)
        assert "it answered 307" in told(receiver.url, violation("x"))
        assert other.heard == []


def hang(handler, gone):
    gone.wait(20)


def dribble(handler, gone):
    """One byte of a header at a time, each well within the patience for one."""
    handler.send_response(200)
    while not gone.wait(0.05):
        handler.wfile.write(b"X-A: b\r\n")
        handler.wfile.flush()


def flood(handler, gone):
    """A body without end, and no status that counts."""
    handler.send_response(500)
    handler.end_headers()
    while not gone.is_set():
        handler.wfile.write(b"x" * 65_536)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [(hang, "did not answer within 0.4 s"), (dribble, "within 0.4 s"), (flood, "it answered 500")],
)
def test_a_hostile_receiver_holds_nobody_up(receiver, hasty, behaviour, why):
    gone = threading.Event()
    receiver.behaviour = lambda handler: behaviour(handler, gone)
    try:
        assert why in told(receiver.url, violation("x"))
    finally:
        gone.set()


def test_the_campaign_is_never_kept_waiting_and_its_end_only_so_long(receiver, monkeypatch):
    gone = threading.Event()
    receiver.behaviour = lambda handler: hang(handler, gone)
    webhook = Webhook(receiver.url, Wording(("violation",), redact=str), redact=str)
    try:
        began = time.thread_time()
        for number in range(module.MOST_WAITING + 50):
            webhook(violation(f"number {number}"))
        assert time.thread_time() - began < 1.0  # of work: nothing waited for the receiver
        assert len(receiver.heard) <= 1
        said = webhook.close(0.1)
    finally:
        gone.set()
    assert said.startswith(f"{module.MOST_WAITING + 50} messages were not delivered")
    assert said.endswith("it did not answer in time")
