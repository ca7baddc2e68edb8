"""What the engine says of a container: plain facts, read from an inspection."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from campaign.faults.containers.place import Place
from campaign.faults.record import HealStep
from campaign.faults.resources import recorded

NO_RESTART = ("", "no")


@dataclass(frozen=True, slots=True)
class Seen:
    """One inspection. `pid` is 0 where it does not run, `health` "" where it has no health check."""

    id: str
    name: str
    running: bool
    paused: bool
    restarting: bool
    pid: int
    started_at: str
    exit_code: int
    error: str
    health: str
    restart: Mapping[str, Any]
    removes_itself: bool
    network_mode: str
    networks: Mapping[str, Any]
    resources: Mapping[str, Any]
    stop_signal: str

    @property
    def policy(self) -> str:
        """The name of its restart policy; "" where it has none."""
        name = str(self.restart.get("Name") or "")
        return "" if name in NO_RESTART else name

    @property
    def is_up(self) -> bool:
        """Whether it runs and is not frozen; while its policy waits to start it again it is not."""
        return self.running and not self.paused and not self.restarting

    def says(self) -> str:
        """In what state it is, in a few words."""
        if self.restarting:
            return f"it is restarted again and again (last exit code {self.exit_code})"
        if self.paused:
            return "it is paused"
        if self.running:
            return "it runs"
        return f"it does not run (exit code {self.exit_code}{f', {self.error}' if self.error else ''})"


def seen(inspection: Mapping[str, Any]) -> Seen:
    """The facts of an inspection by Docker or Podman."""
    state, host = inspection["State"], inspection["HostConfig"]
    config = inspection.get("Config") or {}
    return Seen(
        id=inspection["Id"],
        name=str(inspection["Name"]).lstrip("/"),
        running=bool(state.get("Running")),
        paused=bool(state.get("Paused")),
        restarting=bool(state.get("Restarting")),
        pid=int(state.get("Pid") or 0),
        started_at=str(state.get("StartedAt") or ""),
        exit_code=int(state.get("ExitCode") or 0),
        error=str(state.get("Error") or ""),
        health=_health(state),
        restart=dict(host.get("RestartPolicy") or {}),
        removes_itself=bool(host.get("AutoRemove")),
        network_mode=str(host.get("NetworkMode") or ""),
        networks=dict((inspection.get("NetworkSettings") or {}).get("Networks") or {}),
        resources=recorded(host),
        stop_signal=str(config.get("StopSignal") or "SIGTERM"),
    )


def _health(state: Mapping[str, Any]) -> str:
    status = str((state.get("Health") or state.get("Healthcheck") or {}).get("Status") or "")
    return "" if status == "none" else status


def heal_step(place: Place, container: Seen, *, by_hand: tuple[str, ...], settle: float) -> HealStep:
    """What would make the container as it is now.

    `settle`: seconds for which the engine may still be at it when the one who asked is dead.
    """
    where = {
        "engine": place.url,
        "tls": asdict(place.tls) if place.tls else None,
        "id": container.id,
        "name": container.name,
    }
    state = {
        "running": container.running,
        "paused": container.paused,
        "restart": dict(container.restart),
        "resources": dict(container.resources),
        "networks": dict(container.networks),
        "settle": settle,
    }
    return HealStep("container", where, state, tuple(f"{_docker(place)} {each}" for each in by_hand))


def _docker(place: Place) -> str:
    tls = place.tls
    secure = (
        f" --tlsverify --tlscacert {shlex.quote(tls.ca)} --tlscert {shlex.quote(tls.cert)}"
        f" --tlskey {shlex.quote(tls.key)}"
        if tls
        else ""
    )
    return f"docker -H {shlex.quote(place.url)}{secure}"
