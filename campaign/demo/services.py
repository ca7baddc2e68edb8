"""All parts of the service, put together once at the start."""

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from anyio import CapacityLimiter
from sqlalchemy.exc import SQLAlchemyError

from campaign.demo.accounts import Accounts
from campaign.demo.activities import Activities
from campaign.demo.children import Children
from campaign.demo.companion_link import CompanionLink, link_to
from campaign.demo.consents import Consents
from campaign.demo.conversations import Conversations
from campaign.demo.database import Database
from campaign.demo.defects import ACK_BEFORE_COMMIT, NO_RATE_LIMIT, SESSION_LOSS, STALE_CACHE
from campaign.demo.history import History
from campaign.demo.insights import Insights, insights_through
from campaign.demo.limits import RateLimit
from campaign.demo.metrics import Metrics
from campaign.demo.options import DemoOptions, UnusableOptionError
from campaign.demo.overview import Overview
from campaign.demo.privacy import Privacy
from campaign.demo.problems import Problem
from campaign.demo.profiles import CachedProfiles, Profiles, StoredProfiles
from campaign.demo.recordings import Recordings
from campaign.demo.redis_state import InRedis
from campaign.demo.shared_children import SharedChildren
from campaign.demo.shared_state import InProcess, SharedState
from campaign.demo.sign_in import SignIn
from campaign.demo.slots import Slots
from campaign.demo.toys import Toys
from campaign.demo.voices import Voices
from campaign.demo.write_behind import WriteBehind

STRANGERS_SHARE = 10
"""How many times a parent's limit all callers without a token at one address have together."""

NO_LIMIT = 1_000_000_000

STORYTELLERS = 32
"""Callers who may wait for the companion at once, in threads apart from all others: while it is slow, whoever
does not need it is served as ever.
"""


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes call."""

    accounts: Accounts
    children: Children
    profiles: Profiles
    consents: Consents
    conversations: Conversations
    history: History
    activities: Activities
    overview: Overview
    privacy: Privacy
    shared: SharedChildren
    toys: Toys
    sign_in: SignIn
    failed_logins: RateLimit
    state: SharedState
    database: Database
    metrics: Metrics
    companion: CompanionLink
    insights: Insights
    storytellers: CapacityLimiter
    behind: WriteBehind | None
    voices: Voices
    slots: Slots
    recordings: Recordings
    defects: frozenset[str]

    async def close(self) -> None:
        """Store what still waits, and let go of connections; the database stays open."""
        if self.behind is not None:
            self.behind.close()
        self.companion.close()
        self.insights.close()
        await self.state.close()


def build_services(options: DemoOptions, database: Database) -> Services:
    """The service's parts around an open database."""
    state = _state(options)
    children = Children(database, defects=options.defects)
    token_key = secrets.token_bytes(32) if SESSION_LOSS in options.defects else b""
    accounts = Accounts(
        database,
        password_cost=options.password_cost,
        access_token_hours=options.access_token_hours,
        token_key=token_key,
    )
    companion = link_to(options.companion, defects=options.defects)
    behind = WriteBehind(database) if ACK_BEFORE_COMMIT in options.defects else None
    insights = insights_through(options.outgoing_proxy)
    conversations = Conversations(
        database, companion, behind=behind, insights=insights, defects=options.defects
    )
    metrics = Metrics()
    metrics.gauge("teddy_database_connections_in_use", "Taken from the pool now.", read=database.in_use)
    metrics.gauge("teddy_signed_in", "Sign-ins that have not ended.", read=_or_unknown(accounts.signed_in))
    return Services(
        accounts=accounts,
        children=children,
        profiles=_profiles(children, state, defects=options.defects),
        consents=Consents(database),
        conversations=conversations,
        history=History(database, defects=options.defects),
        activities=Activities(database, defects=options.defects),
        overview=Overview(database),
        privacy=Privacy(database, defects=options.defects),
        shared=SharedChildren(database),
        toys=Toys(database, defects=options.defects),
        sign_in=_sign_in(options, accounts, state=state, token_key=token_key),
        failed_logins=RateLimit(state, name="login", limit=options.failed_logins_per_minute, window_s=60),
        state=state,
        database=database,
        metrics=metrics,
        companion=companion,
        insights=insights,
        storytellers=CapacityLimiter(STORYTELLERS),
        behind=behind,
        voices=Voices(defects=options.defects),
        slots=Slots(options.live_conversations, options.live_per_parent, defects=options.defects),
        recordings=Recordings(database, conversations, defects=options.defects),
        defects=options.defects,
    )


def _profiles(children: Children, state: SharedState, *, defects: frozenset[str]) -> Profiles:
    stored = StoredProfiles(children)
    return CachedProfiles(stored, state) if STALE_CACHE in defects else stored


def _state(options: DemoOptions) -> SharedState:
    if options.redis_url is None:
        return InProcess()
    try:
        return InRedis(options.redis_url, defects=options.defects)
    except ValueError as error:
        raise UnusableOptionError(f"cannot use Redis: {' '.join(str(error).split())}") from error


def _sign_in(options: DemoOptions, accounts: Accounts, *, state: SharedState, token_key: bytes) -> SignIn:
    limit = NO_LIMIT if NO_RATE_LIMIT in options.defects else options.requests_per_second
    return SignIn(
        accounts,
        state,
        per_parent=RateLimit(state, name="parent", limit=limit, window_s=1),
        per_address=RateLimit(state, name="address", limit=limit * STRANGERS_SHARE, window_s=1),
        token_key=token_key,
    )


def _or_unknown(read: Callable[[], float]) -> Callable[[], float]:
    def value() -> float:
        try:
            return read()
        except (SQLAlchemyError, Problem):
            return math.nan  # the other numbers are wanted most when the database is away

    return value
