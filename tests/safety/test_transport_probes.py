"""The way to the target and what it leaves behind: a sound service passes, one that logs what people say is
found by its log, and a careless one fails every probe that there is.
"""

import os
import shutil
import subprocess

import pytest
from careless import ROLES as CARELESS_ROLES
from careless import campaign_file, careless
from entrances import ROLES, TRANSPORT, entrance_file
from family import judged, running_demo

from campaign.records import Evidence, Outcome
from phases.safety.settings import SafetySettings
from phases.safety.transport.judge import findings

OTHERS = [
    "isolation", "consent", "deletion", "crowd", "retention", "audio", "parties", "content", "quotas",
    "sessions",
]  # fmt: skip
NOTHING = {"resources": {}, "allow": {}, "consent": {}, "deletion": {}}
TLS = ("tls_versions", "certificate", "redirect", "hsts")
WITHOUT_TLS = {f"transport.{kind}": "not_applicable" for kind in TLS}


def run(url, database, roles=None, **transport):
    return judged(
        url,
        file=entrance_file(url, database),
        roles=roles or ROLES,
        transport={**TRANSPORT, **transport},
        skip=OTHERS,
        **NOTHING,
    )


def run_careless(url, *, target="", **transport):
    file = campaign_file(url, target=target)
    operations = ["me", "change", "list"]
    section = {"role": "parent", "operations": operations, **transport}
    return judged(url, file=file, roles=CARELESS_ROLES, transport=section, skip=OTHERS, **NOTHING)[0]


def outcomes(found):
    """What is not passed, by its check."""
    return {
        check: each.outcome.value
        for check, each in found.items()
        if check.startswith(("transport.", "cast.")) and each.outcome is not Outcome.PASSED
    }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that is good for two days and signed by itself, and its key."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made, key = str(folder / "made.pem"), str(folder / "key.pem")
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=teddy "
        f"-addext subjectAltName=IP:127.0.0.1 -out {made} -keyout {key}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return made, key


def test_a_sound_service_passes_and_tls_is_not_asked_of_loopback(tmp_path):
    log = str(tmp_path / "access.log")
    with running_demo("--access-log", log) as (url, database):
        found, evidence = run(url, database, logs=[log])
    assert outcomes(found) == {**WITHOUT_TLS, "transport.stored": "informational"}
    assert "nothing leaves the machine" in found["transport.tls_versions"].message
    assert "clear text in database children" in found["transport.stored"].message
    assert evidence.facts["cast"]["left"] == {}


@pytest.mark.defects
def test_what_people_say_is_found_in_the_log(tmp_path):
    log = str(tmp_path / "access.log")
    with running_demo("--access-log", log, "--defect", "pii-in-logs") as (url, database):
        found, _ = run(url, database, logs=[log])
    wanted = {**WITHOUT_TLS, "transport.stored": "informational", "transport.logs": "failed"}
    assert outcomes(found) == wanted
    assert f"{log} holds what parent A1" in found["transport.logs"].message


@pytest.mark.parametrize(
    ("exists", "said"),
    [(False, "cannot be read"), (True, "nothing was logged")],
    ids=["no file", "still file"],
)
def test_a_log_that_says_nothing_is_not_tested(tmp_path, exists, said):
    log = tmp_path / "access.log"
    if exists:
        log.write_text("an old line\n")
    with running_demo() as (url, database):
        found, _ = run(url, database, logs=[str(log)], operations=["me"])
    assert found["transport.logs"].outcome is Outcome.INCONCLUSIVE
    assert said in found["transport.logs"].message


SAID = {
    "tls_versions": "it speaks TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3",
    "certificate": "good for",
    "redirect": "plain http was answered 204",
    "hsts": "me has no HSTS header",
    "cookies": "sid of me lacks HttpOnly and SameSite=Lax or Strict and Secure",
    "cors": "a page of https://campaign-stranger.example may read it with the credentials",
    "errors": "was answered 500 with a Python trace",
    "urls": "the address of find holds what somebody says",
    "logs": "holds what parent A1",
}


def test_a_careless_service_fails_every_probe(tmp_path, certificate):
    log = tmp_path / "log"
    log.touch()
    with careless() as plain, careless(certificate=certificate, log=log) as url:
        target = f", tls: {{ca: {certificate[0]}}}"
        found = run_careless(url, target=target, plain=plain, logs=[str(log)])
    for kind, said in SAID.items():
        finding = found[f"transport.{kind}"]
        assert finding.outcome is Outcome.FAILED, finding.message
        assert said in finding.message
        assert finding.remedy


def test_a_certificate_that_nobody_vouches_for_is_not_accepted_even_where_the_file_does_not_ask(certificate):
    with careless(certificate=certificate, old_tls=False) as url:
        found = run_careless(url, target=", tls: {verify: false}")
    assert found["transport.certificate"].outcome is Outcome.FAILED
    assert "is not accepted: self-signed certificate" in found["transport.certificate"].message
    assert found["transport.tls_versions"].outcome is Outcome.PASSED
    assert "TLS 1.2 and TLS 1.3, and nothing older" in found["transport.tls_versions"].message
    assert found["transport.redirect"].outcome is Outcome.INCONCLUSIVE  # of a port of our own nobody knows it


def test_a_certificate_with_days_enough_and_no_plain_http_pass(certificate):
    with careless() as plain:
        pass  # nobody is there any more
    with careless(certificate=certificate) as url:
        target = f", tls: {{ca: {certificate[0]}}}"
        found = run_careless(url, target=target, plain=plain, certificate="1d")
    assert found["transport.certificate"].outcome is Outcome.PASSED
    assert found["transport.redirect"].outcome is Outcome.PASSED
    assert "nothing answers over plain http" in found["transport.redirect"].message


def test_people_who_cannot_be_made_leave_nothing_passed():
    with running_demo() as (url, database):
        roles = {**ROLES, "toy": {**ROLES["toy"], "start": ["toy"]}}  # before it has a token
        found, evidence = run(url, database, roles=roles)
    assert found["transport.done"].outcome is Outcome.INCONCLUSIVE
    assert "could not be made" in evidence.facts["trouble"]["transport"]
    assert {each.outcome for check, each in found.items() if check.startswith("transport.")} == {
        Outcome.INCONCLUSIVE
    }


@pytest.mark.parametrize(
    "section", [{}, {**TRANSPORT, "logs": ["/no/log"]}], ids=["nothing mapped", "unreached"]
)
def test_what_was_not_asked_is_not_tested(section):
    settings = SafetySettings.model_validate({"roles": ROLES, "transport": section})
    found = list(findings(Evidence(), settings.transport))
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    assert len(found) == 9
