"""What limits can be on, over seconds on end, and against a baseline: reading, figures and verdicts."""

import asyncio
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from campaign.config.mistakes import CampaignFileError
from campaign.config.read import read
from campaign.load.generator import GeneratorHealth
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.spec import ramp_and_hold
from campaign.load.tally import Stage, Tally
from campaign.records import Direction, Evidence, Limit, Measurement, Outcome
from campaign.registry import installed
from campaign.stats.histogram import Histogram
from campaign.target.journey import Do, Group, TaskSpec, WaitSpec
from campaign.target.spec import OperationSpec, OptionsSpec, TargetSpec, UserSpec, Vocabulary
from phases.load import collect
from phases.load.baseline import ratio
from phases.load.judge import judge_load
from phases.load.metrics import METRICS
from phases.load.settings import LoadSettings
from phases.load.subjects import Subjects
from phases.load.sustained import Stretch, Sustained
from phases.load.watch import Watch

CAMPAIGN = """
name: Shop
target: {url: http://127.0.0.1:9}
operations:
  search: {request: GET /search, tags: [gdpr]}
  story: {request: GET /story}
users:
  visitor: {tasks: {search: 1, story: 1}}
phases:
  load:
    scenarios: {calm: {users: 2, hold: 10s, ramp: 100/s}}
    limits:
      LIMITS
"""


def campaign(limits, more=""):
    text = CAMPAIGN.replace("LIMITS", limits) + more
    return read(text, phases=installed().infos(), environ={})


def load_of(limits, more=""):
    return campaign(limits, more).phases[0].settings


def settings(limits, **changes):
    scenario = {"users": 10, "hold": "10s", "ramp": "1000/s"}
    return LoadSettings.model_validate({"scenarios": {"calm": scenario}, "limits": limits, **changes})


def histogram(*milliseconds):
    filled = Histogram()
    filled.record_many([each * 1000 for each in milliseconds])
    return filled


def tally(*milliseconds, service=(), errors=None):
    return Tally(histogram(*milliseconds), histogram(*service), errors or {})


VOCABULARY = Vocabulary(
    operations={
        "search": OperationSpec("search", "GET", "/", options=OptionsSpec(tags=frozenset({"gdpr"}))),
        "export": OperationSpec("export", "GET", "/", options=OptionsSpec(tags=frozenset({"gdpr"}))),
        "story": OperationSpec("story", "GET", "/"),
    },
    users={
        "child": UserSpec(
            "child", 1.0, WaitSpec(), (),
            {
                "search": TaskSpec.of("search"),
                "export": TaskSpec.of("export"),
                "bedtime": TaskSpec(1.0, (Group("reading", (Do("story"),)),)),
            },
        )
    },
)  # fmt: skip


def outcome(tallies=None, *, views=None, measures=None, seconds=10.0):
    hold = Stage.HOLD
    return LoadOutcome(
        scenario=ramp_and_hold("calm", 10, 1000.0, 10.0),
        tallies={(name, hold): each for name, each in (tallies or {}).items()},
        errors=(),
        longest_stall=0.1,
        load_reached=1.0,
        hold_seconds=seconds,
        generator=GeneratorHealth(0.001, 0.001, 0.1, 1, 0),
        views={(name, hold): each for name, each in (views or {}).items()},
        measures={(*name, hold): each for name, each in (measures or {}).items()},
    )


class Record:
    """Keeps what a phase records."""

    def __init__(self):
        self.kept, self.facts, self.notes = {}, {}, []
        self.note = self.notes.append
        self.fact = self.facts.__setitem__

    def measurement(self, measurement):
        self.kept[measurement.name] = measurement

    def points(self, at, values):
        pass

    def elapsed(self):
        return 0.0

    def evidence(self):
        return Evidence(tuple(self.kept.values()), (), self.facts, tuple(self.notes))


def judged(monkeypatch, chosen, of, *, seconds=(), baseline=None):
    """The findings of a run that came to `of`, by check, and its evidence."""

    async def run_load(plan, *, on_second, **others):
        for second in seconds:
            on_second(second)
        return of

    async def ask_nobody(context):
        pass

    monkeypatch.setattr(collect, "run_load", run_load)
    monkeypatch.setattr(collect, "record_aftermath", ask_nobody)
    record = Record()
    context = SimpleNamespace(
        target=TargetSpec("http://127.0.0.1:9"), vocabulary=VOCABULARY, settings=chosen, clock=None, seed=1,
        baseline=baseline,
        record=record, notify=lambda progress: None, stop=SimpleNamespace(requested=False),
    )  # fmt: skip
    asyncio.run(collect.run_scenarios(context))
    evidence = record.evidence()
    return {each.check: each for each in judge_load(evidence, chosen)}, evidence


def second(at, search=None, **changes):
    tallies = {} if search is None else {"search": search}
    return Second(float(at), 1.0, None, None, None, 1, 0, tallies, **changes)


# What a limit may be on.


@pytest.mark.parametrize("subject", ["all", "search", "tag:gdpr", "kind:visitor"])
def test_a_limit_may_be_on_an_operation_a_tag_a_kind_or_all(subject):
    (limit,) = load_of(f"'{subject}': {{p95: 200ms}}").limits[subject].p95
    assert limit.limit.target == 0.2


@pytest.mark.parametrize(
    ("written", "suggested"),
    [
        ("serch: {p95: 1s}", "did you mean  search"),
        ("'tag:gdrp': {p95: 1s}", "did you mean  tag:gdpr"),
        ("'kind:vistor': {p95: 1s}", "did you mean  kind:visitor"),
        ("all: {first_byte_95: 1s}", "did you mean  first_byte_p95"),
        ("all: {p95: {limit: 1s, fore: 10s}}", "did you mean  for"),
        ("all: {p95: {limit: 1s, for: 10}}", "a duration"),
        ("all: {p95: {limit: 120%, for: 10s, of: baseline}}", "either 'for' or 'of: baseline'"),
        ("all: {p95: {limit: 1s, of: baseline}}", "120%"),
        ("all: {p95: [1s, 2s]}", "one limit of each kind on p95"),
        ("all: {longest_stall: {limit: 1s, for: 3s}}", "a limit without 'for'"),
        ("search: {error_spike: 1%}", "error_spike under 'all' only"),
        ("'kind:visitor': {first_byte_p95: 1s}", "it is kept by operation"),
    ],
)
def test_a_wrong_limit_is_a_mistake_with_its_place(written, suggested):
    with pytest.raises(CampaignFileError) as caught:
        campaign(written)
    assert suggested in str(caught.value)
    assert "campaign.yaml:13" in str(caught.value)


def test_a_group_has_one_time_and_so_no_error_rate():
    context = {"operations": ["story"], "groups": ["reading"], "users": ["child"]}
    scenarios = {"calm": {"users": 1}}
    good = {"scenarios": scenarios, "limits": {"reading": {"p95": "1s"}}}
    assert LoadSettings.model_validate(good, context=context).limits["reading"].p95
    with pytest.raises(ValidationError, match="a group has one time"):
        LoadSettings.model_validate(
            {"scenarios": scenarios, "limits": {"reading": {"error_rate": "1%"}}}, context=context
        )


def test_every_metric_has_its_key_and_survives_a_report():
    whole = {name: "1%" if each.unit == "share" else "1/s" if each.unit == "1/s" else "1s"
             for name, each in METRICS.items()}  # fmt: skip
    chosen = settings({"all": whole})
    assert {each.metric.name for each in chosen.planned()} == set(METRICS)
    written = ["200ms", {"limit": "1s", "for": "10s"}, {"limit": "110%..130%", "of": "baseline"}]
    chosen = settings({"all": {"p95": written}}, abort_when=[{"error_rate": "> 50%", "after": "3s"}])
    assert LoadSettings.model_validate(chosen.model_dump(mode="json")) == chosen
    names = [each.name for each in chosen.planned() if each.metric.name == "p95"]
    assert names == ["calm.all.p95", "calm.all.p95.for_10s", "calm.all.p95.of_baseline"]


@pytest.mark.parametrize(
    ("limits", "views"),
    [
        ({"all": {"p95": "1s"}}, set()),
        ({"kind:child": {"p95": "1s"}}, {"kinds"}),
        ({"region:eu": {"p95": "1s"}}, {"regions"}),
        ({"search": {"queue_p99": "1s"}}, {"queue"}),
    ],
)
def test_a_limit_switches_on_the_statistic_that_it_needs(limits, views):
    assert settings(limits).views("calm") == views
    assert settings({}, abort_when=[{"of": "kind:child", "p95": "> 1s"}]).views("calm") == {"kinds"}


# What is measured of each.


@pytest.mark.parametrize(
    ("limits", "check", "value"),
    [
        ({"tag:gdpr": {"max": "1s"}}, "calm.tag:gdpr.max", 0.4),
        ({"tag:gdpr": {"rate": "> 1/s"}}, "calm.tag:gdpr.rate", 0.6),
        ({"reading": {"max": "1s"}}, "calm.reading.max", 9.0),
        ({"kind:child": {"max": "1s"}}, "calm.kind:child.max", 0.7),
        ({"region:eu": {"max": "1s"}}, "calm.region:eu.max", 0.8),
        ({"story": {"first_byte_max": "1s"}}, "calm.story.first_byte_max", 0.3),
        ({"all": {"first_byte_max": "1s"}}, "calm.all.first_byte_max", 0.5),
        ({"story": {"service_max": "1s"}}, "calm.story.service_max", 0.05),
        ({"all": {"max": "1s"}}, "calm.all.max", 2.0),
        ({"story": {"event_rate": "> 20/s"}}, "calm.story.event_rate", 15.0),
        ({"all": {"event_rate": "> 10/s"}}, "calm.all.event_rate", 15.0),
    ],
)
def test_each_subject_has_its_own_samples(monkeypatch, limits, check, value):
    of = outcome(
        {
            "search": tally(10, 20, 100),
            "export": tally(200, 300, 400),
            "story": tally(2000, service=[50]),
        },
        views={"kind child": tally(700), "region eu": tally(800)},
        measures={
            ("story", "first_byte"): histogram(300),
            ("story", "stream"): histogram(1000, 3000),
            ("story", "events"): histogram(0.02, 0.04),
            ("search", "first_byte"): histogram(500),
            ("reading", "group"): histogram(9000),
        },
    )
    findings, evidence = judged(monkeypatch, settings(limits), of)
    assert evidence.find(check).value == pytest.approx(value, rel=0.002)
    least = {"calm.story.event_rate": 20, "calm.all.event_rate": 10}.get(check, 1)
    good = value >= least if check.endswith("rate") else value <= 1
    assert findings[check].outcome is (Outcome.PASSED if good else Outcome.FAILED)


def test_a_subject_that_was_never_seen_is_undecided(monkeypatch):
    findings, _ = judged(
        monkeypatch, settings({"tag:gdpr": {"p95": "1s"}, "reading": {"p95": "1s"}}), outcome()
    )
    assert findings["calm.tag:gdpr.p95"].outcome is Outcome.INCONCLUSIVE
    assert findings["calm.reading.p95"].outcome is Outcome.INCONCLUSIVE


def test_a_group_with_the_name_of_an_operation_gives_way():
    user = UserSpec("u", 1.0, WaitSpec(), (), {"t": TaskSpec(1.0, (Group("search", (Do("search"),)),))})
    assert Subjects.of(Vocabulary(VOCABULARY.operations, {"u": user})).groups == frozenset()


# Over seconds on end.


AT_MOST, AT_LEAST = Limit(1.0, 1.0, "s"), Limit(5.0, 5.0, "1/s", Direction.AT_LEAST)


@pytest.mark.parametrize(
    ("limit", "values", "held", "longest"),
    [
        (AT_MOST, [2, 3, 4], 2, Stretch(0, 3, 4)),
        (AT_MOST, [2, 0.5, 4, 4], 0.5, Stretch(2, 4, 4)),
        (AT_MOST, [0.1, 0.2, 9, 0.3, 0.1], 0.2, Stretch(2, 3, 9)),
        (AT_MOST, [9, 9], None, Stretch(0, 2, 9)),
        (AT_MOST, [0.1, 0.1, 0.1, 1.5, 1.2, 3, 0.1], 1.2, Stretch(3, 6, 3)),
        (AT_MOST, [1, 1, 1, 1], 1, None),
        (AT_MOST, [9, None, 9, 0.1], 9, Stretch(0, 3, 9)),
        (AT_MOST, [9, None, None, 0.1, 0.1], 0.1, Stretch(0, 1, 9)),
        (AT_LEAST, [9, 1, 2, 3, 9], 3, Stretch(1, 4, 1)),
        (AT_LEAST, [9, 1, 9, 3, 9], 9, Stretch(3, 4, 3)),
    ],
)
def test_the_figure_over_three_seconds_is_the_level_that_was_held(limit, values, held, longest):
    sustained = Sustained(3, limit)
    for at, value in enumerate(values):
        if value is not None:
            sustained.add(at, at, value)
    assert sustained.value == held
    assert sustained.longest == longest
    beyond = held is not None and limit.goodness(held) < limit.goodness(limit.target)
    assert sustained.missed == beyond


@pytest.mark.parametrize(
    ("seconds", "held", "longest"),
    [
        ([0, 4, 8, 12], None, Stretch(12, 13, 9)),
        ([0, 3, 6, 9], 9, Stretch(0, 10, 9)),
        ([0, 1, 2, 8, 9, 10], None, Stretch(8, 11, 9)),
    ],
)
def test_a_few_samples_far_apart_are_no_stretch(seconds, held, longest):
    sustained = Sustained(9, AT_MOST)
    for at in seconds:
        sustained.add(at, at, 9)
    assert (sustained.value, sustained.longest) == (held, longest)


def test_good_samples_far_apart_keep_the_limit():
    sustained = Sustained(9, AT_MOST)
    for at in (0, 4, 8, 12):
        sustained.add(at, at, 0.5)
    assert sustained.value == 0.5


def test_the_rate_of_a_second_that_took_longer_is_not_higher():
    chosen = settings({"search": {"rate": {"limit": "> 1/s", "for": "3s"}}})
    watch = Watch(ramp_and_hold("calm", 10, float("inf"), 10.0), Subjects.of(VOCABULARY),
                  limits=chosen.planned_for("calm"), rules=())  # fmt: skip
    for at in range(5):
        watch.see(second(at, tally(20, 20, 20), seconds=6.0))
    (found, *_) = watch.measurements("calm")
    assert found.value == 0.5


def watched(milliseconds, *, limit="1s", on_end="3s", hold=10.0, metric="p95"):
    """What a watch makes of seconds with these response times of a search each."""
    chosen = settings({"search": {metric: {"limit": limit, "for": on_end}}})
    watch = Watch(ramp_and_hold("calm", 10, float("inf"), hold), Subjects.of(VOCABULARY),
                  limits=chosen.planned_for("calm"), rules=())  # fmt: skip
    for at, times in enumerate(milliseconds):
        watch.see(second(at, tally(*times) if times else None))
    (found, *_) = watch.measurements("calm")
    return found, watch.facts()["windows"].get(found.name)


def test_a_freeze_is_as_long_as_it_was_though_all_answers_come_in_one_second():
    frozen = [[20]] * 3 + [[]] * 4 + [[20, 4500]] + [[20]] * 2
    found, stretch = watched(frozen)
    assert found.value > 4
    assert (stretch["began"], stretch["ended"]) == (3, 8)


def test_seconds_in_which_nobody_asked_are_no_freeze():
    idle = [[20]] * 3 + [[]] * 4 + [[1500]] + [[20]] * 2
    found, stretch = watched(idle)
    assert found.value < 1
    assert stretch["ended"] - stretch["began"] == 2


def test_a_rate_over_seconds_on_end_counts_the_silent_ones():
    found, stretch = watched([[20]] * 3 + [[]] * 4 + [[20]] * 3, limit="> 1/s", metric="rate")
    assert (found.value, stretch["began"], stretch["ended"]) == (0.0, 3, 7)


def test_only_the_judged_part_counts():
    found, stretch = watched([[20]] * 10 + [[5000]] * 5)
    assert found.value < 1
    assert stretch is None


@pytest.mark.parametrize(
    ("bad", "verdict"), [(0, Outcome.PASSED), (2, Outcome.PASSED), (3, Outcome.FAILED), (6, Outcome.FAILED)]
)
def test_a_limit_over_time_is_missed_after_as_many_bad_seconds_and_says_when(monkeypatch, bad, verdict):
    chosen = settings({"search": {"p95": {"limit": "1s", "for": "3s"}}})
    seconds = [second(at, tally(*[1800 if 2 <= at < 2 + bad else 20] * 5)) for at in range(10)]
    # The samples of 1.8 s reach back into a second that has samples of its own, which therefore stays good.
    findings, _ = judged(monkeypatch, chosen, outcome({"search": tally(20)}), seconds=seconds)
    finding = findings["calm.search.p95.for_3s"]
    assert finding.outcome is verdict
    if bad:
        assert f"{bad} s, from 2 s to {2 + bad} s after the scenario began, at worst 1.8 s" in finding.message


def test_a_judged_part_shorter_than_the_window_proves_nothing(monkeypatch):
    chosen = settings({"search": {"p95": {"limit": "1s", "for": "1m"}}})
    seconds = [second(at, tally(20)) for at in range(10)]
    findings, _ = judged(monkeypatch, chosen, outcome({"search": tally(20)}), seconds=seconds)
    assert findings["calm.search.p95.for_1m"].outcome is Outcome.INCONCLUSIVE


def test_a_quick_run_looks_at_fewer_seconds_on_end():
    quick = settings({"search": {"p95": {"limit": "1s", "for": "1m"}}}).quick()
    (planned,) = [each for each in quick.planned() if each.subject == "search"]
    assert planned.graded.seconds_on_end == 2


# Relative to the baseline.


def relative(monkeypatch, *, before, after, limit="120%", baseline=True):
    chosen = settings({"search": {"p95": {"limit": limit, "of": "baseline"}}})
    of_before = outcome({"search": tally(*[before] * 200)}) if before else outcome()
    _, then = judged(monkeypatch, chosen, of_before)
    of_after = outcome({"search": tally(*[after] * 200)})
    findings, _ = judged(monkeypatch, chosen, of_after, baseline=then if baseline else None)
    return findings["calm.search.p95.of_baseline"]


@pytest.mark.parametrize(
    ("before", "after", "limit", "verdict"),
    [
        (100, 110, "120%", Outcome.PASSED),
        (100, 130, "120%", Outcome.FAILED),
        (2, 6, "120%", Outcome.INFORMATIONAL),
        (2, 9, "120%", Outcome.FAILED),
        (100, 99, "80%", Outcome.FAILED),
        (100, 115, "110%..130%", Outcome.WARNED),
        (100, 50, "80%", Outcome.PASSED),
        (None, 50, "120%", Outcome.INCONCLUSIVE),
    ],
)
def test_a_figure_may_be_held_against_the_baseline(monkeypatch, before, after, limit, verdict):
    assert relative(monkeypatch, before=before, after=after, limit=limit).outcome is verdict


def test_without_a_baseline_a_relative_limit_does_not_apply(monkeypatch):
    finding = relative(monkeypatch, before=100, after=500, baseline=False)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "no baseline was given" in finding.message


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ((2.0, 1.0, 4.0), (6.0, 5.0, 8.0), (3.0, 1.25, 8.0)),
        ((2.0, 1.0, None), (6.0, 5.0, 8.0), (3.0, None, 8.0)),
        ((2.0, None, 4.0), (6.0, 5.0, 8.0), (3.0, 1.25, None)),
        ((0.0, 0.0, 0.1), (6.0, 5.0, 8.0), None),
        ((2.0, 1.0, 4.0), (None, None, None), (None, None, None)),
    ],
)
def test_a_ratio_has_the_limits_that_both_intervals_allow(then, now, expected):
    def figure(value, low, high):
        return Measurement("calm.search.p95", value, "s", 9, low, high)

    found = ratio(Evidence((figure(*then),)), figure(*now), name="compared")
    assert (found and (found.value, found.low, found.high)) == expected


def test_two_runs_whose_intervals_leave_it_open_are_undecided(monkeypatch):
    chosen = settings({"search": {"p50": {"limit": "120%", "of": "baseline"}}})
    spread = outcome({"search": tally(*range(10, 200, 10))})
    _, then = judged(monkeypatch, chosen, spread)
    findings, _ = judged(monkeypatch, chosen, spread, baseline=then)
    assert findings["calm.search.p50.of_baseline"].outcome is Outcome.INCONCLUSIVE
