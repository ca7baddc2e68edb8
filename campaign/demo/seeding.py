"""The data the service starts with: known accounts, and so much history that a missing index hurts.

Rows are made by the database itself in one statement, before the indexes exist: half a million messages
take well under a second on SQLite.
"""

from sqlalchemy import Connection, insert, text

from campaign.demo.consents import COLLECTION, CURRENT_POLICY, GRANTED
from campaign.demo.now import now_ms
from campaign.demo.options import DemoOptions
from campaign.demo.passwords import hash_password
from campaign.demo.sayings import EXCHANGES
from campaign.demo.schema import children, consents, operators, parents, sessions
from campaign.demo.tokens import new_id

PASSWORD = "demo-password"  # noqa: S105 - the point of a demo account is that everybody knows it
OPERATOR = "operator@example.com"
CHILD_NAMES = ("Ada", "Ben", "Chloe", "David", "Ella", "Finn", "Grace", "Hugo", "Ivy", "Jonas")
HISTORY_STEP_MS = 60_000
ACTIVITIES_EACH = 20
ACTIVITY_KINDS = ("story", "game", "homework", "music", "rest")
CONSENT = {
    "kind": COLLECTION,
    "state": GRANTED,
    "policy_version": CURRENT_POLICY,
    "method": "signed_form",
    "reference": "seeded",
}


def email_of(number: int) -> str:
    """The address of the seeded parent with this number; the first is 1."""
    return f"parent{number:04}@example.com"


def seed(connection: Connection, options: DemoOptions) -> None:
    """Fill empty tables in the caller's transaction."""
    if not options.seed_parents:
        return
    began_ms = now_ms()
    # One salt and one hash for all: they share one public password, and a thousand hashes would take longer
    # than all the rest of the start.
    password_hash = hash_password(PASSWORD, options.password_cost)
    families = [
        _family(number, password_hash=password_hash, began_ms=began_ms)
        for number in range(1, options.seed_parents + 1)
    ]
    for table in (parents, children, consents, sessions):
        connection.execute(insert(table), [family[table.name] for family in families])
    _seed_operator(connection, password_hash, began_ms=began_ms)
    _seed_history(connection, options.seed_history // options.seed_parents, began_ms=began_ms)
    _seed_activities(connection, began_ms=began_ms)


def _family(number: int, *, password_hash: str, began_ms: int) -> dict[str, dict[str, object]]:
    parent_id, child_id = new_id(), new_id()
    return {
        "parents": {
            "id": parent_id,
            "email": email_of(number),
            "name": f"Parent {number}",
            "password_hash": password_hash,
            "created_at_ms": began_ms,
        },
        "children": {
            "id": child_id,
            "parent_id": parent_id,
            "name": CHILD_NAMES[number % len(CHILD_NAMES)],
            "birth_year": 2017 + number % 5,
            "interests": "",
            "created_at_ms": began_ms,
        },
        "consents": {"child_id": child_id, **CONSENT, "changed_at_ms": began_ms},
        "sessions": {
            "id": new_id(),
            "child_id": child_id,
            "started_at_ms": began_ms,
            "last_active_at_ms": began_ms,
        },
    }


def _seed_operator(connection: Connection, password_hash: str, *, began_ms: int) -> None:
    """The account of an operator, without children."""
    account = {"id": new_id(), "email": OPERATOR, "name": "Operator", "password_hash": password_hash}
    connection.execute(insert(parents), account | {"created_at_ms": began_ms})
    connection.execute(insert(operators), {"parent_id": account["id"]})


def _seed_history(connection: Connection, per_session: int, *, began_ms: int) -> None:
    lines = [line for exchange in EXCHANGES for line in zip(("child", "teddy"), exchange, strict=True)]
    values = ", ".join(f"({n}, '{role}', '{words}')" for n, (role, words) in enumerate(lines))
    connection.execute(
        text(f"""
        INSERT INTO messages (turn_id, session_id, child_id, role, text, filtered, created_at_ms)
        WITH RECURSIVE turn(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM turn WHERE n + 1 < :per_session),
             line(n, role, words) AS (VALUES {values})
        SELECT substr(sessions.id, 1, 8) || '-' || (turn.n / 2), sessions.id, sessions.child_id,
               line.role, line.words, turn.n < 0, :first_ms + turn.n * {HISTORY_STEP_MS}
        FROM turn CROSS JOIN sessions JOIN line ON line.n = turn.n % {len(lines)}
        WHERE turn.n < :per_session
        """),  # noqa: S608 - made of the constants above
        {"per_session": per_session, "first_ms": began_ms - per_session * HISTORY_STEP_MS},
    )


def _seed_activities(connection: Connection, *, began_ms: int) -> None:
    kinds = ", ".join(f"({n}, '{kind}')" for n, kind in enumerate(ACTIVITY_KINDS))
    connection.execute(
        text(f"""
        INSERT INTO activities (child_id, kind, detail, created_at_ms)
        WITH RECURSIVE time(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM time WHERE n + 1 < {ACTIVITIES_EACH}),
             done(n, kind) AS (VALUES {kinds})
        SELECT children.id, done.kind, '', :first_ms + time.n * {HISTORY_STEP_MS}
        FROM time CROSS JOIN children JOIN done ON done.n = time.n % {len(ACTIVITY_KINDS)}
        """),  # noqa: S608 - made of the constants above
        {"first_ms": began_ms - ACTIVITIES_EACH * HISTORY_STEP_MS},
    )
