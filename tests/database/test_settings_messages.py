"""What a mistake in the settings of the phase is told to a user: found, allowed, and what was meant."""

import pytest

from campaign.config.mistakes import CampaignFileError
from campaign.config.read import read
from phases.database import INFO

FILE = """
name: a gate
target: {{url: "http://127.0.0.1:9", environment: staging, database: "sqlite:////nowhere/x.sqlite"}}
phases:
  database:
    {line}
"""


@pytest.mark.parametrize(
    ("line", "found", "allowed", "meant"),
    [
        ("workload: {users: 3, rate: 10/s}", "both", "either a rate or users, one of them", ""),
        ("workload: {mix: {dashboard: 0}}", "only weights of 0", "a mix with a weight, one above 0", ""),
        (
            "workload: {limits: {all: {rate: 1000/s}}}",
            "limits of all: {rate: 1000/s}, and 600/s are offered",
            "a limit on a rate that is offered (by rate and mix)",
            "",
        ),
        (
            "isolation: {level: seriallizable}",
            '"seriallizable", a level that is not defined',
            "",
            "serializable",
        ),
        ("invariants: {require: snapsot}", '"snapsot", a requirement that is not defined', "", "snapshot"),
        ("durability: {accept: [fsink]}", '"fsink", a setting that is not defined', "", "fsync"),
    ],
)
def test_a_mistake_says_what_was_found_and_what_is_allowed(line, found, allowed, meant):
    with pytest.raises(CampaignFileError) as raised:
        read(FILE.format(line=line), phases={"database": INFO}, environ={})
    (said,) = raised.value.mistakes
    assert (said.found, said.allowed, said.suggestion) == (found, allowed, meant)


@pytest.mark.parametrize(
    "line",
    ["durability: {accept: [fsync, unlogged]}", "isolation: {level: ''}", "invariants: {require: ''}"],
)
def test_what_is_right_is_read(line):
    assert read(FILE.format(line=line), phases={"database": INFO}, environ={}).phases
