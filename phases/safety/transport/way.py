"""TLS versions, the certificate, the redirect from plain http, and HSTS; none of it where there is no TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from ssl import TLSVersion

from campaign.errors import TargetUnreachableError
from campaign.target.guard import Address, Guard
from campaign.target.http import Answer, ControlClient
from campaign.target.origin import Origin, split_url
from campaign.target.spec import OptionsSpec, TlsSpec
from campaign.units import format_quantity
from phases.safety.asking import NotTestedError
from phases.safety.cast.principal import Heard
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.transport.handshake import NEW, OLD, certificate_of, speaks
from phases.safety.transport.plan import WEIGHTS, check_of

HTTPS = 443
REDIRECTS = range(300, 400)
REMEDY = {
    "tls_versions": "Switch TLS 1.0 and 1.1 off where TLS ends, and offer 1.2 and 1.3.",
    "certificate": "Renew the certificate, automatically, for the name that is asked for.",
    "redirect": "Answer nothing over plain http but a redirect to https.",
    "hsts": "Send Strict-Transport-Security with a max-age of half a year or more.",
}
KINDS = tuple(REMEDY)


async def without_tls(scene: Scene) -> list[Probe]:
    """What can be said of a target that is asked over plain http; empty where it is https."""
    origin, addresses = await _where(scene)
    if origin.secure:
        return []
    found = [ip_address(each.ip) for each in addresses]
    if all(each.is_loopback for each in found):
        said = (
            f"the target is plain http on a loopback address ({origin.authority}): nothing leaves the machine"
        )
        return [_probe(kind, Answered.NOT_APPLICABLE, said) for kind in KINDS]
    if all(each.is_private for each in found):
        said = f"the target is asked over plain http at a private address ({origin.authority})"
        return [_probe(kind, Answered.NOT_TESTED, said) for kind in KINDS]
    said = f"{origin} is public, and what is said to it goes over the network in clear text"
    return [
        _probe(kind, Answered.FAILED if kind == "tls_versions" else Answered.NOT_TESTED, said)
        for kind in KINDS
    ]


async def tls_versions(scene: Scene) -> Probe:
    """Old versions are refused, and a new one is spoken."""
    origin, addresses = await _where(scene)
    spoken = {}
    for version in (*OLD, *NEW):
        try:
            spoken[version] = await asyncio.to_thread(speaks, addresses[0], origin.host, version)
        except OSError as error:
            raise NotTestedError(f"no connection to {origin.authority}: {error}") from error
    old = [NAMES[version] for version in OLD if spoken[version]]
    unknown = [NAMES[version] for version in OLD if spoken[version] is None]
    new = [NAMES[version] for version in NEW if spoken[version]]
    if old or not new:
        return _probe("tls_versions", Answered.FAILED, f"it speaks {', '.join([*old, *new]) or 'no TLS'}")
    if unknown:
        raise NotTestedError(f"this machine's OpenSSL cannot offer {', '.join(unknown)}")
    return _probe("tls_versions", Answered.PASSED, f"it speaks {' and '.join(new)}, and nothing older")


NAMES = {
    TLSVersion.TLSv1: "TLS 1.0",
    TLSVersion.TLSv1_1: "TLS 1.1",
    TLSVersion.TLSv1_2: "TLS 1.2",
    TLSVersion.TLSv1_3: "TLS 1.3",
}


async def certificate(scene: Scene) -> Probe:
    """A certificate to trust, for some time to come."""
    origin, addresses = await _where(scene)
    spec: TlsSpec = scene.context.target.tls
    try:
        found = await asyncio.to_thread(certificate_of, addresses[0], origin.host, spec)
    except OSError as error:
        raise NotTestedError(f"no connection to {origin.authority}: {error}") from error
    if found.refused:
        return _probe("certificate", Answered.FAILED, f"its certificate is not accepted: {found.refused}")
    left = found.ends - scene.context.clock.wall()
    wanted = scene.settings.transport.certificate
    said = f"its certificate is accepted, and good for {format_quantity(max(left, 0.0), 's')} more"
    good = left >= wanted
    more = "" if good else f" ({format_quantity(wanted, 's')} wanted)"
    return _probe("certificate", Answered.PASSED if good else Answered.FAILED, said + more)


async def redirect(scene: Scene) -> Probe:
    """Plain http leads to https, or nobody is there."""
    origin, _ = await _where(scene)
    plain = scene.settings.transport.plain
    if plain is None and origin.port != HTTPS:
        raise NotTestedError(f"where {origin.authority} is over plain http is not known (transport.plain)")
    url = plain or f"http://{Origin('http', origin.host, 80).authority}"
    answer = await _answer(scene, url)
    if isinstance(answer, str):
        return _probe("redirect", Answered.PASSED, f"nothing answers over plain http: {answer}")
    where = answer.headers.get("location", "")
    good = answer.status in REDIRECTS and where.startswith("https://")
    said = f"plain http was answered {answer.status}{f', to {where}' if where else ''}"
    return _probe("redirect", Answered.PASSED if good else Answered.FAILED, said)


async def _answer(scene: Scene, url: str) -> Answer | str:
    target = replace(scene.context.target, url=url, headers={})
    guard = Guard(target.allow_hosts)
    try:
        async with ControlClient(target, guard, options=OptionsSpec(timeout=5.0, redirects=0)) as client:
            return await client.request("GET", "/")
    except TargetUnreachableError as error:
        return str(error)


def hsts(scene: Scene, answers: Iterable[Heard]) -> Probe:
    """Every answer over https says that it is to be asked so."""
    wanted = scene.settings.transport.hsts
    missing = [
        each for each in answers if max_age(each.headers.get("strict-transport-security", "")) < wanted
    ]
    if missing:
        first = missing[0]
        said = f"{first.operation} has {first.headers.get('strict-transport-security') or 'no HSTS header'}"
        said += f" ({format_quantity(wanted, 's')} wanted)"
        return _probe("hsts", Answered.FAILED, said, (first.id,))
    return _probe(
        "hsts", Answered.PASSED, f"every answer has HSTS for {format_quantity(wanted, 's')} or more"
    )


def max_age(header: str) -> float:
    """Seconds of max-age in a Strict-Transport-Security header (RFC 6797); 0 where there is none."""
    for part in header.lower().split(";"):
        name, _, value = part.strip().partition("=")
        if name == "max-age" and value.strip('" ').isdecimal():
            return float(value.strip('" '))
    return 0.0


async def _where(scene: Scene) -> tuple[Origin, tuple[Address, ...]]:
    origin, _ = split_url(scene.context.target.url)
    addresses = await Guard(scene.context.target.allow_hosts).resolve(origin.host, origin.port)
    if not addresses:
        raise NotTestedError(f"{origin.host} has no address")
    return origin, addresses


def _probe(kind: str, answered: Answered, said: str, ids: tuple[str, ...] = ()) -> Probe:
    remedy = REMEDY[kind] if answered is Answered.FAILED else ""
    return Probe(check_of(kind), WEIGHTS[kind], answered, said, remedy, ids)
