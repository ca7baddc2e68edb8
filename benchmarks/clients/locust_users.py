"""Locust's fast users, as its manual shows them: THINK seconds of constant wait (none when 0), one GET.

Locust starts all users of a second at once, and with a constant wait they would stay in step and be cheaper
than users are; so each waits a random part of THINK first.
"""

import os
import random

import gevent
from locust import FastHttpUser, constant, task

THINK = float(os.environ["THINK"])


class Visitor(FastHttpUser):
    wait_time = constant(THINK)

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0, THINK))

    @task
    def home(self) -> None:
        self.client.get("/")


class Traveler(FastHttpUser):
    """Five operations with JSON bodies, a saved value and two expectations each."""

    wait_time = constant(THINK)

    @task
    def journey(self) -> None:
        for number in range(5):
            body = {"text": "hello", "n": number, "id": getattr(self, "saved", 0)}
            with self.client.post(f"/step/{number}", json=body, catch_response=True) as answer:
                found = answer.json()
                if answer.status_code != 200 or found["name"] != "bear":
                    answer.failure("not the bear")
                self.saved = found["id"]
