"""What the campaign file says under `cache`."""

from campaign.settings import Settings


class CacheSettings(Settings):
    """How fast Redis answers, and what it says of the target's own keys."""
