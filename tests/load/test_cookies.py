"""A user's cookies go back to where they came from, and nowhere else."""

from __future__ import annotations

import pytest

from campaign.load.cookies import MAX_COOKIES, Jar
from campaign.target.origin import Origin
from campaign.target.request import Request

HERE = Origin("http", "shop.example.com", 80)
SAFE = Origin("https", "shop.example.com", 443)
PARENT = Origin("http", "example.com", 80)
SIBLING = Origin("http", "api.example.com", 80)
EVIL = Origin("http", "evilexample.com", 80)
ADDRESS = Origin("http", "127.0.0.1", 8000)


def jar_with(*headers: str, origin: Origin = HERE, path: str = "/account/login") -> Jar:
    jar = Jar()
    for header in headers:
        jar.store(header.encode(), origin, path=path, now=1000.0)
    return jar


@pytest.mark.parametrize(("header", "origin", "path", "goes"), [
    ("a=1; Path=/", HERE, "/", True),
    ("a=1; Path=/", PARENT, "/", False),
    ("a=1; Path=/", SIBLING, "/", False),
    ("a=1; Path=/; Domain=example.com", SIBLING, "/", True),
    ("a=1; Path=/; Domain=.example.com", PARENT, "/", True),
    ("a=1; Path=/; Domain=example.com", EVIL, "/", False),
    ("a=1; Path=/; Domain=evil.com", HERE, "/", False),
    ("a=1; Path=/; Domain=com", HERE, "/", False),
    ("a=1", HERE, "/account/", True),
    ("a=1", HERE, "/account/other", True),
    ("a=1", HERE, "/", False),
    ("a=1; Path=/acc", HERE, "/account/", False),
    ("a=1; Path=/acc", HERE, "/acc?x=1", True),
    ("a=1; Path=/; Secure", HERE, "/", False),
    ("a=1; Path=/; Secure", SAFE, "/", True),
    ("a=1; Path=/; Max-Age=10", HERE, "/", True),
    ("a=1; Path=/; Max-Age=0", HERE, "/", False),
    ("a=1; Path=/; Max-Age=-1; Expires=Wed, 01 Jan 2098 00:00:00 GMT", HERE, "/", False),
    ("a=1; Path=/; Expires=Wed, 01 Jan 2098 00:00:00 GMT", HERE, "/", True),
    ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", HERE, "/", False),
    ("a=1; Path=/; Expires=whenever", HERE, "/", True),
    ("a=1\x00; Path=/", HERE, "/", False),
    ("a=1\r\nX: y; Path=/", HERE, "/", False),
    ("novalue; Path=/", HERE, "/", False),
    ("=x; Path=/", HERE, "/", False),
    (f"a={'x' * 5000}; Path=/", HERE, "/", False),
])  # fmt: skip
def test_a_cookie_goes_only_where_it_belongs(header, origin, path, goes):
    sent = jar_with(header).header(origin, path=path, now=1005.0)
    assert sent == (b"Cookie: a=1\r\n" if goes else b"")


def test_a_cookie_expires():
    jar = jar_with("a=1; Path=/; Max-Age=10")
    assert jar.header(HERE, path="/", now=1009.0) == b"Cookie: a=1\r\n"
    assert jar.header(HERE, path="/", now=1011.0) == b""


def test_a_later_cookie_replaces_or_deletes_an_earlier_one():
    assert jar_with("a=1; Path=/", "a=2; Path=/").header(HERE, path="/", now=0.0) == b"Cookie: a=2\r\n"
    assert len(jar_with("a=1; Path=/", "a=; Path=/; Max-Age=0")) == 0


def test_the_longest_path_comes_first():
    jar = jar_with("a=1; Path=/", "a=2; Path=/account")
    assert jar.header(HERE, path="/account/x", now=0.0) == b"Cookie: a=2; a=1\r\n"


def test_an_address_has_no_domain_above_it():
    jar = jar_with("a=1; Path=/; Domain=0.0.1", "b=2; Path=/", origin=ADDRESS)
    assert jar.header(ADDRESS, path="/", now=0.0) == b"Cookie: b=2\r\n"


def test_a_jar_is_bounded():
    assert len(jar_with(*(f"c{number}=1" for number in range(1000)))) == MAX_COOKIES


def request_to(origin, path):
    return Request(origin, "GET", f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode(), b"")


def test_a_remembered_header_is_made_anew_when_a_cookie_changes_or_expires():
    jar = Jar()
    jar.store(b"a=1; Path=/", HERE, path="/", now=0.0)
    jar.store(b"b=2; Path=/; Max-Age=10", HERE, path="/", now=0.0)
    page = request_to(HERE, "/page")
    assert [jar.line(page, now) for now in (1.0, 2.0)] == [b"Cookie: a=1; b=2\r\n"] * 2
    assert jar.line(page, 10.0) == b"Cookie: a=1\r\n"
    jar.store(b"a=3; Path=/", HERE, path="/", now=11.0)
    assert jar.line(page, 11.0) == b"Cookie: a=3\r\n"
    jar.store(b"a=3; Path=/; Max-Age=0", HERE, path="/", now=12.0)
    assert jar.line(page, 12.0) == b""


def test_a_remembered_header_is_of_its_origin_alone():
    jar = Jar()
    jar.store(b"a=1; Path=/", HERE, path="/", now=0.0)
    other = Origin("http", "other.example", 80)
    assert jar.line(request_to(HERE, "/"), 1.0) == b"Cookie: a=1\r\n"
    assert jar.line(request_to(other, "/"), 1.0) == b""
    assert jar.line(request_to(HERE, "/"), 1.0) == b"Cookie: a=1\r\n"


def test_cookies_of_some_paths_are_looked_up_each_time():
    jar = Jar()
    jar.store(b"a=1; Path=/", HERE, path="/", now=0.0)
    jar.store(b"b=2; Path=/cart", HERE, path="/", now=0.0)
    lines = [jar.line(request_to(HERE, path), 1.0) for path in ("/", "/cart", "/", "/cart?x=1")]
    both = b"Cookie: b=2; a=1\r\n"
    assert lines == [b"Cookie: a=1\r\n", both, b"Cookie: a=1\r\n", both]
