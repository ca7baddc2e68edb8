"""An httpx transport that asks the guard before every request and connects only to what it let through."""

from __future__ import annotations

import ssl

import httpx

from campaign.target.guard import Guard

_PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves each host itself and hands httpx the checked address, so no second look-up can differ."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._tls = tls
        # One pool per host name: two names on one address must not share a TLS connection.
        self._pools: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer from the first address that takes a connection. Raises RefusedError and httpx errors."""
        host, scheme = request.url.host, request.url.scheme
        if scheme not in _PORTS or not host:
            raise httpx.UnsupportedProtocol(f"{request.url} is not an HTTP address")
        addresses = await self._guard.resolve(host, request.url.port or _PORTS[scheme])
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


def _to_address(request: httpx.Request, ip: str) -> httpx.Request:
    """The same request to an address instead of a name; the Host header and the name for TLS stay."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=ip),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
