"""The command line: parse, call once, exit with the code that the result says.

Exit codes: 0 gate passed, 1 failed, 2 the configuration is wrong or refused, 3 could not be judged, 4 the
target could not be restored, 130 interrupted (the report is written all the same).
"""

from __future__ import annotations

import sys

CRASHED = 3


def main() -> None:
    """Run the command line and exit; nothing that a user can type ends in a traceback."""
    from campaign.cli.aliases import canonical  # noqa: PLC0415 - only what is needed, when it is
    from campaign.cli.app import app  # noqa: PLC0415
    from campaign.errors import CampaignError  # noqa: PLC0415

    try:
        app(canonical(sys.argv[1:]), prog_name="campaign")
    except CampaignError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - a mistake of ours, told in a sentence
        sys.exit(_own_mistake(error))


def _own_mistake(error: Exception) -> int:
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile("w", prefix="campaign-error-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    sys.stderr.write(
        f"This is a mistake in campaign itself, nothing was judged: {type(error).__name__}: {error}\n"
        f"Please report it with the details in {file.name}\n"
    )
    return CRASHED
