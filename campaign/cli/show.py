"""What is printed when a campaign is over."""

from __future__ import annotations

from pathlib import Path

from campaign.cli.console import Output
from campaign.records import CampaignResult
from campaign.report.terminal import summary


def show_summary(result: CampaignResult, page: Path) -> None:
    """Print the verdict, what to mend first, what was not assessed, and where the report lies."""
    Output().print(summary(result, page))
