"""What the demo is asked for and cannot give is said in one sentence, before anything is started."""

import subprocess
import sys

import pytest


def campaign(*arguments, cwd):
    command = [sys.executable, "-m", "campaign", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "url", ["mysql://u@h/d", "mariadb+pymysql://u@h/d", "mysql+asyncmy://u@h/d", "mysql+pymysql://u@h/d"]
)
@pytest.mark.parametrize("command", [("demo", "--port=0"), ("run", "--demo", "--quick")])
def test_a_database_that_the_demo_cannot_use_is_refused(tmp_path, command, url):
    done = campaign(*command, "--database-url", url, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    kind = url.partition(":")[0].partition("+")[0]
    assert done.stderr.endswith(
        ": the demo keeps its data in PostgreSQL (postgresql://...) or SQLite (sqlite:///FILE), "
        f"not in {kind}\n"
    )


POSTGRES = ("--database-url", "postgresql+asyncpg://u@127.0.0.1:1/d")
REDIS = ("--redis-url", "redis://127.0.0.1:1/0")


@pytest.mark.parametrize(
    ("defect", "stores", "told"),
    [
        ("n-plus-one", (), "n-plus-one shows on PostgreSQL only"),
        ("n-plus-one", REDIS, "n-plus-one shows on PostgreSQL only"),
        ("n-plus-one", POSTGRES, ""),
        ("pool-too-small", (), "pool-too-small shows on PostgreSQL only"),
        ("keys-without-ttl", POSTGRES, "keys-without-ttl shows on Redis only"),
        ("keys-without-ttl", REDIS, ""),
        ("lost-update", (), ""),
    ],
)
def test_a_fault_that_nothing_in_this_run_can_find_is_noted(tmp_path, defect, stores, told):
    done = campaign("run", "--demo", "--dry-run", "--defect", defect, *stores, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert [told in note for note in notes] == ([True] if told else [])
