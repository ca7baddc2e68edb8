"""What the campaign file says under `isolation`; roles, resources and who may do what stand beside it."""

from campaign.settings import Settings


class IsolationSettings(Settings):
    """The access matrix. `database`: look there too whether what was forbidden changed anything."""

    database: bool = True
