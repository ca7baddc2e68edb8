"""One worker's part of a plan, made ready: operations compiled, kinds of users and the users themselves
known.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from campaign.errors import ConfigurationError
from campaign.load.life import Kind, foreign_life
from campaign.load.messages import Shard
from campaign.load.mix import Lot, assign_pool, shares
from campaign.load.network import assign_regions
from campaign.load.rhythm import rhythm
from campaign.load.script import Script
from campaign.load.spec import LoadPlan, Model
from campaign.load.step import Step, make_step
from campaign.load.timeline import assign_kinds
from campaign.load.timeouts import Timeouts
from campaign.target.devices import device_named, from_device
from campaign.target.feeds import Feed, open_feeds
from campaign.target.journey import WaitShape, loop_names
from campaign.target.operation import Operation, compile_operation
from campaign.target.spec import UserSpec
from campaign.target.tls import tls_context


@dataclass(frozen=True, slots=True)
class PreparedShard:
    """`users` maps the numbers (from 0) of this worker's users to their kinds, `regions` to their regions.
    `classes` are those of the kinds that are written in Python.
    """

    shard: Shard
    operations: tuple[Operation, ...]
    users: dict[int, str]
    feeds: dict[str, Feed]
    tls: ssl.SSLContext
    regions: dict[int, str] = field(default_factory=dict)
    classes: dict[str, Any] = field(default_factory=dict)

    @property
    def undo(self) -> dict[str, str]:
        """Operation to the operation that deletes what it makes."""
        undo = {each.name: each.spec.options.undo for each in self.operations}
        return {name: by for name, by in undo.items() if by}

    @property
    def seed(self) -> str:
        """Two scenarios of a campaign make up different people."""
        return f"{self.shard.plan.seed}/{self.shard.plan.scenario.name}"


def prepare(shard: Shard) -> PreparedShard:
    """`shard` ready to run. Raises ConfigurationError and GeneratorError."""
    plan = shard.plan
    kinds, users, regions = _people(shard)
    known = _known_names(plan)
    specs = plan.vocabulary.operations
    return PreparedShard(
        shard=shard,
        operations=tuple(
            compile_operation(specs[name], plan.target, known=known) for name in _used(plan, kinds)
        ),
        users=users,
        feeds=open_feeds(plan.vocabulary.feeds, worker=shard.index, workers=plan.workers),
        tls=tls_context(plan.target.tls),
        regions=regions,
        classes=_classes(plan, kinds),
    )


def make_kinds(prepared: PreparedShard, timeouts: Timeouts) -> dict[str, Kind]:
    """The kinds of users in this shard, with their steps."""
    steps = {
        operation.name: make_step(operation, index, timeouts=timeouts, keep=prepared.shard.plan.canaries)
        for index, operation in enumerate(prepared.operations)
    }
    specs = prepared.shard.plan.vocabulary.users
    return {
        name: _kind(
            specs[name],
            with_undo(with_device(specs[name].device, steps, prepared=prepared), prepared),
            prepared=prepared,
            timeouts=timeouts,
        )
        for name in dict.fromkeys(prepared.users.values())
    }


def with_device(device: str, steps: dict[str, Step], *, prepared: PreparedShard) -> dict[str, Step]:
    """The steps as this device does them: with its headers, compiled once."""
    plan = prepared.shard.plan
    spec = device_named(device, plan.vocabulary.devices)
    if spec is None or not spec.headers:
        return steps
    known = _known_names(plan)
    sent = {
        each.name: compile_operation(from_device(each.spec, spec), plan.target, known=known).build
        for each in prepared.operations
    }
    return {name: replace(step, build=sent[name]) for name, step in steps.items()}


def with_undo(steps: dict[str, Step], prepared: PreparedShard) -> dict[str, Step]:
    """The steps, where each that makes something knows what deletes it."""
    undo = prepared.undo
    undoing = {by: replace(steps[by], undoes=True, reads=_read(by, prepared)) for by in undo.values()}
    marked = {**steps, **undoing}
    linked = {name: replace(marked[name], undo=marked[by]) for name, by in undo.items()}
    return {**marked, **linked} if undo else steps


def _read(name: str, prepared: PreparedShard) -> tuple[str, ...]:
    """The values that the templates of an operation name, as any device sends it: compiling it asks whether
    each is known.
    """
    plan = prepared.shard.plan
    spec, asked = plan.vocabulary.operations[name], Asked()
    for device in (None, *plan.vocabulary.devices.values()):
        compile_operation(from_device(spec, device), plan.target, known=asked)
    return tuple(sorted(asked))


class Asked(set[str]):
    """Names that somebody looked for; each of them is there."""

    def __contains__(self, name: object) -> bool:
        """Yes, and it is remembered."""
        self.add(str(name))
        return True


def _kind(spec: UserSpec, steps: dict[str, Step], *, prepared: PreparedShard, timeouts: Timeouts) -> Kind:
    """The iterations of the scenario end a user as well as those of its kind; 0: they do not."""
    plan = prepared.shard.plan
    fewest = min((each for each in (plan.scenario.iterations, spec.iterations) if each), default=0)
    paced = spec.wait.shape is WaitShape.PACE
    if spec.life:
        return Kind(spec.name, rhythm(spec.wait), fewest, foreign_life(spec.life, spec.options), paced)
    if (cls := prepared.classes.get(spec.name)) is None:
        return Kind(spec.name, rhythm(spec.wait), fewest, Script(spec, steps).enliven, paced)
    from campaign.load.python.casting import cast_role  # noqa: PLC0415 - only where there is such a kind

    role = cast_role(cls, spec, steps=steps, plan=plan, timeouts=timeouts)
    return Kind(spec.name, rhythm(spec.wait), fewest, role.enliven, paced)


def _classes(plan: LoadPlan, kinds: list[str]) -> dict[str, Any]:
    """The classes of these kinds, where any is written in Python."""
    users = [plan.vocabulary.users[kind] for kind in dict.fromkeys(kinds)]
    if not any(user.python for user in users):
        return {}
    from campaign.load.python.casting import find_classes  # noqa: PLC0415 - only where there is such a kind

    return find_classes(users)


def _people(shard: Shard) -> tuple[list[str], dict[int, str], dict[int, str]]:
    """The kinds of the whole scenario, and the kinds and regions (where there are any) of this worker's users
    by number. Raises ConfigurationError.
    """
    plan, specs = shard.plan, shard.plan.vocabulary.users
    if plan.scenario.model is Model.OPEN:
        lots = lots_of(plan)
        numbers = range(shard.index, plan.scenario.users, plan.workers)
        pool = dict(zip(count(shard.index, plan.workers), assign_pool(lots, len(numbers)), strict=False))
        kinds = [kind for kind, _ in lots]
        users = {number: kind for number, (kind, _) in pool.items()}
        regions = {number: region for number, (_, region) in pool.items()}
    else:
        kinds = kinds_of(plan)
        everywhere = assign_regions(kinds, specs) if plan.vocabulary.regions else kinds
        users = dict(list(enumerate(kinds))[shard.index :: plan.workers])
        regions = {number: everywhere[number] for number in users}
    return kinds, users, regions if plan.vocabulary.regions else {}


def lots_of(plan: LoadPlan) -> dict[Lot, float]:
    """What the arrivals of an open scenario are for. Raises ConfigurationError where that is nobody."""
    users = plan.vocabulary.users
    weights = {name: spec.weight for name, spec in users.items() if spec.count is None}
    weights = weights or dict.fromkeys(users, 1.0)  # arrivals have no number of users to be counted in
    if plan.scenario.mix:
        weights = {name: weight for name, weight in plan.scenario.mix.items() if name in users}
    lots = shares(weights, users, regions=bool(plan.vocabulary.regions))
    if not lots:
        raise ConfigurationError("all kinds of users have a weight of 0, so nobody is there for an arrival")
    return lots


def kinds_of(plan: LoadPlan) -> list[str]:
    """The kind of each user of a closed scenario: as its `mix` says, else by the counts and weights of the
    kinds.

    Raises ConfigurationError where some users would have none.
    """
    users, scenario = plan.vocabulary.users, plan.scenario
    if scenario.mix:
        present = {name: weight for name, weight in scenario.mix.items() if name in users}
        return assign_kinds(present, scenario.users)
    weights = {name: spec.weight for name, spec in users.items() if spec.count is None}
    counts = {name: spec.count for name, spec in users.items() if spec.count is not None}
    return assign_kinds(weights, scenario.users, counts=counts)


def _known_names(plan: LoadPlan) -> set[str] | None:
    """What templates may name; None for anything, as Python users give them values of their own."""
    if any(user.python for user in plan.vocabulary.users.values()):
        return None
    saved = {name for spec in plan.vocabulary.operations.values() for name in spec.save}
    loops = {name for user in plan.vocabulary.users.values() for name in loop_names(user.bodies)}
    return saved | loops | set(plan.vocabulary.feeds)


def _used(plan: LoadPlan, kinds: list[str]) -> list[str]:
    """The operations that these kinds of users do, in the order of the campaign file."""
    users = [plan.vocabulary.users[kind] for kind in dict.fromkeys(kinds)]
    if any(user.python for user in users):
        return list(plan.vocabulary.operations)  # what a class sends is known only as it does
    wanted = {name for user in users for name in user.operations}
    wanted |= {plan.vocabulary.operations[name].options.undo for name in wanted}
    return [name for name in plan.vocabulary.operations if name in wanted]
