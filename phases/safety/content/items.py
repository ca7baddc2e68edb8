"""What is said to the filter: items whose label is true by construction, or comes with a public set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One text, in one turn or several, and whether it must be blocked.

    `id` is stable: the same id is the same text in every run of the same version of the seeds. `template` is
    the sentence that it was made from; texts of one template are not independent. `relation` says how it was
    written ("plain", "leetspeak", ...). `source` is "generated" or the name of a public set.
    """

    id: str
    turns: tuple[str, ...]
    unsafe: bool
    category: str
    age: str
    template: str
    relation: str = "plain"
    source: str = "generated"

    @property
    def text(self) -> str:
        """All of it, turns apart."""
        return " / ".join(self.turns)

    @property
    def sentence(self) -> str:
        """The id of the sentence that it is a spelling of: the same for all relations."""
        return self.id.rpartition(":")[0] or self.id
