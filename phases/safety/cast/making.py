"""Makes the cast: principals of every role, in families, and takes them away again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from campaign.errors import CampaignError
from campaign.phase import PhaseContext
from campaign.target.feeds import Feed, open_feeds
from campaign.target.guard import Guard
from campaign.target.http import ControlClient
from campaign.target.operation import Operation, compile_operation
from campaign.target.scope import Scope
from campaign.target.spec import OptionsSpec
from campaign.target.template import compile_text
from phases.safety.cast.principal import Heard, Principal
from phases.safety.cast.settings import ANONYMOUS, CastSettings, RoleSettings
from phases.safety.exchange import Exchanges

TOO_MANY = 429
TRIES, PAUSE = 8, 0.4
"""How often somebody who is refused for a rate limit asks again, and after how many seconds."""

PATIENCE = 10.0
"""Seconds that we wait for an answer."""

FIRST_NUMBER = 900_000
"""user.number of the first principal of a role that names none: beyond those of any load."""


@dataclass(slots=True)
class Cast:
    """Everybody who takes part. `more` makes a further principal, for probes that use one up."""

    context: PhaseContext
    settings: CastSettings
    exchanges: Exchanges
    operations: dict[str, Operation]
    feeds: dict[str, Feed]
    stack: AsyncExitStack
    people: list[Principal] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def of(self, role: str, family: str = "") -> list[Principal]:
        """Those of a role that could be made, in a family or in all."""
        return [
            each for each in self.people
            if each.role == role and not each.trouble and family in {"", each.family}
        ]  # fmt: skip

    @property
    def troubles(self) -> dict[str, str]:
        """Who could not be made, and why."""
        return {each.name: each.trouble for each in self.people if each.trouble}

    async def more(
        self, role: str, family: str, *, parent: Principal | None = None, number: int | None = None
    ) -> Principal:
        """A further principal, removed with the others; its `trouble` says why it could not be made.

        `number`: that of another one, whose canary, and so whose name, it has then too.
        """
        settings = self.settings.roles.get(role, RoleSettings())
        return await self._make(role, settings, family, parent=parent, number=number)

    async def _make(
        self,
        role: str,
        settings: RoleSettings,
        family: str,
        *,
        parent: Principal | None,
        number: int | None = None,
    ) -> Principal:
        if number is None:
            number = self._number(role, settings)
        principal = await self._principal(role, settings, family, number=number, parent=parent)
        self.people.append(principal)
        try:
            for operation in settings.start:
                heard = await _patiently(principal, operation)
                if not heard.ok:
                    principal.trouble = f"{operation} did not go well: {heard.why} [{heard.id}]"
                    break
        except CampaignError as error:
            principal.trouble = str(error)
        return principal

    async def revoke(self) -> None:
        """End the rights of those whose role says so."""
        for principal in self.people:
            for operation in self.settings.roles.get(principal.role, RoleSettings()).revoked:
                if principal.trouble:
                    break
                heard = await principal.do(operation)
                if not heard.ok:
                    principal.trouble = f"{operation} did not go well: {heard.why} [{heard.id}]"

    def _number(self, role: str, settings: RoleSettings) -> int:
        known = self.numbers.get(role)
        if known is None:
            roles = [*self.settings.roles, ANONYMOUS]
            place = roles.index(role) if role in roles else len(roles)
            known = settings.user if settings.user is not None else FIRST_NUMBER + 1000 * place
        self.numbers[role] = known + 1
        return known

    async def _principal(
        self, role: str, settings: RoleSettings, family: str, *, number: int, parent: Principal | None
    ) -> Principal:
        target = self.context.target
        options = OptionsSpec(timeout=PATIENCE, redirects=0)
        client = await self.stack.enter_async_context(
            ControlClient(target, Guard(target.allow_hosts), options=options)
        )
        scope = Scope(number, role, seed=self.context.seed, feeds=self.feeds, wall=self.context.clock.wall)
        if parent is not None:
            scope.values |= parent.scope.values
        count = 1 + sum(each.role == role and each.family == family for each in self.people)
        return Principal(
            name=f"{role} {family}{count}" if family else role,
            role=role,
            family=family,
            scope=scope,
            client=client,
            operations=self.operations,
            exchanges=self.exchanges,
            clock=self.context.clock,
            target=target,
            seed=self.context.seed,
            credentials=tuple(settings.credentials) or (parent.credentials if parent else ()),
            auth=None if settings.auth is None else compile_text(settings.auth),
            parent=parent,
        )


async def _patiently(principal: Principal, operation: str) -> Heard:
    """What came of it; a rate limit is waited for, as those who come after each other meet it."""
    for _ in range(TRIES):
        heard = await principal.do(operation)
        if heard.status != TOO_MANY:
            break
        await asyncio.sleep(PAUSE)
    return heard


@asynccontextmanager
async def gathered(
    context: PhaseContext, settings: CastSettings, exchanges: Exchanges
) -> AsyncIterator[Cast]:
    """The cast, made in the order of the roles, those of nobody first; all are removed at the end
    (`undone` says who is not).
    """
    async with AsyncExitStack() as stack:
        cast = Cast(
            context,
            settings,
            exchanges,
            {
                name: compile_operation(spec, context.target)
                for name, spec in context.vocabulary.operations.items()
            },
            open_feeds(context.vocabulary.feeds),
            stack,
        )
        try:
            for role, each in sorted(settings.roles.items(), key=lambda item: bool(item[1].of)):
                await _make_all(cast, role, each)
            cast.people.append(await _anonymous(cast))
            yield cast
        finally:
            await _remove(cast)


async def _make_all(cast: Cast, role: str, settings: RoleSettings) -> None:
    """Every principal of a role: for each of those that it is `of`, or one for each family."""
    if settings.of:
        for parent in cast.of(settings.of):
            for _ in range(settings.count):
                await cast.more(role, parent.family, parent=parent)
        return
    for family in families(settings):
        for _ in range(settings.count):
            await cast.more(role, family)


def families(settings: RoleSettings) -> Iterator[str]:
    """The names of the families of a role: A, B, ..."""
    return (chr(ord("A") + place) for place in range(settings.families))


async def _anonymous(cast: Cast) -> Principal:
    nobody = RoleSettings(auth="")
    number = cast._number(ANONYMOUS, nobody)  # noqa: SLF001 - a function of its own class in all but name
    return await cast._principal(ANONYMOUS, nobody, "", number=number, parent=None)  # noqa: SLF001


async def _remove(cast: Cast) -> None:
    """Let everybody leave, the last one first; what cannot be removed is remembered with the principal."""
    for principal in reversed(cast.people):
        for operation in _leaving(cast, principal):
            try:
                heard = await principal.do(operation)
            except CampaignError as error:
                principal.undone.append(f"{operation}: {error}")
                continue
            if not heard.ok and heard.status not in GONE:
                principal.undone.append(f"{operation}: {heard.why}")


GONE = {401, 403, 404, 410}
"""Answers to a removal that say it is gone already, as probes that delete do on purpose."""


def _leaving(cast: Cast, principal: Principal) -> Iterable[str]:
    settings = cast.settings.roles.get(principal.role)
    if settings is None:
        return ()
    made = [cast.context.vocabulary.operations[name].options.undo for name in settings.start]
    return dict.fromkeys((*settings.stop, *(name for name in reversed(made) if name)))
