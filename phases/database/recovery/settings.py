"""What the campaign file says under `recovery`."""

from campaign.settings import Settings


class RecoverySettings(Settings):
    """Connections killed, server restarted or frozen: errors, time to healthy, acknowledged writes lost."""
