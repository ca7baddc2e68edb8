"""The content filter's part of the page, from the facts of a run and from as little as there may be."""

import pytest

from campaign.records import Evidence, PhaseResult, Status
from campaign.report.html import _own_part
from campaign.report.partials import sources
from phases.safety.content.generator import generate
from phases.safety.content.relations import TITLES
from phases.safety.content.seeds import seeds
from phases.safety.content.tables import arm_table, pairs_table, wrong_table
from phases.safety.content.verdict import Outcome
from phases.safety.content.work import Checked

ITEMS = [*generate(seeds(), 60, unsafe=True, seed=1), *generate(seeds(), 60, unsafe=False, seed=1)]
NOTHING = {"rate": 0.0, "p50": None, "p95": None, "p99": None, "max": None}


def page(facts):
    """The part of the page, in words."""
    result = PhaseResult(
        "safety",
        "safety",
        "Child safety",
        Status.COMPLETED,
        Evidence(facts={"content": facts} if facts else {}),
    )
    source = sources({"safety": ("phases.safety", "content/partial.html")})["safety"]
    return str(_own_part(result, source))


def facts(*arms, wrong=()):
    checks = {
        each.id: Checked(each.id, Outcome.WRONG if each in wrong else Outcome.RIGHT, 200, 900, 900)
        for each in ITEMS
    }
    return {
        "seeds": 1,
        "plan": {"said": ["first", "it takes 2,995 texts"]},
        "mapped": {
            "unsafe": 60,
            "safe": 60,
            "templates": {"unsafe": 50, "safe": 51},
            "split": True,
            "sets": {},
        },
        "arms": {name: {**arm_table(ITEMS, checks), **NOTHING} for name in arms},
        "pairs": pairs_table(ITEMS, checks, checks),
        "wrong": wrong_table(ITEMS, checks, arm="idle", seeds=seeds()),
        "wrong_count": len(wrong),
    }


def test_it_shows_items_templates_ages_writings_and_what_went_wrong():
    bad = next(each for each in ITEMS if each.unsafe)
    shown = page(facts("idle", "loaded", wrong=[bad]))
    for words in (
        "60 unsafe items from 50 templates",
        "9-12 years",
        TITLES[bad.relation],
        "1 wrong verdicts",
        bad.id,
    ):
        assert words in shown
    assert "It takes 2,995 texts" in shown


@pytest.mark.parametrize("some", [None, facts(), facts("idle")])
def test_a_run_that_was_cut_off_is_shown_as_far_as_it_came(some):
    shown = page(some)
    assert "broken" not in shown
    assert ("unsafe, idle" in shown) is bool(some and some["arms"])
