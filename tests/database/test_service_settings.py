"""Mistakes under `service` in the campaign file, in its usual form."""

import pytest

from campaign.config.mistakes import CampaignFileError
from campaign.config.read import read
from campaign.registry import installed

FILE = """
name: service
target: {url: http://127.0.0.1:1}
operations: {show: {request: GET /}}
phases:
  database:
    service:
      races:
        one: RACE
"""


@pytest.mark.parametrize(
    ("race", "lines"),
    [
        (
            "{kind: lost updates, first: show, second: show, read: show}",
            [
                "9:21  phases.database.service.races.one.kind",
                '  found    "lost updates"',
                "  allowed  'lost update', 'write after', 'read your writes'",
                "  did you mean  lost update",
            ],
        ),
        (
            "{first: show, second: show, read: show}",
            ["9:14  phases.database.service.races.one.kind", "  found    nothing; this key is needed"],
        ),
    ],
)
def test_a_race_of_an_unknown_kind_is_told_at_its_key(race, lines):
    with pytest.raises(CampaignFileError) as caught:
        read(FILE.replace("RACE", race), phases=installed().infos(), environ={})
    assert [str(each).splitlines() for each in caught.value.mistakes] == [
        [f"campaign.yaml:{lines[0]}", *lines[1:]]
    ]
