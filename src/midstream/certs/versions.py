"""TLS versions and ciphers of a context, from the words that options use for them. For both sides of the proxy."""

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
_OLD: Final = ("UNBOUNDED", "SSL3", "TLS1", "TLS1_1")


@dataclass(frozen=True, slots=True)
class Versions:
    """The lowest and highest version, each one of VERSIONS, and OpenSSL's cipher list or None for its default."""

    minimum: str = "TLS1_2"
    maximum: str = "UNBOUNDED"
    ciphers: str | None = None

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
            context.set_ciphers(self.ciphers or ("DEFAULT:@SECLEVEL=0" if self.needs_level_0() else "DEFAULT"))
        except ssl.SSLError:
            raise ValueError(f"{self.ciphers!r} selects no cipher that {ssl.OPENSSL_VERSION} knows") from None

    def needs_level_0(self) -> bool:
        """Whether versions are allowed that fail unless the cipher list says `@SECLEVEL=0`."""
        return self.minimum in _OLD

    def warning(self) -> str | None:
        """What is likely a mistake in this combination."""
        if self.needs_level_0() and self.ciphers and "@SECLEVEL=0" not in self.ciphers:
            return f"TLS versions below 1.2 need `@SECLEVEL=0` in the cipher list, which is {self.ciphers!r}"
        return None
