"""Only the tasks with some tags, or without some: what is left of a campaign, and that it says so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from campaign.config.mistakes import closest
from campaign.config.plan import Campaign
from campaign.errors import ConfigurationError
from campaign.settings import LeftOut, list_names
from campaign.target.journey import Node, TaskSpec, groups_in, operations_in
from campaign.target.spec import OperationSpec, UserSpec, Vocabulary


@dataclass(frozen=True, slots=True)
class TagChoice:
    """A task is run when it has one of `wanted` (empty: any task) and none of `unwanted`."""

    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)

    @property
    def option(self) -> str:
        """What the user wrote."""
        parts = (("--tags", self.wanted), ("--exclude-tags", self.unwanted))
        return " ".join(f"{name} {','.join(sorted(tags))}" for name, tags in parts if tags)

    def takes(self, task: TaskSpec, operations: Mapping[str, OperationSpec]) -> bool:
        """Whether the task is run: by its own tags, or those of all its operations; one operation with an
        unwanted tag is enough to leave it out.
        """
        each = [operations[name].options.tags for name in operations_in(task.body)]
        if self.unwanted & task.tags.union(*each):
            return False
        wanted = self.wanted
        return not wanted or bool(wanted & task.tags) or bool(each and all(wanted & tags for tags in each))


def read_tags(texts: Collection[str]) -> frozenset[str]:
    """The tags of `--tags a,b --tags c`."""
    return frozenset(tag.strip() for text in texts for tag in text.split(",") if tag.strip())


def with_tags(campaign: Campaign, choice: TagChoice) -> Campaign:
    """The campaign with the chosen tasks alone: kinds of users that have none left drop out, and so do limits
    on what is not run. Raises ConfigurationError for an unknown tag, and where nothing is left.
    """
    if not choice:
        return campaign
    vocabulary = campaign.vocabulary
    _check(choice, vocabulary)
    users = {name: _chosen(user, choice, vocabulary.operations) for name, user in vocabulary.users.items()}
    kept = {name: user for name, user in users.items() if any(task.weight for task in user.tasks.values())}
    if not any(user.weight or user.count for user in kept.values()):
        raise ConfigurationError(
            f"{choice.option}: no task is left\n  tags     {list_names(_tags(vocabulary))}"
        )
    left_out = _left_out(choice.option, vocabulary, kept)
    narrowed = replace(vocabulary, users=kept, choice=_told(choice, vocabulary, kept))
    phases = tuple(replace(each, settings=each.settings.without(left_out)) for each in campaign.phases)
    told = {**campaign.configuration, "tags": {"run": choice.option, "tasks": _tasks(kept)}}
    return replace(campaign, vocabulary=narrowed, phases=phases, configuration=told)


def _chosen(user: UserSpec, choice: TagChoice, operations: Mapping[str, OperationSpec]) -> UserSpec:
    tasks = {name: task for name, task in user.tasks.items() if choice.takes(task, operations)}
    return replace(user, tasks=tasks)


def _check(choice: TagChoice, vocabulary: Vocabulary) -> None:
    tags = _tags(vocabulary)
    for tag in sorted((choice.wanted | choice.unwanted) - tags):
        meant = closest(tag, tags)
        hint = f"\n  did you mean  {meant}" if meant else ""
        raise ConfigurationError(
            f"{choice.option}: no task and no operation has the tag {tag!r}\n"
            f"  tags     {list_names(tags)}{hint}"
        )


def _tags(vocabulary: Vocabulary) -> frozenset[str]:
    tasks = (task.tags for user in vocabulary.users.values() for task in user.tasks.values())
    return frozenset().union(*tasks, *(each.options.tags for each in vocabulary.operations.values()))


def _tasks(users: Mapping[str, UserSpec]) -> dict[str, list[str]]:
    return {name: list(user.tasks) for name, user in users.items()}


def _told(choice: TagChoice, before: Vocabulary, kept: Mapping[str, UserSpec]) -> str:
    """The sentence for the report."""
    whole = sum(len(user.tasks) for user in before.users.values())
    left = sum(len(user.tasks) for user in kept.values())
    gone = [name for name in before.users if name not in kept]
    kinds = f"; no task is left for {', '.join(gone)}" if gone else ""
    return f"Only a part was run ({choice.option}): {left} of {whole} tasks of users{kinds}."


def _left_out(option: str, before: Vocabulary, kept: Mapping[str, UserSpec]) -> LeftOut:
    done = {name for user in kept.values() for name in user.operations}
    undone = frozenset(name for user in before.users.values() for name in user.operations) - done
    tagged = {tag for name in done for tag in before.operations[name].options.tags}
    all_tags = {tag for each in before.operations.values() for tag in each.options.tags}
    grouped = frozenset(_groups(before.users)) - frozenset(_groups(kept))
    return LeftOut(
        option,
        operations=undone,
        groups=grouped,
        users=frozenset(before.users) - kept.keys(),
        tags=frozenset(all_tags - tagged),
        regions=_regions(before.users) - _regions(kept),
    )


def _regions(users: Mapping[str, UserSpec]) -> frozenset[str]:
    return frozenset(region for user in users.values() for region in user.regions)


def _groups(users: Mapping[str, UserSpec]) -> Iterator[str]:
    for user in users.values():
        nodes: tuple[Node, ...] = user.bodies
        yield from groups_in(nodes)
