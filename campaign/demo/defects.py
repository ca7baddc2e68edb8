"""The faults that can be switched on, as a table: to add one, add a row and put its switch into the code.

Each is a mistake that real services make, and sits where the mistake would be made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One fault: what goes wrong in the user's words, where it is in the code, and who should find it."""

    name: str
    title: str
    breaks: str
    where: str
    found_by: str
    """Name of the phase that should report it."""

    only_on: str = ""
    """The store without which nobody can see it: PostgreSQL or Redis; "" where the temporary SQLite file is
    enough.
    """


SLOW_HISTORY = "slow-history"
ERRORS_UNDER_LOAD = "errors-under-load"
MEMORY_LEAK = "memory-leak"
STALL = "stall"
MISSING_INDEX = "missing-index"
POOL_TOO_SMALL = "pool-too-small"
CONNECTION_LEAK = "connection-leak"
LOST_UPDATE = "lost-update"
WRITE_SKEW = "write-skew"
NO_FOREIGN_KEYS = "no-foreign-keys"
LAZY_COMMIT = "lazy-commit"
STALE_CACHE = "stale-cache"
KEYS_WITHOUT_TTL = "keys-without-ttl"
N_PLUS_ONE = "n-plus-one"
IDOR_READ = "idor-read"
IDOR_WRITE = "idor-write"
IDOR_SEARCH = "idor-search"
EXPORT_LEAK = "export-leak"
WEBSOCKET_NO_AUTH = "websocket-no-auth"
MIXED_UP_ANSWERS = "mixed-up-answers"
CACHE_KEY_COLLISION = "cache-key-collision"
DELETE_LEAVES_ROWS = "delete-leaves-rows"
DELETE_RESURRECTS = "delete-resurrects"
SESSIONS_WITHOUT_TTL = "sessions-without-ttl"
CONSENT_NOT_CHECKED = "consent-not-checked"
CONSENT_RACE = "consent-race"
FILTER_LEETSPEAK = "filter-leetspeak"
FILTER_BLOCKS_SAFE = "filter-blocks-safe"
FILTER_FAILS_OPEN = "filter-fails-open-under-load"
NO_RATE_LIMIT = "no-rate-limit"
GLOBAL_LIMIT_OFF_BY_ONE = "global-limit-off-by-one"
PER_USER_LIMIT_RACE = "per-user-limit-race"
TOKEN_AFTER_LOGOUT = "token-after-logout"  # noqa: S105 - the name of a fault
TOKEN_ALG_NONE = "token-alg-none"  # noqa: S105 - the name of a fault
SESSION_FIXATION = "session-fixation"
MASS_ASSIGNMENT = "mass-assignment"
PII_IN_LOGS = "pii-in-logs"
PLAINTEXT_AUDIO_KEPT = "plaintext-audio-kept"
NO_RECONNECT = "no-reconnect"
HANG_ON_OUTAGE = "hang-on-outage"
ACK_BEFORE_COMMIT = "ack-before-commit"
DROPS_IN_FLIGHT = "drops-in-flight"
SESSION_LOSS = "session-loss"
RETRY_STORM = "retry-storm"
SLOW_START = "slow-start"
DUPLICATE_ON_RETRY = "duplicate-on-retry"

DEFECTS: dict[str, Defect] = {
    defect.name: defect
    for defect in (
        Defect(
            SLOW_HISTORY,
            "The messages table has no index",
            "History, search and every further turn get slower the more was ever said, by anyone.",
            "storage.prepare",
            "load",
        ),
        Defect(
            ERRORS_UNDER_LOAD,
            "Two database connections, kept during a slow review of each message",
            "One child alone is served well; with twenty at once, many requests are answered with 503.",
            "database.open_database and conversations.Conversations.take_turn",
            "load",
        ),
        Defect(
            MEMORY_LEAK,
            "Every conversation stays in a cache that is never emptied",
            "The process grows with every message until the machine has no memory left.",
            "conversations.remember",
            "stability",
        ),
        Defect(
            STALL,
            "Housekeeping checks all old messages on the event loop",
            "Every ten seconds or so the whole service answers nobody for about three seconds.",
            "housekeeping.Housekeeping.run",
            "load",
        ),
        Defect(
            MISSING_INDEX,
            "The activities table has no index on the child",
            "A child's activities, the dashboard and deletion get slower the more all children ever did.",
            "storage.prepare",
            "database",
        ),
        Defect(
            POOL_TOO_SMALL,
            "A pool of one database connection, for which requests wait up to half a minute",
            "One statement that takes its time stops the whole service, and many callers stand in a queue.",
            "database.open_database",
            "database",
            only_on="PostgreSQL",
        ),
        Defect(
            CONNECTION_LEAK,
            "A database connection is never given back when a child is not found",
            "After four such requests no connection is left: everybody waits, and is answered with 503.",
            "children.Children.one",
            "database",
        ),
        Defect(
            LOST_UPDATE,
            "A profile is read, changed in memory and written back whole",
            "Of two changes to different fields at the same moment, one is lost, though both were confirmed.",
            "children.Children.change",
            "database",
        ),
        Defect(
            WRITE_SKEW,
            "Consent is checked before the reply is made up, the turn stored after it in another transaction",
            "What a child says is stored although its parent's revocation was confirmed before.",
            "conversations.Conversations.take_turn",
            "database",
        ),
        Defect(
            NO_FOREIGN_KEYS,
            "The tables are created without foreign keys",
            "Deleting a child or an account leaves all its messages behind.",
            "storage.prepare",
            "database",
        ),
        Defect(
            LAZY_COMMIT,
            "The database confirms a commit before it is on the disk",
            "What was confirmed in the last moments before a crash is lost.",
            "storage.prepare (PostgreSQL) and database.open_database (SQLite)",
            "database",
            only_on="PostgreSQL",
        ),
        Defect(
            STALE_CACHE,
            "A child's profile is cached, and a change does not touch the cache",
            "For half a minute after a change the old profile is shown.",
            "profiles.CachedProfiles",
            "database",
        ),
        Defect(
            KEYS_WITHOUT_TTL,
            "The counters of the rate limits in Redis never expire",
            "Redis grows by a key for every caller and second until it has no memory left.",
            "redis_state.InRedis.count",
            "database",
            only_on="Redis",
        ),
        Defect(
            N_PLUS_ONE,
            "The history reads each of its lines in a statement of its own",
            "A page of twenty lines costs more than twenty round trips to the database.",
            "history.History.page",
            "database",
            only_on="PostgreSQL",
        ),
        Defect(
            IDOR_READ,
            "The history of a session is read without asking whose it is",
            "Who knows or guesses the id of a session reads what another family's child said.",
            "history.History.page",
            "safety",
        ),
        Defect(
            IDOR_WRITE,
            "A profile is changed before anybody asks whose it is",
            "A stranger is answered 404, and the other family's child has been changed all the same.",
            "children.Children.change",
            "safety",
        ),
        Defect(
            IDOR_SEARCH,
            "The search takes any child's id",
            "Who knows the id of a child searches in what another family's child said.",
            "history.History.search",
            "safety",
        ),
        Defect(
            EXPORT_LEAK,
            "An export is handed to whoever knows its id",
            "Everything that is stored for a family is given to another.",
            "privacy.Privacy.export",
            "safety",
        ),
        Defect(
            WEBSOCKET_NO_AUTH,
            "A live conversation asks for no token",
            "Who knows the id of a session talks as another family's child, and nobody asks.",
            "routes.live",
            "safety",
        ),
        Defect(
            MIXED_UP_ANSWERS,
            "A voice is given back with what it has not said yet, when a listener hangs up",
            "Under load the next child hears the rest of what was meant for another one.",
            "voices.Voices.speaking",
            "safety",
        ),
        Defect(
            CONSENT_NOT_CHECKED,
            "Activities are stored without a look at the consent",
            "What a child does is recorded though no parent ever consented, or one has revoked.",
            "activities.Activities.add",
            "safety",
        ),
        Defect(
            CONSENT_RACE,
            "A consent that was seen is remembered for two seconds",
            "For a moment after a confirmed revocation what a child says is still stored.",
            "conversations.Conversations.take_turn",
            "safety",
        ),
        Defect(
            FILTER_LEETSPEAK,
            "The filter knows no digits for letters",
            "What is not fit for a child passes when it is written with digits.",
            "content_filter.ContentFilter.category_of",
            "safety",
        ),
        Defect(
            FILTER_BLOCKS_SAFE,
            "The filter looks for a few words wherever they stand",
            "A child who asks for killer whales, or plays basketball, is told to talk of something kind.",
            "content_filter.ContentFilter.category_of",
            "safety",
        ),
        Defect(
            FILTER_FAILS_OPEN,
            "What waited too long for the filter passes unchecked",
            "While many talk at once, some of what is not fit for a child gets through.",
            "content_filter.ContentFilter.out_of_patience",
            "safety",
        ),
        Defect(
            CACHE_KEY_COLLISION,
            "What a search found is cached by its words alone",
            "Two children who search for the same are shown what the first of them said.",
            "routes.conversation.search",
            "safety",
        ),
        Defect(
            DELETE_LEAVES_ROWS,
            "The activities table was made without its reference to the child",
            "A deleted child is gone from every page, and what it did stays in the database for good.",
            "storage.prepare",
            "safety",
        ),
        Defect(
            DELETE_RESURRECTS,
            "A profile is read, reviewed, and then put in again where it is no longer there",
            "A change that is under way while a child is deleted brings the child back, with its name.",
            "children.Children.change",
            "safety",
        ),
        Defect(
            SESSIONS_WITHOUT_TTL,
            "Housekeeping forgets the conversations",
            "What a child said stays for ever, whatever the policy says.",
            "housekeeping.Housekeeping.run",
            "safety",
        ),
        Defect(
            NO_RATE_LIMIT,
            "The limit of requests per second is not put in force",
            "One parent, or whoever has a stolen token, asks as often as the machine can answer.",
            "services._sign_in",
            "safety",
        ),
        Defect(
            GLOBAL_LIMIT_OFF_BY_ONE,
            "One live conversation more than there is room for is let in",
            "With all slots taken, one more begins, for which there is no place.",
            "slots.Slots",
            "safety",
        ),
        Defect(
            PER_USER_LIMIT_RACE,
            "A parent's live conversations are counted, then the child is looked up, then one more begins",
            "Who asks for many at the same moment gets more than the limit for one parent.",
            "routes.calls.begin",
            "safety",
        ),
        Defect(
            TOKEN_AFTER_LOGOUT,
            "Signing out deletes the token, and nobody tells the cache",
            "For half a minute after signing out the token is as good as before.",
            "routes.auth.logout",
            "safety",
        ),
        Defect(
            TOKEN_ALG_NONE,
            "A toy's token says itself how it is signed, and `none` is one of the ways",
            "Whoever knows the id of a child makes a token for it without any key.",
            "signed.is_signed",
            "safety",
        ),
        Defect(
            SESSION_FIXATION,
            "The session that a browser brings is the one that is signed in",
            "Who has given somebody else's browser a session is signed in with that person.",
            "routes.auth.login",
            "safety",
        ),
        Defect(
            MASS_ASSIGNMENT,
            "A change of a profile sets every column that is sent",
            "A child is moved to another family by a field that no page shows.",
            "routes.children.change_child",
            "safety",
        ),
        Defect(
            PII_IN_LOGS,
            "The access log has the body of each request, to make debugging easier",
            "What children say, their names and their parents' passwords lie in a file in clear text.",
            "middleware.Observation",
            "safety",
        ),
        Defect(
            PLAINTEXT_AUDIO_KEPT,
            "Recordings are put aside, as they are, when they have been heard",
            "A child's voice stays in the database in clear text, though only its words were needed.",
            "recordings.Recordings.hear",
            "safety",
        ),
        Defect(
            NO_RECONNECT,
            "Connections to the database and to the companion are opened once and never replaced",
            "After either was away for a moment, the service answers 503 until somebody restarts it.",
            "database.open_database and companion_link.link_to",
            "failover",
        ),
        Defect(
            HANG_ON_OUTAGE,
            "No time-out on the database, Redis or the companion",
            "While one of them is frozen or cut off, requests hang, and soon those that do not need it too.",
            "database.open_database, redis_state.InRedis and companion_link.link_to",
            "failover",
        ),
        Defect(
            ACK_BEFORE_COMMIT,
            "A turn is answered first and stored by a thread that writes once a second",
            "What was confirmed in the last second before a crash, or an outage of the database, is lost.",
            "conversations.Conversations.take_turn and write_behind.WriteBehind",
            "failover",
        ),
        Defect(
            DROPS_IN_FLIGHT,
            "SIGTERM ends the service without waiting for the requests under way",
            "Every restart and every new version costs requests that had been accepted.",
            "server._Server.handle_exit",
            "failover",
        ),
        Defect(
            SESSION_LOSS,
            "The key that tokens are stored under is made up anew at each start",
            "A restart signs everybody out.",
            "services.build_services",
            "failover",
        ),
        Defect(
            RETRY_STORM,
            "What the companion did not answer is asked for again, at once and without limit",
            "The longer it was away, the more stale questions it must work off before it answers a new one.",
            "companion_link.Insistent",
            "failover",
        ),
        Defect(
            SLOW_START,
            "Only the holder of a lease in the database may serve, and a lease is never given back",
            "After every restart nobody is served until the lease of the process before has run out.",
            "lease.Lease",
            "failover",
        ),
        Defect(
            DUPLICATE_ON_RETRY,
            "The Idempotency-Key of a repeated request is ignored",
            "A client that got no answer and asks again has its words stored twice.",
            "conversations.Conversations.take_turn",
            "failover",
        ),
    )
}


def unknown_defects(names: frozenset[str]) -> list[str]:
    """The names that are not in the table, in order; empty when all are known."""
    return sorted(names - DEFECTS.keys())


def describe_defects() -> str:
    """The table as text, for a terminal."""
    return "\n".join(
        f"{defect.name}\n  {defect.title}.\n  {defect.breaks}\n  found by: {_found_by(defect)}"
        for defect in DEFECTS.values()
    )


def _found_by(defect: Defect) -> str:
    return f"{defect.found_by} (with {defect.only_on} only)" if defect.only_on else defect.found_by
