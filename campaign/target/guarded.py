"""An httpx transport that asks the guard before every request and connects only to what it let through:
directly, through the target's Unix socket, or through its proxy.
"""

from __future__ import annotations

import ssl

import httpx

from campaign.target.guard import Guard
from campaign.target.origin import Origin, split_url
from campaign.target.proxy import Proxy, read_proxy
from campaign.target.spec import TargetSpec

_PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves each host itself and hands httpx the checked address, so no second look-up can differ."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext, target: TargetSpec) -> None:
        self._guard = guard
        self._tls = tls
        self._socket = target.connection.socket
        self._socket_origin, _ = split_url(target.url)
        self._proxy = read_proxy(target.connection.proxy) if target.connection.proxy else None
        # One pool per host name: two names on one address must not share a TLS connection.
        self._pools: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer from the first address that takes a connection. Raises RefusedError and httpx errors."""
        host, scheme = request.url.host, request.url.scheme
        if scheme not in _PORTS or not host:
            raise httpx.UnsupportedProtocol(f"{request.url} is not an HTTP address")
        origin = Origin(scheme, host, request.url.port or _PORTS[scheme])
        if self._socket and origin == self._socket_origin:
            return await self._by_socket().handle_async_request(request)
        if self._proxy is not None:
            return await self._by_proxy(request, origin, proxy=self._proxy)
        addresses = await self._guard.resolve(host, origin.port)
        failure = httpx.ConnectError(f"host {host} has no address")
        for address in addresses:
            try:
                return await self._pool(host).handle_async_request(_to_address(request, address.ip))
            except httpx.ConnectError as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()

    def _pool(self, host: str) -> httpx.AsyncHTTPTransport:
        if host not in self._pools:
            self._pools[host] = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        return self._pools[host]

    def _by_socket(self) -> httpx.AsyncHTTPTransport:
        if self._socket not in self._pools:
            self._pools[self._socket] = httpx.AsyncHTTPTransport(
                verify=self._tls, trust_env=False, uds=self._socket
            )
        return self._pools[self._socket]

    async def _by_proxy(self, request: httpx.Request, origin: Origin, *, proxy: Proxy) -> httpx.Response:
        await self._guard.vet(origin.host, origin.port)
        address, *_ = await self._guard.resolve(proxy.origin.host, proxy.origin.port)
        return await self._proxy_pool(address.ip, proxy).handle_async_request(request)

    def _proxy_pool(self, ip: str, proxy: Proxy) -> httpx.AsyncHTTPTransport:
        key = f"proxy {ip}"
        if key not in self._pools:
            url = httpx.URL(scheme="http", host=ip, port=proxy.origin.port)
            headers = {"proxy-authorization": proxy.authorization} if proxy.authorization else {}
            self._pools[key] = httpx.AsyncHTTPTransport(
                verify=self._tls, trust_env=False, proxy=httpx.Proxy(url, headers=headers)
            )
        return self._pools[key]


def _to_address(request: httpx.Request, ip: str) -> httpx.Request:
    """The same request to an address instead of a name; the Host header and the name for TLS stay."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=ip),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
