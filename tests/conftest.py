"""What tests in several rooms need."""

import http.server
import secrets
import threading

import pytest
from engine import Engine, PostgresContainer, RedisContainer
from servers import MariaDb, Postgres, Redis


@pytest.fixture(scope="session", autouse=True)
def _state_of_our_own(tmp_path_factory):
    """Undo records and locks of tests are not those of this account."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


@pytest.fixture
def plain_target():
    """A real server that answers every GET alike; has `url`, `requests` (their paths), `status` (to set)."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.daemon_threads = True
    server.requests, server.status = [], 200
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def postgres_server():
    """A real PostgreSQL, shared by a worker's tests: take a database of your own from it."""
    server = Postgres()
    yield server
    server.end()


@pytest.fixture(scope="session")
def mariadb_server():
    """A real MariaDB, shared by a worker's tests: take a database of your own from it."""
    server = MariaDb()
    yield server
    server.end()


@pytest.fixture(scope="session")
def redis_server():
    """A real Redis, shared by a worker's tests."""
    server = Redis()
    yield server
    server.end()


@pytest.fixture(scope="session")
def docker_engine():
    """A real Docker engine, shared by a worker's tests."""
    engine = Engine()
    yield engine
    engine.end()


@pytest.fixture
def engine(docker_engine):
    """The Docker engine; the containers that a test makes in it are taken away afterwards."""
    before = docker_engine.names()
    yield docker_engine
    docker_engine.remove(docker_engine.names() - before)


@pytest.fixture
def postgres_container(engine):
    """A real PostgreSQL in a container of its own; `sql()`, `database()`, `url`, `container`."""
    server = PostgresContainer(engine)
    yield server
    server.end()


@pytest.fixture
def redis_container(engine):
    """A real Redis in a container of its own; `say()`, `url`, `container`."""
    server = RedisContainer(engine)
    yield server
    server.end()


@pytest.fixture
def fresh_name():
    """A name for a database that no other test has."""
    return f"d{secrets.token_hex(6)}"


@pytest.fixture
def postgres_url(postgres_server, fresh_name):
    """The URL of an empty database on a real PostgreSQL, dropped afterwards."""
    yield postgres_server.database(fresh_name)
    postgres_server.sql(f"DROP DATABASE IF EXISTS {fresh_name} WITH (FORCE)")


@pytest.fixture
def mariadb_url(mariadb_server, fresh_name):
    """The URL of an empty database on a real MariaDB, dropped afterwards."""
    yield mariadb_server.database(fresh_name)
    mariadb_server.sql(f"DROP DATABASE IF EXISTS {fresh_name}", "")


@pytest.fixture
def sqlite_url(tmp_path):
    """The URL of an empty SQLite file."""
    file = tmp_path / "target.sqlite"
    file.touch()
    return f"sqlite:///{file}"


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def database_url(request):
    """Each of the three databases, one after the other."""
    return request.getfixturevalue(f"{request.param}_url")
