"""Faults on processes of this machine, found by pid, pid file or the port that they listen at."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from campaign.clock import SECOND, Clock
from campaign.faults.alive import alive, began, state
from campaign.faults.fault import Effect, FaultError, Healed, Injected
from campaign.faults.healing.answer import PutBack
from campaign.faults.healing.process import listens
from campaign.faults.healing.put_back import put_back
from campaign.faults.means import FaultKind, ProcessMeans
from campaign.faults.record import HealStep
from campaign.faults.settled import settled

LOOK_NS = SECOND // 500
DEATH_SECONDS = 5.0
"""How long a process may take to be gone after SIGKILL, or to stand still after SIGSTOP."""

WORDS = {
    FaultKind.STOP: "end (SIGTERM, then SIGKILL)",
    FaultKind.KILL: "kill",
    FaultKind.CRASH: "crash",
    FaultKind.RESTART: "restart",
    FaultKind.TERM: "send SIGTERM to",
    FaultKind.PAUSE: "freeze",
}
WITH_CHILDREN = frozenset({FaultKind.PAUSE, FaultKind.KILL})
"""A crash ends one process: what becomes of its children is part of what is looked at."""

GENTLE = frozenset({FaultKind.STOP, FaultKind.RESTART, FaultKind.TERM})


@dataclass(frozen=True, slots=True)
class Found:
    """A process by number and start time, so that another of the same number is never meant."""

    pid: int
    began: int

    def lives(self) -> bool:
        """Whether it runs or is stopped."""
        return alive(self.pid, self.began)

    def signal(self, number: signal.Signals) -> bool:
        """Whether the signal reached that very process. Raises FaultError without the right to."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.lives():
                return False
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        except PermissionError as error:
            raise FaultError(
                f"process {self.pid} is another account's: run the campaign as it, or as root"
            ) from error
        finally:
            os.close(descriptor)
        return True


class ProcessFault:
    """One fault on one process; freezing and killing take its children with it.

    A restart without a supervisor starts it again at once, by the `start` command.
    """

    def __init__(
        self, kind: FaultKind, *, role: str, means: ProcessMeans, clock: Clock, grace: float, ready: float
    ) -> None:
        """`grace`: seconds from SIGTERM to SIGKILL; `ready`: seconds in which a supervisor brings another."""
        self.kind, self.means, self.clock = kind, means, clock
        self.grace, self.ready = grace, ready
        self.subject = role
        self._family: tuple[Found, ...] = ()
        self._steps: tuple[HealStep, ...] = ()
        self._start: asyncio.Future[tuple[int, int, list[PutBack]]] | None = None

    @property
    def heals_itself(self) -> bool:
        """Whether a supervisor is to bring another."""
        return self.means.supervised and self.kind is not FaultKind.PAUSE

    def describe(self) -> str:
        """What it does, for people."""
        which = f" {self._family[0].pid}{self._with_children()}" if self._family else ""
        return f"{WORDS[self.kind]} the process{which} ({self.subject}, {_by(self.means)})"

    async def look(self) -> tuple[HealStep, ...]:
        """The process and its children. Raises FaultError where it is not there or would not come back."""
        main = await asyncio.to_thread(find, self.means, role=self.subject)
        self._refuse(main)
        children = _children(main) if self.kind in WITH_CHILDREN else ()
        self._family = (main, *children)
        frozen = children if self.kind is FaultKind.PAUSE else ()
        self._steps = (self._step(main), *map(_thaw, frozen))
        return self._steps

    def _refuse(self, main: Found) -> None:
        name = f"process {main.pid} ({self.subject}, {_by(self.means)})"
        if main.pid in _ourselves():
            raise FaultError(f"{name} is this campaign's own, or what started it; nothing was done to it")
        if state(main.pid) in {"T", "t"}:
            raise FaultError(f"{name} is stopped already; continue it first: kill -CONT {main.pid}")
        if self.kind is FaultKind.PAUSE:
            return
        if self.kind is FaultKind.CRASH and not self.means.supervised:
            raise FaultError(f"{name}: nothing brings it back from a crash: `supervised: true`, or `kill`")
        if not self.means.supervised and not self.means.start:
            raise FaultError(f"{name} would not come back: give `start`, or say `supervised: true`")
        if self.means.supervised and not (self.means.pid_file or self.means.port):
            raise FaultError(
                f"{name}: nothing would tell that its supervisor brought another; give `pid_file` or `port`"
            )

    def _step(self, main: Found) -> HealStep:
        info = _where_it_runs(main)
        where = {
            "pid": main.pid, "began": main.began,
            "pid_file": self.means.pid_file, "port": self.means.port, **info,
        }  # fmt: skip
        how = {
            "start": self.means.start,
            "supervised": self.means.supervised,
            "settle": (self.grace if self.kind in GENTLE else 0.0) + 2.0,
        }
        by_hand = (f"kill -CONT {main.pid}",) if self.kind is FaultKind.PAUSE else (self.means.start,)
        return HealStep("process", where, how, tuple(each for each in by_hand if each))

    async def inject(self) -> Injected:
        """Break it. Raises FaultError."""
        if not self._family:
            raise FaultError(f"{self.describe()}: it was not looked at before")
        number = {FaultKind.PAUSE: signal.SIGSTOP}.get(self.kind, signal.SIGKILL)
        number = signal.SIGTERM if self.kind in GENTLE else number
        sent = self.clock.now_ns()
        targets = self._family[:1] if self.kind in GENTLE else self._family
        if not targets[0].signal(number):
            raise FaultError(f"process {targets[0].pid} ended before it was to be broken; nothing was done")
        for each in targets[1:]:
            each.signal(number)
        await self._until(self._happened, self.grace if self.kind in GENTLE else DEATH_SECONDS)
        if self.kind in {FaultKind.STOP, FaultKind.RESTART} and not self._happened():
            self._family[0].signal(signal.SIGKILL)
            await self._until(self._happened, DEATH_SECONDS)
        confirmed = self.clock.now_ns()
        if self.kind is FaultKind.RESTART and not self.means.supervised:
            self._start = asyncio.ensure_future(self._put_back())
        return Injected(sent, confirmed)

    def _happened(self) -> bool:
        if self.kind is FaultKind.PAUSE:
            return all(not each.lives() or state(each.pid) in {"T", "t"} for each in self._family)
        return not self._family[0].lives()

    async def took_effect(self) -> Effect:
        """What /proc says, and for a process that is gone its port."""
        if not self._family:
            return Effect(proved=False, detail="it was not looked at before")
        main = self._family[0]
        if not self._happened():
            runs = f"process {main.pid} runs on" + (
                f" {self.grace:g} s after SIGTERM" if self.kind in GENTLE else ""
            )
            return Effect(proved=False, detail=runs)
        if self.kind is FaultKind.PAUSE:
            if not main.lives():
                return Effect(proved=False, detail=f"process {main.pid} is gone")
            return Effect(proved=True, detail=f"process {main.pid} stands still{self._with_children()}")
        port = 0 if self.heals_itself or self.kind is FaultKind.RESTART else self.means.port
        if port and await asyncio.to_thread(listens, port):
            return Effect(proved=False, detail=f"process {main.pid} is gone, but port {port} is served")
        refused = f", and port {port} refuses connections" if port else ""
        return Effect(proved=True, detail=f"process {main.pid} is gone{refused}")

    def _with_children(self) -> str:
        children = len(self._family) - 1
        return f" with {children} child{'ren' if children > 1 else ''}" if children else ""

    async def heal(self) -> Healed:
        """Put it back; never raises for what the target does."""
        started = self.clock.now_ns()
        if not self._steps:
            return Healed(started, None, None, restored=True, detail="nothing was broken")
        alone = self.heals_itself and await self._until(self._another, self.ready)
        back_ns = self.clock.now_ns() if alone else None
        began, ended, answers = await (self._start or self._put_back())
        restored = all(each.restored for each in answers)
        running = back_ns or (ended if restored else None)
        said = [each.detail for each in answers if each.did or each.missing] or [answers[0].detail]
        return Healed(min(started, began), running, None, restored, "; ".join(said), by_itself=alone)

    async def _put_back(self) -> tuple[int, int, list[PutBack]]:
        """When it began and ended, and what came of it."""
        began = self.clock.now_ns()
        answers = await settled(lambda: [put_back(each) for each in self._steps])
        return began, self.clock.now_ns(), answers

    def _another(self) -> bool:
        """Whether another has taken its place."""
        if self._family[0].lives():
            return False
        try:
            there = find(self.means, role=self.subject)
        except FaultError:
            return False
        return there not in self._family

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = self.clock.now_ns() + round(seconds * SECOND)
        while not (holds := await asyncio.to_thread(condition)) and self.clock.now_ns() < end:
            await self.clock.sleep_until(self.clock.now_ns() + LOOK_NS)
        return holds


def find(means: ProcessMeans, *, role: str) -> Found:
    """The process that is meant. Raises FaultError: none, several, or not to be seen."""
    pid = means.pid or (_from_file(means.pid_file, role) if means.pid_file else _listener(means.port, role))
    found = Found(pid, began(pid))
    if not found.lives():
        raise FaultError(f"there is no process {pid} ({role}, {_by(means)}); start it first")
    return found


def _by(means: ProcessMeans) -> str:
    return (
        f"pid file {means.pid_file}"
        if means.pid_file
        else f"port {means.port}"
        if means.port
        else f"pid {means.pid}"
    )


def _from_file(path: str, role: str) -> int:
    try:
        return int(Path(path).read_text(encoding="utf-8").split()[0])
    except OSError as error:
        raise FaultError(f"the pid file {path} ({role}) cannot be read: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise FaultError(f"the pid file {path} ({role}) does not begin with a number") from error


def _listener(port: int, role: str) -> int:
    """The process that listens at the port; of a family that shares it, the eldest."""
    listening = [each for each in psutil.net_connections("tcp") if _listens_at(port, each)]
    pids = {each.pid for each in listening if each.pid}
    if not listening:
        raise FaultError(f"nothing listens at port {port} ({role}); start it first")
    if not pids:
        raise FaultError(
            f"what listens at port {port} ({role}) is another account's: give its pid, or be root"
        )
    eldest = {_eldest(each, port) for each in pids}
    if len(eldest) > 1:
        raise FaultError(
            f"{len(eldest)} processes listen at port {port} ({role}): {sorted(eldest)}; give one's pid"
        )
    return eldest.pop()


def _eldest(pid: int, port: int) -> int:
    """The first of its ancestors that listens there too: of those that share a socket only one is told."""
    try:
        parents = psutil.Process(pid).parents()
        sharing = [each.pid for each in parents if any(_listens_at(port, line) for line in _lines(each))]
    except psutil.Error:
        return pid
    return sharing[-1] if sharing else pid


def _lines(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections("tcp"))
    except psutil.Error:
        return []


def _listens_at(port: int, line: Any) -> bool:
    return line.status == psutil.CONN_LISTEN and bool(line.laddr) and line.laddr[1] == port


def _ancestors(pid: int) -> set[int]:
    try:
        return {each.pid for each in psutil.Process(pid).parents()}
    except psutil.Error:
        return set()


def _ourselves() -> set[int]:
    return {1, os.getpid(), *_ancestors(os.getpid())}


def _children(main: Found) -> tuple[Found, ...]:
    try:
        pids = [each.pid for each in psutil.Process(main.pid).children(recursive=True)]
    except psutil.Error:
        return ()
    ourselves = _ourselves()
    return tuple(Found(each, began(each)) for each in pids if each not in ourselves and alive(each))


def _thaw(child: Found) -> HealStep:
    return HealStep(
        "process",
        {"pid": child.pid, "began": child.began},
        {"may_be_gone": True},
        (f"kill -CONT {child.pid}",),
    )


def _where_it_runs(main: Found) -> dict[str, object]:
    """In which folder and by which account, for a start command to be run likewise."""
    try:
        process = psutil.Process(main.pid)
        return {"cwd": process.cwd(), "user": process.uids().effective}
    except (psutil.Error, OSError):
        return {}
