"""`python -m campaign.demo.companion_service`: the companion as a service of its own, which makes up replies.

One JSON document per line, on connections that stay open: `{"words": ..., "context": [[role, text], ...]}` is
answered by `{"reply": ...}`. It thinks about one reply at a time, as a small machine would.
"""

import argparse
import asyncio
import json
import os
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from pathlib import Path

from campaign.demo.companion import Said, reply_to
from campaign.demo.pid_files import write_pid

THINKING_S = 0.03
LOOK_EVERY_S = 0.25
BACKLOG = 1_024


async def serve(host: str, port: int, *, pid_file: Path | None = None, watched: Path | None = None) -> None:
    """Serve until cancelled, or until the process named in the file `watched` is gone; say READY before."""
    thinking = asyncio.Lock()

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError, ValueError):
            while question := await reader.readline():
                async with thinking:
                    await asyncio.sleep(THINKING_S)
                    answer = _answer(question)
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, host, port, backlog=BACKLOG)
    if pid_file is not None:
        write_pid(pid_file, os.getpid())
    print(f"READY {host}:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    while watched is None or _lives(watched):  # noqa: ASYNC110 - nothing tells of a stranger's end
        await asyncio.sleep(LOOK_EVERY_S)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 after Ctrl-C or when the watched process is gone, 2 if the port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m campaign.demo.companion_service", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8010, help="TCP port; 0 picks a free one")
    parser.add_argument("--pid-file", type=Path, help="where to say which process it is")
    parser.add_argument(
        "--while", dest="watched", type=Path, metavar="PID_FILE", help="stop when this process is gone"
    )
    given = parser.parse_args(arguments)
    try:
        asyncio.run(serve(given.host, given.port, pid_file=given.pid_file, watched=given.watched))
    except KeyboardInterrupt:
        return 0
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"cannot listen on {given.host} port {given.port}: {error}\n")
        return 2
    return 0


def _answer(question: bytes) -> bytes:
    asked = json.loads(question)
    context = [Said(role, text) for role, text in asked["context"]]
    return json.dumps({"reply": reply_to(asked["words"], context)}).encode() + b"\n"


def _lives(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (ProcessLookupError, FileNotFoundError, ValueError):
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
