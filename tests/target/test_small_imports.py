"""What a load worker imports stays small: none of the heavy libraries comes with it."""

import subprocess
import sys

WORKER = (
    "target.template", "target.expression", "target.scope", "target.fake", "target.feeds", "target.body",
    "target.operation", "target.request", "target.origin", "target.expect", "target.jsonpath", "target.guard",
    "target.spec", "target.tls", "target.inflate", "stats.histogram", "stats.downsample",
    "stats.intervals", "redact",
)  # fmt: skip
HEAVY = ("numpy", "scipy", "pydantic", "httpx", "yaml", "sqlalchemy", "rich", "typer", "fastapi", "jinja2")


def test_nothing_heavy_comes_with_what_a_load_worker_imports():
    script = (
        "import importlib, sys\n"
        f"for name in {WORKER!r}: importlib.import_module('campaign.' + name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
