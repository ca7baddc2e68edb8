"""`campaign propose`: part of a campaign file, proposed from an OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def propose(
    document: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="An OpenAPI document, JSON or YAML: a file, or its URL.")
    ],
) -> None:
    """Propose operations, resources and their ids from an OpenAPI document, as YAML.

    \b
    campaign propose openapi.json > campaign.yaml
    campaign propose http://127.0.0.1:8000/openapi.json
    """  # noqa: D301 - Click's mark for lines to keep as they are
    from campaign.cli.proposing import routes_of  # noqa: PLC0415
    from campaign.openapi.proposal import propose as proposal  # noqa: PLC0415

    typer.echo(proposal(routes_of(document), source=Path(document).name or document), nl=False)
