"""What a scenario in the campaign file comes to: a level over time, the part that is judged, and mistakes."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from campaign.load.profile import Profile
from campaign.load.spec import Model
from phases.load import LoadPhase
from phases.load.presets import PRESETS
from phases.load.scenarios import Scenario
from phases.load.settings import LoadSettings


def scenario(**keys):
    return Scenario.model_validate(keys)


def lines(**keys):
    """The segments as (level, seconds), and the judged part."""
    spec = scenario(**keys).spec("x")
    return [(each.level, each.seconds) for each in spec.segments], spec.judged


FORMS = {
    "fixed": {"users": 100, "ramp": "10/s", "hold": "2m", "ramp_down": "10s"},
    "warm": {"users": 100, "ramp": "10/s", "hold": "2m", "warm_up": "30s"},
    "stages": {
        "stages": [{"users": 100, "over": "30s"}, {"users": 300, "over": "2m"}, {"users": 0, "over": "10s"}]
    },
    "steps": {"steps": {"users": "100..300", "count": 3, "hold": "30s"}, "ramp": "100/s"},
    "spiked": {"users": 50, "hold": "3m", "spike": {"users": 500, "at": "1m", "hold": "30s"}},
    "bursts": {"bursts": {"count": 5, "users": 20, "hold": "10s", "pause": "20s"}},
    "rate": {"rate": "100/s", "ramp": "30s", "hold": "2m", "arrivals": "poisson", "users": 500, "ready": 100},
    "rates": {"stages": [{"rate": "10/s", "over": 0}, {"rate": "200/s", "over": "1m"}]},
    "rising": {"steps": {"rate": "50/s..200/s", "count": 4, "hold": "20s"}},
    "surge": {"rate": "20/s", "hold": "3m", "spike": {"rate": "200/s", "at": "1m", "hold": "30s"}},
    "gusts": {"bursts": {"count": 3, "rate": "50/s", "hold": "5s", "pause": "5s"}},
    **{name: {"preset": name} for name in PRESETS},
}
OPEN = {"rate", "rates", "rising", "surge", "gusts"}


@pytest.mark.parametrize(("form", "segments", "judged"), [
    ("fixed", [(100, 10), (100, 120), (0, 10)], (10, 130)),
    ("warm", [(100, 10), (100, 120), (0, 0)], (40, 130)),
    ("stages", [(100, 30), (300, 120), (0, 10)], (30, 150)),
    ("steps", [(100, 1), (100, 30), (200, 1), (200, 30), (300, 1), (300, 30)], (1, 93)),
    ("spiked", [(50, 5), (50, 60), (500, 0), (500, 30), (50, 0), (50, 90), (0, 0)], (5, 185)),
    ("bursts", [*[(20, 0), (20, 10), (0, 0), (0, 20)] * 4, (20, 0), (20, 10)], (0, 130)),
    ("rate", [(0, 2), (100, 30), (100, 120), (0, 0)], (32, 152)),
    ("rates", [(10, 0), (200, 60)], (0, 60)),
    ("rising", [(50, 0), (50, 20), (100, 0), (100, 20), (150, 0), (150, 20), (200, 0), (200, 20)], (0, 80)),
    ("surge", [(20, 0), (20, 60), (200, 0), (200, 30), (20, 0), (20, 90), (0, 0)], (0, 180)),
    ("breakpoint", [(5000, 600)], (0, 600)),
])  # fmt: skip
def test_each_form_is_lines_over_time_and_a_part_that_is_judged(form, segments, judged):
    assert lines(**FORMS[form]) == (segments, judged)


@pytest.mark.parametrize(("preset", "users", "ramp", "seconds"), [
    ("smoke", 10, 5, 60), ("load", 100, 10, 600), ("stress", 1000, 20, 900), ("spike", 500, 0, 300),
    ("endurance", 200, 20, 1800), ("soak", 200, 20, 3600),
])  # fmt: skip
def test_presets_have_their_numbers(preset, users, ramp, seconds):
    assert lines(preset=preset) == ([(users, ramp), (users, seconds), (0, 0)], (ramp, ramp + seconds))


def test_every_key_of_a_preset_may_be_set_otherwise():
    assert lines(preset="load", users=50, hold="1m")[0] == [(50, 5), (50, 60), (0, 0)]
    assert lines(preset="load", rate="5/s")[0] == [(5, 0), (5, 600), (0, 0)]
    assert lines(preset="load", bursts=FORMS["bursts"]["bursts"]) == lines(**FORMS["bursts"])
    assert lines(preset="breakpoint", stages=[{"users": 10, "over": "5s"}])[0] == [(10, 5)]


@pytest.mark.parametrize("form", FORMS)
def test_rates_are_of_the_open_model_and_users_of_the_closed_one(form):
    spec = scenario(**FORMS[form]).spec("x")
    assert (spec.model is Model.OPEN) == (form in OPEN)
    assert spec.users >= 1


def test_an_open_scenario_says_how_its_arrivals_come_and_who_serves_them():
    spec = scenario(**FORMS["rate"]).spec("x")
    assert (spec.poisson, spec.ready, spec.most, spec.users) == (True, 100, 500, 500)
    assert Profile(spec.segments).when(0) == 2.0  # first the users are made ready
    usual = scenario(rate="100/s").spec("x")
    assert (usual.poisson, usual.ready, usual.most) == (False, 0, 3000)


@pytest.mark.parametrize("form", FORMS)
def test_a_quick_run_is_short_small_and_of_the_same_form(form):
    whole = scenario(**FORMS[form], limits={"all": {"rate": "> 100/s"}})
    quick = whole.quick(5.0)
    spec = quick.spec("x")
    begins, ends = spec.judged
    assert 2.0 < ends - begins <= 7.0
    assert spec.seconds <= 10.0
    assert quick.highest <= 20
    assert quick.is_open == whole.is_open
    assert len(spec.segments) == len(whole.spec("x").segments)
    expected = 100 * quick.highest / whole.highest
    assert quick.limits["all"].given()["rate"][0].limit.target == pytest.approx(expected)


@pytest.mark.parametrize("form", FORMS)
def test_scenarios_read_from_a_report_are_those_that_were_run(form):
    for chosen in (scenario(**FORMS[form]), scenario(**FORMS[form]).quick(5.0)):
        again = Scenario.model_validate(chosen.model_dump(mode="json"))
        assert again == chosen
        assert again.spec("x") == chosen.spec("x")


@pytest.mark.parametrize(("keys", "words"), [
    ({}, "users, rate, stages, steps or bursts, or a preset"),
    ({"hold": "1m"}, "users, rate, stages, steps or bursts, or a preset"),
    ({**FORMS["stages"], **FORMS["bursts"]}, "one of them"),
    ({**FORMS["stages"], "users": 5}, "stages alone"),
    ({**FORMS["bursts"], "hold": "1m"}, "bursts alone"),
    ({"preset": "breakpoint", "users": 5}, "stages alone"),
    ({"stages": [{"users": 5, "over": "5s"}, {"rate": "5/s", "over": "5s"}]}, "stages of one model"),
    ({"stages": [{"users": 0, "over": "5s"}]}, "at least one stage with users or a rate above 0"),
    ({"stages": [{"users": 5, "rate": "5/s", "over": "5s"}]}, "either users"),
    ({"stages": [{"over": "5s"}]}, "either users"),
    ({"users": 5, "arrivals": "poisson"}, "a rate of arrivals"),
    ({"users": 5, "ready": 3}, "a rate of arrivals"),
    ({"rate": "5/s", "users": 5, "ready": 30}, "ready up to as many"),
    ({"rate": "1000000000/s"}, "at most 100000/s"),
    ({"rate": "5/s", "spike": {"rate": "200000/s", "at": "1s", "hold": "1s"}}, "at most 100000/s"),
    ({"rate": "5/s", "ramp": "1/s"}, "a duration such as 30s"),
    ({"users": 5, "ramp": "soon"}, "a rate such as 10/s, or a duration"),
    ({"users": 5, "spike": {"rate": "9/s", "at": "1s", "hold": "1s"}}, "a spike with rate where"),
    ({"users": 5, "spike": {"users": 9, "at": "50s", "hold": "10s"}}, "below the hold"),
    ({"users": 5, "hold": "10s", "warm_up": "10s"}, "less than the 10 s"),
    ({"steps": {"users": "100", "count": 2, "hold": "1s"}}, "the first step and the last, such as 100..500"),
    ({"steps": {"rate": "1..5", "count": 2, "hold": "1s"}}, "such as 10/s..100/s"),
    ({"preset": "big"}, "smoke"),
])  # fmt: skip
def test_what_does_not_go_together_is_one_mistake_that_names_what_is_allowed(keys, words):
    with pytest.raises(ValidationError) as caught:
        scenario(**keys)
    (error,) = caught.value.errors()
    assert words in str(error["ctx"])


def test_the_examples_of_the_reference_are_scenarios():
    reference = Path(str(files("campaign"))).parent / "docs" / "load-models.md"
    if not reference.is_file():
        pytest.skip("no docs beside an installed package")
    text = reference.read_text(encoding="utf-8")
    examples = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    specs = {name: scenario(**keys).spec(name) for each in examples for name, keys in each.items()}
    assert len(specs) == 12
    assert all(f"`{preset}`" in text for preset in PRESETS)


def test_deadlines_and_workers_know_every_form():
    settings = LoadSettings.model_validate({"scenarios": FORMS})
    whole = sum(each.spec("x").seconds for each in settings.scenarios.values())
    assert LoadPhase().seconds(settings) == pytest.approx(whole + len(FORMS))
    assert all(settings.worker_count(each) >= 1 for each in settings.scenarios.values())
    few = LoadSettings.model_validate({"scenarios": {"x": {"rate": "9/s", "users": 2}}, "workers": 8})
    assert few.worker_count(few.scenarios["x"]) == 2
