"""Real servers for tests: PostgreSQL, MariaDB and Redis, each in a temporary folder on a free loopback port.

Every one of them can be stopped, killed, frozen and started again, and is gone after the test session.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest

START_SECONDS = 40


def need(found, what):
    """The path found, or a skip that says what is missing; where CI=true it is a failure."""
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what} is not installed")
        pytest.skip(f"{what} is not installed")
    return str(found)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until(condition, *, seconds=START_SECONDS):
    """What `condition` gives, as soon as that is true."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "not in time"
        time.sleep(0.02)
    return value


class Server:
    """A server process of our own in a folder of its own."""

    account = ""
    """The account to run as where we are root and the server refuses to."""

    def __init__(self):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="campaign-test-"))  # pytest's own is closed to others
        if self.account and os.geteuid() == 0:
            shutil.chown(self.folder, self.account)
        self.process = None
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.end()
            raise

    def prepare(self):
        """What is done once, before the first start."""

    def command(self):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def as_account(self, *command):
        """The command as the server's own account, where we are root."""
        if self.account and os.geteuid() == 0:
            return [
                "setpriv",
                f"--reuid={self.account}",
                f"--regid={self.account}",
                "--clear-groups",
                *command,
            ]
        return list(command)

    def do(self, *command):
        done = subprocess.run(
            self.as_account(*command),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.as_account(*self.command()),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        wait_until(self._up)

    def _up(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        return self.ready()

    def stop(self, number=signal.SIGINT):
        """Stop it in good order (PostgreSQL's fast shutdown), or with another signal."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def kill(self):
        """As a crash: at once, without a word."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self):
        self.stop()
        self.start()

    @contextlib.contextmanager
    def frozen(self):
        """Its processes stand still inside."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def end(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Postgres(Server):
    """PostgreSQL; its backends lead process groups of their own, so freezing stops each of them."""

    account = "postgres"

    def __init__(self, **settings):
        self.binaries = need(next(Path("/usr/lib/postgresql").glob("*/bin"), None), "PostgreSQL")
        self.settings = {"fsync": "off", "max_connections": "100", **settings}
        super().__init__()

    def prepare(self):
        self.do(f"{self.binaries}/initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "postgres",
                "-E", "UTF8", "--no-sync")  # fmt: skip

    def command(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "shared_preload_libraries": "pg_stat_statements",
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [f"{self.binaries}/postgres", "-D", f"{self.folder}/data", "-p", str(self.port), *options]

    def ready(self):
        probe = [f"{self.binaries}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(probe, check=False).returncode == 0

    def sql(self, statement, database="postgres"):
        """What psql prints, without headings."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        how = ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]
        return self.do(f"{self.binaries}/psql", *where, *how).strip()

    def crash(self):
        """PostgreSQL's immediate shutdown: what was not flushed is lost."""
        self.stop(signal.SIGQUIT)

    def restart_command(self):
        """A shell command that restarts the server in place, as a user of ours would give it."""
        fast = f"{self.binaries}/pg_ctl -D {self.folder}/data"
        options = " ".join(f"'{each}'" if " " in each else each for each in self.command()[3:])
        shell = f'{fast} -m fast -w stop; {fast} -w -l {self.folder}/log -o "{options}" start'
        return f"setpriv --reuid=postgres --regid=postgres --clear-groups sh -c '{shell}'"

    @contextlib.contextmanager
    def frozen(self):
        parent = psutil.Process(self.process.pid)
        family = [parent, *parent.children(recursive=True)]
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.suspend()
        try:
            yield
        finally:
            for each in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.resume()

    def database(self, name):
        """The URL of a new, empty database."""
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    @property
    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"


class MariaDb(Server):
    """MariaDB, with the account `root` without a password over TCP."""

    account = "mysql"

    def __init__(self, **settings):
        self.binary = need(shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin"), "MariaDB")
        self.settings = settings
        super().__init__()

    def prepare(self):
        self.do("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data",
                "--auth-root-authentication-method=normal", "--skip-test-db")  # fmt: skip

    def command(self):
        settings = {
            "datadir": f"{self.folder}/data",
            "port": self.port,
            "bind-address": "127.0.0.1",
            "socket": f"{self.folder}/socket",
            "pid-file": f"{self.folder}/pid",
            "innodb-buffer-pool-size": "64M",
            "innodb-flush-log-at-trx-commit": 2,
            **{name.replace("_", "-"): value for name, value in self.settings.items()},
        }
        return [self.binary, "--no-defaults", *(f"--{name}={value}" for name, value in settings.items())]

    def ready(self):
        return _listens(self.port)

    def sql(self, statement, database="test"):
        """What the client prints, without headings."""
        return self.do("mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(self.port), "-u", "root",
                       "-N", "-B", "-e", statement, *([database] if database else [])).strip()  # fmt: skip

    def stop(self, number=signal.SIGTERM):
        super().stop(number)

    def database(self, name):
        """The URL of a new, empty database."""
        self.sql(f"CREATE DATABASE {name}", "")
        return f"mysql://root@127.0.0.1:{self.port}/{name}"


class Redis(Server):
    """Redis without files."""

    def __init__(self, **settings):
        self.binary = need(shutil.which("redis-server"), "Redis")
        self.settings = settings
        super().__init__()

    def command(self):
        settings = {
            "port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder,
            **{name.replace("_", "-"): value for name, value in self.settings.items()},
        }  # fmt: skip
        return [
            self.binary,
            *(str(part) for name, value in settings.items() for part in (f"--{name}", value)),
        ]

    def ready(self):
        return _listens(self.port)

    def say(self, *words):
        """What redis-cli prints."""
        return self.do("redis-cli", "-p", str(self.port), *words).strip()

    def stop(self, number=signal.SIGTERM):
        super().stop(number)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"
