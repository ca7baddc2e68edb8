"""`--tags`: only a part of a campaign is run, and the report claims no more; accounts are gone afterwards."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = """
name: Tagged
target: {url: "http://127.0.0.1:1", health: GET /health}
operations:
  register:
    request: POST /api/auth/register
    json: {email: "{{ fake.email }}", password: "bear-{{ user.number:08 }}", name: "{{ fake.name }}"}
    expect: 201
    save: {token: $.access_token}
    undo: delete_account
  delete_account:
    request: POST /api/gdpr/delete
    auth: "{{ token }}"
    json: {password: "bear-{{ user.number:08 }}"}
    expect: 204
  stats: {request: GET /api/stats, auth: "{{ token }}", tags: [slow]}
  me: {request: GET /api/user/me, auth: "{{ token }}", tags: [gdpr]}
users:
  parent:
    wait: 20ms..60ms
    start: [register]
    tasks:
      stats: 1
      me: 1
      both: {steps: [stats, me], tags: [tour]}
  other: {wait: 20ms..60ms, start: [register], tasks: [stats]}
phases:
  load:
    scenarios:
      short: {users: 4, ramp: 20/s, hold: 2s}
    limits:
      me: {p95: 2s}
      stats: {p95: 2s}
"""


def campaign(*arguments, cwd, within=90):
    return subprocess.run(
        [sys.executable, "-m", "campaign", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "campaign.yaml").write_text(FILE)
    return tmp_path


def load_of(folder):
    (run,) = (folder / "reports").iterdir()
    report = json.loads((run / "report.json").read_text())
    return next(each for each in report["test_results"] if each["phase"] == "load"), report


def test_only_tagged_tasks_are_run_and_the_report_says_so_and_all_accounts_are_gone(folder):
    ended = campaign("run", "campaign.yaml", "--demo", "--tags", "gdpr", cwd=folder)
    assert ended.returncode in {0, 3}, ended.stderr
    load, report = load_of(folder)
    assert load["evidence"]["notes"] == [
        "Only a part was run (--tags gdpr): 1 of 4 tasks of users; no task is left for other."
    ]
    facts = load["evidence"]["facts"]
    names = {each["name"] for each in facts["scenarios"][0]["operations"]}
    assert names == {"register", "delete_account", "me", "all"}
    checks = {each["check"]: each for each in load["findings"]}
    assert not [check for check in checks if "stats" in check]
    assert "short.me.p95" in checks
    assert report["configuration"]["tags"]["run"] == "--tags gdpr"
    assert facts["accounts"] == {"made": 4, "deleted": 4, "unknown": 0, "left": 0, "reasons": {}}
    assert checks["accounts_deleted"]["outcome"] == "informational"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tags", "gdpr"], "1 of 4 tasks"),
        (["--tags", "gdpr,slow"], "4 of 4 tasks"),
        (["--tags", "gdpr", "--tags", "tour"], "2 of 4 tasks"),
        (["--exclude-tags", "slow"], "1 of 4 tasks"),
        (["--tags", "slow", "--exclude-tags", "tour"], "2 of 4 tasks"),
    ],
)
def test_the_plan_says_which_part_is_run(folder, options, told):
    ended = campaign("run", "--dry-run", *options, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert told in ended.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tags", "gpdr"], ["'gpdr'", "gdpr, slow, tour", "did you mean  gdpr"]),
        (["--tags", "tour", "--exclude-tags", "slow"], ["no task is left", "gdpr, slow, tour"]),
    ],
)
def test_what_leaves_nothing_to_run_is_a_mistake(folder, options, words):
    ended = campaign("run", "--dry-run", *options, cwd=folder)
    assert ended.returncode == 2
    assert [word for word in words if word not in ended.stderr] == []


def test_the_shipped_campaign_leaves_no_account_in_the_database_of_the_demo(tmp_path):
    """Every table is as long as it was before."""
    shipped = yaml.safe_load((ROOT / "configs" / "teddy-bear.yaml").read_text())
    shipped["phases"]["load"] = {"scenarios": {"one": {"users": 10, "ramp": "20/s", "hold": "3s"}}}
    (tmp_path / "teddy.yaml").write_text(yaml.safe_dump(shipped))
    database = tmp_path / "demo.db"
    command = [sys.executable, "-m", "campaign.demo", "--port", "0", "--exit-with-stdin"]
    command += ["--seed-parents", "5", "--seed-history", "50", "--database-url", f"sqlite:///{database}"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as demo:
        try:
            url = demo.stdout.readline().removeprefix("READY ").strip()
            before = rows(database)
            ended = campaign("run", "teddy.yaml", "--target", url, "--only", "load", cwd=tmp_path)
            after = rows(database)
        finally:
            demo.stdin.close()
            demo.wait(15)
    load, _ = load_of(tmp_path)
    accounts = load["evidence"]["facts"]["accounts"]
    assert accounts["made"] >= 10, ended.stderr
    assert accounts["left"] == 0
    assert before["parents"] > 0
    assert after == before


def rows(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {
            name: database.execute(f'select count(*) from "{name}"').fetchone()[0]  # noqa: S608 - its own names
            for name in tables
            if name not in {"tokens", "sqlite_sequence"}
        }
