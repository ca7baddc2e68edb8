"""Which scenarios can run here: each needs parts of the target, and means that can break them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from campaign.faults.catalogue import can_make
from campaign.faults.fault import FaultError
from campaign.faults.means import (
    CommandMeans,
    EngineChoice,
    FaultKind,
    Means,
    ProcessMeans,
    RouteMeans,
    Routes,
    Strength,
)
from campaign.target.spec import TargetSpec
from phases.failover.catalogue import DEPENDENCIES, DEPENDENCY, SERVICE, SHIPPED, Blow, Shipped
from phases.failover.forms import ScenarioSettings
from phases.failover.settings import FailoverSettings
from phases.failover.ways import CommandSettings, ProcessSettings, RouteSettings, split_address

HEALING, SETTLING = 3.0, 6.0
"""Seconds that it takes, about, to put a part back, and to look around afterwards."""

WHAT_IT_TAKES = "target.containers, or processes, commands or routes of the phase, in the campaign file"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scenario as it will run: the shipped one with what the file changes, its parts named.

    `why` says why it cannot run; then it has no blows.
    """

    name: str
    form: Shipped
    strength: Strength = field(default_factory=Strength)
    within: float = 30.0
    why: str = ""

    @property
    def span(self) -> float:
        """Seconds from the first fault of a round until it is put back, about."""
        return self.form.seconds + self.form.apart * (len(self.form.blows) - 1)


class _Closed:
    """Routes that are not open yet: only their names count."""

    async def set(self, name: str, **disturbance: float) -> None:
        """Never asked."""
        raise FaultError(f"the route {name} is not open: {disturbance}")

    async def clear(self, name: str) -> None:
        """Never asked."""
        raise FaultError(f"the route {name} is not open")


def means_of(
    target: TargetSpec, settings: FailoverSettings, routes: Routes | None = None
) -> dict[str, Means]:
    """By what means each part can be broken, as the file says; `routes` are open where they are given."""
    names = dict.fromkeys((*target.containers, *settings.processes, *settings.commands, *settings.routes))
    return {
        name: Means(
            container=target.containers.get(name),
            process=_process(settings.processes.get(name)),
            command=_command(settings.commands.get(name)),
            route=_route(name, settings.routes.get(name), routes or _Closed()),
            engine=EngineChoice(settings.engine),
        )
        for name in names
    }


def _process(given: ProcessSettings | None) -> ProcessMeans | None:
    if given is None:
        return None
    return ProcessMeans(
        pid=given.pid,
        pid_file=given.pid_file,
        port=given.port,
        start=given.start or "",
        supervised=given.supervised,
    )


def _command(given: CommandSettings | None) -> CommandMeans | None:
    return None if given is None else CommandMeans(given.breaks, given.heal, given.check or "")


def _route(name: str, given: RouteSettings | None, routes: Routes) -> RouteMeans | None:
    return None if given is None else RouteMeans(name, split_address(given.listen), routes)


def choose(target: TargetSpec, settings: FailoverSettings) -> tuple[Chosen, ...]:
    """Every scenario that the file asks for, in its order; those that cannot run say why."""
    means = means_of(target, settings)
    return tuple(_chosen(name, each, settings, means=means) for name, each in settings.asked().items())


def nothing_to_break(target: TargetSpec, settings: FailoverSettings) -> str:
    """What the campaign file lacks so that any scenario could run; "" where one can."""
    if not means_of(target, settings):
        return WHAT_IT_TAKES
    chosen = choose(target, settings)
    return (
        "" if any(not each.why for each in chosen) else "; ".join(dict.fromkeys(each.why for each in chosen))
    )


def seconds(settings: FailoverSettings) -> float:
    """How long all scenarios take that the file asks for, about, where all comes back as it should."""
    return sum(
        _seconds(changed(SHIPPED[each.form or name], each), settings)
        for name, each in settings.asked().items()
    )


def seconds_of(chosen: Iterable[Chosen], settings: FailoverSettings) -> float:
    """The same of scenarios that can run."""
    return sum(_seconds(each.form, settings) for each in chosen if not each.why)


def changed(form: Shipped, asked: ScenarioSettings) -> Shipped:
    """The shipped scenario with what the file changes, its parts not named yet."""
    return replace(
        form,
        during=asked.during or form.during,
        seconds=form.seconds if asked.hold is None else asked.hold,
        apart=form.apart if asked.apart is None else asked.apart,
        times=asked.times or form.times,
    )


def _seconds(form: Shipped, settings: FailoverSettings) -> float:
    span = form.seconds + form.apart * (len(form.blows) - 1)
    rounds = 1 if form.random else form.times
    faults = rounds * (span + HEALING) + form.apart * (rounds - 1)
    return 2 * settings.steady + faults + SETTLING


def _chosen(
    name: str, asked: ScenarioSettings, settings: FailoverSettings, *, means: Mapping[str, Means]
) -> Chosen:
    form = SHIPPED[asked.form or name]
    within = settings.recovered_within if asked.recovered_within is None else asked.recovered_within
    strength = Strength(
        grace=asked.grace,
        cpus=asked.cpus or (None if asked.memory else 0.05),
        memory=asked.memory,
        latency=asked.latency,
        jitter=asked.jitter,
        bandwidth=float(asked.bandwidth or 0),
    )
    roles = _roles(form, asked, means)
    blows = [(each, roles.get(each.role, each.role)) for each in form.blows]
    able = [
        replace(blow, role=role, kinds=kinds)
        for blow, role in blows
        if (kinds := _able(blow, means.get(role)))
    ]
    why = _why_not(blows, able, means) if len(able) < (form.least or len(blows)) else ""
    ready = replace(changed(form, asked), blows=() if why else tuple(able))
    return Chosen(name, ready, strength, within, why)


def _roles(form: Shipped, asked: ScenarioSettings, means: Mapping[str, Means]) -> dict[str, str]:
    """The part that each of the shipped scenario's own stands for."""
    named = dict(zip(form.roles, asked.on, strict=False))
    blow = next((each for each in form.blows if each.role == DEPENDENCY), None)
    if blow is not None and DEPENDENCY not in named:
        named[DEPENDENCY] = next(_dependencies(blow, means), DEPENDENCY)
    return named


def _dependencies(blow: Blow, means: Mapping[str, Means]) -> Iterator[str]:
    """The parts but the service that can be broken so; the usual ones come first."""
    others = [name for name in means if name not in {SERVICE, *DEPENDENCIES}]
    return (name for name in (*DEPENDENCIES, *others) if _able(blow, means.get(name)))


def _able(blow: Blow, means: Means | None) -> tuple[FaultKind, ...]:
    if means is None or (blow.self_healing and not _is_watched(means)):
        return ()
    return tuple(kind for kind in blow.kinds if can_make(kind, means))


def _is_watched(means: Means) -> bool:
    """Whether something may bring it back: a container's restart policy, a process's supervisor."""
    return means.container is not None or (means.process is not None and means.process.supervised)


def _why_not(blows: list[tuple[Blow, str]], able: list[Blow], means: Mapping[str, Means]) -> str:
    done = {each.role for each in able}
    return "; ".join(_lacking(blow, role, means.get(role)) for blow, role in blows if role not in done)


def _lacking(blow: Blow, role: str, means: Means | None) -> str:
    kinds = " or ".join(blow.kinds)
    if role == DEPENDENCY:
        return f"no dependency is named that can be broken so ({kinds})"
    if means is None:
        return f"no part {role!r} is named (target.containers, failover.processes, commands or routes)"
    if blow.self_healing and not _is_watched(means):
        return f"nothing watches over the {role}: no container, and no process with supervised: true"
    return f"what is named for the {role} cannot {kinds} it"
