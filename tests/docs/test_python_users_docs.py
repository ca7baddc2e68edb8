"""Every piece of docs/python-users.md and of its example is a program that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import uvloop

from campaign.clock import SECOND, RealClock
from campaign.config import read
from campaign.load.engine import run_shard
from campaign.load.messages import Shard
from campaign.load.shard import prepare
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.load.tally import OURS
from campaign.registry import installed
from campaign.target.spec import TargetSpec, Vocabulary

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python-users.md").read_text(encoding="utf-8")
(FILE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
MODULES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


class Witness:
    def __init__(self):
        self.intervals = []

    def report(self, interval):
        self.intervals.append(interval)

    async def stopped(self):
        await RealClock().sleep_until(2**62)


async def run(plan):
    witness, start_ns = Witness(), RealClock().now_ns() + SECOND // 50
    finished = await run_shard(prepare(Shard(plan, 0)), start_ns, control=witness, clock=RealClock())
    return [*witness.intervals, finished.last]


@pytest.mark.parametrize("module", MODULES)
def test_every_class_of_the_page_works(module, tmp_path, plain_target):
    name = re.search(r"class (\w+)\(User\)", module)[1]
    (tmp_path / "my_users.py").write_text(module)
    text = FILE.replace("PowerTraveler", name).replace("data:", "data:\n  destination: [nowhere]")
    (tmp_path / "campaign.yaml").write_text(text)
    campaign = read(tmp_path / "campaign.yaml", phases=installed().infos(), environ={})
    plan = LoadPlan(
        TargetSpec(plain_target.url),
        Vocabulary(campaign.vocabulary.operations, campaign.vocabulary.users, campaign.vocabulary.feeds),
        ramp_and_hold("short", users=3, ramp=float("inf"), hold=1.0),
        seed=1,
    )
    intervals = uvloop.run(run(plan))
    assert any(interval.tallies for interval in intervals)
    assert [key for interval in intervals for key in interval.errors if key[1] in OURS] == []


def test_the_example_is_right():
    campaign = read(ROOT / "examples" / "python-users.yaml", phases=installed().infos(), environ={})
    assert {user.python for user in campaign.vocabulary.users.values()} == {
        "my_users.CuriousChild",
        "my_users.Archivist",
    }
