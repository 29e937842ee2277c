"""TLS versions, ciphers and curve of a context, from the words that options use for them; on both sides alike."""

import ssl
import warnings
from dataclasses import dataclass
from typing import Final

VERSIONS: Final = ("UNBOUNDED", "SSL3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")

_LOWEST: Final = dict(
    zip(
        VERSIONS,
        (
            ssl.TLSVersion.MINIMUM_SUPPORTED,
            ssl.TLSVersion.SSLv3,
            ssl.TLSVersion.TLSv1,
            ssl.TLSVersion.TLSv1_1,
            ssl.TLSVersion.TLSv1_2,
            ssl.TLSVersion.TLSv1_3,
        ),
        strict=True,
    )
)
# Other names of the same curves; OpenSSL itself is particular about letter case as well.
_CURVES: Final = {
    "x25519": "X25519",
    "x448": "X448",
    "p-256": "prime256v1",
    "secp256r1": "prime256v1",
    "p-384": "secp384r1",
    "p-521": "secp521r1",
}
_SUPPORTED: Final = {"SSL3": ssl.HAS_SSLv3, "TLS1": ssl.HAS_TLSv1, "TLS1_1": ssl.HAS_TLSv1_1}
_OLD: Final = ("UNBOUNDED", "SSL3", "TLS1", "TLS1_1")


@dataclass(frozen=True, slots=True)
class Versions:
    """The lowest and highest version, each one of VERSIONS, and OpenSSL's cipher list and name of the one curve to use
    for the exchange of keys, or None for its defaults.
    """

    minimum: str = "TLS1_2"
    maximum: str = "UNBOUNDED"
    ciphers: str | None = None
    curve: str | None = None

    def check(self) -> None:
        """Raises ValueError with a sentence when no context can be made of this."""
        self.apply(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def apply(self, context: ssl.SSLContext) -> None:
        """Set them on a context. Raises ValueError with a sentence."""
        bounded = "UNBOUNDED" not in (self.minimum, self.maximum)
        if bounded and VERSIONS.index(self.minimum) > VERSIONS.index(self.maximum):
            raise ValueError(f"the lowest TLS version, {self.minimum}, is above the highest, {self.maximum}")
        with warnings.catch_warnings():
            # Python deprecates TLS 1.0 and 1.1; looking into old devices is what people set them for.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                context.minimum_version = _LOWEST[self.minimum]
                context.maximum_version = (
                    ssl.TLSVersion.MAXIMUM_SUPPORTED if self.maximum == "UNBOUNDED" else _LOWEST[self.maximum]
                )
            except ValueError:
                raise ValueError(f"{ssl.OPENSSL_VERSION} has no TLS from {self.minimum} to {self.maximum}") from None
        try:
            # Below TLS 1.2 everything is signed with SHA-1, which OpenSSL allows at level 0 only.
            context.set_ciphers(self.cipher_list())
        except ssl.SSLError:
            raise ValueError(f"{self.ciphers!r} selects no cipher that {ssl.OPENSSL_VERSION} knows") from None
        curve = self.curve_name()
        if curve is not None:
            try:
                context.set_ecdh_curve(curve)
            except (ValueError, ssl.SSLError):
                reason = f"{self.curve!r} is no curve that {ssl.OPENSSL_VERSION} knows, such as X25519 or secp384r1"
                raise ValueError(reason) from None

    def cipher_list(self) -> str:
        """In OpenSSL's words."""
        return self.ciphers or ("DEFAULT:@SECLEVEL=0" if self.needs_level_0() else "DEFAULT")

    def curve_name(self) -> str | None:
        """As OpenSSL calls it; None for its own choice."""
        return _CURVES.get(self.curve.lower(), self.curve) if self.curve else None

    def needs_level_0(self) -> bool:
        """Whether versions are allowed that fail unless the cipher list says `@SECLEVEL=0`."""
        return self.minimum in _OLD

    def warning(self) -> str | None:
        """What is likely a mistake in this combination."""
        for version in (self.minimum, self.maximum):
            if not _SUPPORTED.get(version, True):
                return f"{ssl.OPENSSL_VERSION} does not speak {version}; nobody can be reached by it"
        if self.needs_level_0() and self.ciphers and "@SECLEVEL=0" not in self.ciphers:
            return f"TLS versions below 1.2 need `@SECLEVEL=0` in the cipher list, which is {self.ciphers!r}"
        return None


def refused(error: ssl.SSLError) -> str:
    """What OpenSSL has against a certificate or its key."""
    reason = error.reason.replace("_", " ").lower() if error.reason else str(error)
    return f"OpenSSL refuses to use it: {reason}"
