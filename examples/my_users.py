"""Users in Python, for examples/python-users.yaml.

campaign demo                                     in one terminal
campaign run examples/python-users.yaml           in another
"""

import asyncio
import hashlib
from typing import Any

from campaign import Failed, User, between, task


class CuriousChild(User):
    """Signs in, talks a while, and looks back: a conversation has a course that YAML cannot say."""

    weight = 3
    wait = between(0.1, 0.3)

    async def on_start(self) -> None:
        """Sign in; where that fails, it is tried again with a new child."""
        await self.send("login")
        await self.send("children")

    @task(5)
    async def converse(self) -> None:
        """Ask until the answer is long enough, three times at most."""
        for _ in range(self.random.randint(1, 3)):
            answer = await self.send(
                "converse", prompt=f"{self.data.prompt} Please, {self.fake.first_name()}!"
            )
            if not self.check(answer.json.get("reply"), "a reply without words"):
                return
            await self.sleep(0.1)

    @task(2)
    async def look_back(self) -> None:
        """A session that is not there yet is no reason to stop."""
        try:
            await self.send("history")
        except Failed as failed:
            if failed.answer.status != 404:
                raise


class Archivist(User):
    """No HTTP at all: times an object in this process, and work that would block the others."""

    wait = between(0.2, 0.4)
    measures = ("digest",)

    @task
    async def digest(self) -> None:
        """What blocks goes to a thread, so that the other users of the worker go on meanwhile."""
        async with self.measure("digest"):
            await asyncio.to_thread(fingerprint, self.data)


def fingerprint(data: Any) -> str:
    """The digest of a prompt."""
    return hashlib.sha256(str(data.prompt).encode() * 1000).hexdigest()
