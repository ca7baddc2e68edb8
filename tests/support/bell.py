"""Lets a shell command ask the test process for something: the server that a test owns does it, and stays
the test's to end.
"""

import contextlib
import threading
from pathlib import Path


class Bell:
    """Commands for a campaign file; running one calls its function here, and ends when that has ended.

    `command("crash")` is the command for what was given as `crash=`.
    """

    def __init__(self, folder, **actions):
        self.folder = Path(folder)
        self.actions = actions
        self.rung = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def command(self, name):
        asked, done = self.folder / f"{name}.asked", self.folder / f"{name}.done"
        return f"rm -f {done}; touch {asked}; while [ ! -e {done} ]; do sleep 0.02; done; cat {done}"

    def _listen(self):
        while not self._ended.wait(0.01):
            for name, action in self.actions.items():
                asked = self.folder / f"{name}.asked"
                if asked.exists():
                    asked.unlink()
                    self.rung.append(name)
                    said = ""
                    try:
                        action()
                    except Exception as error:  # noqa: BLE001 - the command's output tells it
                        said = repr(error)
                    part = self.folder / f"{name}.part"
                    part.write_text(said)
                    part.rename(self.folder / f"{name}.done")

    def end(self):
        self._ended.set()
        self._thread.join()


@contextlib.contextmanager
def bell(folder, **actions):
    made = Bell(folder, **actions)
    try:
        yield made
    finally:
        made.end()
