"""What the campaign file says under `isolation`."""

from campaign.settings import Settings


class IsolationSettings(Settings):
    """The ten anomalies at each level that the database offers, idle and under load."""
