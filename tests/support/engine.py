"""A real Docker engine for tests, and PostgreSQL, Redis and Python programs in containers of it.

Needs no registry and no bridge: the image is an empty root, the machine's own /usr is mounted read-only, and
containers share the host's network on free loopback ports. Engine, containers and files are gone afterwards.
"""

import contextlib
import io
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from servers import Postgres, Redis, need, wait_until

IMAGE = "campaign-test"
CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 60


class Engine:
    """A Docker engine in a folder of its own; dies with us in good order, also when we are killed."""

    def __init__(self):
        self.docker = _docker()
        self.folder = Path(tempfile.mkdtemp(prefix="campaign-engine-"))
        self.url = f"unix://{self.folder}/docker.sock"
        self.process = self.client = None
        try:
            self.start()
            self._import_image()
        except BaseException:
            self.end()
            raise

    def command(self):
        name = f"campaign-{secrets.token_hex(4)}"  # a containerd of the machine's own may be shared
        folder = self.folder
        return [
            "setpriv", "--pdeathsig", "TERM",
            *("dockerd", "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"),
            *("--containerd-namespace", name, "--containerd-plugins-namespace", f"{name}-plugins"),
            *("-H", self.url),
        ]  # fmt: skip

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        self.client = wait_until(self._up, seconds=START_SECONDS)

    def _up(self):
        if self.process.poll() is not None:
            _unusable(f"dockerd does not start here: {(self.folder / 'log').read_text()[-800:]}")
        with contextlib.suppress(self.docker.errors.DockerException, OSError):
            return self.docker.DockerClient(self.url, timeout=60)
        return None

    def _import_image(self):
        answer = self.client.api.import_image_from_data(_empty_root(), repository=IMAGE, tag="latest")
        assert '"error"' not in answer, answer

    def run(self, name, *command, folders=(), **options):
        """A running container on the host's network; `folders` are seen inside at the same place."""
        seen = {str(each): {"bind": str(each), "mode": "rw"} for each in folders}
        options = {"network_mode": "host", "shm_size": "256m", **options}
        return self.client.containers.run(
            IMAGE, [str(part) for part in command], name=name, detach=True,
            volumes={**_read_only(), **seen, **options.pop("volumes", {})}, **options,
        )  # fmt: skip

    def python(self, name, *arguments, folders=(), **options):
        """A container in which our own Python runs `arguments`, with this checkout and what is installed."""
        options = {"environment": {"PYTHONUNBUFFERED": "1"}, "working_dir": str(CHECKOUT), **options}
        return self.run(name, sys.executable, *arguments, folders=folders, **options)

    def names(self):
        """The names of all containers, running or not."""
        return {each.name for each in self.client.containers.list(all=True, ignore_removed=True)}

    def remove(self, names):
        """Take these containers away, whatever state they are in."""
        for name in names:
            with contextlib.suppress(self.docker.errors.NotFound):
                self.client.containers.get(name).remove(force=True, v=True)
        wait_until(lambda: not (self.names() & set(names)))  # --rm: they may go on their own

    def end(self):
        """Take away all containers, the engine and its files."""
        if self.client is not None:
            with contextlib.suppress(self.docker.errors.DockerException, OSError):
                self.remove(self.names())
            self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        _unmount_below(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


class _Contained:
    """A server of `servers` that runs as a container of the same name; `container` is the SDK's."""

    def __init__(self, engine, name="", *, options=None, **settings):
        self.engine = engine
        self.name = name or f"campaign-{type(self).__name__.lower()}-{secrets.token_hex(4)}"
        self.options = options or {}
        self.container = None
        super().__init__(**settings)

    def start(self):
        """Run it anew, or start it again."""
        if self.container is None:
            account = {"user": self.account} if self.account and os.geteuid() == 0 else {}
            self.container = self.engine.run(
                self.name, *self.command(), folders=[self.folder], **{**account, **self.options}
            )
        else:
            self.container.start()
        wait_until(self._up)

    def _up(self):
        self.container.reload()
        assert self.container.status != "exited", self.container.logs().decode()[-2000:]
        return self.ready()

    def stop(self, number=signal.SIGINT):
        """Stop it through the engine, in good order."""
        if self.container is not None:
            with contextlib.suppress(self.engine.docker.errors.NotFound):
                self.container.stop(timeout=10)

    def kill(self):
        """As a crash, through the engine: it stays down."""
        self.container.kill()
        self.container.wait()

    @contextlib.contextmanager
    def frozen(self):
        """All of it stands still inside."""
        self.container.pause()
        try:
            yield
        finally:
            self.container.unpause()

    def end(self):
        """Take the container and its files away."""
        if self.container is not None:
            self.engine.remove([self.name])
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresContainer(_Contained, Postgres):
    """PostgreSQL in a container: `url`, `port`, `sql()`, `database()` as of `Postgres`."""


class RedisContainer(_Contained, Redis):
    """Redis in a container: `url`, `port`, `say()` as of `Redis`."""


def _docker():
    need(shutil.which("dockerd"), "Docker (package docker.io)")
    if os.geteuid() != 0:
        _unusable("an engine for tests is started by root only")
    return pytest.importorskip("docker") if os.environ.get("CI") != "true" else __import__("docker")


def _unusable(why):
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def _read_only():
    """What of this machine every container sees: programs, our Python, what is installed for it, our code."""
    places = {"/usr", sys.base_prefix, sys.prefix, str(CHECKOUT)}
    outside = [each for each in places if each == "/usr" or not each.startswith("/usr/")]
    return {each: {"bind": each, "mode": "ro"} for each in outside}


def _empty_root():
    """The tar of a root folder with nothing in it but links into /usr and the files that name accounts."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in ("usr", "etc", "tmp", "run", "var", "var/tmp", "dev", "proc", "sys", "root"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name.endswith(("tmp", "run")) else 0o755
            tar.addfile(entry)
        for name in ("bin", "lib", "lib64", "sbin"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{name}"
            tar.addfile(entry)
        for name in ("passwd", "group", "ld.so.cache", "nsswitch.conf"):
            if Path("/etc", name).exists():
                tar.add(f"/etc/{name}", f"etc/{name}")
    return data.getvalue()


def _unmount_below(folder):
    """Undo what an engine that was killed has left mounted."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((each for each in mounted if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", place], check=False, capture_output=True)
