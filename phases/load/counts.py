"""Whether a scenario has as many users as its kinds ask for."""

from __future__ import annotations

from collections import Counter

from campaign.load.shard import kinds_of, lots_of
from campaign.load.spec import LoadPlan, Model


def short_of_users(plan: LoadPlan) -> str:
    """A sentence that says which kinds have fewer users than their count, or in the open model that the pool
    is larger than the scenario says; "" where none has.
    """
    scenario = plan.scenario
    if scenario.model is Model.OPEN:
        return _small_pool(plan)
    if scenario.mix:
        return ""
    wanted = {name: user.count for name, user in plan.vocabulary.users.items() if user.count}
    if sum(wanted.values()) <= scenario.users:
        return ""
    given = Counter(kinds_of(plan))
    short = ", ".join(
        f"{given[name]} of {count} {name}" for name, count in wanted.items() if given[name] < count
    )
    return (
        f"Scenario {scenario.name} has {scenario.users:,} users, fewer than the counts of their kinds "
        f"ask for: {short}."
    )


def _small_pool(plan: LoadPlan) -> str:
    lots, users = len(lots_of(plan)), plan.scenario.users
    if lots * plan.workers <= users:
        return ""
    workers = f" in each of {plan.workers} workers" if plan.workers > 1 else ""
    return (
        f"Scenario {plan.scenario.name} may have up to {lots * plan.workers:,} users instead of {users:,}: "
        f"its arrivals are for {lots} kinds and regions of users, and each has one at least{workers}."
    )
