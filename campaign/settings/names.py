"""Field types for names of the vocabulary: operations and kinds of users.

The names that exist come with `model_validate(..., context={"operations": [...], "users": [...]})`; without
them, as when settings are made in Python, any text will do.
"""

from collections.abc import Callable, Collection
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

SHOWN = 12
"""Names listed in a message before it says how many more there are."""


def unknown_name(kind: str, names: Collection[str]) -> PydanticCustomError:
    """The mistake of a name that is not among `names`; its context holds them, for "did you mean"."""
    return PydanticCustomError(
        "unknown_name",
        "{kind} that is not defined",
        {"kind": kind, "allowed": list_names(names), "names": names},
    )


def list_names(names: Collection[str]) -> str:
    """The names for a reader, sorted: `converse, history, search`, and how many more."""
    ordered = sorted(names)
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(ordered[:SHOWN]) + more if ordered else "none is defined"


def _known(kind: str, key: str) -> Callable[[str, ValidationInfo], str]:
    def check(name: str, info: ValidationInfo) -> str:
        names = (info.context or {}).get(key)
        if names is not None and name not in names:
            raise unknown_name(kind, names)
        return name

    return check


OperationName = Annotated[
    str,
    Field(json_schema_extra={"x-name-of": "operations"}),
    AfterValidator(_known("an operation", "operations")),
]
"""The name of an operation of the campaign file."""

UserName = Annotated[
    str, Field(json_schema_extra={"x-name-of": "users"}), AfterValidator(_known("a kind of user", "users"))
]
"""The name of a kind of user of the campaign file."""
