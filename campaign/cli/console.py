"""The terminal, or the pipe, that we print to."""

from __future__ import annotations

import os
import sys

from rich.console import Console


class Output(Console):
    """Standard output; when its reader goes away (`campaign run | head -1`) the campaign goes on in silence,
    so that its report is written and its exit code is the verdict's.
    """

    def on_broken_pipe(self) -> None:
        """Print no more; what is still buffered goes nowhere."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
