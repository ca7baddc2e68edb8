"""An engine on another machine, through `ssh HOST docker system dial-stdio`, as Docker's own client does."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from urllib.parse import SplitResult

from campaign.faults.healing.engine import read_pipe


class ProgramLine:
    """The program's standard input and output are the connection."""

    def __init__(self, where: SplitResult) -> None:
        self.program = self._program = subprocess.Popen(
            ssh_command(where), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def exchange(self, request: bytes, *, until: float) -> bytes:
        """All that comes back. Raises OSError with what the program complained of, TimeoutError too."""
        program = self._program
        assert program.stdin is not None  # noqa: S101 - pipes were asked for
        assert program.stdout is not None  # noqa: S101
        assert program.stderr is not None  # noqa: S101
        with suppress(BrokenPipeError):
            program.stdin.write(request)
            program.stdin.flush()
        answer = read_pipe(program.stdout.fileno(), until=until)
        if not answer:
            complaint = program.stderr.read(2000).decode(errors="replace").strip()
            raise OSError(complaint.splitlines()[-1] if complaint else "ssh gave no answer")
        return answer

    def close(self) -> None:
        """End the program."""
        self._program.kill()
        for pipe in (self._program.stdin, self._program.stdout, self._program.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._program.wait()


def ssh_command(where: SplitResult) -> list[str]:
    """The command that connects; it never asks for a password, as nobody is there to type one."""
    command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
    command += ["-l", where.username] if where.username else []
    command += ["-p", str(where.port)] if where.port else []
    remote = ["docker", *(["--host", f"unix://{where.path}"] if where.path.strip("/") else [])]
    return [*command, "--", where.hostname or "", *remote, "system", "dial-stdio"]
