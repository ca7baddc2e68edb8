"""What the campaign file says under `pool`."""

from campaign.settings import Settings


class PoolSettings(Settings):
    """How many connections are enough: sweep, exhaustion, leak, churn, and the size we would recommend."""
