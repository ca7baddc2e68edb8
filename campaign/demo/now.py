"""The service's wall clock."""

import time


def now_ms() -> int:
    """Milliseconds since 1970 (UTC), the form in which every moment is stored and sent."""
    return time.time_ns() // 1_000_000
