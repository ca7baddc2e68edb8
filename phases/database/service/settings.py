"""What the campaign file says under `service`."""

from campaign.settings import Settings


class ServiceSettings(Settings):
    """What the service does with its database, seen through its API: races, leaks, statements per request."""
