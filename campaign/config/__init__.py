"""The campaign file: read, checked, and every mistake explained with file, line and key."""

from campaign.config.mistakes import CampaignFileError, Mistake, Place
from campaign.config.plan import Campaign, MonitorSettings, PlannedPhase
from campaign.config.read import read
from campaign.config.schema import campaign_schema

__all__ = [
    "Campaign",
    "CampaignFileError",
    "Mistake",
    "MonitorSettings",
    "Place",
    "PlannedPhase",
    "campaign_schema",
    "read",
]
