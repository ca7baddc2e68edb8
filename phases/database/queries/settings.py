"""What the campaign file says of statements under `queries`, and of their run under `querying`."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from campaign.database.address import kind_of
from campaign.database.sql import parameters, refusal
from campaign.errors import ConfigurationError
from campaign.settings import Duration, GradedLimit, Rate, Settings
from campaign.target.guard import is_production
from campaign.target.template import compile_json
from phases.database.mistakes import mistake
from phases.database.pattern import OneOf, Param, Pattern, Rendered, Statement
from phases.database.running.limits import ALL, PatternLimits, Planned, at_most, planned

MEAN = 0.050
ERROR_RATE = 0.01
SHIPPED: Mapping[str, GradedLimit] = {"mean": at_most(MEAN), "error_rate": at_most(ERROR_RATE, "share")}
"""The limits of every statement that has none of its own."""

QUICK_SECONDS = 3.0
LONGEST_SQL = 20_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")
_PYTHON = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_SCALARS = (str, int, float, bool, dt.date, dt.time, type(None))


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or name == ALL:
        raise PydanticCustomError(
            "query", "is not {allowed}", {"allowed": f"a name of letters, digits, _ and -, other than {ALL}"}
        )
    return name


QueryName = Annotated[str, AfterValidator(_name)]


def _environment(info: ValidationInfo) -> str:
    """The target's environment where nothing may be written, else ""."""
    environment = str((info.context or {}).get("environment", ""))
    return environment if is_production(environment) else ""


def database_in(info: ValidationInfo) -> str:
    """The URL of the target's database where the file is read as a whole, else ""."""
    return str((info.context or {}).get("database", ""))


def _writes(writes: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic calls it
    if writes and (environment := _environment(info)):
        raise mistake("queries that only read, on such a target", f"writes: true on {environment}")
    return writes


def _sql(sql: str, info: ValidationInfo) -> str:
    if len(sql) > LONGEST_SQL:
        raise mistake(f"a statement of at most {LONGEST_SQL:,} characters", f"{len(sql):,} characters")
    why = refusal(sql, kind_of(database_in(info))) if sql and not info.data.get("writes", True) else ""
    if why:
        raise mistake("one query that only reads; what writes says so (writes: true)", why)
    return sql


def _python(path: str, info: ValidationInfo) -> str:
    """The function is imported now, so that a wrong name is found before anything runs."""
    if not path:
        return path
    if info.data.get("sql"):
        raise mistake("either sql or python", "both")
    if environment := _environment(info):
        raise mistake("sql that only reads, on such a target", f"Python on {environment}")
    if not _PYTHON.fullmatch(path):
        raise mistake("module.function, such as my_queries.report", repr(path[:80]))
    if folder := (info.context or {}).get("folder"):
        _find(path, str(folder))
    return path


def _find(path: str, folder: str) -> None:
    from phases.database.running.pieces import find_callable  # noqa: PLC0415 - only where a file names one

    try:
        find_callable(path, folder)
    except ConfigurationError as error:
        allowed = "module.function, an async function in a module beside the campaign file"
        raise mistake(allowed, str(error)[:200]) from error


def _params(params: Any, info: ValidationInfo) -> Any:
    """Every parameter has a value, every value a parameter."""
    if not isinstance(params, dict):
        raise mistake("a mapping of parameters to values", repr(params)[:80])
    known = (info.context or {}).get("feeds")
    for name, value in params.items():
        _check_value(str(name), value, known)
    if "sql" in info.data:
        _check_names({str(name) for name in params}, parameters(info.data["sql"], kind_of(database_in(info))))
    return params


def _check_names(given: set[str], wanted: tuple[str, ...]) -> None:
    if missing := [name for name in wanted if name not in given]:
        raise mistake("a value for each :name of the statement", f"no value for :{missing[0]}")
    if unknown := sorted(given - set(wanted)):
        there = ", ".join(f":{name}" for name in wanted) or "none"
        raise mistake(f"the parameters of the statement ({there})", f"{unknown[0]}, which it does not name")


def _check_value(name: str, value: Any, known: Any) -> None:
    values = value if isinstance(value, list) else [value]
    allowed = "a value, an {{ expression }}, or a list of values to draw from"
    if not values or not all(_is_scalar(each) for each in values):
        raise mistake(allowed, f"{name}: {repr(value)[:80]}")
    if isinstance(value, list) and any(_is_template(each) for each in value):
        raise mistake(allowed, f"{name}: an expression in a list")
    if _is_template(value):
        try:
            compile_json(value, known)
        except ConfigurationError as error:
            raise mistake(allowed, f"{name}: {error}"[:200]) from error


def _is_scalar(value: Any) -> bool:
    return isinstance(value, _SCALARS) and not (isinstance(value, float) and not math.isfinite(value))


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


class QuerySettings(Settings):
    """One statement of the user's own: `sql` with parameters written `:name`, or `python`, an async function
    that is given the driver's connection.

    A parameter is a value, an `{{ expression }}` or a list of values to draw from.
    """

    writes: Annotated[bool, AfterValidator(_writes)] = False
    sql: Annotated[str, AfterValidator(_sql)] = ""
    python: Annotated[str, AfterValidator(_python)] = ""
    params: Annotated[dict[str, Any], BeforeValidator(_params)] = Field(
        default_factory=dict, validate_default=True
    )
    weight: float = Field(default=1.0, gt=0, le=1e6)
    limits: PatternLimits = PatternLimits()

    _folder: str = PrivateAttr("")

    @model_validator(mode="after")
    def _something(self, info: ValidationInfo) -> Self:
        if not self.sql.strip() and not self.python:
            raise mistake("sql: SELECT ..., or python: module.function", "neither sql nor python")
        self._folder = str((info.context or {}).get("folder", ""))
        return self

    def pattern(self, name: str) -> Pattern:
        """What is run."""
        statements = (Statement(self.sql, self.drawn),) if self.sql else ()
        return Pattern(name, self.weight, statements, self.writes, 0, self.python, self._folder)

    @property
    def drawn(self) -> dict[str, Param]:
        """How each parameter comes to its value."""
        return {name: _drawn(value) for name, value in self.params.items()}


def _drawn(value: Any) -> Param:
    if isinstance(value, list):
        return OneOf(tuple(value))
    if _is_template(value):
        return Rendered(value)
    plain: Param = value
    return plain


class QueryingSettings(Settings):
    """How the statements under `queries` are run, all together: by so many `users` one after the other, each
    on a connection of its own, or at a `rate` over so many `connections`.
    """

    users: int = Field(default=4, ge=1, le=500)
    rate: Rate | None = None
    connections: int = Field(default=10, ge=1, le=500)
    hold: Annotated[Duration, Field(ge=1)] = 20.0
    warm_up: Duration = 2.0
    timeout: Annotated[Duration, Field(ge=0.1)] = 10.0
    most_rows: int = Field(default=10_000, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.rate is not None and "users" in self.model_fields_set:
            raise mistake("either users or a rate", "both")
        return self

    def quick(self) -> Self:
        """A few seconds."""
        hold, warm_up = min(self.hold, QUICK_SECONDS), min(self.warm_up, 0.5)
        return self.model_copy(update={"hold": hold, "warm_up": warm_up})


def planned_queries(queries: Mapping[str, QuerySettings]) -> tuple[Planned, ...]:
    """Every limit on every statement: the shipped ones, and the file's own in their place."""
    return planned(
        "queries",
        dict.fromkeys(queries, SHIPPED),
        {name: each.limits for name, each in queries.items()},
    )
