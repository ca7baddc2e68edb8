"""Kinds of users that are Python classes: found beside the campaign file, looked at, overlaid by the file."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo

from campaign.config.document import Document
from campaign.config.mistakes import closest, written
from campaign.config.texts import wrong
from campaign.target.spec import UserSpec

if TYPE_CHECKING:
    from campaign.load.python.foreign import PythonUserError
    from campaign.load.python.reading import Portrait

Classes: TypeAlias = "Mapping[str, Portrait | PythonUserError]"
"""What each named class is, or why it is none, by its name in the file (`my_users.PowerTraveler`)."""

PATTERN = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+"
_NAMED = "python"
_OWN = ("start", "tasks", "stop")


def read_classes(data: Mapping[str, Any], folder: str) -> Classes:
    """What the classes are that kinds of users in `data` name; nothing is imported where there are none."""
    users = data.get("users")
    kinds = users.values() if isinstance(users, dict) else ()
    named = [kind.get(_NAMED) for kind in kinds if isinstance(kind, dict)]
    return {name: _looked_at(name, folder) for name in named if isinstance(name, str)}


def measures_of(classes: Classes) -> tuple[str, ...] | None:
    """Names of timed pieces and requests that limits may refer to; None (any) where a class could not be
    read.
    """
    measures = [getattr(each, "measures", None) for each in classes.values()]
    if None in measures:
        return None
    return tuple(dict.fromkeys(name for each in measures for name in each or ()))


def given_by(classes: Classes) -> frozenset[str] | None:
    """Names of values that the classes give to templates; None where they may give any."""
    given: list[frozenset[str] | None] = [getattr(each, "given", None) for each in classes.values()]
    return None if None in given else frozenset().union(*(each for each in given if each is not None))


def note_sendings(document: Document, classes: Classes, *, operations: Collection[str]) -> None:
    """Keep a mistake for each operation that a class sends by a name that there is not."""
    users = document.data.get("users")
    for kind, value in users.items() if isinstance(users, dict) else ():
        portrait = classes.get(str(value.get(_NAMED))) if isinstance(value, dict) else None
        for each in getattr(portrait, "sendings", ()):
            if each.operation not in operations:
                found = f"send({each.operation!r}) in {each.place}, an operation that is not defined"
                suggestion = closest(each.operation, operations)
                document.note(("users", str(kind), _NAMED), found, suggestion=suggestion)


def own_tasks(said: Collection[str]) -> str:
    """What the file says of tasks itself; those of a Python class are there and nowhere else."""
    return " and ".join(key for key in _OWN if key in said)


def as_class(spec: UserSpec, name: str, classes: Classes, *, said: Collection[str]) -> UserSpec:
    """The kind of user as the class `name` is, but with what the file itself `said`; as it was for no
    name.
    """
    portrait: Any = classes.get(name)
    if not name or portrait is None:
        return spec
    return replace(
        spec,
        python=name,
        folder=portrait.folder,
        weight=spec.weight if "weight" in said else portrait.weight,
        wait=spec.wait if "wait" in said else portrait.wait,
        iterations=spec.iterations if "iterations" in said else portrait.iterations,
        start=portrait.start,
        tasks=portrait.tasks,
        stop=portrait.stop,
    )


def _looked_at(name: str, folder: str) -> "Portrait | PythonUserError":
    from campaign.load.python.foreign import PythonUserError  # noqa: PLC0415 - only where a file names a class
    from campaign.load.python.reading import look_at  # noqa: PLC0415

    if not re.fullmatch(PATTERN, name):
        return PythonUserError(written(name), "module.Class, such as my_users.PowerTraveler")
    try:
        return look_at(name, folder)
    except PythonUserError as error:
        return error


def _usable(name: str, info: ValidationInfo) -> str:
    found: Any = (info.context or {}).get("classes", {}).get(name)
    if hasattr(found, "allowed"):
        raise wrong(found.allowed, found=found.found, names=found.names)
    return name


PythonClass = Annotated[str, AfterValidator(_usable), Field(json_schema_extra={"pattern": f"^{PATTERN}$"})]
"""`module.Class`: a class that extends campaign.User, in a module beside the campaign file or installed."""
