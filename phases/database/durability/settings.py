"""What the campaign file says under `durability`."""

from campaign.settings import Settings


class DurabilitySettings(Settings):
    """The settings that decide whether a committed write survives a crash."""
