"""Others' canaries are looked for beside a fault: where the file allows it, proved and put back."""

import subprocess
import sys

import psutil
import pytest
from demo_file import FILE, tried_alone
from family import running_demo
from pydantic import ValidationError

from campaign.phase import is_disruptive
from campaign.records import Evidence, Outcome
from phases.safety import SafetyPhase
from phases.safety.crowd.judge import findings
from phases.safety.crowd.settings import CrowdSettings
from phases.safety.settings import SafetySettings

CHECK = "crowd.during_fault"
CROWD = {"kinds": ["guarded_child"]}
TOLD = {
    "what": "freeze the process 7", "proof": "it is stopped", "missing": "", "trouble": "", "unrestored": "",
    "began": 3.0, "ended": 5.0, "answers_since": 500,
}  # fmt: skip


def judged(*, seen=0, failed=0, **fault):
    """The finding on a crowd that searched 1,000 answers beside a fault."""
    canaries = {"answers": 1000, "seen": seen, "left": 9, "sightings": []}
    run = {
        "name": "during_fault", "users": 20, "requests": 1000, "failed": failed, "errors": [], "lost": [],
        "canaries": canaries, "fault": {**TOLD, **fault},
    }  # fmt: skip
    evidence = Evidence((), (), {"crowd": {"runs": [run]}}, ())
    settings = CrowdSettings.model_validate({**CROWD, "during_fault": True})
    return next(each for each in findings(evidence, settings) if each.check == CHECK)


def test_a_proved_fault_in_which_nothing_was_seen_passes_however_many_requests_failed():
    finding = judged(failed=700)
    assert finding.outcome is Outcome.PASSED
    assert "freeze the process 7, for 2.0 s; 500 answers since" in finding.message


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"trouble": "another campaign breaks it"}, "another campaign breaks it"),
        ({"began": None, "ended": None}, "nothing was broken"),
        ({"missing": "the check still succeeds"}, "the check still succeeds"),
        ({"unrestored": "process 7"}, "could not be put back: process 7"),
        ({"answers_since": 12}, "only 12 good answers came after it began"),
    ],
)
def test_what_proves_nothing_is_not_tested(fault, said):
    finding = judged(**fault)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert said in finding.message


def test_where_no_fault_is_allowed_there_is_none_and_the_phase_breaks_nothing():
    (finding,) = (each for each in findings(Evidence(), CrowdSettings()) if each.check == CHECK)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    for crowd, breaks in (({}, False), ({"during_fault": False}, False), ({"during_fault": True}, True)):
        settings = SafetySettings.model_validate({"crowd": {**CROWD, **crowd}})
        assert is_disruptive(SafetyPhase(), settings) is breaks
    left_out = {"crowd": {**CROWD, "during_fault": True}, "skip": ["crowd"]}
    assert not is_disruptive(SafetyPhase(), SafetySettings.model_validate(left_out))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "kill"},
        {"on": "database", "command": {"break": "x", "heal": "y", "check": "z"}},
        {"kind": "squeeze", "on": "database"},
        {"command": {"break": "x", "heal": "y"}},
    ],
)
def test_a_fault_that_nothing_could_make_or_prove_is_refused(wrong):
    with pytest.raises(ValidationError):
        CrowdSettings.model_validate({**CROWD, "during_fault": wrong})


def test_whoever_would_break_a_target_is_asked_before(tmp_path):
    allowed = FILE.read_text().replace("disconnects: 3%}", "disconnects: 3%, during_fault: true}")
    (tmp_path / "campaign.yaml").write_text(allowed)
    ended = subprocess.run(
        [sys.executable, "-m", "campaign", "run", "--only", "safety"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "safety will break parts of the target on purpose and put them back" in ended.stderr
    assert "--yes" in ended.stderr
    assert ended.returncode == 2
    assert not list(tmp_path.glob("reports/*"))


def listener(url):
    """The process that listens at the URL's port."""
    port = int(url.rpartition(":")[2])
    (pid,) = {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.laddr.port == port and each.status == psutil.CONN_LISTEN
    }
    return psutil.Process(pid)


@pytest.mark.defects
@pytest.mark.parametrize(("defects", "outcome"), [((), "passed"), (("mixed-up-answers",), "failed")])
def test_the_demo_stands_still_among_its_children_and_goes_on(defects, outcome, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "state"))
    options = [part for defect in defects for part in ("--defect", defect)]
    crowd = {"hold": "4s", "disconnects": "5%", "during_fault": {"lasts": "2s"}}
    with running_demo(*options) as (url, database):
        found, evidence = tried_alone("crowd", url, database=database, **crowd)
        assert listener(url).status() != psutil.STATUS_STOPPED
    fault = evidence.facts["crowd"]["runs"][-1]["fault"]
    assert found[CHECK].outcome.value == outcome, found[CHECK].message
    assert (fault["trouble"], fault["missing"], fault["unrestored"]) == ("", "", "")
    assert fault["ended"] - fault["began"] == pytest.approx(2.0, abs=1.0)


@pytest.mark.defects
def test_commands_that_prove_nothing_are_told_and_healed(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "state"))
    broken = tmp_path / "broken"
    command = {"break": f"touch {broken}", "heal": f"rm -f {broken}", "check": "true"}
    with running_demo() as (url, database):
        fault = {"command": command, "lasts": "1s"}
        found, _ = tried_alone("crowd", url, database=database, hold="2s", during_fault=fault)
    assert found[CHECK].outcome is Outcome.INCONCLUSIVE
    assert "`true` still succeeds" in found[CHECK].message
    assert not broken.exists()
