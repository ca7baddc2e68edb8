"""Only what is ours, or named, gets traffic; some addresses never do."""

import asyncio
import socket

import pytest

from campaign.errors import RefusedError, TargetUnreachableError
from campaign.target.guard import Address, Guard, check_environment

OWN = [
    "127.0.0.1", "127.8.9.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd12::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1",
]  # fmt: skip
FOREIGN = [
    "93.184.216.34", "8.8.8.8", "172.32.0.1", "100.64.0.1", "192.0.0.1",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "2606:4700::1",
    "2001:db8::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "::7f00:1",
]  # fmt: skip
NEVER = {
    "169.254.169.254": "cloud metadata",
    "169.254.170.2": "cloud metadata",
    "100.100.100.200": "cloud metadata",
    "fd00:ec2::254": "cloud metadata",
    "::ffff:169.254.169.254": "cloud metadata",
    "::ffff:a9fe:a9fe": "cloud metadata",
    "64:ff9b::a9fe:a9fe": "cloud metadata",
    "2002:a9fe:a9fe::1": "cloud metadata",
    "169.254.1.1": "a link-local address",
    "fe80::1": "a link-local address",
    "fe80::1%eth0": "a link-local address",
    "0.0.0.0": "an unspecified address",
    "0.1.2.3": "an unspecified address",
    "::": "an unspecified address",
    "::ffff:0.0.0.0": "an unspecified address",
    "224.0.0.1": "a multicast address",
    "ff02::1": "a multicast address",
    "255.255.255.255": "the broadcast address",
    "250.0.0.1": "a reserved address",
}
EVERYTHING = Guard(["0.0.0.0/0", "::/0", "named.example", *NEVER])


@pytest.mark.parametrize("address", OWN)
def test_loopback_and_private_addresses_may_get_traffic(address):
    Guard().check("anything.example", address)


@pytest.mark.parametrize("address", FOREIGN)
def test_any_other_address_must_be_named(address):
    with pytest.raises(
        RefusedError, match=rf"shop\.example \({address}\).*name shop\.example in target\.allow_hosts"
    ):
        Guard().check("shop.example", address)


@pytest.mark.parametrize("address", FOREIGN)
@pytest.mark.parametrize("entry", ["shop.example", "SHOP.example.", "0.0.0.0/0"])
def test_a_named_host_may_get_traffic(entry, address):
    if entry == "0.0.0.0/0" and ":" in address and "ffff" not in address:
        entry = address
    Guard([entry]).check("shop.example", address)


def test_naming_one_host_names_no_other():
    with pytest.raises(RefusedError):
        Guard(["shop.example", "198.51.100.0/25"]).check("shop.example.evil", "198.51.100.200")


@pytest.mark.parametrize(("address", "reason"), NEVER.items())
def test_some_addresses_never_get_traffic_even_when_named(address, reason):
    with pytest.raises(RefusedError) as caught:
        EVERYTHING.check("named.example", address)
    assert f"named.example ({address}) is {reason}, which never gets traffic" == str(caught.value)


def resolving(monkeypatch, addresses):
    def lookup(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_a_name_is_judged_by_its_addresses_and_only_the_good_ones_are_given(monkeypatch):
    resolving(monkeypatch, ["169.254.169.254", "10.0.0.7", "8.8.8.8", "10.0.0.7"])
    found = asyncio.run(Guard().resolve("rebound.example", 80))
    assert found == (Address("10.0.0.7", 80, socket.AF_INET),)


def test_a_name_with_only_bad_addresses_is_refused(monkeypatch):
    resolving(monkeypatch, ["8.8.8.8"])
    with pytest.raises(RefusedError, match=r"rebound\.example \(8\.8\.8\.8\)"):
        asyncio.run(Guard().resolve("rebound.example", 80))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "127.1", "localhost"])
def test_other_spellings_of_loopback_are_resolved_before_they_are_judged(spelling):
    addresses = asyncio.run(Guard().resolve(spelling, 8000))
    assert addresses
    assert {each.ip for each in addresses} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("spelling", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376"])
def test_other_spellings_of_cloud_metadata_are_refused(spelling):
    with pytest.raises(RefusedError, match="cloud metadata"):
        asyncio.run(Guard([spelling]).resolve(spelling, 80))


def test_a_name_without_an_address_is_unreachable_and_not_refused(monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(TargetUnreachableError, match=r"nowhere\.example.*not known") as caught:
        asyncio.run(Guard().resolve("nowhere.example", 80))
    assert isinstance(caught.value, OSError)


def test_a_name_that_cannot_be_one_is_unreachable_too():
    with pytest.raises(TargetUnreachableError):
        asyncio.run(Guard().resolve("a" * 70 + ".example", 80))


@pytest.mark.parametrize("environment", ["production", "Production", "prod", " live "])
def test_production_needs_a_word_from_the_user(environment):
    with pytest.raises(RefusedError, match="--allow-production"):
        check_environment(environment, allow_production=False)
    check_environment(environment, allow_production=True)


def test_staging_needs_none():
    check_environment("staging", allow_production=False)
