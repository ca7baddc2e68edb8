"""What a phase's settings are written with: a model, quantities, limits, names of the vocabulary."""

from campaign.settings.leftout import LeftOut
from campaign.settings.limits import GradedLimit, LimitText, limit_for, parse_limit, write_limit
from campaign.settings.model import Settings
from campaign.settings.names import OperationName, UserName, list_names, unknown_name
from campaign.settings.quantities import (
    Duration,
    Range,
    Rate,
    Share,
    Size,
    write_duration,
    write_rate,
    write_share,
    write_size,
)

__all__ = [
    "Duration",
    "GradedLimit",
    "LeftOut",
    "LimitText",
    "OperationName",
    "Range",
    "Rate",
    "Settings",
    "Share",
    "Size",
    "UserName",
    "limit_for",
    "list_names",
    "parse_limit",
    "unknown_name",
    "write_duration",
    "write_limit",
    "write_rate",
    "write_share",
    "write_size",
]
