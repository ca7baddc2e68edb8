"""What each database is known to prevent at each level, and where that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phases.database.isolation.anomalies import ALL, Anomaly

_COMMITTED = frozenset({Anomaly.G0, Anomaly.G1A, Anomaly.G1B, Anomaly.G1C, Anomaly.OTV})
_SNAPSHOT = _COMMITTED | {Anomaly.PMP, Anomaly.P4, Anomaly.G_SINGLE}
_INNODB = _COMMITTED | {Anomaly.PMP, Anomaly.G_SINGLE}


@dataclass(frozen=True, slots=True)
class Published:
    """A table: level -> what it prevents. It was found for the versions from `first` to `last` by `source`.
    `tried`: whether we have seen it ourselves. `snapshot` is MariaDB's innodb_snapshot_isolation (None: there
    is no such setting).
    """

    product: str
    first: tuple[int, ...]
    last: tuple[int, ...]
    source: str
    tried: bool
    prevented: Mapping[str, frozenset[Anomaly]]
    snapshot: bool | None = None


_MYSQL = {
    "read uncommitted": frozenset({Anomaly.G0}),
    "read committed": _COMMITTED,
    "repeatable read": _INNODB,
    "serializable": ALL,
}
TABLES: tuple[Published, ...] = (
    Published(
        "PostgreSQL", (9, 3), (15,), "Hermitage (Kleppmann 2014); measured by us on 15", tried=True,
        prevented={"read committed": _COMMITTED, "repeatable read": _SNAPSHOT, "serializable": ALL},
    ),
    Published(
        "MySQL", (5, 6), (5, 6), "Hermitage (Kleppmann 2014); untried by us", tried=False, prevented=_MYSQL
    ),
    Published(
        "MariaDB", (10, 11), (10, 11), "measured by us, innodb_snapshot_isolation off", tried=True,
        prevented=_MYSQL, snapshot=False,
    ),
    Published(
        "MariaDB", (10, 11), (10, 11), "measured by us, innodb_snapshot_isolation on", tried=True,
        prevented={**_MYSQL, "repeatable read": _SNAPSHOT}, snapshot=True,
    ),
    Published(
        "SQLite", (3, 40), (3, 40), "measured by us", tried=True,
        prevented={
            "deferred": ALL,
            "immediate": ALL,
            "python default": ALL - {Anomaly.PMP, Anomaly.P4, Anomaly.G_SINGLE, Anomaly.G2_ITEM, Anomaly.G2},
        },
    ),
)  # fmt: skip


def published_for(product: str, *, snapshot: bool | None) -> Published | None:
    """The table for a product with this setting, or None where nobody has written one."""
    found = [each for each in TABLES if each.product == product]
    return next((each for each in found if each.snapshot in {None, bool(snapshot)}), None)


def covers(table: Published, version: tuple[int, ...]) -> bool:
    """Whether the table was found for this version; SQLite's is taken for the whole of SQLite 3."""
    if table.product == "SQLite":
        return version[:1] == table.first[:1]
    return version[: len(table.first)] >= table.first and version[: len(table.last)] <= table.last


def versions(table: Published) -> str:
    """The versions in words: "9.3 to 15"."""
    first, last = (".".join(map(str, each)) for each in (table.first, table.last))
    return first if first == last else f"{first} to {last}"
