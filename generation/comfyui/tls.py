"""Whom a connection to a ComfyUI server trusts, and why one is not trusted, in words."""

import re
import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from generation.comfyui.address import Endpoint
from wording import say

_FINGERPRINT = re.compile(r"(?:sha-?256[ :=/]*)?([0-9a-f]{2}(?::?[0-9a-f]{2}){31})", re.IGNORECASE)
#: OpenSSL's codes of why a certificate is not believed (X509_V_ERR_…).
_NOT_BELIEVED = {
    9: say("is not valid yet: do the clocks agree?"),
    10: say("has expired"),
    18: say("is signed by itself: put it, or its fingerprint, into the server's field Certificate"),
    19: say(
        "comes from an issuer that is not known here: put the studio's CA into the "
        "server's field Certificate, or name it in MADSEA_CA_BUNDLE"
    ),
    23: say("was revoked"),
    62: say("is for other names than the one in the server's address"),
    64: say("is for other addresses than the server's"),
}
_NOT_BELIEVED |= dict.fromkeys((2, 20, 21), _NOT_BELIEVED[19])
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
)


def fingerprint(text: str) -> str:
    """Return the SHA-256 fingerprint that a text is, as hex without colons; empty if it is none."""
    match = _FINGERPRINT.fullmatch(text.strip())
    return match[1].replace(":", "").lower() if match else ""


def problem(certificate: str) -> str:
    """Return why a text can be trusted by nobody: no PEM, no fingerprint; empty when it can."""
    if not certificate.strip() or fingerprint(certificate):
        return ""
    if "PRIVATE KEY" in certificate:
        return say("It holds a private key, which belongs on the server alone.")
    try:
        ssl.create_default_context(cadata=certificate)
    except (ssl.SSLError, ValueError):
        return say("Expected a certificate as PEM text, or a SHA-256 fingerprint (64 hex digits).")
    return ""


def context(where: Endpoint) -> ssl.SSLContext:
    """Return how connections to a server are encrypted and whom they trust.

    A certificate of the server's own is trusted besides the machine's; a fingerprint instead of all
    others, so that neither issuer nor name is looked at: who connects compares it.

    Raises OSError or ssl.SSLError when what is to be trusted cannot be read.
    """
    return _context(where.certificate.strip(), where.ca_bundle)


@lru_cache(maxsize=32)
def _context(certificate: str, ca_bundle: str) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if fingerprint(certificate):
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    _trust_machine(made, ca_bundle)
    if certificate:
        made.load_verify_locations(cadata=certificate)
        # The server's own certificate may stand for itself, and an old CA may be plain.
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return made


def _trust_machine(made: ssl.SSLContext, ca_bundle: str) -> None:
    if not ca_bundle:
        # Beside those of the operating system, of which a small container has none.
        made.load_verify_locations(cafile=certifi.where())
    elif Path(ca_bundle).is_dir():
        made.load_verify_locations(capath=ca_bundle)
    else:
        made.load_verify_locations(cafile=ca_bundle)


def reason(error: BaseException) -> str:
    """Return why no encrypted connection was made, in words; empty when that was not the reason."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _NOT_BELIEVED.get(
            error.verify_code,
            say("is not trusted ({reason})", reason=error.verify_message),
        )
        return say("The server's certificate {why}.", why=why)
    said = str(error)
    if "ingerprints did not match" in said:
        return say("The server shows another certificate than the one whose fingerprint was given.")
    if isinstance(error, ssl.SSLError) and any(name in said for name in _NOT_TLS):
        return say("The server does not speak TLS at this port: its address begins with http://.")
    if isinstance(error, ssl.SSLError):
        name = (error.reason or "").replace("_", " ").lower() or say("no reason given")
        return say("The encrypted connection to the server failed: {name}.", name=name)
    return ""
