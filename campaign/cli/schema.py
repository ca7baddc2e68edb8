"""`campaign schema`: the JSON Schema of the campaign file, for editors."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of the campaign file, with the settings of every installed phase.

    In an editor: campaign schema > campaign.schema.json, and as the first line of the campaign file
    # yaml-language-server: $schema=campaign.schema.json
    """
    import json  # noqa: PLC0415

    from campaign.config.schema import campaign_schema  # noqa: PLC0415
    from campaign.registry import installed  # noqa: PLC0415

    typer.echo(json.dumps(campaign_schema(installed().infos()), indent=2))
