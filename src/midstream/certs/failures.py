"""Plain words for TLS that failed: what happened, why, and what to do about it.

Used by `proxy/tls.py` for the error of a connection, which becomes the row of the flow and a line in the log. It only
reads exceptions and certificates; nothing is retried here.
"""

import datetime
import ssl
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from midstream.text.escape import visible

_ACCEPT: Final = "accept any certificate with ssl_insecure"
_TRUST: Final = f"if you trust it, name its CA in ssl_verify_upstream_trusted_ca, or {_ACCEPT}"
_SHOWN_NAMES: Final = 5

_UNKNOWN_ISSUER: Final = (
    "the certificate of {host} was issued by {issuer}, which is not trusted here (or {host} forgot to send an "
    f"intermediate certificate); {_TRUST}"
)

# The verdict's number in OpenSSL (x509_vfy.h) and what it means.
_VERDICTS: Final = {
    7: "the certificate of {host} names {issuer} as its issuer, but the CA of that name that is trusted here did not "
    f"sign it; {_TRUST}",
    9: f"the certificate of {{host}} is valid only from {{since}} on; is the clock here right? To go on, {_ACCEPT}",
    10: f"the certificate of {{host}} expired on {{until}}; its owner has to renew it; to go on, {_ACCEPT}",
    18: f"{{host}} shows a self-signed certificate; {_TRUST}",
    19: f"the certificate of {{host}} comes from {{issuer}}, whose root CA is not trusted here; {_TRUST}",
    20: _UNKNOWN_ISSUER,
    21: _UNKNOWN_ISSUER,
    23: "the certificate of {host} has been revoked by its CA",
    24: f"the certificate of {{host}} was signed by {{issuer}}, which is no CA; {_TRUST}",
    26: f"the certificate of {{host}} is not meant for servers; to go on, {_ACCEPT}",
    62: f"the certificate is not for {{host}} but for {{names}}; is this the right host? To go on, {_ACCEPT}",
    64: f"the certificate is not for the address {{host}} but for {{names}}; to go on, {_ACCEPT}",
    66: f"the key of {{host}} is too short to be safe; allow it with ciphers_server=DEFAULT:@SECLEVEL=0, or {_ACCEPT}",
    67: f"a CA behind {{host}} has a key too short to be safe; allow it with ciphers_server=DEFAULT:@SECLEVEL=0, "
    f"or {_ACCEPT}",
    68: f"a CA behind {{host}} signs with a hash that is broken; allow it with ciphers_server=DEFAULT:@SECLEVEL=0, "
    f"or {_ACCEPT}",
}

# Words in OpenSSL's reason (they differ between releases, so only these), first match wins.
_UPSTREAM: Final = (
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
        "{host} answers, but not with TLS; perhaps it speaks plain HTTP on this port",
    ),
    (
        ("ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW"),
        "{host} and we share no TLS version; older ones are allowed with tls_version_server_min",
    ),
    (
        ("ALERT_HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "NO_CIPHERS", "INSUFFICIENT_SECURITY"),
        "{host} refuses our TLS parameters: most likely we share no cipher (see ciphers_server and "
        "tls_version_server_min), or it asks for a client certificate",
    ),
    (
        ("UNRECOGNIZED_NAME",),
        "{host} says that it does not know this name (SNI)",
    ),
    (
        ("NO_APPLICATION_PROTOCOL",),
        "{host} shares no protocol with the client (ALPN)",
    ),
    (
        ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_UNKNOWN"),
        "{host} asks for a client certificate, and we have none that it accepts",
    ),
    (
        ("UNSAFE_LEGACY_RENEGOTIATION",),
        "{host} knows no secure renegotiation (RFC 5746), which old servers lack; ssl_insecure lets it pass",
    ),
    (
        ("DH_KEY_TOO_SMALL", "KEY_TOO_SMALL", "MD_TOO_WEAK", "NO_SUITABLE_SIGNATURE_ALGORITHM", "WRONG_SIGNATURE_TYPE"),
        "{host} offers keys or signatures too weak to be safe; allow them with ciphers_server=DEFAULT:@SECLEVEL=0",
    ),
    (("ALERT_INTERNAL_ERROR",), "{host} reports an internal error of its own in the TLS handshake"),
    (("ALERT_ACCESS_DENIED",), "{host} denies us access in the TLS handshake"),
)

_PINS: Final = (
    "install midstream-ca-cert.pem from the config folder there as a trusted CA. If it is installed, the client pins "
    "certificates and accepts no proxy; let {host} pass untouched with ignore_hosts"
)

_CLIENT: Final = (
    (
        ("ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_BAD_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE"),
        f"the client does not trust our certificate for {{host}}; {_PINS}",
    ),
    (
        ("ALERT_CERTIFICATE_EXPIRED",),
        "the client says that our certificate for {host} has expired; is the clock right, here and there?",
    ),
    (
        ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST"),
        "the client speaks plain HTTP where TLS was expected",
    ),
    (
        ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "NOT_TLS"),
        "the client sends something that is not TLS",
    ),
    (
        ("UNSUPPORTED_PROTOCOL", "ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW"),
        "the client and we share no TLS version; older ones are allowed with tls_version_client_min",
    ),
    (
        ("NO_SHARED_CIPHER", "ALERT_HANDSHAKE_FAILURE", "NO_SUITABLE", "NO_SHARED_GROUP"),
        "the client and we share no cipher; others are allowed with ciphers_client. Clients too old for ECDSA need a "
        "CA made with key_type=rsa",
    ),
    (("NO_APPLICATION_PROTOCOL",), "the client wants a protocol that we do not speak (ALPN)"),
    (
        ("ALERT_USER_CANCELLED", "ALERT_CLOSE_NOTIFY"),
        "the client gave up in the middle of the TLS handshake for {host}",
    ),
)

_SERVER_LEFT: Final = (
    "{host} closed the connection during the TLS handshake; perhaps it speaks no TLS on this port, or only versions "
    "older than tls_version_server_min"
)
_LEFT: Final = (
    "the client closed the connection during the TLS handshake for {host} without saying why. Often it does not trust "
    f"our certificate: {_PINS}"
)
_LEFT_AFTER: Final = (
    "the client closed the connection right after the TLS handshake for {host}, without a request. Apps that pin "
    "certificates do that; let {host} pass untouched with ignore_hosts"
)


def explain_upstream(exc: BaseException, host: str, chain: Sequence[bytes] = ()) -> str:
    """Why TLS to `host` failed. `chain` (DER, leaf first) is what the server showed, to name what is wrong with it."""
    host = visible(host)
    error = _tls_error(exc)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _verdict(error, host, chain)
    if isinstance(exc, TimeoutError):
        return f"{host} did not finish the TLS handshake in time"
    if error is None or isinstance(error, ssl.SSLEOFError):
        return _SERVER_LEFT.format(host=host)
    return _look_up(_UPSTREAM, error, host) or f"the TLS handshake with {host} failed: {_reason(error)}"


def explain_broken(error: ssl.SSLError, host: str) -> str:
    """Why a connection to `host` broke after the handshake, at the end of which TLS 1.3 servers turn clients down."""
    return _look_up(_UPSTREAM, error, visible(host)) or f"TLS with {visible(host)} broke: {_reason(error)}"


def explain_client(exc: BaseException, host: str | None = None) -> str:
    """Why TLS with a client that asked for `host` failed."""
    name = visible(host) if host else "this host"
    error = _tls_error(exc)
    if isinstance(exc, TimeoutError):
        return f"the client did not finish the TLS handshake for {name} in time"
    if error is None or isinstance(error, ssl.SSLEOFError):
        return _LEFT.format(host=name)
    return _look_up(_CLIENT, error, name) or f"the TLS handshake with the client failed: {_reason(error)}"


def explain_leaving(exc: BaseException | None, host: str | None = None) -> str:
    """Why a client left right after the handshake: by the alert `exc` that it sent then, if it sent one."""
    if exc is not None:
        return explain_client(exc, host)
    return _LEFT_AFTER.format(host=visible(host) if host else "this host")


def _tls_error(exc: BaseException) -> ssl.SSLError | None:
    """The error of OpenSSL behind an exception, which a stream may have wrapped."""
    seen: BaseException | None = exc
    while seen is not None and not isinstance(seen, ssl.SSLError):
        seen = seen.__cause__
    return seen


def _look_up(table: Sequence[tuple[tuple[str, ...], str]], error: ssl.SSLError, host: str) -> str | None:
    reason = error.reason or ""
    for words, sentence in table:
        if any(word in reason for word in words):
            _, is_alert, alert = reason.partition("ALERT_")
            # What the other side said, word for word: the sentence is our guess at why.
            said = f" (TLS alert: {alert.replace('_', ' ').lower()})" if is_alert else ""
            return sentence.format(host=host) + visible(said)
    return None


def _reason(error: ssl.SSLError) -> str:
    return visible(error.reason.replace("_", " ").lower() if error.reason else str(error))


def _verdict(error: ssl.SSLCertVerificationError, host: str, chain: Sequence[bytes]) -> str:
    sentence = _VERDICTS.get(error.verify_code)
    if sentence is None:
        return f"the certificate of {host} is not accepted: {visible(error.verify_message)}; {_TRUST}"
    facts = _facts(chain, expired=error.verify_code == 10)
    return sentence.format(host=host, **facts)


def _facts(chain: Sequence[bytes], *, expired: bool) -> dict[str, str]:
    """What to say of the certificates, with words that fit when they say nothing themselves."""
    facts = {"names": "other names", "since": "a later date", "until": "an earlier date", "issuer": "an unknown CA"}
    try:
        leaf = x509.load_der_x509_certificate(chain[0])
        # Of a chain in which an intermediate has expired, that one is the culprit.
        dated = [x509.load_der_x509_certificate(der) for der in chain] if expired else [leaf]
        now = datetime.datetime.now(datetime.UTC)
        culprit = next((item for item in dated if item.not_valid_after_utc < now), leaf)
        facts["since"] = f"{leaf.not_valid_before_utc:%Y-%m-%d}"
        facts["until"] = f"{culprit.not_valid_after_utc:%Y-%m-%d}"
        issuer = leaf.issuer.get_attributes_for_oid(NameOID.COMMON_NAME) or leaf.issuer.get_attributes_for_oid(
            NameOID.ORGANIZATION_NAME
        )
        if issuer:
            facts["issuer"] = f'"{visible(str(issuer[0].value))}"'
        names = certificate_names(leaf)
        if names:
            more = len(names) - _SHOWN_NAMES
            facts["names"] = ", ".join(map(visible, names[:_SHOWN_NAMES])) + (f" and {more} more" if more > 0 else "")
    except (ValueError, IndexError):  # no chain, or one that only OpenSSL could read
        pass
    return facts


def certificate_names(certificate: x509.Certificate) -> list[str]:
    """The host names and addresses that a certificate is for, as it gives them. Raises ValueError when it is broken."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(item.value) for item in names if isinstance(item, x509.DNSName | x509.IPAddress)]
