"""What a phase wants in place is there while others run, and never while it runs itself."""

import asyncio
from contextlib import asynccontextmanager

from campaign.runner.plan import Step
from campaign.runner.standing import standing


class Wanting:
    def __init__(self, name, log, missing=""):
        self.name, self.log, self.missing = name, log, missing

    @asynccontextmanager
    async def standing(self, settings):
        if self.missing == "broken":
            raise RuntimeError("broken")
        self.log.append(f"+{self.name}")
        yield self.missing
        self.log.append(f"-{self.name}")


def run(*phases, order):
    log, warned = phases[0].log, []
    steps = {each.name: Step(each.name, each, None) for each in phases}
    steps["plain"] = Step("plain", object(), None)

    async def all_of_them():
        async with standing(tuple(steps.values()), warned.append) as stand:
            for name in order:
                await stand.beside(steps[name])
                log.append(name)

    asyncio.run(all_of_them())
    return log, warned


def test_it_is_there_from_before_the_first_phase_and_makes_way_for_its_own():
    log, warned = run(Wanting("failover", []), order=["plain", "plain", "failover", "plain"])
    assert log == ["+failover", "plain", "plain", "-failover", "failover", "+failover", "plain", "-failover"]
    assert warned == []


def test_what_cannot_be_there_is_told_and_ends_nothing():
    log, warned = run(Wanting("failover", [], "the route x"), order=["plain"])
    assert log == ["+failover", "plain", "-failover"]
    assert warned == ["Beside the other phases failover could not open the route x."]
    log, (warned,) = run(Wanting("failover", [], "broken"), order=["plain"])
    assert log == ["plain"]
    assert "broken" in warned
