"""Puts a container back: thawed, with its limits, restart policy and networks, running and healthy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from campaign.faults.healing.answer import PutBack
from campaign.faults.healing.engine import Answer, Engine, EngineError
from campaign.faults.healing.resources import Machine, differing, lifted

LOOK = 0.1
"""Seconds between two looks."""

FIRM = 0.4
"""Seconds that it must run on: what starts and ends at once is not restored."""

HEALTH_SECONDS = 60.0
"""How long its own health check may take to be content, where the check does not say."""


def put_back(where: Mapping[str, Any], state: Mapping[str, Any], *, seconds: float = 10.0) -> PutBack:
    """What came of making that container what it was; `seconds` bounds each question to the engine."""
    engine = Engine(str(where.get("engine", "")), where.get("tls"))
    try:
        return _Container(engine, where, state, seconds=seconds).put_back()
    except EngineError as error:
        return PutBack(restored=False, missing=str(error))


class _Container:
    def __init__(
        self, engine: Engine, where: Mapping[str, Any], state: Mapping[str, Any], *, seconds: float
    ) -> None:
        self._engine, self._state, self._seconds = engine, state, seconds
        self._id, self._name = str(where.get("id", "")), str(where.get("name", "")).lstrip("/")
        self._did: list[str] = []

    def put_back(self) -> PutBack:
        found = self._find()
        if found is None:
            return PutBack(
                restored=False,
                missing=f"the container {self._name} is gone, with nothing of that name in its place (--rm?)",
                final=True,
            )
        if found["Id"] != self._id:
            self._did.append(
                f"{self._name} was made anew in the meantime, so it was only seen to that it runs"
            )
        missing = next(self._troubles(found, same=found["Id"] == self._id), "")
        return PutBack(restored=not missing, did=tuple(self._did), missing=missing)

    def _find(self) -> dict[str, Any] | None:
        """It as the engine knows it; one of the same name where it is gone; None where there is neither."""
        for each in (self._id, self._name):
            answer = (
                self._ask("GET", f"/containers/{quote(each, safe='')}/json") if each else Answer(404, None)
            )
            if answer.fine and isinstance(answer.data, dict):
                return answer.data
            if answer.status != 404:
                raise EngineError(f"{self._engine.address}: {answer.said}")
        return None

    def _troubles(self, found: dict[str, Any], *, same: bool) -> Iterator[str]:
        """What could not be put back, most urgent first."""
        self._id = found["Id"]
        if found["State"].get("Paused") and not self._state.get("paused"):
            yield from self._do("unpause", "unpaused", f"/containers/{self._id}/unpause")
        if same:
            yield from self._limits(found["HostConfig"])
            yield from self._policy(found["HostConfig"])
            yield from self._networks(found)
        if self._state.get("running", True):
            yield from self._running()
        if same:
            yield from self._still_off()

    def _limits(self, now: Mapping[str, Any]) -> Iterator[str]:
        wanted = self._state.get("resources") or {}
        if not any(wanted[name] != now.get(name) for name in wanted):
            return
        off = differing(wanted, now, self._machine())
        if off:
            raised = lifted(wanted, off)
            said = f"limits put back ({', '.join(sorted(off))})"
            if raised:
                said += f", {', '.join(raised)} as high as the machine, since an engine takes no limit away"
            yield from self._do("update", said, f"/containers/{self._id}/update", body=off)

    def _policy(self, now: Mapping[str, Any]) -> Iterator[str]:
        wanted = self._state.get("restart")
        if wanted and not _same_policy(wanted, now.get("RestartPolicy") or {}):
            name, most = _policy_of(wanted)  # an engine takes an empty name for "leave it"
            body = {"RestartPolicy": {"Name": name, "MaximumRetryCount": most}}
            path = f"/containers/{self._id}/update"
            yield from self._do("update", f"restart policy {wanted.get('Name') or 'no'}", path, body=body)

    def _networks(self, found: Mapping[str, Any]) -> Iterator[str]:
        now = (found.get("NetworkSettings") or {}).get("Networks") or {}
        for name, endpoint in (self._state.get("networks") or {}).items():
            if name not in now:
                body = {"Container": self._id, "EndpointConfig": _connectable(endpoint or {})}
                path = f"/networks/{quote(name, safe='')}/connect"
                yield from self._do("connect", f"connected to the network {name}", path, body=body)

    def _running(self) -> Iterator[str]:
        """Start it unless it runs, and see it run on, and healthy where it has a health check."""
        now = self._inspect()
        if not now["State"].get("Running"):
            yield from self._do("start", "started", f"/containers/{self._id}/start")
        began = self._inspect()["State"].get("StartedAt")
        time.sleep(FIRM)
        now = self._inspect()
        if not now["State"].get("Running") or now["State"].get("StartedAt") != began:
            code = now["State"].get("ExitCode")
            yield f"{self._name} does not stay up: it ended with exit code {code} right after its start"
        elif now["State"].get("Health"):
            yield from self._healthy(_health_seconds(now))

    def _healthy(self, seconds: float) -> Iterator[str]:
        until = time.monotonic() + seconds
        while (status := self._health()) == "starting" and time.monotonic() < until:
            time.sleep(LOOK)
        if status != "healthy":
            yield f"{self._name} runs, but its own health check says {status}"

    def _health(self) -> str:
        return str((self._inspect()["State"].get("Health") or {}).get("Status") or "none")

    def _still_off(self) -> Iterator[str]:
        """What is not as it was, although the engine said it would be."""
        now = self._inspect()
        config = now["HostConfig"]
        wanted = self._state.get("resources") or {}
        if any(wanted[name] != config.get(name) for name in wanted) and (
            off := differing(wanted, config, self._machine())
        ):
            yield f"{self._name} has other limits than before: {', '.join(sorted(off))}"
        if (policy := self._state.get("restart")) and not _same_policy(
            policy, config.get("RestartPolicy") or {}
        ):
            yield f"{self._name} has another restart policy than before"
        if now["State"].get("Paused") and not self._state.get("paused"):
            yield f"{self._name} is still paused"

    def _do(self, verb: str, done: str, path: str, *, body: Any = None) -> Iterator[str]:
        answer = self._ask("POST", path, body=body)
        if answer.fine:
            self._did.append(f"{self._name} {done}")
        else:
            yield f"{self._name}: {verb} refused: {answer.said}"

    def _inspect(self) -> dict[str, Any]:
        answer = self._ask("GET", f"/containers/{self._id}/json")
        if not answer.fine or not isinstance(answer.data, dict):
            raise EngineError(f"{self._engine.address}: {answer.said}")
        return answer.data

    def _machine(self) -> Machine:
        answer = self._ask("GET", "/info")
        if not answer.fine or not isinstance(answer.data, dict):
            raise EngineError(f"{self._engine.address}: {answer.said}")
        return Machine(int(answer.data["MemTotal"]), int(answer.data["NCPU"]))

    def _ask(self, method: str, path: str, *, body: Any = None) -> Answer:
        return self._engine.ask(method, path, body=body, seconds=self._seconds)


def _same_policy(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _policy_of(one) == _policy_of(other)


def _policy_of(policy: Mapping[str, Any]) -> tuple[str, int]:
    return str(policy.get("Name") or "no"), int(policy.get("MaximumRetryCount") or 0)


CONNECTABLE = ("IPAMConfig", "Links", "Aliases", "DriverOpts")


def _connectable(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What of an endpoint as inspected a connect takes."""
    return {name: endpoint[name] for name in CONNECTABLE if endpoint.get(name)}


def _health_seconds(found: Mapping[str, Any]) -> float:
    """How long its health check may take to be content: start period and two tries, at most 2 minutes."""
    check = (found.get("Config") or {}).get("Healthcheck") or {}
    nanoseconds = (
        (check.get("StartPeriod") or 0) + (check.get("Interval") or 30e9) * 2 + (check.get("Timeout") or 0)
    )
    return float(min(max(nanoseconds / 1e9, 5.0), 120.0)) if check else HEALTH_SECONDS
