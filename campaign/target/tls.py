"""How TLS peers are checked, for every connection that we make."""

from __future__ import annotations

import ssl

from campaign.errors import ConfigurationError
from campaign.target.spec import TlsSpec


def tls_context(spec: TlsSpec, *, http: int = 1) -> ssl.SSLContext:
    """The context for connections that speak this version of HTTP. Raises ConfigurationError for a file that
    cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=spec.ca or None)
        if spec.certificate:
            context.load_cert_chain(spec.certificate, spec.key or None, password=_no_passphrase)
    except OSError as error:
        raise ConfigurationError(f"the TLS files cannot be read: {error}") from error
    if not spec.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"] if http == 1 else ["h2", "http/1.1"])
    return context


def _no_passphrase() -> str:
    """Nobody is asked for one: a campaign runs unattended."""
    raise ConfigurationError("the key of the TLS certificate is encrypted; give one without a passphrase")
