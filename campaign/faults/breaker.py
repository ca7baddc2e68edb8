"""Breaks things for a phase, within what is allowed, and sees to it that all is put back whatever happens.

async with open_breaker(target_url=url, run=folder, clock=clock) as breaker:
    struck = await breaker.strike(fault, seconds=60)
    ...
    healed = await breaker.heal(struck)
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from campaign.clock import SECOND, Clock
from campaign.errors import RefusedError
from campaign.faults.alive import this_process
from campaign.faults.channel import LocalChannel
from campaign.faults.containers.place import find_engine
from campaign.faults.detours import Detours
from campaign.faults.fault import Effect, Fault, FaultError, Healed, Injected
from campaign.faults.healing.answer import PutBack
from campaign.faults.healing.engine import Engine
from campaign.faults.healing.put_back import put_back
from campaign.faults.journal import INJECTED, Journal
from campaign.faults.lock import TargetLock, take_lock
from campaign.faults.outpost import ContainerChannel
from campaign.faults.place import state_folder, usable_state
from campaign.faults.record import HealStep, UndoRecord
from campaign.faults.watch import Watch

T = TypeVar("T")

HEAL_PATIENCE = 20.0
"""Seconds that the guardian tries where the fault's own healing did not do."""

HEAL_SECONDS = 180.0
"""How long a fault's own healing may take until the guardian is asked."""


@dataclass(frozen=True, slots=True)
class GuardianChoice:
    """Where the second guardian is: with an `image` (one with Python 3.11) a container of it on `engine` too,
    which outlives whatever ends all processes of this machine or CI job. The first is a process here, always.
    """

    image: str = ""
    engine: str = ""


PROCESS = GuardianChoice()


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that was made: its moments, whether it is proved, and the record that undoes it."""

    fault: Fault
    injected: Injected
    effect: Effect
    record: UndoRecord


@dataclass(frozen=True, slots=True)
class Unrestored:
    """What could not be put back, or not be seen to be, and what a person can type."""

    what: str
    by_hand: tuple[str, ...]
    why: str

    def as_fact(self) -> dict[str, Any]:
        """Plain data, as `campaign.records.NOT_RESTORED` wants it."""
        return {"what": self.what, "by_hand": list(self.by_hand), "why": self.why}


@dataclass(slots=True)
class _Open:
    """A fault that is not undone yet."""

    record: UndoRecord
    fault: Fault
    began_ns: int
    healing: asyncio.Task[Healed] | None = None


@dataclass(slots=True)
class _Report:
    """What the guardian said of a record, and when."""

    restored: bool
    did: tuple[str, ...]
    missing: tuple[str, ...]
    seconds: float | None
    at_ns: int = field(default=0)


class Breaker:
    """See `open_breaker`, which makes it."""

    def __init__(self, journal: Journal, clock: Clock, *, target: str, run: str, limits: Limits) -> None:
        self._journal, self._clock = journal, clock
        self._target, self._run, self._limits = target, run, limits
        self._open: dict[str, _Open] = {}
        self._reports: dict[str, _Report] = {}
        self._unrestored: dict[str, Unrestored] = {}
        self._spent = 0.0
        self._watch: Watch | None = None
        self._outpost: Watch | None = None
        self._heard = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def routes(self) -> Detours:
        """The TCP fault proxy, which lives in the guardian."""
        return Detours(self._guard, state=self._journal.state)

    @property
    def guardians(self) -> tuple[int, ...]:
        """The processes that watch over this run on this machine."""
        return () if self._watch is None else (self._watch.process,)

    @property
    def unrestored(self) -> tuple[Unrestored, ...]:
        """What is not restored although it was tried; whole once the block is left."""
        return tuple(self._unrestored.values())

    async def strike(self, fault: Fault, *, seconds: float) -> Struck:
        """Make the fault, once its undo record is on disk and the guardian knows of it; `seconds` after now
        the guardian undoes it, whoever lives.

        Raises FaultError where it cannot be made, then all is as before (or in `unrestored`), and
        RefusedError where it would break more, or for longer, than is allowed.
        """
        self._limits.check(seconds, open_now=len(self._open), spent=self._spent)
        await self._revive()
        steps = await fault.look()
        record = self._record(fault, steps, seconds)
        await self._write(record)
        entry = _Open(record, fault, self._clock.now_ns())
        self._open[record.id] = entry
        try:
            await self._arm(record, seconds)
            injected = await uninterrupted(fault.inject())
            self._journal.note(record.id, INJECTED, by="run")
            return Struck(fault, injected, await fault.took_effect(), record)
        except BaseException:
            await self._undo(entry)
            raise

    async def _arm(self, record: UndoRecord, seconds: float) -> None:
        await self._guard().ask("arm", id=record.id, seconds=seconds)
        if self._outpost is not None:
            plain = json.loads(record.to_json())
            await self._outpost.ask("arm", id=record.id, seconds=seconds, record=plain)

    async def heal(self, struck: Struck) -> Healed:
        """Put it back and see whether it is; not to be cancelled: a cancellation is raised when it is done.

        Never raises for what the target does. What could not be put back stays open, and is in `unrestored`.
        """
        entry = self._open.get(struck.record.id)
        if entry is None:
            return self._healed_before(struck.record)
        return await self._undo(entry)

    async def _undo(self, entry: _Open) -> Healed:
        if entry.healing is None or entry.healing.done():
            entry.healing = asyncio.create_task(self._put_back(entry))
        return await uninterrupted(entry.healing)

    async def _put_back(self, entry: _Open) -> Healed:
        began = self._clock.now_ns()
        with ExitStack() as stack:
            held = self._journal.held(entry.record.id, seconds=HEAL_SECONDS)
            await asyncio.to_thread(stack.enter_context, held)
            if self._journal.entry(entry.record.id) is None:
                return self._done(entry, self._healed_before(entry.record, began))
            healed = await self._by_itself(entry.fault, began)
            if healed.restored:
                healed = await self._seen(entry.record, healed)
        if not healed.restored:
            healed = await self._by_guardian(entry.record, healed)
        return self._done(entry, healed)

    async def _by_itself(self, fault: Fault, began: int) -> Healed:
        try:
            return await asyncio.wait_for(fault.heal(), HEAL_SECONDS)
        except TimeoutError:
            return Healed(began, None, None, False, f"not put back within {HEAL_SECONDS:.0f} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, the guardian goes on from here
            return Healed(began, None, None, False, f"{type(error).__name__}: {error}")

    async def _seen(self, record: UndoRecord, healed: Healed) -> Healed:
        """The same, unless a second look by other code says that something is missing."""
        steps = [each for each in record.steps if each.kind in LOOKED_AT]
        looks = await asyncio.to_thread(_all_put_back, steps)
        missing = [each.missing for each in looks if not each.restored]
        did = [text for each in looks for text in each.did]
        detail = "; ".join(each for each in (healed.detail, *did, *missing) if each)
        return replace(healed, restored=not missing, detail=detail)

    async def _by_guardian(self, record: UndoRecord, healed: Healed) -> Healed:
        """What came of asking the guardian, which goes by the record and not by what we believe."""
        self._reports.pop(record.id, None)
        with suppress(FaultError):
            await self._guard().ask("heal", id=record.id, patience=HEAL_PATIENCE)
            await self._reported(record.id, seconds=HEAL_PATIENCE + HEAL_SECONDS)
        report = self._reports.get(record.id)
        if report is None:
            return healed
        detail = "; ".join((healed.detail, *report.did, *report.missing))
        running = report.at_ns if report.restored else None
        return Healed(healed.started_ns, running, healed.healthy_ns, report.restored, detail)

    async def _reported(self, name: str, *, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while name not in self._reports and self._guard().alive:
                    self._heard.clear()
                    await self._heard.wait()

    def _healed_before(self, record: UndoRecord, began: int | None = None) -> Healed:
        """What is known of a record that the guardian has closed, at its deadline say."""
        report = self._reports.get(record.id)
        now = self._clock.now_ns()
        if report is None:
            return Healed(began or now, None, None, True, "it was put back before")
        started = report.at_ns - round((report.seconds or 0.0) * SECOND)
        detail = "; ".join(("put back by the guardian", *report.did, *report.missing))
        return Healed(started, report.at_ns, None, report.restored, detail)

    def _done(self, entry: _Open, healed: Healed) -> Healed:
        record = entry.record
        if healed.restored:
            self._spent += (self._clock.now_ns() - entry.began_ns) / SECOND
            self._open.pop(record.id, None)
            self._unrestored.pop(record.id, None)
            self._close(record, healed.detail)
        else:
            self._journal.note(record.id, "not_restored", by="run", detail=healed.detail)
            self._unrestored[record.id] = Unrestored(record.what, record.by_hand, healed.detail)
        return healed

    def _close(self, record: UndoRecord, detail: str) -> None:
        with suppress(OSError):  # it stays open, and the next command finds all as it was
            self._journal.close(record.id, by="run", detail=detail)
        for watch in (self._watch, self._outpost):
            if watch is not None:
                with suppress(OSError):
                    watch.tell("disarm", id=record.id)

    async def _heal_all(self) -> None:
        """Undo what is still open, all at once, the latest first."""
        entries = sorted(self._open.values(), key=lambda each: -each.began_ns)
        await asyncio.gather(*(self._undo(each) for each in entries), return_exceptions=True)

    def _record(self, fault: Fault, steps: tuple[HealStep, ...], seconds: float) -> UndoRecord:
        now = self._clock.wall()
        return UndoRecord(
            id=f"{int(now * 1000):014d}-{os.getpid()}-{secrets.token_hex(4)}",
            what=fault.describe(),
            target=self._target,
            run=self._run,
            steps=steps,
            opened_at=now,
            seconds=seconds,
            maker=this_process(),
        )

    async def _write(self, record: UndoRecord) -> None:
        try:
            await uninterrupted(asyncio.to_thread(self._journal.write, record))
        except OSError as error:
            raise FaultError(
                f"{record.what}: not done, as its undo record cannot be written to {self._journal.open}: "
                f"{error.strerror or error}; make room there, or set CAMPAIGN_STATE_HOME to another folder"
            ) from error

    def _guard(self) -> Watch:
        if self._watch is None:
            raise FaultError("there is no guardian")
        return self._watch

    def hear(self, said: Mapping[str, Any]) -> None:
        """Take a word of the guardian's, from any thread."""
        if said.get("event") == "healed":
            self._reports[str(said["id"])] = _Report(
                bool(said["restored"]),
                tuple(said["did"]),
                tuple(said["missing"]),
                said["seconds"],
                self._clock.now_ns(),
            )
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._heard.set)

    async def start(self, lock: TargetLock, choice: GuardianChoice) -> None:
        """Start the guardian, or both. Raises FaultError and RefusedError."""
        self._lock = lock
        await self._start_here()
        if choice.image:
            afar = await uninterrupted(asyncio.to_thread(self._container, choice))
            self._outpost = Watch(afar, event=lambda _: None)  # it knows of containers only
            await self._outpost.until_ready()

    async def _start_here(self) -> None:
        channel = LocalChannel(self._journal.state, self._run, lock=self._lock.descriptor)
        self._watch = Watch(channel, event=self.hear)
        await self._watch.until_ready()

    async def _revive(self) -> None:
        """See that there is a guardian: where it was killed, another takes its place (without routes)."""
        if self._watch is None or self._watch.alive:
            return
        await self._start_here()
        for entry in self._open.values():
            passed = (self._clock.now_ns() - entry.began_ns) / SECOND
            await self._guard().ask("arm", id=entry.record.id, seconds=max(entry.record.seconds - passed, 0))

    def _container(self, choice: GuardianChoice) -> ContainerChannel:
        place = find_engine(choice.engine)
        engine = Engine(place.url, asdict(place.tls) if place.tls else None)
        return ContainerChannel(engine, choice.image, target=self._target, run=self._run)

    async def end(self) -> None:
        """Undo all that is open and end the guardian."""
        await self._heal_all()
        watches = [each for each in (self._watch, self._outpost) if each is not None]
        await asyncio.gather(*(each.end() for each in watches))
        for name in tuple(self._unrestored):
            if self._journal.entry(name) is None:  # the guardian's last try did it
                del self._unrestored[name]


LOOKED_AT = ("container", "process")
"""Kinds of steps that a second look can be taken at without running a command of the user's again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The blast radius: faults at a time, seconds per fault, seconds of outage in total."""

    most_at_once: int
    longest: float
    total: float

    def check(self, seconds: float, *, open_now: int, spent: float) -> None:
        """Return where one more fault of so many seconds is allowed. Raises RefusedError."""
        if open_now >= self.most_at_once:
            raise RefusedError(f"at most {self.most_at_once} things may be broken at a time (`at_once`)")
        if seconds > self.longest:
            raise RefusedError(
                f"an outage of {seconds:.0f} s was asked for, {self.longest:.0f} s are allowed (`longest`)"
            )
        if spent + seconds > self.total:
            raise RefusedError(
                f"{spent:.0f} s of outage are spent, and {seconds:.0f} s more are beyond the "
                f"{self.total:.0f} s that are allowed in total (`total`)"
            )


@asynccontextmanager
async def open_breaker(
    *,
    target_url: str,
    run: str,
    clock: Clock,
    guardian: GuardianChoice = PROCESS,
    most_at_once: int = 2,
    longest: float = 60.0,
    total: float = 900.0,
    notify: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Breaker]:
    """A breaker for that target, with a guardian beside it; `run` is the folder of the run's report.

    Leaving the block undoes what is still open, however it is left, and ends the guardian. `notify` gets
    sentences for the reader. Raises FaultError and RefusedError (another campaign breaks this target).
    """
    run = _absolute(run)
    state = _state(run, notify)
    with ExitStack() as stack:
        try:
            lock = take_lock(state, target_url, run=run)
        except OSError as error:
            raise FaultError(f"the target cannot be locked in {state}: {error.strerror}") from error
        stack.callback(lock.release)
        limits = Limits(most_at_once, longest, total)
        breaker = Breaker(Journal(state), clock, target=target_url, run=run, limits=limits)
        try:
            await breaker.start(lock, guardian)
            yield breaker
        finally:
            await uninterrupted(breaker.end())


def _absolute(run: str) -> str:
    """The folder for a later command, which runs in another one."""
    return str(Path(run).absolute())


def _state(run: str, notify: Callable[[str], None]) -> str:
    try:
        state, why = usable_state(state_folder(os.environ), instead=str(Path(run) / "undo"))
    except OSError as error:
        raise FaultError(
            f"no folder for undo records ({error.filename}: {error.strerror}); set CAMPAIGN_STATE_HOME"
        ) from error
    if why:
        notify(why)
    return state


def _all_put_back(steps: list[HealStep]) -> list[PutBack]:
    return [put_back(each) for each in steps]


async def uninterrupted(work: Awaitable[T]) -> T:
    """What the work gives; it is never cancelled: a cancellation meanwhile is raised once it is done."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:  # noqa: BLE001 - raised below, from the task itself
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen: the cancellation is what is told
        raise cancelled
    return task.result()
