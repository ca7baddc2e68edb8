"""What the campaign file says under `catalogue`."""

from campaign.settings import Settings


class CatalogueSettings(Settings):
    """What the schema itself shows: keys without an index, references without a foreign key, orphans."""
