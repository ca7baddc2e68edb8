"""A real demo service per test module, and parents to use it with."""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

START_WITHIN_S = 30
STOP_WITHIN_S = 15
SMALL = ("--seed-parents", "5", "--seed-history", "500")


@dataclass
class Demo:
    """A demo service that runs as a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def login(self, number: int = 1) -> httpx.Client:
        credentials = {"email": f"parent{number:04}@example.com", "password": "demo-password"}
        with self.client() as client:
            return self.client(client.post("/api/auth/login/json", json=credentials).json()["access_token"])


@dataclass
class Parent:
    """A freshly registered parent with one child and consent."""

    http: httpx.Client
    email: str
    password: str
    tokens: dict[str, Any]
    child_id: str = ""
    session_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def say(self, text: str, **more: Any) -> httpx.Response:
        body = {"child_id": self.child_id, "text": text, "session_id": self.session_id} | more
        return self.http.post("/api/conversation", json=body)


@contextmanager
def running(*options: str) -> Iterator[Demo]:
    command = [sys.executable, "-m", "campaign.demo", "--port", "0", "--exit-with-stdin", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready, _, _ = select.select([process.stdout], [], [], START_WITHIN_S)
            assert ready, "no READY line in time"
            word, url = process.stdout.readline().split()
            assert word == "READY"
            yield Demo(process, url)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_WITHIN_S)
            finally:
                process.kill()


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[Demo]]:
    """Starts a service with the given options; use it in a `with` statement."""
    return running


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A healthy service with a few seeded families."""
    with running(*SMALL) as demo:
        yield demo


@pytest.fixture
def new_parent(demo: Demo) -> Iterator[Callable[..., Parent]]:
    """Registers parents; each has one child, with consent unless told otherwise."""
    clients: list[httpx.Client] = []

    def make(*, consent: bool = True) -> Parent:
        email = f"p{os.urandom(6).hex()}@example.com"
        body = {"email": email, "password": "a-good-password", "name": "Pat"}
        with demo.client() as stranger:
            tokens = stranger.post("/api/auth/register", json=body).json()
        http = demo.client(tokens["access_token"])
        clients.append(http)
        parent = Parent(http, email, body["password"], tokens)
        parent.child_id = http.post("/api/children", json={"name": "Kim", "birth_year": 2019}).json()["id"]
        if consent:
            grant(parent)
        return parent

    yield make
    for client in clients:
        client.close()


def grant(parent: Parent, **changes: Any) -> httpx.Response:
    body = {"kind": "collection", "verification": {"method": "signed_form", "reference": "form 7"}} | changes
    return parent.http.post(f"/api/children/{parent.child_id}/consent", json=body)


@pytest.fixture(name="grant")
def _grant() -> Callable[..., httpx.Response]:
    """Grants consent for a parent's child."""
    return grant
