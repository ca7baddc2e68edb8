"""The part as the phase sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign.records import Evidence, Finding
from phases.database.catalogue.judge import judge_catalogue
from phases.database.scene import Scene

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


class CataloguePart:
    """What the schema itself shows: keys without an index, references without a foreign key, orphans."""

    name = "catalogue"
    needs = "database"

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Where the file leaves any of its checks."""
        return bool(settings.catalogue.checks)

    def seconds(self, settings: DatabaseSettings) -> float:
        """Reading a schema takes about a second, counting orphans a timeout or two."""
        return 2.0 + settings.catalogue.timeout

    async def collect(self, scene: Scene) -> None:
        """Record the tables, and what they lack."""
        from phases.database.catalogue.collect import collect_catalogue  # noqa: PLC0415

        await collect_catalogue(scene)

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per check that is asked for."""
        yield from judge_catalogue(evidence, settings.catalogue)
