"""The list of our revoked certificates, which is empty, for clients that ask for one before they trust a leaf.

Windows does when the certificate of the real server names such a list. A leaf for it then names one too, at the same
host but by a path of our own (`LeafStore.leaf`), which `addons/tlsconfig.py` answers.
"""

import datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from midstream.certs.authority import BACKDATED, Authority, signing_hash

CONTENT_TYPE: Final = "application/pkix-crl"  # RFC 2585 §4.2
_LIFETIME: Final = datetime.timedelta(days=7)


def list_name(authority: Authority) -> str:
    """The last segment of the path at which the list of a CA is: each CA has another."""
    return f"midstream-{authority.certificate.serial_number}.crl"


def list_url(upstream: str, authority: Authority) -> str | None:
    """Where the list of a leaf is, given that of the real certificate; None if that is no http."""
    try:
        parts = urlsplit(upstream)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname or not upstream.isascii():
            return None
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}/{list_name(authority)}"


def empty_list(authority: Authority) -> bytes:
    """The list, signed and in DER, for the days around now. Raises ValueError when the CA's name cannot be written."""
    start = datetime.datetime.now(datetime.UTC) - BACKDATED
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(start)
        .next_update(start + _LIFETIME)
        .add_extension(x509.CRLNumber(int(start.timestamp())), critical=False)  # RFC 5280 §5.2.3: it only grows
        .add_extension(authority.key_identifier(), critical=False)
    )
    return builder.sign(authority.key, signing_hash(authority.key)).public_bytes(Encoding.DER)
