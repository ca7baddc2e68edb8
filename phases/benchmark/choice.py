"""What is measured where the campaign file leaves it open: operations of the users, and what comes first."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s

from campaign.target.journey import operations_in
from campaign.target.spec import OperationSpec, UserSpec, Vocabulary
from phases.benchmark.settings import BenchmarkSettings, Entry


def chosen_operations(settings: BenchmarkSettings, vocabulary: Vocabulary) -> dict[str, Entry]:
    """The operations with their limits: those that the file names, else what users do and only reads."""
    if settings.operations is not None:
        return dict(settings.operations)
    done = {name for user in vocabulary.users.values() for name in user.task_operations}
    return {
        name: Entry()
        for name, spec in vocabulary.operations.items()
        if name in done and spec.method == "GET" and spec.options.socket is None
    }


def start_operations(
    settings: BenchmarkSettings, vocabulary: Vocabulary, operations: Iterable[str]
) -> tuple[str, ...]:
    """What is done once before, in order: what the file says, else the start of the kind of user that does
    most of these operations as tasks, the first such kind.
    """
    if settings.start is not None:
        return settings.start
    wanted = set(operations)

    def shared(user: UserSpec) -> int:
        return len(wanted & user.task_operations)

    best = max(vocabulary.users.values(), key=shared, default=None)
    return () if best is None else tuple(dict.fromkeys(operations_in(best.start)))


def definition_of(spec: OperationSpec) -> str:
    """A short text that is the same as long as an operation sends the same request."""
    told = (
        spec.method, spec.path, spec.service, sorted(spec.query.items()), sorted(spec.headers.items()),
        spec.auth, spec.body,
    )  # fmt: skip
    return fingerprint(repr(told))


def fingerprint(text: str) -> str:
    """A short text that stands for a long one."""
    return blake2s(text.encode(), digest_size=8).hexdigest()
