"""What the campaign file says of a statement under `queries`."""

from campaign.settings import Settings


class QuerySettings(Settings):
    """One statement of the user's own."""
