"""The Docker SDK's client as we use it; importing this imports the SDK (0.1 s, 20 MB)."""

from __future__ import annotations

from typing import Any

from docker import APIClient


class Client(APIClient):
    """Goes to the engine itself, with the engine's own certificates.

    Otherwise HTTP_PROXY would come between, and REQUESTS_CA_BUNDLE in place of the engine's authority.
    """

    def request(self, *args: Any, **options: Any) -> Any:
        """As of every session of `requests`."""
        self.trust_env = False
        return super().request(*args, **options)
