"""Exactly one result per phase, whatever a phase does; the report is written in every case."""

import asyncio
import contextlib
import json
import os
import signal

import pytest

from campaign import checks
from campaign.clock import RealClock
from campaign.config.read import read
from campaign.errors import ConfigurationError, RefusedError
from campaign.phase import PhaseInfo, Progress
from campaign.records import Measurement, Outcome, ReasonKind, Status, StopReason
from campaign.report.read import read_report
from campaign.report.write import write_all
from campaign.runner import step as step_module
from campaign.runner.campaign import Options, run_campaign
from campaign.runner.interrupt import Interrupt
from campaign.runner.plan import Selection
from campaign.runner.verdict import rejudge
from campaign.settings import Settings


@pytest.fixture
def target(plain_target):
    return plain_target


class Nothing(Settings):
    """A phase without settings."""

    word: str = ""


class Fake:
    """A phase that records one number, then does what `act` does."""

    requires = ("http",)

    def __init__(self, name="fake", act=None, judge=None):
        self.info = PhaseInfo(name, name.title(), "A fake.", self.requires, Nothing)
        self._act, self._judge = act, judge

    async def collect(self, context):
        context.record.measurement(Measurement.exact("seen", 1.0, unit="things", count=1))
        if self._act is not None:
            await self._act(context)

    def judge(self, evidence, settings):
        if self._judge is not None:
            return self._judge(evidence, settings)
        seen = evidence.find("seen")
        if seen is None:
            return (checks.inconclusive("fake.seen", "nothing was seen"),)
        return (checks.holds("fake.seen", seen.value == 1.0, message="one thing was seen"),)

    def seconds(self, settings):
        return 0.1


def run(target_url, tmp_path, *phases, text="", interrupt=None, **options):
    names = {phase.info.name: phase for phase in phases}
    body = "".join(f"  {name}: {{}}\n" for name in names)
    campaign = read(
        f"name: A test\ntarget: {{url: {target_url}, health: GET /health}}\n{text}phases:\n{body}",
        phases={name: phase.info for name, phase in names.items()},
        environ={},
    )
    options = Options(output=tmp_path, **options)
    return asyncio.run(run_campaign(campaign, names, options=options, interrupt=interrupt or Interrupt()))


def test_a_phase_that_ends_is_completed_and_judged(target, tmp_path):
    finished = run(target.url, tmp_path, Fake())
    (result,) = finished.result.results
    assert (result.status, [each.outcome for each in result.findings]) == (Status.COMPLETED, [Outcome.PASSED])
    assert finished.result.exit_code == 0


async def crash(context):
    raise ValueError("boom")


async def leave(context):
    raise SystemExit(7)


@pytest.mark.parametrize(("act", "words"), [(crash, "ValueError: boom"), (leave, "SystemExit: 7")])
def test_a_phase_that_crashes_keeps_its_evidence_and_the_next_one_runs(target, tmp_path, act, words):
    finished = run(target.url, tmp_path, Fake("first", act), Fake("second"))
    first, second = finished.result.results
    assert (first.status, first.reason.kind) == (Status.ERROR, ReasonKind.CRASHED)
    assert words in first.reason.text
    assert first.evidence.find("seen").value == 1.0
    assert second.status is Status.COMPLETED


def test_a_judge_that_crashes_leaves_its_phase_unjudged(target, tmp_path):
    def broken(evidence, settings):
        raise KeyError("lost")

    finished = run(target.url, tmp_path, Fake(judge=broken))
    (result,) = finished.result.results
    assert (result.status, result.reason.kind, result.findings) == (Status.ERROR, ReasonKind.CRASHED, ())
    assert (finished.result.exit_code, finished.result.gate.headline) == (3, "not measured")


@pytest.mark.parametrize("given", [["no finding"], None, 7])
def test_a_judge_that_gives_something_else_than_findings_has_crashed(target, tmp_path, given):
    (result,) = run(target.url, tmp_path, Fake(judge=lambda evidence, settings: given)).result.results
    assert (result.status, result.reason.kind, result.findings) == (Status.ERROR, ReasonKind.CRASHED, ())


def test_a_judge_that_leaves_ends_no_campaign(target, tmp_path):
    def leave(evidence, settings):
        raise SystemExit(0)

    finished = run(target.url, tmp_path, Fake("first", judge=leave), Fake("second"))
    assert [each.status for each in finished.result.results] == [Status.ERROR, Status.COMPLETED]
    assert finished.result.exit_code == 3


def test_a_phase_that_never_ends_is_ended_at_its_deadline(target, tmp_path, monkeypatch):
    monkeypatch.setattr(step_module, "_deadline_seconds", lambda planned: 0.05)
    monkeypatch.setattr(step_module, "GRACE", 0.05)
    cancelled = []

    async def hang(context):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    (result,) = run(target.url, tmp_path, Fake(act=hang)).result.results
    assert (result.status, result.reason.kind, cancelled) == (Status.ERROR, ReasonKind.DEADLINE, [True])


async def cancel_itself(context):
    raise asyncio.CancelledError


async def stop_itself_and_hang(context):
    context.stop.request()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (cancel_itself, "its own work was cancelled"),
        (stop_itself_and_hang, "it asked itself to stop, and did not"),
    ],
)
def test_a_phase_that_breaks_off_unasked_is_not_complete(target, tmp_path, monkeypatch, act, words):
    monkeypatch.setattr(step_module, "GRACE", 0.05)
    monkeypatch.setattr(step_module, "LAST_GRACE", 0.05)
    finished = run(target.url, tmp_path, Fake(act=act))
    (result,) = finished.result.results
    found = (result.status, result.reason.kind, result.reason.text)
    assert found == (Status.ERROR, ReasonKind.CRASHED, words)
    assert finished.result.exit_code == 3


def test_a_report_of_a_judge_that_crashed_is_rejudged_as_it_was(target, tmp_path):
    def broken(evidence, settings):
        raise AttributeError("lost")

    phases = Fake("first"), Fake("second", judge=broken)
    finished = run(target.url, tmp_path, *phases)
    old = read_report(finished.folder / "report.json")
    again = rejudge(old, {phase.info.name: phase for phase in phases})
    assert (again.results, again.score, again.gate) == (old.results, old.score, old.gate)


def test_one_interrupt_lets_the_phase_end_cleanly_and_writes_the_report(target, tmp_path):
    interrupt = Interrupt()
    cleanly = []

    async def wait_for_stop(context):
        interrupt()
        await context.stop.wait()
        cleanly.append(True)

    finished = run(target.url, tmp_path, Fake("first", wait_for_stop), Fake("second"), interrupt=interrupt)
    first, second = finished.result.results
    assert cleanly == [True]
    assert (first.status, second.status) == (Status.INTERRUPTED, Status.INTERRUPTED)
    assert [each.outcome for each in first.findings] == [Outcome.PASSED]
    assert second.evidence.measurements == ()
    assert finished.result.run.stop_reason is StopReason.INTERRUPTED
    assert finished.result.exit_code == 130
    assert read_report(finished.folder / "report.json") == finished.result


def test_a_second_interrupt_cancels_a_phase_that_does_not_listen(target, tmp_path):
    interrupt = Interrupt()

    async def deaf(context):
        interrupt()
        interrupt()
        await asyncio.Event().wait()

    finished = run(target.url, tmp_path, Fake(act=deaf), interrupt=interrupt)
    assert finished.result.results[0].status is Status.INTERRUPTED
    assert (finished.folder / "report.html").is_file()


def test_a_target_that_is_down_leaves_everything_unmeasured(target, tmp_path, monkeypatch):
    monkeypatch.setattr("campaign.runner.preflight.PATIENCE", 0.0)
    target.status = 503
    finished = run(target.url, tmp_path, Fake("first"), Fake("second"))
    kinds = [result.reason.kind for result in finished.result.results]
    assert kinds == [ReasonKind.TARGET_UNREACHABLE] * 2
    assert (finished.result.exit_code, finished.result.score.bounds.score) == (3, None)
    assert "503" in finished.result.gate.reasons[0]


def test_left_out_phases_are_named_and_leave_the_plan(target, tmp_path):
    selection = Selection(skip=frozenset({"second"}))
    finished = run(target.url, tmp_path, Fake("first"), Fake("second"), selection=selection)
    first, second = finished.result.results
    assert (first.status, second.status) == (Status.COMPLETED, Status.SKIPPED)
    assert second.reason.kind is ReasonKind.REQUESTED
    assert "second" in finished.result.score.scope.not_assessed


@pytest.mark.parametrize(
    "selection", [Selection(only=frozenset({"typo"})), Selection(skip=frozenset({"fake"}))]
)
def test_a_selection_that_makes_no_sense_is_refused(target, tmp_path, selection):
    with pytest.raises(ConfigurationError):
        run(target.url, tmp_path, Fake(), selection=selection)
    assert target.requests == []


def test_a_phase_whose_need_the_file_does_not_meet_stays_in_the_plan_unjudged(target, tmp_path):
    class Needy(Fake):
        requires = ("http", "database")

    finished = run(target.url, tmp_path, Fake("first"), Needy("second"))
    second = finished.result.results[1]
    assert (second.status, second.reason.kind) == (Status.SKIPPED, ReasonKind.REQUIREMENT_MISSING)
    assert "target.database" in second.reason.text
    assert finished.result.score.coverage == 0.5


def test_production_is_refused_without_a_word(target, tmp_path):
    text = ""
    with pytest.raises(RefusedError, match="allow-production"):
        run(f"{target.url}, environment: production", tmp_path, Fake(), text=text)
    assert target.requests == []
    finished = run(f"{target.url}, environment: production", tmp_path, Fake(), allow_production=True)
    assert finished.result.exit_code == 0


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254", "http://0.0.0.0:1", "http://224.0.0.1", "http://192.0.2.7"]
)
def test_addresses_outside_the_guard_are_refused_before_anything_is_sent(tmp_path, url):
    with pytest.raises(RefusedError):
        run(url, tmp_path, Fake())
    assert list(tmp_path.iterdir()) == []


def test_events_and_evidence_are_on_disk_as_they_happen(target, tmp_path):
    seen = []

    async def look(context):
        context.notify(Progress(0.5, "half way", {"rate": 3.0}))
        (folder,) = tmp_path.iterdir()
        seen.extend((folder / "evidence" / "fake.jsonl").read_text().splitlines())
        seen.extend((folder / "events.jsonl").read_text().splitlines())

    finished = run(target.url, tmp_path, Fake(act=look))
    lines = [json.loads(line) for line in seen]
    assert lines[0]["measurement"]["name"] == "seen"
    assert [line["event"] for line in lines[1:]] == ["CampaignBegan", "PhaseBegan", "PhaseProgressed"]
    written = [
        json.loads(line)["event"] for line in (finished.folder / "events.jsonl").read_text().splitlines()
    ]
    assert written[-2:] == ["PhaseEnded", "CampaignEnded"]


def test_a_listener_that_fails_is_dropped_and_ends_nothing(target, tmp_path):
    heard = []

    def broken(event):
        raise RuntimeError("listener")

    finished = run(
        target.url, tmp_path, Fake(), listeners=(broken, lambda event: heard.append(type(event).__name__))
    )
    assert finished.result.exit_code == 0
    assert "Notice" in heard
    assert heard[-1] == "CampaignEnded"


def test_the_campaign_is_watched_while_it_runs(target, tmp_path):
    async def wait_for_two_readings(context):
        (folder,) = tmp_path.iterdir()
        file = folder / "evidence" / "monitoring.jsonl"
        give_up = context.clock.now_ns() + 10_000_000_000
        while len(file.read_text().splitlines()) < 3 and RealClock().now_ns() < give_up:
            await context.clock.sleep_until(context.clock.now_ns() + 20_000_000)

    finished = run(target.url, tmp_path, Fake(act=wait_for_two_readings), text="monitor: {interval: 100ms}\n")
    series = {each.name: each for each in finished.result.monitoring.series}
    assert {"host.cpu", "host.memory", "target.memory", "campaign.memory"} <= set(series)
    assert series["target.memory"].values[-1] > 1e6  # the target is this very process


def test_secrets_reach_neither_evidence_nor_events_nor_reports(target, tmp_path):
    secret = "s3cr3t-of-the-service"

    async def tell(context):
        context.record.fact("answer", {"body": f"token={secret}", secret: [secret]})
        context.record.note(f"saw {secret}")
        raise ValueError(f"could not use {secret}")

    url = f"{target.url}, services: {{speech: {{url: {target.url}, auth: {secret}}}}}"
    finished = run(url, tmp_path, Fake(act=tell))
    files = [path for path in finished.folder.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert [path.name for path in files if secret in path.read_text(errors="replace")] == []


def test_a_secret_on_the_command_line_reaches_no_report(target, tmp_path, monkeypatch):
    command = ["/bin/campaign", "run", "--database-url", "postgresql://bob:s3cr3t-db@127.0.0.1/x"]
    monkeypatch.setattr("sys.argv", command)
    finished = run(target.url, tmp_path, Fake())
    told = finished.result.run.environment["command"]
    assert told == "campaign run --database-url postgresql://bob:***@127.0.0.1/x"
    files = [path for path in finished.folder.rglob("*") if path.is_file()]
    assert [path.name for path in files if "s3cr3t-db" in path.read_text(errors="replace")] == []


def test_every_line_of_the_events_is_json_whatever_is_secret(target, tmp_path):
    # Every wall time begins with these figures, so a line masked as text would be no JSON.
    secret = str(int(RealClock().wall()))[:4]
    url = f"{target.url}, services: {{speech: {{url: {target.url}, auth: '{secret}'}}}}"
    finished = run(url, tmp_path, Fake())
    lines = (finished.folder / "events.jsonl").read_text().splitlines()
    assert all(json.loads(line)["at"] > 0 for line in lines)


def test_a_phase_that_the_baseline_does_not_have_says_so(target, tmp_path):
    before = run(target.url, tmp_path, Fake("first")).result
    finished = run(target.url, tmp_path, Fake("first"), Fake("second"), baseline=before)
    first, second = (result.evidence.notes for result in finished.result.results)
    assert first == ()
    assert second == ("The baseline has no phase second, so nothing here was compared with it.",)


def test_a_signal_while_the_report_is_written_does_not_cut_it(target, tmp_path, monkeypatch):
    def write(*arguments, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        return write_all(*arguments, **options)

    monkeypatch.setattr("campaign.runner.campaign.write_all", write)
    finished = run(target.url, tmp_path, Fake())
    assert (finished.folder / "report.html").is_file()
