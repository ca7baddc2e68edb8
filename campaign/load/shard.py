"""One worker's part of a plan, made ready: operations compiled, kinds of users and the users themselves
known.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from itertools import accumulate

from campaign.clock import SECOND
from campaign.load.messages import Shard
from campaign.load.spec import LoadPlan
from campaign.load.step import Step, make_step
from campaign.load.timeline import assign_kinds
from campaign.load.timeouts import Timeouts
from campaign.load.user import Kind
from campaign.target.feeds import Feed, open_feeds
from campaign.target.operation import Operation, compile_operation
from campaign.target.spec import UserSpec
from campaign.target.tls import tls_context


@dataclass(frozen=True, slots=True)
class PreparedShard:
    """`users` maps the numbers (from 0) of this worker's users to their kinds."""

    shard: Shard
    operations: tuple[Operation, ...]
    users: dict[int, str]
    feeds: dict[str, Feed]
    tls: ssl.SSLContext

    @property
    def seed(self) -> str:
        """Two scenarios of a campaign make up different people."""
        return f"{self.shard.plan.seed}/{self.shard.plan.scenario.name}"


def prepare(shard: Shard) -> PreparedShard:
    """`shard` ready to run. Raises ConfigurationError and GeneratorError."""
    plan = shard.plan
    kinds = assign_kinds(_weights(plan), plan.scenario.users)
    known = _known_names(plan)
    specs = plan.vocabulary.operations
    return PreparedShard(
        shard=shard,
        operations=tuple(
            compile_operation(specs[name], plan.target, known=known) for name in _used(plan, kinds)
        ),
        users={user: kinds[user] for user in range(shard.index, plan.scenario.users, plan.workers)},
        feeds=open_feeds(plan.vocabulary.feeds, worker=shard.index, workers=plan.workers),
        tls=tls_context(plan.target.tls),
    )


def make_kinds(prepared: PreparedShard, timeouts: Timeouts) -> dict[str, Kind]:
    """The kinds of users in this shard, with their steps."""
    steps = {
        operation.name: make_step(operation, index, timeouts=timeouts)
        for index, operation in enumerate(prepared.operations)
    }
    specs = prepared.shard.plan.vocabulary.users
    return {name: _kind(specs[name], steps) for name in dict.fromkeys(prepared.users.values())}


def _kind(spec: UserSpec, steps: dict[str, Step]) -> Kind:
    return Kind(
        name=spec.name,
        wait_low=round(spec.wait.low * SECOND),
        wait_high=round(spec.wait.high * SECOND),
        start=tuple(steps[name] for name in spec.start),
        tasks=tuple(steps[name] for name in spec.tasks),
        weights=tuple(accumulate(spec.tasks.values())),
    )


def _weights(plan: LoadPlan) -> dict[str, float]:
    users = plan.vocabulary.users
    return dict(plan.scenario.mix) or {name: spec.weight for name, spec in users.items()}


def _known_names(plan: LoadPlan) -> set[str]:
    saved = {name for spec in plan.vocabulary.operations.values() for name in spec.save}
    return saved | set(plan.vocabulary.feeds)


def _used(plan: LoadPlan, kinds: list[str]) -> list[str]:
    """The operations that these kinds of users do, in the order of the campaign file."""
    users = [plan.vocabulary.users[kind] for kind in dict.fromkeys(kinds)]
    wanted = {name for user in users for name in (*user.start, *user.tasks)}
    return [name for name in plan.vocabulary.operations if name in wanted]
