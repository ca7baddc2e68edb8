"""What a limit can be on, by the names of the campaign file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from campaign.target.journey import Node, groups_in, operations_in
from campaign.target.spec import UserSpec, Vocabulary

ALL = "all"
"""All operations together."""

TAG, KIND, REGION = "tag:", "kind:", "region:"
"""How subjects begin that are neither an operation nor a group."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The operations of each tag, the groups, and which operations and groups users do only when they start.

    A group with the name of an operation gives way to it.
    """

    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    start_only: frozenset[str] = frozenset()

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Subjects:
        """Those of a campaign file."""
        operations = vocabulary.operations
        tags = {tag for each in operations.values() for tag in each.options.tags}
        users = vocabulary.users.values()
        bodies = (body for user in users for body in (user.start, user.stop, *_tasks(user)))
        return cls(
            {
                tag: frozenset(name for name, each in operations.items() if tag in each.options.tags)
                for tag in sorted(tags)
            },
            frozenset(name for body in bodies for name in groups_in(body)) - operations.keys(),
            start_only(vocabulary),
        )


def start_only(vocabulary: Vocabulary) -> frozenset[str]:
    """The operations and groups that are nobody's task, but done at the start, at the end, or to delete what
    was made: most of their samples lie outside the hold.
    """
    users = vocabulary.users.values()
    tasks = {name for user in users for body in _tasks(user) for name in _names(body)}
    ends = {name for user in users for name in _names((*user.start, *user.stop))}
    undo = {by for name in tasks | ends if (by := _undo(vocabulary, name))}
    return frozenset(ends | undo) - tasks


def _undo(vocabulary: Vocabulary, name: str) -> str:
    operation = vocabulary.operations.get(name)
    return "" if operation is None else operation.options.undo


def _tasks(user: UserSpec) -> list[tuple[Node, ...]]:
    return [task.body for task in user.tasks.values()]


def _names(body: tuple[Node, ...]) -> list[str]:
    return [*operations_in(body), *groups_in(body)]
