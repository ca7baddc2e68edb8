"""The service's own numbers in the Prometheus text format."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry per service, so that two in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            ["method", "route"],
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self.requests = 0
        self.open_sockets = self.gauge("teddy_open_websockets", "WebSocket conversations open now.")

    def gauge(self, name: str, text: str, *, read: Callable[[], float] | None = None) -> Gauge:
        """A new gauge; with `read` it asks for its value whenever it is scraped."""
        gauge = Gauge(name, text, registry=self._registry)
        if read is not None:
            gauge.set_function(read)
        return gauge

    def answered(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests += 1
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Everything, in the text format."""
        return generate_latest(self._registry)
