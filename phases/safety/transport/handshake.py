"""TLS as a stranger sees it: which versions are spoken, and whether the certificate is one to trust.

Blocking, with a time limit; run it in a thread. What this machine's OpenSSL cannot offer is not known.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from dataclasses import dataclass, replace

from campaign.target.guard import Address
from campaign.target.spec import TlsSpec
from campaign.target.tls import tls_context

PATIENCE = 5.0
"""Seconds for one handshake."""

OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
"""Deprecated by RFC 8996."""

NEW = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

_OURS = {"NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE", "UNSUPPORTED_PROTOCOL"}
"""Reasons that lie with us, unless the server said otherwise by an alert."""


def speaks(address: Address, host: str, version: ssl.TLSVersion) -> bool | None:
    """Whether the server speaks this version; None where we cannot ask. Raises OSError: nobody is there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # they are deprecated: that is what is asked
            context.minimum_version = context.maximum_version = version
            context.set_ciphers("ALL:@SECLEVEL=0")
    except (ssl.SSLError, ValueError):
        return None
    with socket.create_connection((address.ip, address.port), timeout=PATIENCE) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host):
                return True
        except ssl.SSLError as error:
            return None if error.reason in _OURS else False
        except (ConnectionError, TimeoutError):
            return False  # it hangs up, as some do, in place of an alert


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was found: `refused` says why it is not to be trusted (""), `ends` is Unix time."""

    refused: str = ""
    ends: float = 0.0


def certificate_of(address: Address, host: str, spec: TlsSpec) -> Certificate:
    """The server's certificate, verified whatever the file says. Raises OSError where it is not there."""
    context = tls_context(replace(spec, verify=True))
    with socket.create_connection((address.ip, address.port), timeout=PATIENCE) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as secured:
                found = secured.getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            return Certificate(error.verify_message)
        except ssl.SSLError as error:
            return Certificate(f"no handshake: {error.reason or error}")
    ends = found.get("notAfter")
    return Certificate(ends=ssl.cert_time_to_seconds(str(ends)) if ends else 0.0)
