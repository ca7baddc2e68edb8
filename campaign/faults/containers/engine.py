"""Asks a container engine through the Docker SDK, in threads, each question bounded in time.

What the SDK raises becomes FaultError here, in our words; the SDK is imported at the first question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from campaign.faults.containers.place import Place
from campaign.faults.containers.tunnel import Tunnel
from campaign.faults.fault import FaultError
from campaign.faults.settled import settled

if TYPE_CHECKING:
    from docker import APIClient


class GoneError(FaultError):
    """The engine knows no such container (any more)."""


class SilentError(FaultError):
    """The engine did not answer in time; whether it did what it was asked is unknown."""


class Engine:
    """One engine. `answer`: seconds that it has for each question, beyond a grace that the question has."""

    def __init__(self, place: Place, *, answer: float) -> None:
        """The engine at a place; it is connected to with the first question."""
        self.place = place
        self._answer = answer
        self._client: APIClient | None = None
        self._tunnel: Tunnel | None = None

    async def inspect(self, name: str) -> dict[str, Any]:
        """What the engine says of a container, by name or id. Raises GoneError where there is none."""
        found = await self._ask(f"inspect {name}", lambda client: client.inspect_container(name))
        return dict(found)

    async def containers(self, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """All containers with these labels, running or not, in short."""
        wanted = [f"{key}={value}" if value else key for key, value in (labels or {}).items()]
        found = await self._ask(
            "list containers", lambda client: client.containers(all=True, filters={"label": wanted})
        )
        return list(found)

    async def stop(self, container: str, *, grace: float) -> None:
        """Its stop signal, and SIGKILL after `grace` seconds; returns when it has ended."""
        seconds = max(0, round(grace))
        await self._do(f"stop {container[:12]}", lambda client: client.stop(container, timeout=seconds))

    async def kill(self, container: str, *, signal: str = "SIGKILL") -> None:
        """A signal to its first process, after which the engine lets it be down."""
        await self._do(
            f"kill --signal {signal} {container[:12]}", lambda client: client.kill(container, signal)
        )

    async def start(self, container: str) -> None:
        """Start it; returns when its process was started."""
        await self._do(f"start {container[:12]}", lambda client: client.start(container))

    async def pause(self, container: str) -> None:
        """Freeze all its processes."""
        await self._do(f"pause {container[:12]}", lambda client: client.pause(container))

    async def unpause(self, container: str) -> None:
        """Thaw all its processes."""
        await self._do(f"unpause {container[:12]}", lambda client: client.unpause(container))

    async def update(self, container: str, changes: Mapping[str, Any]) -> None:
        """Set other limits or another restart policy, with the keys of an inspection's `HostConfig`."""
        # the SDK's own update has no NanoCpus
        await self._do(f"update {container[:12]}", lambda client: _update(client, container, dict(changes)))

    async def disconnect(self, container: str, *, network: str) -> None:
        """Take it off a network, which it is on."""
        await self._do(
            f"disconnect {container[:12]} from {network}",
            lambda client: client.disconnect_container_from_network(container, network),
        )

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
        if self._tunnel is not None:
            self._tunnel.close()
        self._client = self._tunnel = None

    async def _ask(self, what: str, question: Callable[[APIClient], Any]) -> Any:
        """What the engine answers; who gives up waiting leaves nothing changed."""
        return await asyncio.to_thread(self._put, what, question)

    async def _do(self, what: str, order: Callable[[APIClient], Any]) -> None:
        """As `_ask`, for what changes something: its end is waited for in every case."""
        await settled(lambda: self._put(what, order))

    def _put(self, what: str, question: Callable[[APIClient], Any]) -> Any:
        from docker import errors  # noqa: PLC0415 - takes 0.1 s and 20 MB
        from requests import exceptions  # noqa: PLC0415

        try:
            if self._client is None:
                self._client = self._connected()
            return question(self._client)
        except errors.NotFound as error:
            raise GoneError(f"the engine at {self.place.url} knows no such container: {what}") from error
        except errors.APIError as error:
            raise FaultError(f"the engine at {self.place.url} does not {what}: {_said(error)}") from error
        except (errors.DockerException, exceptions.RequestException, OSError, ValueError) as error:
            if _has_cause(error, (exceptions.Timeout, TimeoutError)):
                raise SilentError(
                    f"the engine at {self.place.url} hangs: no answer to `{what}` within {self._answer:g} s"
                ) from error
            raise FaultError(f"the engine at {self.place.url} cannot be asked: {_why(error)}") from error

    def _connected(self) -> APIClient:
        from docker.tls import TLSConfig  # noqa: PLC0415

        from campaign.faults.containers.client import Client  # noqa: PLC0415

        url, tls = self.place.url, self.place.tls
        if url.startswith("ssh://"):
            self._tunnel = self._tunnel or Tunnel(url, seconds=self._answer)
            url = self._tunnel.url
        config = TLSConfig((tls.cert, tls.key), tls.ca, verify=True) if tls else False
        return Client(url, version="auto", timeout=max(1, round(self._answer)), tls=config)


def _update(client: APIClient, container: str, changes: dict[str, Any]) -> None:
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/update"
    answer = client.post(url, json=changes, timeout=client.timeout)
    if not answer.ok:
        from docker import errors  # noqa: PLC0415

        with suppress(ValueError):
            raise errors.APIError(answer.json()["message"], response=answer)
        raise errors.APIError(answer.text, response=answer)


def _said(error: Any) -> str:
    """The engine's own words."""
    return str(error.explanation or error).strip().rstrip(".")


def _why(error: BaseException) -> str:
    if _has_cause(error, PermissionError):
        return "no permission on the socket; join its group, mostly `docker`, or run as root"
    if _has_cause(error, FileNotFoundError):
        return "its socket is not there; start it, or set DOCKER_HOST or phases.failover.engine"
    if _has_cause(error, ConnectionRefusedError):
        return "nothing listens there; start it, or set DOCKER_HOST or phases.failover.engine"
    return str(error)


def _has_cause(
    error: BaseException | None, kinds: type[BaseException] | tuple[type[BaseException], ...]
) -> bool:
    """Whether one of `kinds` is behind it; the SDK, requests and urllib3 wrap errors in each other."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, kinds):
            return True
        if isinstance(each, BaseException) and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__, *each.args, getattr(each, "reason", None)]
    return False
