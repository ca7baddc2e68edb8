"""`python -m campaign.demo`: the demo service from the command line."""

import argparse
import sys
from pathlib import Path

from campaign.demo.defects import DEFECTS, describe_defects
from campaign.demo.options import DemoOptions, UnusableOptionError

DEFAULTS = DemoOptions()
HELP: dict[str, str] = {
    "host": "address to listen on; anything but loopback shows well-known accounts to the network",
    "port": "TCP port; 0 picks a free one",
    "database_url": "PostgreSQL (postgresql://...) or SQLite (sqlite:///FILE); else a temporary SQLite file",
    "redis_url": "Redis for the token cache and the rate limits; else in this process",
    "seed_parents": "accounts parent0001@example.com and on, all with the password demo-password",
    "seed_history": "old messages, spread over the seeded children",
    "password_cost": "log2 of scrypt's N; the default is low so that a campaign does not measure scrypt, "
    "production needs 17",
    "access_token_hours": "how long an access token is good for",
    "requests_per_second": "limit for each parent",
    "failed_logins_per_minute": "limit for each e-mail address",
    "live_conversations": "live conversations at once, of everybody",
    "live_per_parent": "live conversations at once, of one parent",
    "companion": "HOST:PORT of the companion that makes up stories; else they are made up in this process",
    "outgoing_proxy": "HOST:PORT of the HTTP proxy through which the third party is told what children say, "
    "with consent to disclosure; else nobody is called",
    "companion_port": "with --supervised: where the companion listens; 0: there is none",
    "database_patience_s": "how long to wait at the start for a database that is not there yet",
    "lease_s": "how long the lease of the defect slow-start lasts",
    "worker_threads": "threads for blocking work, and database connections",
    "access_log": "file for one line per request, without personal data",
    "log_level": "debug, info (one line per request), warning or error",
}
"""Every option that takes one value, in the order in which they are shown."""


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 after a graceful stop, 2 if an option cannot be used."""
    parsed = vars(_parser().parse_args(arguments))
    if parsed.pop("list_defects"):
        sys.stdout.write(f"{describe_defects()}\n")
        return 0
    options = DemoOptions(**parsed | {"defects": frozenset(parsed["defects"])})
    try:
        _serve(options)
    except UnusableOptionError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _serve(options: DemoOptions) -> None:
    if options.supervised is None:
        from campaign.demo.server import serve  # noqa: PLC0415 - --help and --list-defects need none of it

        serve(options)
    else:
        from campaign.demo.supervisor import supervise  # noqa: PLC0415

        supervise(options, Path(options.supervised))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m campaign.demo",
        description="Serve a small child-companion API to run campaigns against.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for name, words in HELP.items():
        default = getattr(DEFAULTS, name)
        kind = str if default is None else type(default)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=words)
    parser.add_argument(
        "--defect",
        dest="defects",
        action="append",
        default=[],
        choices=DEFECTS,
        help="switch on a fault, repeatable",
    )
    parser.add_argument("--list-defects", action="store_true", help="say what each fault does, and stop")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    parser.add_argument(
        "--leave-nothing",
        action="store_true",
        help="at the end drop the tables that this start created and delete its keys in Redis",
    )
    parser.add_argument("--prepared", action="store_true", help="the database is filled already")
    parser.add_argument(
        "--supervised",
        metavar="FOLDER",
        help="serve in a process of its own that is started again when it ends, beside a companion; "
        "who they are is written into FOLDER",
    )
    parser.add_argument("--announce-database", action="store_true", help="print the database's URL first")
    return parser


if __name__ == "__main__":
    sys.exit(main())
