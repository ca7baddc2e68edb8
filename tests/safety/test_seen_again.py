"""What a finding shows can be seen again by its script: where the fault is, and not where it is mended."""

import re
import subprocess

import pytest
from family import SAFETY, judged, running_demo

from campaign.redact import Redactor
from campaign.target.origin import split_url
from campaign.target.request import Request
from phases.safety.repeat import Step, script
from phases.safety.settings import PartName

PATIENCE = 60
DEFECTS = ("--defect", "idor-read", "--defect", "consent-not-checked")
PARTS = {"isolation", "consent"}
CONSENT = {**SAFETY["consent"], "load": None, "race": None}
RESOURCES = {"conversation": SAFETY["resources"]["conversation"]}


def scripts(url, database):
    """By failed check, the script of the exchange that it names."""
    skip = [name for name in PartName.__args__ if name not in PARTS]
    found, evidence = judged(url, database=database, skip=skip, resources=RESOURCES, consent=CONSENT)
    told = {each["id"]: each["script"] for each in evidence.facts["exchanges"]}
    failed = {check: each.message for check, each in found.items() if each.outcome.value == "failed"}
    return {
        check: next(text for number, text in told.items() if text and re.search(rf"\[{number}\b", message))
        for check, message in failed.items()
    }


def status(text, old, new):
    """What the last request of the script is answered at another address."""
    at = text.replace(old, new)
    done = subprocess.run(["bash", "-c", at], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[1])


def test_a_script_shows_the_fault_where_it_is_and_only_there():
    with running_demo(*DEFECTS) as (url, database):
        told = scripts(url, database)
        assert set(told) == {
            "isolation.conversation.read", "consent.none.add_activity", "consent.revoked.add_activity",
        }  # fmt: skip
        broken = {check: status(text, url, url) for check, text in told.items()}
        again = {check: status(text, url, url) for check, text in told.items()}
    with running_demo() as (mended, _):
        sound = {check: status(text, url, mended) for check, text in told.items()}
    assert [broken[check] for check in sorted(told)] == [201, 201, 200]
    assert again == broken
    assert [sound[check] for check in sorted(told)] == [403, 403, 404]
    assert not [text for text in told.values() if "safe-" in text or "eyJ" in text]  # passwords and tokens


ORIGIN, _ = split_url("http://127.0.0.1:9/")


def step(number, line, *, token="", body=b"", saved=None):
    head = f"{line} HTTP/1.1\r\nHost: x\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
    request = Request(ORIGIN, line.split()[0], head.encode(), body)
    return Step(number, "mother A1", f"step {number}", request, saved is not None, saved or {})


@pytest.mark.parametrize(
    "goal",
    [
        step(2, "GET /me", token="forged.by.us"),
        step(2, "POST /me", body=b"\xff\xfe"),
        step(2, "POST /me", body=b'{"refresh_token": "a-token-of-hers"}'),
    ],
)
def test_what_cannot_be_sent_again_as_it_was_gets_no_script(goal):
    first = step(1, "POST /in", saved={("token", "$.t"): "a-token-of-hers"})
    assert script({"E1": first, "E2": goal}, "E2", redact=Redactor()) == ""


def test_what_took_time_takes_it_again():
    first = step(1, "POST /in", saved={("id", "$.id"): "an-id-of-hers"})
    told = script({"E1": first, "E2": step(2, "GET /x/an-id-of-hers")}, "E2", redact=Redactor(), rest=2.5)
    assert told.index("/in") < told.index("sleep 2.5") < told.index('/x/"$v1"')


def test_what_a_hostile_target_gave_is_no_command():
    evil = '\'; touch /tmp/never "$(touch /tmp/never)" `x`'
    first = step(1, "POST /in", body=b'{"a": "\'$(touch /tmp/never)\'"}', saved={("id", "$.id"): evil})
    goal = step(2, "POST /x", body=f'{{"id": "{evil}", "b": "\'; ls"}}'.encode())
    told = script({"E1": first, "E2": goal}, "E2", redact=Redactor())
    fake = "curl() { printf '%s\\n' \"${@: -1}\" >&2; echo '{\"id\": 1}'; }\n"
    done = subprocess.run(["bash", "-c", fake + told], capture_output=True, text=True, timeout=9, check=False)
    assert done.stderr.splitlines() == ["http://127.0.0.1:9/in", "http://127.0.0.1:9/x"]
    assert evil not in told
