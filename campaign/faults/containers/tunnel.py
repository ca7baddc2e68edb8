"""An engine's socket on another machine, through the user's own ssh with its keys and its configuration."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from campaign.faults.fault import FaultError

SOCKET = "/var/run/docker.sock"


class Tunnel:
    """An open way to `ssh://user@host:port/path/of/socket` (without a path Docker's usual one)."""

    def __init__(self, url: str, *, seconds: float) -> None:
        """Opens it; blocks at most so many seconds. Raises FaultError."""
        self._folder = Path(tempfile.mkdtemp(prefix="campaign-ssh-"))
        self._socket = self._folder / "engine.sock"
        self.url = f"unix://{self._socket}"
        try:
            self._process = subprocess.Popen(
                self._command(url, seconds),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(self._folder / "said").open("wb"),
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise FaultError(f"{url}: ssh cannot be started ({error.strerror}); install it") from error
        self._wait(url, seconds)

    def _command(self, url: str, seconds: float) -> list[str]:
        parts = urlsplit(url)
        options = ["BatchMode=yes", "ExitOnForwardFailure=yes", f"ConnectTimeout={max(1, round(seconds))}"]
        return [
            *("ssh", "-N", "-T", "-L", f"{self._socket}:{parts.path.rstrip('/') or SOCKET}"),
            *(word for option in options for word in ("-o", option)),
            *(("-p", str(parts.port)) if parts.port else ()),
            *(("-l", parts.username) if parts.username else ()),
            *("--", parts.hostname or ""),
        ]

    def _wait(self, url: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._socket.exists():
            if self._process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
                continue
            said = (self._folder / "said").read_text(errors="replace").strip()
            self.close()
            raise FaultError(f"{url} cannot be reached: {said or f'no answer within {seconds:g} s'}")

    def close(self) -> None:
        """Close it; doing so twice is the same as once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
