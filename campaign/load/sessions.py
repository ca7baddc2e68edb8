"""Makes each user's session as the plan wants it: with connections of its own or shared ones, a simulated
network, and the statistics it counts in. What is not asked for is decided here, and costs nothing later.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from campaign.load.connections import Dialer
from campaign.load.network import Network, NetworkDialer, network_of
from campaign.load.pool import Borrowed, Pool, PoolSession, share_of
from campaign.load.session import Session, Surroundings
from campaign.load.shard import PreparedShard
from campaign.load.views import labels
from campaign.load.watched import WatchedPoolSession, WatchedSession
from campaign.target.scope import Scope


class SessionMaker:
    """Gives sessions to the users of one shard. Raises GeneratorError where connections do not suffice."""

    def __init__(self, prepared: PreparedShard, surroundings: Surroundings) -> None:
        self._prepared = prepared
        self._surroundings = surroundings
        self._pool = _pool(prepared, surroundings)

    def make(self, number: int, scope: Scope) -> Session:
        """The session of user `number` (from 0)."""
        plan = self._prepared.shard.plan
        kind, region = self._prepared.users[number], self._prepared.regions.get(number, "")
        session = self._make(scope, kind=kind, region=region)
        session.views = labels(plan.views, kind=kind, region=region, user=number + 1)
        return session

    def close(self) -> None:
        """Drop the connections that nobody uses."""
        if self._pool is not None:
            self._pool.close()

    def _make(self, scope: Scope, *, kind: str, region: str) -> Session:
        around, vocabulary = self._surroundings, self._prepared.shard.plan.vocabulary
        if self._pool is not None:
            links = Borrowed(self._pool, clock=around.clock, recorder=around.recorder)
            return (WatchedPoolSession if around.lookout else PoolSession)(scope, around, links)
        network = network_of(vocabulary.users[kind], region, vocabulary)
        session = WatchedSession if around.lookout else Session
        if not network.slows:
            return session(scope, around)
        dialer = _behind(around.dialer, network, around)
        sockets = around.sockets and _behind(around.sockets, network, around)
        return session(scope, replace(around, dialer=dialer, sockets=sockets))


def _behind(dialer: Dialer, network: Network, around: Surroundings) -> Dialer:
    loop, now_ns = asyncio.get_running_loop(), around.clock.now_ns
    return cast("Dialer", NetworkDialer(dialer, network, loop=loop, now_ns=now_ns))


def _pool(prepared: PreparedShard, around: Surroundings) -> Pool | None:
    plan = prepared.shard.plan
    most = plan.target.connection.most
    if not most:
        return None
    share = share_of(most, index=prepared.shard.index, workers=plan.workers)
    return Pool(around.dialer, share, clock=around.clock, recorder=around.recorder)
