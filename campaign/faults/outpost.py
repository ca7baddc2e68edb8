"""A guardian in a container on the target's own engine: it outlives whatever ends all processes here.

The image needs Python 3.11 or newer, as `python3`; our code is put into the container, and the engine's
socket is mounted. Its name says which target it guards, so that two machines cannot break one at a time.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import quote, urlsplit

from campaign.errors import RefusedError
from campaign.faults.attached import attach
from campaign.faults.channel import guardian_arguments
from campaign.faults.fault import FaultError
from campaign.faults.healing.engine import Answer, Engine, EngineError
from campaign.faults.lock import same_target

HOME = "opt/campaign-guardian"
SOCKET = "/var/run/docker.sock"
MEMORY = 64 << 20
SECONDS = 20.0
"""How long the engine may take for each step."""

PARTS = ("alive.py", "journal.py", "place.py", "record.py", "healing", "guardian")
"""What of `campaign.faults` a guardian is made of, besides the packages' own `__init__.py`."""


class ContainerChannel:
    """A guardian in a container of `image`. Raises FaultError where it cannot be started, and RefusedError
    where another campaign's is there.
    """

    def __init__(self, engine: Engine, image: str, *, target: str, run: str) -> None:
        self._engine = engine
        self._name = f"campaign-guardian-{hashlib.sha256(same_target(target).encode()).hexdigest()[:12]}"
        self._id = self._created(image, run)
        try:
            self._asked("PUT", f"/containers/{self._id}/archive?path=/", body=packed())
            self._attached = attach(engine, self._id, seconds=SECONDS)
            self._asked("POST", f"/containers/{self._id}/start")
        except (OSError, ValueError, FaultError) as error:
            self.kill()
            raise FaultError(f"the guardian's container cannot be started: {error}") from error

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        self._attached.send(data)

    def receive(self) -> bytes:
        """What comes next."""
        return self._attached.receive()

    def wait(self, seconds: float) -> None:
        """Return when the container is gone."""
        until = time.monotonic() + seconds
        with suppress(EngineError):
            while time.monotonic() < until and self._ask("GET", f"/containers/{self._id}/json").status != 404:
                time.sleep(0.1)

    def last_words(self) -> str:
        """The last line of its standard error."""
        said = self._attached.complaints.decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it said nothing"

    def kill(self) -> None:
        """Take the container away."""
        with suppress(EngineError):
            self._ask("DELETE", f"/containers/{self._id}?force=1")

    def close(self) -> None:
        """Close its standard input."""
        self._attached.close()

    def _created(self, image: str, run: str) -> str:
        """The new container's id; one of that name that has ended is taken away first."""
        path = f"/containers/create?name={quote(self._name)}"
        answer = self._ask_or_fail("POST", path, body=self._wanted(image, run))
        if answer.status == 409:
            self._make_room()
            answer = self._ask_or_fail("POST", path, body=self._wanted(image, run))
        if answer.status == 404:
            raise FaultError(
                f"the guardian's image {image} is not on the engine: {answer.said}; docker pull {image}"
            )
        if not answer.fine:
            raise FaultError(f"the guardian's container cannot be made: {answer.said}")
        return str(answer.data["Id"])

    def _make_room(self) -> None:
        found = self._ask_or_fail("GET", f"/containers/{self._name}/json")
        if found.fine and found.data["State"]["Running"]:
            raise RefusedError(
                "another campaign breaks this target now, maybe from another machine: its guardian, the "
                f"container {self._name}, runs on {self._engine.address}; wait for its end, or stop it"
            )
        self._ask_or_fail("DELETE", f"/containers/{self._name}?force=1")

    def _wanted(self, image: str, run: str) -> dict[str, Any]:
        socket = urlsplit(self._engine.address).path if self._engine.address.startswith("unix:") else SOCKET
        arguments = guardian_arguments("/tmp/campaign", run, engine=f"unix://{SOCKET}")  # noqa: S108 - its own
        return {
            "Image": image,
            "Entrypoint": ["python3"],
            "Cmd": list(arguments),
            "User": "0:0",
            "Env": [f"PYTHONPATH=/{HOME}"],
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Healthcheck": {"Test": ["NONE"]},
            "Labels": {"campaign.guardian": self._name},
            "HostConfig": {
                "Binds": [f"{socket}:{SOCKET}"],
                "NetworkMode": "none",
                "AutoRemove": True,
                "Memory": MEMORY,
            },
        }

    def _asked(self, method: str, path: str, *, body: Any = None) -> None:
        answer = self._ask_or_fail(method, path, body=body)
        if not answer.fine:
            raise FaultError(answer.said)

    def _ask_or_fail(self, method: str, path: str, *, body: Any = None) -> Answer:
        try:
            return self._ask(method, path, body=body)
        except EngineError as error:
            raise FaultError(str(error)) from error

    def _ask(self, method: str, path: str, *, body: Any = None) -> Answer:
        return self._engine.ask(method, path, body=body, seconds=SECONDS)


def packed() -> bytes:
    """The tar that makes a Python of any container a guardian."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in sorted(_sources().items()):
            entry = tarfile.TarInfo(f"{HOME}/{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def _sources() -> Mapping[str, bytes]:
    faults = files("campaign.faults")
    found = {"campaign/__init__.py": b"", "campaign/faults/__init__.py": b""}
    for part in PARTS:
        found |= {f"campaign/faults/{name}": content for name, content in _below(faults / part, part)}
    return found


def _below(place: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    if place.is_file():
        yield name, place.read_bytes()
        return
    for each in place.iterdir():
        if each.name.endswith(".py"):
            yield f"{name}/{each.name}", each.read_bytes()
