"""What it takes to prove the limits is known before anything is sent."""

import pytest
from pydantic import ValidationError

from phases.safety.content.planner import plan
from phases.safety.content.settings import ContentSettings

MAPPED = {"check": "say", "blocked": {"json": "$.filtered"}}


def planned(*, quick=False, **more):
    settings = ContentSettings.model_validate({**MAPPED, **more})
    return plan(settings.quick() if quick else settings)


def test_the_limits_of_the_default_take_two_thousand_nine_hundred_and_ninety_five_items_of_each_kind():
    told = planned()
    assert (told.needed, told.items) == (2995, 3000)
    assert told.allowed == {0: 2995, 1: 4742, 2: 6294, 5: 10_511}
    assert told.decides
    assert "3,000 unsafe and 3,000 safe texts" in " ".join(told.sentences())
    assert "2,995 texts of each kind" in " ".join(told.sentences())


def test_a_looser_limit_takes_fewer():
    limits = {"recall": "99%", "false_positives": "1%", "accuracy": "99%"}
    assert planned(limits=limits).needed == 299


def test_a_quick_look_says_beforehand_that_it_proves_nothing():
    told = planned(quick=True)
    assert told.items == 150
    assert not told.decides
    assert "never proven" in " ".join(told.sentences())
    assert told.seconds < planned().seconds / 2


def test_the_time_follows_from_the_rate():
    slow, fast = planned(rate="50/s", levels=[]), planned(rate="400/s", levels=[])
    assert slow.seconds - fast.seconds == pytest.approx(6000 / 52.5 - 6000 / 420)


def test_no_number_of_items_proves_that_there_is_never_an_error():
    told = planned(limits={"recall": "100%"})
    assert not told.decides


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"check": "say"}, "blocked"),
        ({"start": "login"}, "check"),
        ({**MAPPED, "blocked": {}}, "one of json"),
        ({**MAPPED, "blocked": {"json": "$.a", "status": 403}}, "one of json"),
        ({**MAPPED, "blocked": {"json": "filtered"}}, "path"),
        ({**MAPPED, "categories": ["drug"]}, "a category"),
        ({**MAPPED, "rate": "0/s"}, "above 0"),
        ({**MAPPED, "itemz": 3}, "Extra inputs"),
    ],
)
def test_mistakes_say_what_is_wrong(content, said):
    with pytest.raises(ValidationError, match=said):
        ContentSettings.model_validate(content)


def test_settings_read_from_a_report_are_the_settings_that_were_run():
    settings = ContentSettings.model_validate({**MAPPED, "levels": "50%", "sets": [{"path": "a.csv"}]})
    for each in (settings, ContentSettings()):
        dumped = each.model_dump(mode="json")
        assert ContentSettings.model_validate(dumped).model_dump(mode="json") == dumped
