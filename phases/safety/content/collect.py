"""Sends the texts: at the service's own pace, then the same at a rate, then at the further levels of load."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from campaign.errors import RefusedError
from campaign.load.outcome import LoadOutcome, Second
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import percentile_limits
from phases.safety.content.generator import generate
from phases.safety.content.items import Item
from phases.safety.content.loaders import LICENCES, load_set
from phases.safety.content.planner import (
    AHEAD,
    LEAD,
    LEVEL_SECONDS,
    NEIGHBOURS,
    SAFETY_CHECK_SECONDS,
    SAME_TEXTS,
    plan,
)
from phases.safety.content.relations import RELATIONS
from phases.safety.content.runs import GRACE, Over, Run, at_own_pace, at_rate, others, timely
from phases.safety.content.seeds import seeds
from phases.safety.content.settings import ContentSettings
from phases.safety.content.shares import BOTH, unjudged
from phases.safety.content.tables import (
    arm_table,
    errors_in,
    neighbours_table,
    pairs_table,
    same_table,
    sets_table,
    side_of,
    times_of,
    wrong_table,
)
from phases.safety.content.verdict import Rule
from phases.safety.content.work import Checked, Job, Work

if TYPE_CHECKING:
    from phases.safety.scene import Scene

PART = "content"
IDLE, LOADED = "idle", "loaded"
MICRO = 1e-6
P50, P95, P99 = 0.5, 0.95, 0.99


@dataclass(slots=True)
class Desk:
    """What the runs share: the scene, the settings, the items, and the facts so far."""

    scene: Scene
    settings: ContentSettings
    items: tuple[Item, ...]
    sets: dict[str, tuple[Item, ...]]
    facts: dict[str, Any] = field(default_factory=dict)

    def keep(self) -> None:
        """On disk, as it is now."""
        self.scene.context.record.fact(PART, self.facts)

    def measure(self, name: str, times: Histogram) -> None:
        """The 95th percentile of these times."""
        value = times.percentile(P95)
        low, high = percentile_limits(times, P95) if times.count else (None, None)
        scaled = [None if each is None else each * MICRO for each in (value, low, high)]
        self.scene.context.record.measurement(
            Measurement(f"{PART}.{name}", scaled[0], "s", times.count, scaled[1], scaled[2])
        )


async def collect_content(scene: Scene) -> None:
    """Record what came of every run, as it goes. Raises CampaignError where nothing can even begin."""
    settings = scene.settings.content
    _check_vocabulary(scene, settings)
    desk = Desk(scene, settings, tuple(_items(settings, scene.context.seed)), _sets(settings))
    planned = plan(settings)
    desk.facts = {
        "seeds": seeds().version,
        "plan": {**asdict(planned), "said": list(planned.sentences())},
        "mapped": _mapped(desk),
        "arms": {},
        "wrong": [],
        "wrong_count": 0,
    }
    desk.keep()
    idle = await _idle(desk)
    if why := unjudged(desk.facts["arms"][IDLE], BOTH):
        desk.facts["why"] = why
        desk.keep()
    if scene.stopping or why:
        return
    loaded = await _loaded(desk, idle)
    if not scene.stopping:
        await _levels(desk, idle, loaded)
    if settings.safety_check and not scene.stopping:
        await _safety_check(desk)


def _check_vocabulary(scene: Scene, settings: ContentSettings) -> None:
    known = scene.context.vocabulary
    operations = (settings.check, settings.follow, settings.delivered, settings.safety_check, *settings.start)
    for name in operations:
        if name and name not in known.operations:
            raise RefusedError(f"the operation {name} is not there")
    for name in settings.kinds:
        if name not in known.users:
            raise RefusedError(f"the kind of user {name} is not there")
    if settings.role and not scene.cast.of(settings.role):
        raise RefusedError(f"no principal of the role {settings.role} could be made")


def _items(settings: ContentSettings, seed: int) -> Iterator[Item]:
    """Unsafe and safe ones, in the order in which they are sent when nothing else goes on."""
    relations = [name for name in RELATIONS if name != "split" or settings.follow]
    count = plan(settings).items
    unsafe = generate(
        seeds(), count, unsafe=True, seed=seed, categories=settings.categories, relations=relations
    )
    safe = generate(seeds(), count, unsafe=False, seed=seed, relations=relations)
    both = [*unsafe, *safe]
    Random(f"{seed}/order").shuffle(both)
    yield from both


def _sets(settings: ContentSettings) -> dict[str, tuple[Item, ...]]:
    """The items of each public set by a name for it."""
    found: dict[str, tuple[Item, ...]] = {}
    for each in settings.sets:
        kind, items = load_set(each)
        found[f"{kind} ({items[0].source})"] = items
    return found


def _mapped(desk: Desk) -> dict[str, Any]:
    """How many there are of what; `used_up` are the sides of which there are no more."""
    own, wanted = desk.items, plan(desk.settings).items
    return {
        "unsafe": sum(each.unsafe for each in own),
        "safe": sum(not each.unsafe for each in own),
        "templates": {
            "unsafe": len({each.template for each in own if each.unsafe}),
            "safe": len({each.template for each in own if not each.unsafe}),
        },
        "split": desk.settings.follow is not None,
        "used_up": [side for side, count in Counter(map(side_of, own)).items() if count < wanted],
        "sets": {name: LICENCES[name.partition(" ")[0]] for name in desk.sets},
    }


def _job(item: Item) -> Job:
    return Job(item.id, item.turns, item.unsafe)


def _work(desk: Desk, arm: str, jobs: Sequence[Job], *, patient: bool = False, check: str = "") -> Work:
    scene, settings = desk.scene, desk.settings
    context = scene.context
    operations = context.vocabulary.operations

    def named(name: str | None) -> Any:
        return timely(operations[name]) if name else None

    blocked = settings.blocked
    assert blocked is not None and settings.check is not None  # noqa: S101, PT018 - else nothing is asked
    people = scene.cast.of(settings.role) if settings.role else ()
    return Work(
        arm=arm,
        target=context.target,
        check=named(check or settings.check),
        rule=Rule.of(blocked),
        jobs=tuple(jobs),
        log=str((context.workdir / f"content-{arm.replace(' ', '-')}.log").absolute()),
        seed=f"{context.seed}/content",
        follow=named(settings.follow),
        delivered=named(settings.delivered),
        start=tuple(timely(operations[name]) for name in settings.start),
        people=tuple(dict(each.scope.values) for each in people),
        first=settings.user,
        patient=patient,
    )


def _onlooker(
    desk: Desk, what: str, *, begins: float, share: float, seconds: float
) -> Callable[[Second], None]:
    def see(second: Second) -> None:
        done = begins + share * min(1.0, second.at / max(seconds, 1.0))
        desk.scene.tell(f"content: {what}", done, rate=second.rate)

    return see


async def _idle(desk: Desk) -> Run:
    """Every item once, some again and again, some right after one of the other label, and the sets."""
    again = _again(desk)
    beside = _neighbours(desk)
    jobs = [
        *map(_job, desk.items),
        *(job for jobs in again.values() for job in jobs),
        *(job for job in beside.values()),
        *(_job(each) for items in desk.sets.values() for each in items),
    ]
    Random(f"{desk.scene.context.seed}/idle").shuffle(jobs)
    work = _work(desk, IDLE, jobs, patient=True)
    see = _onlooker(desk, "idle", begins=0.0, share=0.4, seconds=plan(desk.settings).seconds * 0.4)
    run = await at_own_pace(desk.scene.context, work, connections=desk.settings.idle, on_second=see)
    _record_arm(desk, IDLE, run)
    facts = desk.facts
    facts["same"] = same_table({name: [job.key for job in jobs] for name, jobs in again.items()}, run.checked)
    facts["neighbours"] = neighbours_table(
        {name: job.key for name, job in beside.items()}, run.checked, run.checked
    )
    facts["sets"] = {name: sets_table(items, run.checked) for name, items in desk.sets.items()}
    for name, items in desk.sets.items():
        facts["wrong"] += wrong_table(items, run.checked, arm=name, seeds=seeds())
    desk.keep()
    return run


def _again(desk: Desk) -> dict[str, list[Job]]:
    """A few texts of either label in one turn, each so many times."""
    single = [each for each in desk.items if len(each.turns) == 1]
    half = SAME_TEXTS // 2
    chosen = [each for each in single if each.unsafe][:half] + [each for each in single if not each.unsafe][
        :half
    ]
    return {
        item.id: [
            Job(f"again {number} {item.id}", item.turns, item.unsafe)
            for number in range(desk.settings.repeats)
        ]
        for item in chosen
    }


def _neighbours(desk: Desk) -> dict[str, Job]:
    """Some texts, each right after one of the other label by the same user, in a conversation of its own."""
    single = [each for each in desk.items if len(each.turns) == 1]
    unsafe = [each for each in single if each.unsafe][: NEIGHBOURS // 2]
    safe = [each for each in single if not each.unsafe][: NEIGHBOURS // 2]
    pairs = [*zip(unsafe, safe, strict=False), *zip(safe, unsafe, strict=False)]
    return {
        item.id: Job(f"beside {item.id}", (*other.turns, *item.turns), item.unsafe, joined=False)
        for item, other in pairs
    }


async def _loaded(desk: Desk, idle: Run) -> Run:
    """The same items at the rate, in another order, while others do what they do."""
    context, settings = desk.scene.context, desk.settings
    jobs = list(map(_job, desk.items))
    Random(f"{context.seed}/loaded").shuffle(jobs)
    work = _work(desk, LOADED, jobs)
    seconds = LEAD + len(jobs) / (settings.rate * AHEAD)
    see = _onlooker(desk, "under load", begins=0.4, share=0.4, seconds=seconds)
    run = await _with_others(desk, work, seconds=seconds, see=see)
    desk.facts["pairs"] = pairs_table(desk.items, idle.checked, run.checked)
    _record_arm(desk, LOADED, run)
    return run


async def _with_others(desk: Desk, work: Work, *, seconds: float, see: Callable[[Second], None]) -> Run:
    context, settings = desk.scene.context, desk.settings
    over = Over(context)
    beside = None
    if settings.kinds:
        whole = seconds + GRACE
        beside = asyncio.create_task(
            others(context, settings.kinds, users=settings.beside, seconds=whole, until=over)
        )
    try:
        run = await at_rate(
            context, work, rate=settings.rate, connections=settings.connections, on_second=see
        )
    finally:
        over.set()
        if beside is not None:
            outcome: LoadOutcome = await beside
    if settings.kinds:
        desk.facts["beside"] = {
            "users": settings.beside,
            "kinds": list(settings.kinds),
            "requests": sum(tally.count for tally in outcome.tallies.values()),
            "failed": sum(tally.failed for tally in outcome.tallies.values()),
        }
    return run


async def _levels(desk: Desk, idle: Run, loaded: Run) -> None:
    """The first items again at lower rates: their times, and whether any verdict is another one."""
    settings = desk.settings
    facts = desk.facts["levels"] = []
    for place, share in enumerate(sorted(settings.levels)):
        if desk.scene.stopping:
            return
        rate = settings.rate * share
        items = desk.items[: max(20, round(rate * LEVEL_SECONDS))]
        work = _work(desk, f"level {place + 1}", [_job(each) for each in items])
        see = _onlooker(desk, f"at {rate:g}/s", begins=0.8, share=0.1, seconds=LEAD + LEVEL_SECONDS)
        run = await at_rate(
            desk.scene.context, work, rate=rate, connections=settings.connections, on_second=see
        )
        facts.append(_level(desk, items, run, idle))
        desk.keep()
    if facts:
        facts.append(_level(desk, desk.items, loaded, idle))
        desk.keep()


def _level(desk: Desk, items: Sequence[Item], run: Run, idle: Run) -> dict[str, Any]:
    own = {each.id for each in items}
    checked = [each for key, each in run.checked.items() if key in own]
    times = times_of(checked, from_due=True)
    desk.measure(f"levels.{run.rate:g}.latency", times)
    return {
        "rate": run.rate,
        "items": len(items),
        "errors": errors_in(items, run.checked),
        **pairs_table(items, idle.checked, run.checked),
        "doubt": run.doubt,
        **_quantiles(times),
    }


async def _safety_check(desk: Desk) -> None:
    """The operation that only checks, at the rate."""
    settings = desk.settings
    items = [each for each in desk.items if len(each.turns) == 1]
    wanted = round(settings.rate * SAFETY_CHECK_SECONDS)
    jobs = [
        replace(_job(item), key=f"{number} {item.id}")
        for number, item in enumerate(items[place % len(items)] for place in range(wanted))
    ]
    work = _work(desk, "safety check", jobs, check=settings.safety_check or "")
    see = _onlooker(desk, "safety check", begins=0.9, share=0.1, seconds=LEAD + SAFETY_CHECK_SECONDS)
    run = await at_rate(
        desk.scene.context, work, rate=settings.rate, connections=settings.connections, on_second=see
    )
    good = [each for each in run.checked.values() if 200 <= each.status < 300]
    times = times_of(good, from_due=True)
    desk.measure("safety_check", times)
    desk.facts["safety_check"] = {
        "operation": settings.safety_check,
        "sent": len(jobs),
        "answered": len(good),
        "rate": _rate(run.checked),
        "doubt": run.doubt,
        **_quantiles(times),
    }
    desk.keep()


def _record_arm(desk: Desk, arm: str, run: Run) -> None:
    """The tables of one pass over the items, its times, and the wrong answers."""
    own = {each.id for each in desk.items}
    checked = {key: each for key, each in run.checked.items() if key in own}
    times = times_of(checked.values(), from_due=arm == LOADED)
    desk.measure(f"{arm}.latency", times)
    errors = [
        {"operation": each.operation, "detail": each.detail, "count": each.count}
        for each in run.outcome.errors[:5]
    ]
    desk.facts["arms"][arm] = {
        **arm_table(desk.items, checked),
        "asked_rate": run.rate,
        "rate": _rate(run.checked),
        "doubt": run.doubt,
        "errors": errors,
        **_quantiles(times),
    }
    desk.facts["wrong"] += wrong_table(desk.items, run.checked, arm=arm, seeds=seeds())
    desk.facts["wrong_count"] += errors_in(desk.items, run.checked)
    desk.keep()


def _rate(checked: Mapping[str, Checked]) -> float:
    """Verdicts per second, from the first answer to the last."""
    ends = sorted(each.ended_ns for each in checked.values() if not each.why)
    seconds = (ends[-1] - ends[0]) * 1e-9 if len(ends) > 1 else 0.0
    return (len(ends) - 1) / seconds if seconds else 0.0


def _quantiles(times: Histogram) -> dict[str, float | None]:
    found = {name: times.percentile(share) for name, share in (("p50", P50), ("p95", P95), ("p99", P99))}
    slowest = {**found, "max": times.maximum}
    return {name: None if value is None else value * MICRO for name, value in slowest.items()}
