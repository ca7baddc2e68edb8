"""What phases look at before anything is sent: a wrong password ends the run before it began."""

import subprocess
import sys

import pytest

CAMPAIGN = """
name: Wrong
target: {{url: "{target}", database: "{database}"}}
phases: {{database: {{}}}}
"""


@pytest.fixture
def run(tmp_path, plain_target):
    def start(database):
        file = tmp_path / "campaign.yaml"
        file.write_text(CAMPAIGN.format(target=plain_target.url, database=database))
        command = [sys.executable, "-m", "campaign", "run", str(file), "--output", str(tmp_path / "reports")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return start


@pytest.mark.postgres
def test_an_unknown_database_is_a_mistake_of_the_file_and_nothing_is_run(run, postgres_server, plain_target):
    done = run(f"{postgres_server.url}_of_nobody")
    assert done.returncode == 2
    assert 'database "postgres_of_nobody" does not exist' in done.stderr
    assert "Traceback" not in done.stderr
    assert plain_target.requests == []


def test_a_database_that_is_no_database_is_a_mistake_of_the_file(run):
    done = run("oracle://host/name")
    assert done.returncode == 2
    assert "'oracle' is not supported" in done.stderr


def test_a_database_that_is_not_there_leaves_the_phase_undecided(run):
    done = run("postgresql://postgres@127.0.0.1:1/postgres")
    assert done.returncode == 3
    assert "does not answer" in done.stdout
