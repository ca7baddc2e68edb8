"""The endpoint that Prometheus scrapes, while a campaign runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, start_http_server

from campaign.errors import ConfigurationError
from campaign.metrics.state import CampaignMetrics

HERE = "127.0.0.1"
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class MetricsAddress:
    """Where the endpoint listens."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> MetricsAddress:
        """The address in `9464` (this machine alone) or `0.0.0.0:9464`. Raises ConfigurationError."""
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or int(port) > LAST_PORT:
            raise ConfigurationError(
                f"--metrics-port {text}: not a port from 0 to {LAST_PORT}, or HOST:PORT\n"
                "  such as  9464, or 0.0.0.0:9464 where Prometheus runs on another machine"
            )
        return cls(host.strip("[]") or HERE, int(port))


@contextmanager
def exposed(address: MetricsAddress, metrics: CampaignMetrics) -> Iterator[int]:
    """Within this block `http://host:port/metrics` tells the metrics; yields the port. Raises
    ConfigurationError where nothing can listen there.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    try:
        server, thread = start_http_server(address.port, addr=address.host, registry=registry)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        there = f"{address.host}:{address.port}"
        raise ConfigurationError(f"--metrics-port: cannot listen at {there}: {why}") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
