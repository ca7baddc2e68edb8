"""What the campaign file says under `catalogue`."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints

from campaign.settings import Duration, Settings

Look = Literal["indexes", "references", "engines", "primary_keys"]
LOOKS: tuple[Look, ...] = get_args(Look)
Place = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+){0,2}$", max_length=200)]
"""A table, a column as `table.column`, either with its schema before it."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class CatalogueSettings(Settings):
    """What the schema itself shows: keys without an index, references without a foreign key, orphans.

    `checks` says which of it is looked at, `ignore` names tables and columns that are meant to be as they
    are. A table of fewer than `many_rows` needs no index. Counting the orphans of one column may take
    `timeout`.
    """

    checks: Annotated[tuple[Look, ...], BeforeValidator(_listed)] = LOOKS
    ignore: Annotated[tuple[Place, ...], BeforeValidator(_listed)] = ()
    many_rows: int = Field(default=1_000, ge=0, le=1_000_000_000)
    timeout: Annotated[Duration, Field(gt=0, le=600)] = 5.0
