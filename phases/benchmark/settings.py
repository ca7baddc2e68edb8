"""What the campaign file says of the benchmark phase: what is done one at a time, and its limits."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from campaign.database.address import Kind, kind_of
from campaign.database.sql import parameters, refusal
from campaign.errors import ConfigurationError
from campaign.records import Direction, Limit, Severity
from campaign.settings import Duration, LeftOut, OperationName, Settings, Share, parse_limit, write_limit
from campaign.settings.quantities import quantity_error
from campaign.stats.intervals import fewest_for
from campaign.target.origin import split_url

Importance = Literal["critical", "important", "minor"]
MetricName = Literal["mean", "p50", "p95", "p99"]
Command = Literal["get", "set", "mget", "hget", "hset", "incr", "ping"]
EntryName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w-]*$", max_length=80)]

SHARES: Mapping[str, float | None] = {"mean": None, "p50": 0.5, "p95": 0.95, "p99": 0.99}
"""Metrics, and the share of the times that a percentile's value is not exceeded by."""


def _read_limit(value: object) -> Limit | None:
    if value is None or isinstance(value, Limit):
        return value
    return parse_limit(value, unit="s", direction=Direction.AT_MOST)


def _write_limit(limit: Limit | None) -> str | None:
    return None if limit is None else write_limit(limit)


LIMIT_SCHEMA: dict[str, Any] = {"type": ["string", "null"], "examples": ["200ms", "50ms..200ms"]}

TimeLimit = Annotated[
    Limit | None,
    PlainValidator(_read_limit),
    PlainSerializer(_write_limit),
    WithJsonSchema(LIMIT_SCHEMA),
]
"""A limit on a time, or None."""


class Entry(Settings):
    """One thing that is measured: its limit's text alone (`50ms..200ms`), or a mapping.

    `target` and `acceptable` are the two ends of the limit, written apart. `metric` is what the limit and the
    comparisons are about. Without a limit it is measured and compared only.
    """

    short: ClassVar[bool] = True

    limit: TimeLimit = None
    target: Duration | None = None
    acceptable: Duration | None = None
    metric: MetricName = "mean"
    importance: Importance = "critical"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if value is None:
            return {}
        return value if isinstance(value, Mapping | Entry) else {"limit": value}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.limit is not None and (self.target is not None or self.acceptable is not None):
            raise quantity_error("either `limit`, or `target` and `acceptable`")
        if (self.target or 0.0) > (self.acceptable if self.acceptable is not None else float("inf")):
            raise quantity_error("a target that is not above what is acceptable")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Offer the limit's text, or nothing at all, as well as the mapping, where that may be short."""
        mapping: dict[str, Any] = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [LIMIT_SCHEMA, mapping]} if cls.short else mapping

    @property
    def bound(self) -> Limit | None:
        """The limit, however it is written."""
        ends = [each for each in (self.target, self.acceptable) if each is not None]
        return Limit(ends[0], ends[-1], "s") if ends else self.limit

    @property
    def fewest(self) -> int:
        """How many iterations the limit needs at least to be kept; 0 where any number may do."""
        share = SHARES[self.metric]
        return fewest_for(share) if self.bound and share is not None else 0

    @property
    def severity(self) -> Severity:
        """How much missing the limit counts."""
        return Severity(self.importance)


def _kind(info: ValidationInfo) -> Kind | None:
    return kind_of(str((info.context or {}).get("database", "")))


def _only_reads(sql: str, info: ValidationInfo) -> str:
    if not info.data.get("writes", True) and (why := refusal(sql, _kind(info))):
        raise _mistake("a query that only reads, or one with `writes: true`", why)
    return sql


Params = dict[str, str | int | float | bool | None]


def _of_statement(params: Params, info: ValidationInfo) -> Params:
    """Every parameter has a value, every value a parameter."""
    if "sql" not in info.data:  # its own mistake comes first
        return params
    named = parameters(info.data["sql"], _kind(info))
    told = ", ".join(f":{name}" for name in named) or "none"
    if missing := [name for name in named if name not in params]:
        raise _mistake(f"a value for each :name of the statement ({told})", f"no value for :{missing[0]}")
    if unknown := [name for name in params if name not in named]:
        raise _mistake(f"the parameters of the statement ({told})", f"{unknown[0]}, which it does not name")
    return params


def _mistake(allowed: str, found: str) -> PydanticCustomError:
    return PydanticCustomError("mistake", "is {found}, not {allowed}", {"allowed": allowed, "found": found})


class StatementEntry(Entry):
    """A statement on the target's database; `:name` in it stands for a value of `params`."""

    short: ClassVar[bool] = False

    writes: bool = False
    sql: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
        AfterValidator(_only_reads),
    ]
    params: Annotated[Params, AfterValidator(_of_statement)] = Field(
        default_factory=dict, validate_default=True
    )


class OrNames:
    """Makes a mapping of entries from a list of their names, too."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The mapping's own, behind the list."""
        return core_schema.no_info_before_validator_function(_by_name, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either form."""
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, handler(schema)]}


def _by_name(value: object) -> object:
    names = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return dict.fromkeys(value) if names else value  # type: ignore[call-overload]


def _url(value: str) -> str:
    if value:
        try:
            split_url(value)
        except ConfigurationError as error:
            raise quantity_error(f"the URL of a second target, as {error}") from None
    return value


class BenchmarkSettings(Settings):
    """Operations, statements and cache commands one at a time, `iterations` each after `warm_up` more.

    With no `operations` every one that users do as a task and that reads (GET) is measured, with no `cache`
    get and set where the target has a Redis. So many `users` do the rounds in turn, one at a time; each does
    `start` once before, by default what users of these operations do first, and `pause` is the rest between
    two rounds. `regression` is how much slower than in an earlier run (`--baseline`) or than on a second
    target (`against`) something may be. All of it takes `at_most` so long.
    """

    iterations: Annotated[int, Field(ge=10, le=100_000)] = 200
    warm_up: Annotated[int, Field(ge=0, le=10_000)] = 20
    at_most: Annotated[Duration, Field(ge=1, le=6 * 3600)] = 120.0
    users: Annotated[int, Field(ge=1, le=1000)] = 20
    pause: Annotated[Duration, Field(le=60)] = 0.0
    start: tuple[OperationName, ...] | None = None
    operations: Annotated[dict[OperationName, Entry], OrNames()] | None = None
    statements: dict[EntryName, StatementEntry] = Field(default_factory=dict)
    cache: Annotated[dict[Command, Entry], OrNames()] | None = None
    regression: Share = 0.20
    against: Annotated[str, AfterValidator(_url)] = ""

    @model_validator(mode="after")
    def _enough(self) -> Self:
        name, entry = max(self._entries(), key=lambda each: each[1].fewest, default=("", Entry()))
        if self.iterations < entry.fewest:
            allowed = f"{entry.fewest} or more, as the limit on the {entry.metric} of {name} needs"
            raise _mistake(allowed, f"iterations: {self.iterations}")
        return self

    def _entries(self) -> list[tuple[str, Entry]]:
        """All that are named."""
        named = (self.operations or {}, self.statements, self.cache or {})
        return [(str(name), entry) for each in named for name, entry in each.items()]

    def quick(self) -> Self:
        """Fewer iterations, but as many as the limits on percentiles need."""
        enough = max([QUICK_ITERATIONS, *(entry.fewest for _, entry in self._entries())])
        changes: dict[str, Any] = {
            "iterations": min(self.iterations, enough),
            "warm_up": min(self.warm_up, QUICK_WARM_UP),
            "at_most": min(self.at_most, QUICK_SECONDS),
        }
        return self.model_copy(update=changes)

    def without(self, left_out: LeftOut) -> Self:
        """Without the operations that are not run."""
        if self.operations is None:
            return self
        kept = {name: each for name, each in self.operations.items() if name not in left_out.operations}
        return self.model_copy(update={"operations": kept})

    def urls(self) -> Mapping[str, str]:
        """The second target, where there is one."""
        return {"against": self.against} if self.against else {}


QUICK_ITERATIONS = 30
QUICK_WARM_UP = 5
QUICK_SECONDS = 20.0

DEFAULT_CACHE = {name: Entry(limit=Limit(0.002, 0.005, "s")) for name in ("get", "set")}
"""What is asked of a Redis where the file does not say."""
