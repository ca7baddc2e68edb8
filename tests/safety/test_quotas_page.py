"""What the page shows of limits, recordings and third parties."""

import pytest

from campaign.records import Evidence, PhaseResult, Status
from campaign.report.html import _own_part
from campaign.report.partials import sources

ROUND = {
    "asked": 25, "room": 12, "accepted": 13, "refused": 12, "improper": 0, "elsewhere": 0, "lost": 0,
    "counted": 13, "after": 0,
}  # fmt: skip
SHOWN = {
    "quotas": (
        {"slots": {"calls": {
            "before": 0, "everybody": [ROUND], "again": ROUND,
            "cycles": {"asked": 1000, "done": 998, "after": None},
        }}},
        ["calls", "all, at once", "once more", '<td class="n failed">13</td>', "998"],
    ),
    "audio": (
        {"within": 2.0, "recordings": [
            {"sent": "answered", "bytes": 4096, "gone_after": 0.25, "places": "nowhere"},
            {"sent": "hung up", "bytes": 4097, "gone_after": None, "places": "database recordings (1)"},
        ]},
        ["until 2.0 s later", "4,096", "0.25 s", "database recordings (1)"],
    ),
    "parties": (
        {"calls": [
            {"stage": "without", "host": "a.example", "what": "POST /v1", "sealed": False, "whole": True,
             "canaries": ["zq7k"]},
            {"stage": "without", "host": "b.example", "what": "CONNECT b.example:443", "sealed": True,
             "whole": True, "canaries": []},
        ]},
        ["a.example", "POST /v1", "sealed by TLS"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("part", SHOWN)
def test_a_part_is_shown_and_where_nothing_was_recorded_nothing_is(part):
    facts, words = SHOWN[part]
    source = sources({"safety": ("phases.safety", f"{part}/partial.html")})["safety"]

    def page(facts):
        return str(
            _own_part(PhaseResult("safety", "safety", "", Status.COMPLETED, Evidence(facts=facts)), source)
        )

    shown = page({part: facts})
    assert [each for each in words if each not in shown] == []
    assert page({}).strip() == ""
