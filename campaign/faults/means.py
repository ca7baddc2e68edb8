"""What can be done to a part of the target, by what means, and how hard."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class FaultKind(StrEnum):
    """What is done to a part of the target.

    STOP in good order, stays down. KILL at once, stays down. CRASH: its process dies from the host, what
    watches over it may bring it back. RESTART: stopped in good order and started at once. TERM: SIGTERM
    alone, to see how it ends. PAUSE: frozen, connections stay open. SQUEEZE: little CPU or memory.
    DISCONNECT: off its networks. On a route of ours: SLOW, CUT (connections closed, new ones refused), RESET,
    BLACKHOLE (nothing comes through, nothing is refused).
    """

    STOP = "stop"
    KILL = "kill"
    CRASH = "crash"
    RESTART = "restart"
    TERM = "term"
    PAUSE = "pause"
    SQUEEZE = "squeeze"
    DISCONNECT = "disconnect"
    SLOW = "slow"
    CUT = "cut"
    RESET = "reset"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine; `url` "" finds it: DOCKER_HOST, else the local sockets of Docker and Podman."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class ProcessMeans:
    """A process by exactly one of `pid`, `pid_file`, `port` (the one that listens there).

    `start` is the shell command that starts it again; `supervised`: something else does.
    """

    pid: int = 0
    pid_file: str = ""
    port: int = 0
    start: str = ""
    supervised: bool = False


@dataclass(frozen=True, slots=True)
class CommandMeans:
    """The user's own shell commands; `check` exits with 0 where the part is whole, "" where there is none."""

    breaks: str
    heal: str
    check: str = ""


class Routes(Protocol):
    """The ways through the guardian's proxy, by name."""

    async def set(
        self, name: str, *, latency: float = 0, jitter: float = 0, bandwidth: float = 0,
        cut: bool = False, reset: bool = False, blackhole: bool = False,
    ) -> None:  # fmt: skip
        """Disturb it so: seconds, seconds, bytes per second (0: as it is). Raises FaultError."""

    async def clear(self, name: str) -> None:
        """Let all through as it comes. Raises FaultError."""


@dataclass(frozen=True, slots=True)
class RouteMeans:
    """A way through the guardian's proxy, open already; the target connects to `listen` (host and port)."""

    name: str
    listen: tuple[str, int]
    routes: Routes


@dataclass(frozen=True, slots=True)
class Means:
    """What the campaign file gives for one role; None where it gives nothing.

    `container` is a name, an id, `label=com.x=y`, `compose=PROJECT/SERVICE` or `compose=SERVICE`.
    """

    container: str | None = None
    process: ProcessMeans | None = None
    command: CommandMeans | None = None
    route: RouteMeans | None = None
    engine: EngineChoice = field(default_factory=EngineChoice)


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard. `grace` seconds between SIGTERM and SIGKILL; `cpus` and `memory` (bytes) are what SQUEEZE
    leaves; `latency`, `jitter` (seconds) and `bandwidth` (bytes per second) are for SLOW.
    """

    grace: float = 10.0
    cpus: float | None = None
    memory: int | None = None
    latency: float = 0.0
    jitter: float = 0.0
    bandwidth: float = 0.0
