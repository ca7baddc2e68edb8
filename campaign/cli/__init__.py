"""The command line: parse, call once, exit with the code that the result says.

Exit codes: 0 gate passed, 1 failed, 2 the configuration is wrong or refused, 3 could not be judged, 4 the
target could not be restored, 130 interrupted (the report is written all the same).
"""

from __future__ import annotations

import os
import sys

NOT_JUDGED = 3
INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit; nothing that a user can type ends in a traceback."""
    _open_streams()
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:  # a full disk, a folder that is gone: the machine's doing, told in a sentence
        sys.stderr.write(f"{error.filename or 'campaign'}: {error.strerror or error}\n")
        sys.exit(NOT_JUDGED)
    except Exception as error:  # noqa: BLE001 - a mistake of ours, told in a sentence
        sys.exit(_own_mistake(error))


def _run(arguments: list[str]) -> None:
    from campaign.cli.aliases import canonical  # noqa: PLC0415 - only what is needed, when it is
    from campaign.cli.app import app  # noqa: PLC0415
    from campaign.cli.leftovers import heal_first  # noqa: PLC0415
    from campaign.errors import CampaignError  # noqa: PLC0415

    heal_first(arguments)
    try:
        app(canonical(arguments), prog_name="campaign")
    except CampaignError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


def _open_streams() -> None:
    """See to it that output has somewhere to go: a closed stream (`>&-`) is /dev/null, and a terminal
    without our characters gets others.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _own_mistake(error: Exception) -> int:
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile("w", prefix="campaign-error-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    sys.stderr.write(
        f"This is a mistake in campaign itself, nothing was judged: {type(error).__name__}: {error}\n"
        f"Please report it with the details in {file.name}\n"
    )
    return NOT_JUDGED
