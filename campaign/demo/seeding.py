"""The data the service starts with: known accounts, and so much history that a missing index hurts.

Rows are made by the database itself in one statement, before the indexes exist: half a million messages
take well under a second on SQLite.
"""

from sqlalchemy import Connection, insert, text

from campaign.demo.consents import COLLECTION, CURRENT_POLICY, GRANTED
from campaign.demo.now import now_ms
from campaign.demo.options import DemoOptions
from campaign.demo.passwords import hash_password
from campaign.demo.schema import children, consents, parents, sessions
from campaign.demo.tokens import new_id

PASSWORD = "demo-password"  # noqa: S105 - the point of a demo account is that everybody knows it
CHILD_NAMES = ("Ada", "Ben", "Chloe", "David", "Ella", "Finn", "Grace", "Hugo", "Ivy", "Jonas")
HISTORY_STEP_MS = 60_000
CONSENT = {
    "kind": COLLECTION,
    "state": GRANTED,
    "policy_version": CURRENT_POLICY,
    "method": "signed_form",
    "reference": "seeded",
}
SAYINGS = (
    ("child", "Tell me a story about a dragon who could not fly."),
    (
        "teddy",
        "Once there was a small dragon called Pip, who lived on a hill behind the mill. All the other dragons could "
        "fly, and every morning Pip climbed to the very top, counted to three, spread both wings and jumped. And "
        "every morning Pip landed in the same big heap of leaves, with the same soft thump, and the hedgehog who "
        "slept there said good morning. Shall I tell you what the hedgehog knew about the wind?",
    ),
    ("child", "Yes! What did the hedgehog know?"),
    (
        "teddy",
        "The hedgehog knew that the wind comes up the hill when the sun has warmed the valley, not in the cold of "
        "the morning. So the next day they waited together. They ate an apple, they sang all the songs they knew, "
        "and at noon the leaves began to dance. Now, said the hedgehog. Pip jumped, the wind came, and the small "
        "dragon flew once around the mill and back, and was late for supper.",
    ),
    ("child", "Help me with my homework. What is seven times eight?"),
    (
        "teddy",
        "Let us find it together. Seven times seven is forty-nine, you know that one already. Seven times eight is "
        "one more seven, so we count on from forty-nine: fifty, fifty-one, fifty-two, fifty-three, fifty-four, "
        "fifty-five, fifty-six. So seven times eight makes fifty-six. A nice way to keep it is five, six, seven, "
        "eight: fifty-six is seven times eight. Would you like to try nine times eight by yourself?",
    ),
    ("child", "Can we play a game?"),
    (
        "teddy",
        "Oh yes. Let us play I see something that you do not see. I look around the room, and I see something that "
        "is as blue as the sea and as round as a plate. It does not roll, it does not bounce, and you look at it "
        "when you want to know whether it is time for supper. Take as many guesses as you like, and if it is too "
        "hard just say so and I will give you another hint about where it hangs.",
    ),
)


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
    _seed_history(connection, options.seed_history // options.seed_parents, began_ms=began_ms)


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


def _seed_history(connection: Connection, per_session: int, *, began_ms: int) -> None:
    if not per_session:
        return
    sayings = ", ".join(f"({n}, '{role}', '{words}')" for n, (role, words) in enumerate(SAYINGS))
    connection.execute(
        text(f"""
        INSERT INTO messages (turn_id, session_id, child_id, role, text, filtered, created_at_ms)
        WITH RECURSIVE turn(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM turn WHERE n + 1 < :per_session),
             saying(n, role, words) AS (VALUES {sayings})
        SELECT substr(sessions.id, 1, 8) || '-' || (turn.n / 2), sessions.id, sessions.child_id,
               saying.role, saying.words, turn.n < 0, :first_ms + turn.n * {HISTORY_STEP_MS}
        FROM turn CROSS JOIN sessions JOIN saying ON saying.n = turn.n % {len(SAYINGS)}
        """),  # noqa: S608 - made of the constants above
        {"per_session": per_session, "first_ms": began_ms - per_session * HISTORY_STEP_MS},
    )
