"""What each value of a durability setting means for a write that was confirmed, by product. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a value does to committed writes."""

    SAFE = "safe"
    LOSES = "loses commits"
    DAMAGES = "may damage the database"
    POWER = "loses commits with the power"
    COPIES = "copies may lack commits"
    FACT = "for information"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One setting, explained. `remedy` is the right value, "" where nothing is wrong with this one."""

    name: str
    value: str
    verdict: Verdict
    text: str
    remedy: str = ""


def meanings(product: str, values: Mapping[str, str]) -> tuple[Meaning, ...]:
    """Every setting that decides, explained, in the order in which they are read; unknown ones are left
    out.
    """
    return tuple(_explained(_RULES.get(product, {}), values))


Rule = Callable[[str, Mapping[str, str]], Meaning]


def _explained(rules: Mapping[str, Rule], values: Mapping[str, str]) -> Iterator[Meaning]:
    for name, rule in rules.items():
        if name in values:
            yield rule(values[name].lower(), values)


def _fsync(value: str, _: Mapping[str, str]) -> Meaning:
    if value == "off":
        text = (
            "nothing is ever forced to the disk: a crash of the machine may lose any number of committed "
            "writes, and leave the database beyond repair"
        )
        return Meaning("fsync", value, Verdict.LOSES, text, "fsync = on")
    return Meaning("fsync", value, Verdict.SAFE, "what is written is forced to the disk")


def _synchronous_commit(value: str, values: Mapping[str, str]) -> Meaning:
    if value == "off":
        window = _window(values.get("wal_writer_delay", ""))
        text = (
            f"a commit is confirmed before it is on the disk: a crash of the server or of the machine loses "
            f"what was confirmed in {window} before it"
        )
        return Meaning("synchronous_commit", value, Verdict.LOSES, text, "synchronous_commit = on")
    if values.get("synchronous_standby_names") and value == "local":
        text = "a commit waits for this machine's disk and for no standby: a failover may lose it"
        return Meaning("synchronous_commit", value, Verdict.COPIES, text, "synchronous_commit = on")
    return Meaning("synchronous_commit", value, Verdict.SAFE, "a commit is confirmed when it is on the disk")


def _window(delay: str) -> str:
    """How much an asynchronous commit risks: three times wal_writer_delay (chapter 30.4 of the manual)."""
    number, _, unit = delay.partition(" ")
    if not number.isdigit():
        return "three times wal_writer_delay"
    return f"up to {3 * int(number):,} {unit} (3 x wal_writer_delay)"


def _full_page_writes(value: str, _: Mapping[str, str]) -> Meaning:
    if value == "off":
        text = "a page that is half written when the machine crashes stays broken, with all rows in it"
        return Meaning("full_page_writes", value, Verdict.DAMAGES, text, "full_page_writes = on")
    return Meaning("full_page_writes", value, Verdict.SAFE, "half-written pages are repaired after a crash")


def _wal_level(value: str, _: Mapping[str, str]) -> Meaning:
    text = (
        "no standby and no archive can follow: only a full backup brings a lost disk back"
        if value == "minimal"
        else "standbys and archives can follow"
    )
    return Meaning("wal_level", value, Verdict.FACT, text)


def _standbys(value: str, _: Mapping[str, str]) -> Meaning:
    text = (
        f"a commit waits for {value}"
        if value
        else "a commit waits for no standby: it is lost with this machine's disk, or in a failover"
    )
    return Meaning("synchronous_standby_names", value or "(none)", Verdict.FACT, text)


def _flush_log(value: str, values: Mapping[str, str]) -> Meaning:
    name, right = "innodb_flush_log_at_trx_commit", "innodb_flush_log_at_trx_commit = 1"
    window = f"up to about {values.get('innodb_flush_log_at_timeout', '1')} s before it"
    if value == "0":
        text = (
            f"a commit is confirmed before it is written: a crash of the server or of the machine loses what "
            f"was confirmed in {window}"
        )
        return Meaning(name, value, Verdict.LOSES, text, right)
    if value == "2":
        text = (
            f"a commit is written and not forced to the disk: a crash of the machine loses what was "
            f"confirmed in {window}; a crash of the server alone loses nothing"
        )
        return Meaning(name, value, Verdict.LOSES, text, right)
    return Meaning(name, value, Verdict.SAFE, "a commit is confirmed when it is on the disk")


def _flush_method(value: str, _: Mapping[str, str]) -> Meaning:
    if value in {"nosync", "littlesync"}:
        text = "data files are not forced to the disk: a crash of the machine may lose any of it"
        return Meaning("innodb_flush_method", value, Verdict.LOSES, text, "innodb_flush_method = O_DIRECT")
    return Meaning("innodb_flush_method", value, Verdict.SAFE, "data files are forced to the disk")


def _doublewrite(value: str, _: Mapping[str, str]) -> Meaning:
    if value in {"off", "0", "detect_only"}:
        text = (
            "a page that is half written when the machine crashes stays broken, unless the file system "
            "writes pages whole"
        )
        return Meaning("innodb_doublewrite", value, Verdict.DAMAGES, text, "innodb_doublewrite = ON")
    return Meaning("innodb_doublewrite", value, Verdict.SAFE, "half-written pages are repaired after a crash")


def _sync_binlog(value: str, values: Mapping[str, str]) -> Meaning:
    if values.get("log_bin", "").lower() not in {"on", "1"}:
        return Meaning("sync_binlog", value, Verdict.FACT, "there is no binary log (log_bin = OFF)")
    if value != "1":
        text = (
            "the binary log is not forced to the disk with each commit: after a crash of the machine "
            "replicas and point-in-time recovery may lack committed writes"
        )
        return Meaning("sync_binlog", value, Verdict.COPIES, text, "sync_binlog = 1")
    return Meaning("sync_binlog", value, Verdict.SAFE, "the binary log is on the disk with each commit")


def _log_bin(value: str, _: Mapping[str, str]) -> Meaning:
    text = (
        "no replica and no point-in-time recovery: only a full backup brings a lost disk back"
        if value in {"off", "0"}
        else "replicas and point-in-time recovery can follow"
    )
    return Meaning("log_bin", value, Verdict.FACT, text)


def _journal_mode(value: str, _: Mapping[str, str]) -> Meaning:
    if value in {"off", "memory"}:
        text = (
            "there is no journal on the disk: a crash of the process in the middle of a commit leaves the "
            "file damaged, with any of its committed rows"
        )
        return Meaning("journal_mode", value, Verdict.LOSES, text, "PRAGMA journal_mode = WAL")
    return Meaning("journal_mode", value, Verdict.SAFE, "a broken commit is undone, a finished one is kept")


def _synchronous(value: str, values: Mapping[str, str]) -> Meaning:
    right = "PRAGMA synchronous = FULL on every connection"
    if value in {"off", "0"}:
        text = (
            "nothing is forced to the disk: a power loss or a crash of the machine may lose committed writes "
            "and damage the file; a crash of the process alone loses nothing"
        )
        return Meaning("synchronous", value, Verdict.LOSES, text, right)
    if value in {"normal", "1"} and values.get("journal_mode", "").lower() == "wal":
        text = (
            "a commit is not forced to the disk: a crash of the process loses nothing; a power loss or a "
            "crash of the machine loses the commits since the last checkpoint, and the file stays whole"
        )
        return Meaning("synchronous", value, Verdict.POWER, text, right)
    if value in {"normal", "1"}:
        text = (
            "a commit is forced to the disk; a power loss at the wrong moment may, rarely, damage the file "
            "of a rollback journal"
        )
        return Meaning("synchronous", value, Verdict.POWER, text, right)
    return Meaning("synchronous", value, Verdict.SAFE, "a commit is confirmed when it is on the disk")


def _locking_mode(value: str, _: Mapping[str, str]) -> Meaning:
    text = "other processes are kept out" if value == "exclusive" else "several processes may use the file"
    return Meaning("locking_mode", value, Verdict.FACT, text)


_POSTGRESQL: Mapping[str, Rule] = {
    "fsync": _fsync,
    "synchronous_commit": _synchronous_commit,
    "full_page_writes": _full_page_writes,
    "wal_level": _wal_level,
    "synchronous_standby_names": _standbys,
}
_MYSQL: Mapping[str, Rule] = {
    "innodb_flush_log_at_trx_commit": _flush_log,
    "innodb_flush_method": _flush_method,
    "innodb_doublewrite": _doublewrite,
    "sync_binlog": _sync_binlog,
    "log_bin": _log_bin,
}
_SQLITE: Mapping[str, Rule] = {
    "journal_mode": _journal_mode,
    "synchronous": _synchronous,
    "locking_mode": _locking_mode,
}
_RULES = {"PostgreSQL": _POSTGRESQL, "MariaDB": _MYSQL, "MySQL": _MYSQL, "SQLite": _SQLITE}
SETTINGS = (*_POSTGRESQL, *_MYSQL, *_SQLITE)
"""Every setting whose value has a meaning here."""
