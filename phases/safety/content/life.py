"""One connection of a run: it takes the next text, has it checked, and writes down what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campaign.clock import SECOND
from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Enliven, Life, Visit
from campaign.load.luck import Luck
from campaign.load.session import Identity
from campaign.load.step import Step, make_step
from campaign.load.timeouts import Timeouts
from campaign.redact import mask_personal
from campaign.target.feeds import FeedExhaustedError
from campaign.target.operation import Operation, compile_operation
from campaign.target.request import Request
from campaign.target.scope import Scope
from campaign.target.spec import ExpectSpec, OperationSpec
from phases.safety.content.verdict import GOOD, TOO_MANY, Outcome, outcome_of
from phases.safety.content.work import Checked, Job, Work
from phases.safety.exchange import curl

if TYPE_CHECKING:
    from campaign.load.session import Session
    from campaign.target.expect import Miss

ANY = ("1xx", "2xx", "3xx", "4xx", "5xx")
"""Every answer is one; what it says is ours to judge."""

TRIES = 3
"""Times that what comes first is tried."""

WAITS = 5
"""Times that a check is tried again that came too early for a limit of the service."""

LONGEST_WAIT = 5.0
"""Seconds that we wait for a limit, whatever it asks for."""

PATIENT_FOR = 8
"""Checks without a verdict, in a row, after which nothing is tried again, ..."""

IN_VAIN = 60
"""... and after which a patient run gives up."""

MOST_SAID = 200


def make(options: Any) -> Enliven:
    """What makes such connections; `options` is a Work."""
    desk = Desk(options)

    def enliven(session: Session, visit: Visit, luck: Luck) -> Life:
        del luck
        return CheckLife(desk, session, visit)

    return enliven


class Desk:
    """What all connections of the run share: the jobs that are left, the log, and the compiled operations."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.jobs: Iterator[Job] = iter(work.jobs)
        self.in_vain = 0
        self.sent = 0
        self._log = Path(work.log).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - as long as we are
        self._timeouts: Timeouts | None = None
        self.check = self._compile(replace(work.check, expect=ExpectSpec(status=ANY)))
        follow, delivered = work.follow, work.delivered
        self.follow = self._compile(replace(follow, expect=ExpectSpec(status=ANY))) if follow else None
        self.delivered = self._compile(delivered) if delivered else None
        self.start = [self._compile(each) for each in work.start]

    def next(self) -> Job:
        """The next job. Raises FeedExhaustedError where none is left, or all come to nothing."""
        if self.work.patient and self.in_vain >= IN_VAIN:
            raise FeedExhaustedError(f"{IN_VAIN} checks in a row got no verdict")
        for job in self.jobs:
            return job
        raise FeedExhaustedError("every text was checked")

    def write(self, checked: Checked) -> None:
        """Keep what came of a job."""
        verdict = checked.outcome in {Outcome.RIGHT, Outcome.WRONG}
        self.in_vain = 0 if verdict else self.in_vain + 1
        self._log.write(checked.line)

    def name_sending(self) -> str:
        """A name that no other sending of this run has."""
        self.sent += 1
        return f"{self.work.arm}-{self.sent:06}"

    def step(self, operation: Operation, session: Session, visit: Visit) -> Step:
        """The operation as this connection does it."""
        if self._timeouts is None:
            self._timeouts = Timeouts(loop=asyncio.get_running_loop(), now_ns=visit.now)
        return make_step(operation, session.position(operation.name), timeouts=self._timeouts, keep=True)

    def _compile(self, spec: OperationSpec) -> Operation:
        return compile_operation(spec, self.work.target)


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: when it was due, sent and answered (clock ns); `blocked` is None without a verdict."""

    due: int
    began: int
    done: int
    error: ExchangeError | None = None
    blocked: bool | None = None


class Witness:
    """Sees the request and the answer of one operation; takes the place of its build and its expectation."""

    def __init__(self, step: Step) -> None:
        self._inner = step
        self.step = replace(step, build=self._build, expectation=self, needs_body=True, keep_body=True)
        self.forget()

    def forget(self) -> None:
        """Before the next exchange."""
        self.status, self.body, self.retry_after = 0, b"", 0.0
        self.request: Request | None = None

    def _build(self, scope: Scope) -> Request:
        self.request = self._inner.build(scope)
        return self.request

    def check(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *,
        values: MutableMapping[str, Any] | None = None,
    ) -> Miss | None:  # fmt: skip
        """Keep the answer; what it saves is saved, and that it lacks something is no failure."""
        self.status, self.body, self.retry_after = status, body, _retry_after(headers)
        self._inner.expectation.check(status, headers, body, values=values)
        return None


class CheckLife:
    """One connection; it is whoever its scope says, and does one job after the other."""

    def __init__(self, desk: Desk, session: Session, visit: Visit) -> None:
        self._desk = desk
        self._session = session
        self._visit = visit
        self._place = session.scope.number - 1
        self._check = Witness(desk.step(desk.check, session, visit))
        self._follow = None if desk.follow is None else Witness(desk.step(desk.follow, session, visit))
        self._tries = 0

    async def start(self, due: int) -> Done:
        """Become somebody, and do what comes first. Raises FeedExhaustedError where that never goes well."""
        desk, session = self._desk, self._session
        scope = Scope(
            desk.work.first + self._place, session.scope.kind, seed=desk.work.seed, feeds=session.scope.feeds
        )
        if people := desk.work.people:
            scope.values |= people[self._place % len(people)]
        session.become(Identity(scope))
        done, error = due, None
        for operation in desk.start:
            done, error = await session.perform(desk.step(operation, session, self._visit), done)
            if error is not None:
                self._tries += 1
                if self._tries >= TRIES:
                    raise FeedExhaustedError(f"{operation.name} failed: {error.detail}")
                return done, error
        return max(done, self._visit.now()), None

    async def iterate(self, due: int) -> Done:
        """One job. Raises FeedExhaustedError where none is left."""
        job = self._desk.next()
        said = Said(due, due, due)
        for place, text in enumerate(job.turns):
            witness = self._check if not (place and job.joined and self._follow) else self._follow
            said = await self._say(witness, text, said.done)
            if job.joined and said.blocked is not False:
                break
        delivered = None if said.blocked is not None else await self._delivered(witness)
        self._write(job, witness, said, delivered=delivered)
        return said.done, said.error

    async def _say(self, witness: Witness, text: str, due: int) -> Said:
        """Send it; where the run is patient, again as long as a limit of the service is in the way."""
        values, desk = self._session.scope.values, self._desk
        patient = desk.work.patient and desk.in_vain < PATIENT_FOR
        for left in reversed(range(WAITS if patient else 1)):
            witness.forget()
            values["text"], values["item"] = text, desk.name_sending()
            began = self._visit.now()
            done, error = await self._session.perform(witness.step, due)
            if not (left and witness.status == TOO_MANY):
                break
            due = await self._visit.rest(done + round(min(witness.retry_after, LONGEST_WAIT) * SECOND))
        blocked = desk.work.rule.blocked(witness.status, witness.body) if error is None else None
        return Said(due, began, done, error, blocked)

    async def _delivered(self, witness: Witness) -> bool | None:
        """Whether a text without a verdict got through; None where nobody can say."""
        if witness.status in GOOD:
            return True
        if self._desk.delivered is None:
            return None
        step = self._desk.step(self._desk.delivered, self._session, self._visit)
        _, error = await self._session.perform(step, self._visit.now())
        if error is not None and not error.answered:
            return None
        return error is None

    async def stop(self, due: int) -> Done:
        """Nothing to do."""
        return due, None

    def _write(self, job: Job, witness: Witness, said: Said, *, delivered: bool | None) -> None:
        outcome = outcome_of(unsafe=job.unsafe, blocked=said.blocked, delivered=delivered)
        redact = self._session.redact
        failed = said.error.detail if said.error else f"status {witness.status}"
        well = outcome is Outcome.RIGHT
        checked = Checked(
            key=job.key,
            outcome=outcome,
            status=witness.status,
            service_us=(said.done - said.began) // 1000,
            response_us=(said.done - said.due) // 1000,
            ended_ns=said.done,
            why="" if said.blocked is not None else redact(failed),
            said="" if well else _masked(witness.body, redact),
            curl="" if well or witness.request is None else curl(witness.request, redact),
        )
        self._desk.write(checked)


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """Seconds that a refusal asks us to wait; 1 where it does not say."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.strip().isdigit():
            return float(value)
    return 1.0


def _masked(body: bytes, redact: Any) -> str:
    text = mask_personal(redact(body[: 4 * MOST_SAID].decode("utf-8", "replace")))
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:MOST_SAID])
