"""The checker of list-append histories: each anomaly is seen in a history that has it, and in no other."""

import random

import pytest

from phases.database.invariants.checker import check_history
from phases.database.invariants.history import Append, Read, Status, Transaction
from phases.database.invariants.promises import (
    ALWAYS,
    COMMITTED,
    SERIALIZABLE,
    SNAPSHOT,
    Anomaly,
    promised,
    required,
)

OK, FAIL, UNKNOWN = Status.OK, Status.FAIL, Status.UNKNOWN


def history(*transactions):
    """Transactions as (status, operation, …); ("a", key, value) appends and ("r", key, values…) reads."""
    return [
        Transaction(number, status, tuple(_operation(each) for each in operations))
        for number, (status, *operations) in enumerate(transactions, 1)
    ]


def _operation(each):
    what, key, *rest = each
    return Append(key, rest[0]) if what == "a" else Read(key, tuple(rest))


def kinds(transactions, final):
    return {kind.value: count for kind, count in check_history(history(*transactions), final).counts.items()}


FINE = [
    (OK, ("a", 1, 1), ("r", 1, 1)),
    (OK, ("r", 1, 1), ("a", 1, 2), ("a", 2, 3)),
    (FAIL, ("a", 1, 4)),
    (OK, ("r", 1, 1, 2), ("r", 2, 3)),
]


@pytest.mark.parametrize(
    ("transactions", "final", "found"),
    [
        ([], {}, {}),
        (FINE, {1: (1, 2), 2: (3,)}, {}),
        ([(OK, ("a", 1, 1), ("a", 2, 2)), (OK, ("a", 1, 3), ("a", 2, 4))], {1: (1, 3), 2: (4, 2)}, {"G0": 1}),
        ([(FAIL, ("a", 1, 1)), (OK, ("r", 1, 1))], {1: ()}, {"G1a": 1}),
        ([(OK, ("a", 1, 1), ("a", 1, 2)), (OK, ("r", 1, 1))], {1: (1, 2)}, {"G1b": 1, "G-single": 1}),
        ([(OK, ("a", 1, 1), ("r", 2, 2)), (OK, ("a", 2, 2), ("r", 1, 1))], {1: (1,), 2: (2,)}, {"G1c": 1}),
        ([(OK, ("r", 1), ("r", 2, 2)), (OK, ("a", 1, 1), ("a", 2, 2))], {1: (1,), 2: (2,)}, {"G-single": 1}),
        ([(OK, ("r", 1), ("a", 1, 1)), (OK, ("r", 1), ("a", 1, 2))], {1: (1, 2)}, {"G-single": 1}),
        ([(OK, ("r", 1), ("a", 2, 2)), (OK, ("r", 2), ("a", 1, 1))], {1: (1,), 2: (2,)}, {"G2-item": 1}),
        ([(OK, ("a", 1, 1)), (OK, ("a", 1, 2))], {1: (2,)}, {"lost append": 1}),
        ([(OK, ("a", 1, 1))], {1: (1, 1)}, {"duplicate": 1}),
        ([(OK, ("a", 1, 1))], {1: (1, 9)}, {"unexpected value": 1}),
        ([(OK, ("a", 1, 1)), (OK, ("a", 1, 2)), (OK, ("r", 1, 2))], {1: (1, 2)}, {"incompatible order": 1}),
        ([(OK, ("a", 1, 1), ("r", 1))], {1: (1,)}, {"own append unseen": 1}),
        ([(UNKNOWN, ("a", 1, 1)), (OK, ("r", 1, 1))], {1: (1,)}, {}),
        ([(UNKNOWN, ("a", 1, 1))], {1: ()}, {}),
        ([(UNKNOWN, ("a", 1, 1), ("a", 2, 2))], {1: (1,), 2: ()}, {"lost append": 1}),
    ],
)  # fmt: skip
def test_each_anomaly_is_seen_in_a_history_that_has_it(transactions, final, found):
    assert kinds(transactions, final) == found


def test_a_cycle_shows_the_transactions_that_make_it():
    found = check_history(
        history((OK, ("r", 1), ("a", 2, 2)), (OK, ("r", 2), ("a", 1, 1))), {1: (1,), 2: (2,)}
    )
    (case,) = found.cases
    assert case.text == "T1 -rw 1:1-> T2, T2 -rw 2:2-> T1"
    assert case.shown == ("T1 (ok): read(1) = [], append(2, 2)", "T2 (ok): read(2) = [], append(1, 1)")


def test_a_long_serial_history_has_none_and_one_stale_read_in_it_is_found():
    draw, lists, done = random.Random(3), {key: [] for key in range(5)}, []
    for number in range(1, 2001):
        key = draw.randrange(5)
        seen = tuple(lists[key])
        lists[key].append(number)
        done.append(Transaction(number, OK, (Read(key, seen), Append(key, number))))
    final = {key: tuple(values) for key, values in lists.items()}
    assert not check_history(done, final).counts
    late = done[-1].operations[1]
    done[-1] = Transaction(2000, OK, (Read(late.key, final[late.key][:-2]), late))
    assert set(check_history(done, final).counts) == {"G-single"}


def test_only_few_examples_of_a_kind_are_kept():
    found = check_history(history(*((OK, ("a", 1, number)) for number in range(1, 50))), {1: ()})
    assert (found.counts["lost append"], len(found.cases)) == (49, 5)


@pytest.mark.parametrize(
    ("product", "level", "more", "expected"),
    [
        ("PostgreSQL", "READ COMMITTED", {}, COMMITTED),
        ("PostgreSQL", "REPEATABLE READ", {}, SNAPSHOT),
        ("PostgreSQL", "SERIALIZABLE", {}, SERIALIZABLE),
        ("MariaDB", "REPEATABLE READ", {}, COMMITTED),
        ("MariaDB", "REPEATABLE-READ", {"snapshot": True}, SNAPSHOT),
        ("MySQL", "READ UNCOMMITTED", {}, ALWAYS),
        ("SQLite", "SERIALIZABLE", {}, SERIALIZABLE),
    ],
)
def test_a_level_forbids_what_it_promises(product, level, more, expected):
    assert promised(product, level, **more) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], frozenset()),
        (["serializable"], SERIALIZABLE),
        (["repeatable read"], SNAPSHOT),
        (["no write skew", "G-single"], {Anomaly.G_SINGLE, Anomaly.G2_ITEM}),
        (["G1a"], {Anomaly.G1A}),
        (["PMP", "no lost update"], frozenset()),
    ],
)
def test_a_requirement_is_read_from_names_of_levels_and_anomalies(words, expected):
    assert required(words) == expected
