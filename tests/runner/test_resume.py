"""A run that was broken off is gone on with: what was finished stays, what was recorded is not lost."""

import asyncio
import json
from dataclasses import replace

import pytest

from campaign import checks
from campaign.config.read import read
from campaign.errors import ConfigurationError
from campaign.evidence import EvidenceLog
from campaign.phase import PhaseInfo
from campaign.records import Measurement, Status
from campaign.runner.campaign import Options, run_campaign
from campaign.runner.earlier import Earlier
from campaign.runner.interrupt import Interrupt
from campaign.settings import Settings


@pytest.fixture
def target(plain_target):
    return plain_target


class Steps:
    """A phase that counts up in its evidence, and breaks off at the first try where it is told to."""

    def __init__(self, name, *, breaks=False):
        self.info = PhaseInfo(name, name.title(), "A fake.", ("http",), Settings)
        self.earlier, self.runs, self._breaks = [], 0, breaks

    async def collect(self, context):
        self.runs += 1
        self.earlier.append(context.earlier)
        context.record.points(context.record.elapsed(), {"steps": (float(self.runs), "steps")})
        context.record.measurement(Measurement.exact("runs", self.runs, unit="runs"))
        context.record.fact(f"run {self.runs}", {"seed": context.seed})
        if self._breaks and self.runs == 1:
            raise RuntimeError("the machine ended")

    def judge(self, evidence, settings):
        return (checks.holds("runs", bool(evidence.measurements), message="it ran"),)

    def seconds(self, settings):
        return 0.1


class Going(Steps):
    """One that goes on."""

    def seconds_left(self, settings, earlier):
        return 0.05


def run(target, tmp_path, *phases, name="A test", earlier=None, seed=None):
    names = {phase.info.name: phase for phase in phases}
    body = "".join(f"  {each}: {{}}\n" for each in names)
    text = f"name: {name}\ntarget: {{url: {target.url}, health: GET /health}}\nphases:\n{body}"
    campaign = read(text, phases={name: phase.info for name, phase in names.items()}, environ={})
    options = Options(output=tmp_path, earlier=earlier, seed=seed)
    return asyncio.run(run_campaign(campaign, names, options=options, interrupt=Interrupt()))


def test_finished_phases_stay_and_the_broken_one_goes_on_with_what_it_recorded(target, tmp_path):
    first, second, anew = Steps("first"), Going("second", breaks=True), Steps("anew", breaks=True)
    broken = run(target, tmp_path, first, second, anew, seed=41)
    assert [each.status for each in broken.result.results][1:] == [Status.ERROR, Status.ERROR]

    whole = run(target, tmp_path, first, second, anew, earlier=Earlier.read(broken.folder))
    assert whole.folder != broken.folder
    assert [each.status for each in whole.result.results] == [Status.COMPLETED] * 3
    assert (first.runs, second.runs, anew.runs) == (1, 2, 2)
    assert whole.result.run.seed == 41
    assert whole.result.run.started_at == pytest.approx(broken.result.run.started_at, abs=1)

    taken, went_on, again = whole.result.results
    assert taken.evidence.notes == ("Taken over from the run that was broken off.",)
    assert set(went_on.evidence.facts) == {"run 1", "run 2"}
    assert second.earlier[0] is None
    assert second.earlier[1].facts == {"run 1": {"seed": 41}}
    assert set(again.evidence.facts) == {"run 2"}, "who cannot go on begins anew"


def test_the_gap_is_a_gap_and_times_rise(target, tmp_path):
    second = Going("second", breaks=True)
    broken = run(target, tmp_path, second)
    earlier = Earlier.read(broken.folder)
    whole = run(target, tmp_path, second, earlier=replace(earlier, ended=earlier.ended + 1000))
    (result,) = whole.result.results
    (series,) = result.evidence.series
    assert series.values[0] == 1
    assert series.values[-1] == 2
    assert {*series.values[1:-1]} == {None}
    assert list(series.times) == sorted(series.times)
    assert series.times[-1] > 1000, "counted from the first beginning"
    assert "nothing was seen from" in result.evidence.notes[0]


def test_a_run_that_was_gone_on_with_can_be_gone_on_with_again(target, tmp_path):
    first, second = Steps("first"), Going("second", breaks=True)
    folder = run(target, tmp_path, first, second).folder
    for _ in range(2):
        began = Earlier.read(folder).began
        folder = run(target, tmp_path, first, second, earlier=Earlier.read(folder)).folder
        assert Earlier.read(folder).began == began
    assert (first.runs, second.runs) == (1, 2)


def test_a_line_that_was_torn_as_the_machine_ended_is_left_out(tmp_path):
    file = tmp_path / "a.jsonl"
    log = EvidenceLog(file, lambda: 7.0, redact=str)
    log.points(1.0, {"x": (3.0, "B")})
    log.fact("whole", [1])
    log.close()
    with file.open("a") as torn:
        torn.write('{"fact": {"name": "torn", "va')
    again = EvidenceLog(file, lambda: 7.0, redact=str).evidence()
    assert dict(again.facts) == {"whole": [1]}
    assert again.series[0].values == (3.0,)


def test_another_campaign_is_not_gone_on_with(target, tmp_path):
    folder = run(target, tmp_path, Steps("first")).folder
    with pytest.raises(ConfigurationError, match="is a run of 'A test', and this is 'Another'"):
        run(target, tmp_path, Steps("first"), name="Another", earlier=Earlier.read(folder))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "is not the folder of a run"),
        ("", "does not say what was begun"),
        ("not json\n[1]\n", "does not say what was begun"),
        (json.dumps({"at": "x"}) + "\n", "is none of ours"),
    ],
)
def test_what_is_no_run_is_told(tmp_path, content, told):
    if content is not None:
        (tmp_path / "events.jsonl").write_text(content)
    with pytest.raises(ConfigurationError, match=told):
        Earlier.read(tmp_path)
