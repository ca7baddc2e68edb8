"""What the campaign file says under `invariants`."""

from campaign.settings import Settings


class InvariantsSettings(Settings):
    """Right answers under stress: transfers, list-append histories, atomicity, races on constraints."""
