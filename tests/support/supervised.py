"""The demo as the several processes of its own that `campaign run --demo` breaks, and ways to break them."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from servers import free_port, wait_until

START_WITHIN_S = 60
STOP_WITHIN_S = 20
SMALL = ("--seed-parents=5", "--seed-history=500", "--requests-per-second=1000")


class Supervised:
    """A supervised demo with a companion of its own."""

    def __init__(self, folder, *options, through_route=False):
        """`through_route`: the companion is looked for at `route_port`, where somebody must pass on."""
        self.folder, self.port, self.companion_port = folder, free_port(), free_port()
        self.route_port = free_port() if through_route else self.companion_port
        self.command = [
            *(sys.executable, "-m", "campaign.demo", "--port", str(self.port), "--exit-with-stdin", *SMALL),
            *("--supervised", str(folder), "--companion-port", str(self.companion_port)),
            *("--companion", f"127.0.0.1:{self.route_port}", *options),
        ]
        self.url = f"http://127.0.0.1:{self.port}"
        self.healed = []

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready, _, _ = select.select([self.process.stdout], [], [], START_WITHIN_S)
        assert ready, "no READY line in time"
        assert self.process.stdout.readline().startswith(b"READY ")

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(STOP_WITHIN_S)
        finally:
            self.process.kill()
            self.process.stdout.close()
        for each in self.healed:
            each.wait(5)

    def pid(self, name):
        return int((self.folder / f"{name}.pid").read_text())

    def signal(self, name, number):
        os.kill(self.pid(name), number)

    @contextlib.contextmanager
    def frozen(self, name):
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def start_companion(self):
        """As somebody would by hand, after it was killed."""
        command = [
            *(sys.executable, "-m", "campaign.demo.companion_service", "--port", str(self.companion_port)),
            *(
                "--pid-file",
                str(self.folder / "companion.pid"),
                "--while",
                str(self.folder / "supervisor.pid"),
            ),
        ]
        self.healed.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        wait_until(lambda: self.pid("companion") == self.healed[-1].pid)

    def renewed(self, old):
        """Wait until another process serves than the one with this pid."""
        wait_until(lambda: self.pid("service") != old and self.answers())

    def answers(self):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=2).status_code == 200
        return False


class Family:
    """A seeded parent, signed in, with the one child."""

    def __init__(self, url, number=1, *, timeout=20):
        self.http = httpx.Client(base_url=url, timeout=timeout)
        credentials = {"email": f"parent{number:04}@example.com", "password": "demo-password"}
        token = self.http.post("/api/auth/login/json", json=credentials).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        (child,) = self.http.get("/api/children").json()["children"]
        self.said = {"child_id": child["id"], "session_id": child["session_id"], "text": "Tell me a story"}
        self.history = f"/api/session/{child['session_id']}/history"

    def say(self, *, key=None, where="/api/conversation"):
        headers = {"Idempotency-Key": key} if key else {}
        return self.http.post(where, json=self.said, headers=headers)

    def story(self):
        return self.say(where="/api/story")

    def me(self):
        return self.http.get("/api/user/me")

    def lines(self):
        return self.http.get(self.history).json()["total"]


@contextlib.contextmanager
def supervised(*options, through_route=False):
    """A supervised demo with these further options, gone afterwards with all that belonged to it."""
    with tempfile.TemporaryDirectory(prefix="campaign-test-") as folder:
        demo = Supervised(Path(folder), *options, through_route=through_route)
        try:
            demo.start()
            yield demo
        finally:
            demo.stop()
