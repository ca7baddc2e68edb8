"""One command runs a whole test campaign against a staging system and says whether it may be released.

From Python: `campaign.run("campaign.yaml") -> CampaignResult`; `campaign.stop()` ends it from another thread.
Users in Python: `from campaign import User, task, between` (docs/python-users.md).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from campaign.load.python.answer import Answer as Answer
    from campaign.load.python.answer import Failed as Failed
    from campaign.load.python.tasks import task as task
    from campaign.load.python.user import User as User
    from campaign.load.python.waits import between as between
    from campaign.load.python.waits import constant as constant
    from campaign.load.python.waits import exponential as exponential
    from campaign.load.python.waits import normal as normal
    from campaign.load.python.waits import pace as pace
    from campaign.records import CampaignResult as CampaignResult
    from campaign.runner.api import run as run
    from campaign.runner.api import stop as stop

__version__ = "0.1.0"

_HOMES = {
    "run": "campaign.runner.api",
    "stop": "campaign.runner.api",
    "CampaignResult": "campaign.records",
    "User": "campaign.load.python.user",
    "task": "campaign.load.python.tasks",
    "Answer": "campaign.load.python.answer",
    "Failed": "campaign.load.python.answer",
    **dict.fromkeys(("between", "constant", "normal", "exponential", "pace"), "campaign.load.python.waits"),
}


def __getattr__(name: str) -> Any:
    """Load the Python API on first use, so that `import campaign` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'campaign' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
