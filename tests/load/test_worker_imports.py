"""A worker process carries users, not libraries: what is heavy stays out until something in it is used."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "distributed", "httpx", "jinja2", "numpy", "psutil", "pydantic", "rich", "scipy", "sqlalchemy", "typer",
    "websockets", "yaml",
}  # fmt: skip

PROGRAM = """
import json, sys
import campaign.load.worker, campaign.load.engine
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_worker_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(json.loads(done.stdout))
    assert "uvloop" in loaded, "the worker's own imports are in the list"
    assert not loaded & HEAVY
