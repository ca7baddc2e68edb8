"""Chooses how the load reaches its target: directly, through a Unix socket, or through a proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from campaign.errors import ConfigurationError
from campaign.load.connections import Dialer, MakeConnection, SocketDialer
from campaign.target.guard import Guard
from campaign.target.origin import split_url
from campaign.target.proxy import read_proxy
from campaign.target.spec import TargetSpec
from campaign.target.tls import tls_context


def make_dialer(
    target: TargetSpec, tls: ssl.SSLContext, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]
) -> Dialer:
    """The dialer that all users of one worker share. Raises ConfigurationError for a wrong proxy, and for
    HTTP/2 in the clear through one.
    """
    if target.connection.http == 1:
        return _make_dialer(target, tls, loop=loop, now_ns=now_ns)
    from campaign.load.http2 import Http2Connection  # noqa: PLC0415 - heavy, and only where it is spoken

    if target.connection.proxy and not split_url(target.url)[0].secure:
        raise ConfigurationError("HTTP/2 goes through a proxy over https only")
    dialer = _make_dialer(target, tls_context(target.tls, http=2), loop=loop, now_ns=now_ns)
    dialer.make = cast("MakeConnection", lambda: Http2Connection(loop=loop, now_ns=now_ns))
    return dialer


def socket_dialer(
    target: TargetSpec, tls: ssl.SSLContext, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]
) -> Dialer | None:
    """The dialer for WebSockets, where that of all the rest speaks HTTP/2: an upgrade is of HTTP/1.1."""
    return None if target.connection.http == 1 else _make_dialer(target, tls, loop=loop, now_ns=now_ns)


def _make_dialer(
    target: TargetSpec, tls: ssl.SSLContext, *, loop: asyncio.AbstractEventLoop, now_ns: Callable[[], int]
) -> Dialer:
    guard, way = Guard(target.allow_hosts), target.connection
    if way.socket:
        origin, _ = split_url(target.url)
        return SocketDialer(guard, tls, loop=loop, now_ns=now_ns, path=way.socket, origin=origin)
    if way.proxy:
        from campaign.load.proxy import ProxyDialer  # noqa: PLC0415 - only where there is one

        return ProxyDialer(guard, tls, loop=loop, now_ns=now_ns, proxy=read_proxy(way.proxy))
    return Dialer(guard, tls, loop=loop, now_ns=now_ns)
