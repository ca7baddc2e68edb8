"""One command runs a whole test campaign against a staging system and says whether it may be released.

From Python: `campaign.run("campaign.yaml") -> CampaignResult`; `campaign.stop()` ends it from another thread.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from campaign.records import CampaignResult as CampaignResult
    from campaign.runner.api import run as run
    from campaign.runner.api import stop as stop

__version__ = "0.1.0"

_HOMES = {
    "run": "campaign.runner.api",
    "stop": "campaign.runner.api",
    "CampaignResult": "campaign.records",
}


def __getattr__(name: str) -> Any:
    """Load the Python API on first use, so that `import campaign` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'campaign' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
