"""Where the engine is: as the campaign file says, as DOCKER_HOST says, or at one of the usual sockets."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from campaign.faults.fault import FaultError

SCHEMES = ("unix", "tcp", "http", "https", "ssh")
_REMEDY = "start Docker or Podman, set DOCKER_HOST, or give phases.failover.engine"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files that prove the engine to us, and us to the engine."""

    ca: str
    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class Place:
    """An engine's URL (`unix:///...`, `tcp://host:port`, `ssh://user@host`), and TLS where it wants it."""

    url: str
    tls: Tls | None = None

    @property
    def is_local(self) -> bool:
        """Whether its containers' processes may be those of this machine."""
        return self.url.startswith("unix://")


def find_engine(url: str = "", *, environment: Mapping[str, str] | None = None) -> Place:
    """Where the engine is. `url` comes before DOCKER_HOST, and that before the sockets of Docker and Podman.

    DOCKER_TLS_VERIFY and DOCKER_CERT_PATH mean what they mean to the docker command. Raises FaultError.
    """
    known = os.environ if environment is None else environment
    given = url or known.get("DOCKER_HOST", "")
    if not given:
        return Place(f"unix://{_answering(usual_sockets(known))}")
    scheme, _, rest = given.partition("://")
    if scheme not in SCHEMES or not rest or (scheme == "unix" and not rest.startswith("/")):
        example = "unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host"
        raise FaultError(f"{given!r} is no address of an engine: write it like {example}")
    return Place(given, _tls(known) if scheme in {"tcp", "https"} else None)


def usual_sockets(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where Docker and Podman put their sockets: the system's, the user's own, Docker Desktop's."""
    home = Path(environment.get("HOME") or "/")
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return (
        Path("/var/run/docker.sock"),
        runtime / "docker.sock",
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        Path("/run/podman/podman.sock"),
        runtime / "podman/podman.sock",
    )


def _answering(sockets: tuple[Path, ...]) -> Path:
    reasons = []
    for each in sockets:
        why = _closed(each)
        if not why:
            return each
        reasons.append(f"{each} ({why})")
    raise FaultError(f"no container engine was found at {', '.join(reasons)}: {_REMEDY}")


def _closed(path: Path) -> str:
    """Why nothing can be asked there; "" where something answers."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return "no socket"
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            probe.connect(str(path))
    except PermissionError:
        return "no permission: join the socket's group, mostly `docker`, or run as root"
    except FileNotFoundError:
        return "not there"
    except OSError as error:
        return error.strerror or "no answer"
    return ""


def _tls(environment: Mapping[str, str]) -> Tls | None:
    folder = environment.get("DOCKER_CERT_PATH", "")
    if not folder and not environment.get("DOCKER_TLS_VERIFY"):
        return None
    root = Path(folder or Path(environment.get("HOME") or "/", ".docker"))
    files = [root / f"{name}.pem" for name in ("ca", "cert", "key")]
    if missing := [str(each) for each in files if not each.is_file()]:
        raise FaultError(f"TLS to the engine needs {', '.join(missing)}: set DOCKER_CERT_PATH to its folder")
    return Tls(*map(str, files))
