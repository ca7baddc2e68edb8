"""What the campaign file says under `workload`."""

from campaign.settings import Settings


class WorkloadSettings(Settings):
    """How fast the database answers a child-companion service's statements, in tables of our own."""
