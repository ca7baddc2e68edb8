# ruff: noqa: E501, PLR0917 - a table reads best with one case per line
"""Sockets, proxies, limits on connections, regions, devices and retries of a campaign file."""

import pytest

from campaign.target.spec import ConnectionSpec, DeviceSpec, RetrySpec

TABLE = [
    # keys of the target, of the top level, of the user and of the operation; then the key and words of the message
    ("socket: ''", "", "", "", "target.socket", ["the path of a Unix socket"]),
    (f"socket: /{'a' * 120}", "", "", "", "target.socket", ["at most 107 bytes"]),
    ("proxy: 'socks5://127.0.0.1:1080'", "", "", "", "target.proxy", ["a URL such as http://127.0.0.1:3128"]),
    ("proxy: 'https://127.0.0.1:3128'", "", "", "", "target.proxy", ["http only"]),
    ("proxy: 'http://127.0.0.1:3128/path'", "", "", "", "target.proxy", ["no path"]),
    ("proxy: 'http://:@'", "", "", "", "target.proxy", ["a URL such as"]),
    ("proxy: 'http://127.0.0.1:1', socket: a.sock", "", "", "", "target", ["one of socket and proxy"]),
    ("connections: 0", "", "", "", "target.connections", ["at least 1"]),
    ("connections: many", "", "", "", "target.connections", ["a whole number"]),
    ("", "regions: {eu: 20}", "", "", "regions.eu", ["a duration such as"]),
    ("", "regions: {eu: 20s}", "", "", "regions.eu", ["at most 10"]),
    ("", "devices: {toy: {down: 250KB}}", "", "", "devices.toy.down", ["a bandwidth such as 250KB/s"]),
    ("", "devices: {toy: {up: 0B/s}}", "", "", "devices.toy.up", ["a bandwidth such as 250KB/s"]),
    ("", "devices: {toy: {upp: 1KB/s}}", "", "", "devices.toy.upp", ["did you mean  up"]),
    (
        "",
        "devices: {toy: {headers: {Host: a}}}",
        "",
        "",
        "devices.toy.headers.Host",
        ["which belongs to the request"],
    ),
    ("", "devices: {toy: {headers: {A: '{{ nobody }}'}}}", "", "", "devices.toy.headers.A", ["no nobody"]),
    (
        "",
        "regions: {eu: 20ms}",
        "region: us",
        "",
        "users.curious_child.region",
        ["a region that is not defined", "eu"],
    ),
    ("", "regions: {eu: 20ms}", "region: {eu: 0}", "", "users.curious_child.region", ["a weight above 0"]),
    ("", "regions: {eu: 20ms}", "region: {eu: -1}", "", "users.curious_child.region.eu", ["at least 0"]),
    ("", "", "region: eu", "", "users.curious_child.region", ["none is defined"]),
    ("", "", "device: moble", "", "users.curious_child.device", ["did you mean  mobile"]),
    (
        "connections: 5",
        "regions: {eu: 20ms}",
        "region: eu",
        "",
        "target.connections",
        ["no limit on connections while"],
    ),
    ("connections: 5", "", "device: mobile", "", "target.connections", ["no limit on connections while"]),
    ("", "", "", "retry: {attempts: 2}", "operations.converse.retry.on", ["this key is needed"]),
    ("", "", "", "retry: {on: [time-out]}", "operations.converse.retry.on.0", ["did you mean  timeout"]),
    ("", "", "", "retry: {on: [999]}", "operations.converse.retry.on.0", ["a status such as 503 or 5xx"]),
    ("", "", "", "retry: {on: []}", "operations.converse.retry.on", ["at least 1"]),
    ("", "", "", "retry: {on: 503, attempts: 99}", "operations.converse.retry.attempts", ["at most 10"]),
    ("", "", "", "retry: {on: 503, pause: 5m}", "operations.converse.retry.pause", ["at most 60"]),
    ("", "", "", "retry: 3", "operations.converse.retry", ["a mapping"]),
]


@pytest.fixture
def file(good):
    """The good file with further keys."""

    def make(target="", top="", user="", operation=""):
        text = good.replace(
            "target:\n", f"target:\n  {target}\n".replace(", socket", "\n  socket") if target else "target:\n"
        )
        text = text.replace("users:\n", f"{top}\nusers:\n")
        text = text.replace("    wait: 1s..3s\n", f"    wait: 1s..3s\n    {user}\n")
        return text.replace('    auth: "{{ token }}"\n', f'    auth: "{{{{ token }}}}"\n    {operation}\n')

    return make


@pytest.mark.parametrize(("target", "top", "user", "operation", "key", "words"), TABLE)
def test_a_mistake_names_its_key_and_what_is_allowed(
    file, mistakes_of, target, top, user, operation, key, words
):
    [mistake] = mistakes_of(file(target, top, user, operation))
    assert mistake.key == key
    assert [word for word in words if word not in str(mistake)] == []


def test_regions_and_devices_reach_the_vocabulary(file, read_text):
    vocabulary = read_text(
        file(
            top="regions: {eu: 20ms, us: 90ms}\ndevices: {toy: {down: 250KB/s, up: 2Mbit/s, headers: {User-Agent: Teddy/1.0}}}",
            user="region: {eu: 70, us: 30}\n    device: toy",
        )
    ).vocabulary
    assert vocabulary.regions == {"eu": 0.02, "us": 0.09}
    assert vocabulary.devices == {"toy": DeviceSpec(250_000, 250_000, {"User-Agent": "Teddy/1.0"})}
    child = vocabulary.users["curious_child"]
    assert (child.regions, child.device) == ({"eu": 70, "us": 30}, "toy")


def test_one_region_and_a_built_in_device_are_named_alone(file, read_text):
    child = read_text(
        file(top="regions: {eu: 20ms}", user="region: eu\n    device: mobile")
    ).vocabulary.users["curious_child"]
    assert (child.regions, child.device) == ({"eu": 1.0}, "mobile")


def test_a_device_of_headers_alone_goes_with_shared_connections(file, read_text):
    campaign = read_text(file("connections: 5", "devices: {toy: {headers: {A: b}}}", "device: toy"))
    assert campaign.target.connection.most == 5


def test_a_socket_begins_at_the_files_folder(file, read_text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    connection = read_text(file("socket: app.sock")).target.connection
    assert connection == ConnectionSpec(socket=str(tmp_path / "app.sock"))


def test_the_password_of_a_proxy_is_masked(file, read_text):
    campaign = read_text(file("proxy: 'http://me:hunter22@127.0.0.1:3128'"))
    assert campaign.target.connection.proxy == "http://me:hunter22@127.0.0.1:3128"
    assert "hunter22" not in str(campaign.configuration)
    assert "hunter22" in campaign.secrets


def test_a_proxys_password_is_in_no_mistake(file, mistakes_of):
    [mistake] = mistakes_of(file("proxy: 'ftp://me:hunter22@127.0.0.1:3128'"))
    assert "hunter22" not in str(mistake)


def test_retries_are_statuses_and_errors(file, read_text):
    operation = read_text(
        file(operation="retry: {attempts: 2, on: [503, 5xx, timeout, connect], pause: 50ms}")
    ).vocabulary.operations["converse"]
    assert operation.options.retry == RetrySpec(2, 0.05, (503, "5xx"), frozenset({"timeout", "connect"}))


def test_a_retry_is_off_by_default_and_once_where_nothing_more_is_said(file, read_text):
    operations = read_text(file(operation="retry: {on: 503}")).vocabulary.operations
    assert operations["login"].options.retry.attempts == 0
    assert operations["converse"].options.retry.attempts == 1
