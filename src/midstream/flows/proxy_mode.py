"""Proxy modes as the `mode` option and `Client.proxy_mode` name them: `NAME[:DATA][@[HOST:]PORT]`.

Parsed here, because saved flows and addons carry modes; what a mode does lives in `proxy.modes`.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from midstream.flows import server_spec
from midstream.text.suggest import did_you_mean

Transport = Literal["tcp", "udp", "both"]

NO_USERS = "; behind the last @ stands where to listen, and credentials are given by the option upstream_auth"


class ProxyMode:
    """One parsed mode spec. Immutable; equal if the specs are equal."""

    __slots__ = ("custom_listen_host", "custom_listen_port", "data", "full_spec")

    type_name: ClassVar[str] = ""
    description: str = ""
    default_port: int | None = 8080
    transport_protocol: Transport = "tcp"

    def __init__(
        self, full_spec: str, data: str = "", listen_host: str | None = None, listen_port: int | None = None
    ) -> None:
        self.full_spec = full_spec
        self.data = data
        self.custom_listen_host = listen_host
        self.custom_listen_port = listen_port
        self._check_data()

    @classmethod
    def parse(cls, spec: str) -> "ProxyMode":
        """Read a mode spec. Raises ValueError with a sentence that names it."""
        if (known := _PARSED.get(spec)) and isinstance(known, cls):
            return known
        head, at, listen = spec.rpartition("@")
        if not at:
            head, listen = spec, ""
        name, _, data = head.partition(":")
        kind = _KINDS.get(name.lower())
        if kind is None:
            if name.lower() == "osproxy":
                raise ValueError(f"mode {spec!r}: the mode osproxy is now called local")
            raise ValueError(f"mode {spec!r}: {name!r} is no mode{did_you_mean(name.lower(), _KINDS)}")
        if not issubclass(kind, cls):
            raise ValueError(f"mode {spec!r} is none of {cls.type_name}")
        host, port = _listen_address(spec, listen)
        return kind(spec, data, host, port)

    def _check_data(self) -> None:
        if self.data:
            raise ValueError(f"mode {self.full_spec!r}: {self.type_name} takes no {self.data!r} after the colon")

    def listen_host(self, default: str | None = None) -> str:
        """The host to listen on: that of the spec (`@:8080` means all, ""), else the default, else all ("")."""
        return self.custom_listen_host if self.custom_listen_host is not None else default or ""

    def listen_port(self, default: int | None = None) -> int | None:
        """The port to listen on: that of the spec, else the default, else the mode's own."""
        if self.custom_listen_port is not None:
            return self.custom_listen_port
        return default if default is not None else self.default_port

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ProxyMode):
            return self.full_spec == other.full_spec
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.full_spec)

    def __repr__(self) -> str:
        return f"ProxyMode.parse({self.full_spec!r})"

    def get_state(self) -> str:
        """The spec, as it stands in a saved flow."""
        return self.full_spec

    @classmethod
    def from_state(cls, state: str) -> "ProxyMode":
        """The mode of a saved flow."""
        return ProxyMode.parse(state)


class RegularMode(ProxyMode):
    """An explicit proxy for HTTP and HTTPS."""

    __slots__ = ()
    type_name = "regular"
    description = "HTTP(S) proxy"


class TransparentMode(ProxyMode):
    """Connections that the operating system redirected to us."""

    __slots__ = ()
    type_name = "transparent"
    description = "transparent proxy"


class Socks5Mode(ProxyMode):
    """A SOCKS version 5 server."""

    __slots__ = ()
    type_name = "socks5"
    description = "SOCKS v5 proxy"
    default_port = 1080


class DnsMode(ProxyMode):
    """A DNS server."""

    __slots__ = ()
    type_name = "dns"
    description = "DNS server"
    default_port = 53
    transport_protocol = "both"


class _TargetMode(ProxyMode):
    """A mode whose data names one server."""

    __slots__ = ("address", "scheme")

    _default_scheme: ClassVar[str] = "https"
    _schemes: ClassVar[tuple[server_spec.Scheme, ...]] = server_spec.SCHEMES

    scheme: server_spec.Scheme
    address: tuple[str, int]

    def _check_data(self) -> None:
        try:
            self.scheme, self.address = server_spec.parse(self.data, self._default_scheme, self._schemes)
        except ValueError as exc:
            raise ValueError(f"mode {self.full_spec!r}: {exc}{NO_USERS if '@' in self.full_spec else ''}") from None
        if self.scheme not in self._schemes:
            allowed = f"{', '.join(self._schemes[:-1])} and {self._schemes[-1]}"
            raise ValueError(f"mode {self.full_spec!r}: {self.type_name} knows the schemes {allowed} only")

    @property
    def target(self) -> str:
        """The server as it was given, with the scheme that is meant where none was."""
        return self.data if "://" in self.data else f"{self.scheme}://{self.data}"


class UpstreamMode(_TargetMode):
    """An explicit proxy that forwards everything to a parent proxy."""

    __slots__ = ()
    type_name = "upstream"
    _default_scheme = "http"
    _schemes = ("http", "https", "socks5")

    @property
    def description(self) -> str:  # type: ignore[override]
        """What this mode is, for people."""
        return f"HTTP(S) proxy through {self.target}"


class ReverseMode(_TargetMode):
    """Stands in for one server."""

    __slots__ = ()
    type_name = "reverse"
    _schemes = tuple(name for name in server_spec.SCHEMES if name != "socks5")

    @property
    def description(self) -> str:  # type: ignore[override]
        """What this mode is, for people."""
        return f"reverse proxy to {self.target}"

    @property
    def default_port(self) -> int | None:  # type: ignore[override]
        """The port to listen on when nothing names one."""
        return 53 if self.scheme == "dns" else 8080

    @property
    def transport_protocol(self) -> Transport:  # type: ignore[override]
        """The transports that clients may use."""
        if self.scheme in ("http3", "quic", "udp", "dtls"):
            return "udp"
        return "both" if self.scheme in ("https", "dns") else "tcp"


class WireGuardMode(ProxyMode):
    """A WireGuard server; the data is the path of its configuration."""

    __slots__ = ()
    type_name = "wireguard"
    description = "WireGuard server"
    default_port = 51820
    transport_protocol = "udp"

    def _check_data(self) -> None:
        pass


class LocalMode(ProxyMode):
    """Traffic of processes on this machine; the data lists them."""

    __slots__ = ()
    type_name = "local"
    description = "local redirector"
    default_port = None
    transport_protocol = "both"

    def _check_data(self) -> None:
        if self.data and not all(part.strip().lstrip("!") for part in self.data.split(",")):
            raise ValueError(f"mode {self.full_spec!r}: a process name is missing between the commas")


class TunMode(ProxyMode):
    """A TUN interface; the data is its name."""

    __slots__ = ()
    type_name = "tun"
    description = "TUN interface"
    default_port = None
    transport_protocol = "both"

    def _check_data(self) -> None:
        if len(self.data.encode()) > 15 or "/" in self.data:  # IFNAMSIZ of Linux is 16 with the final NUL
            raise ValueError(f"mode {self.full_spec!r}: {self.data!r} is no interface name")


_KINDS: Mapping[str, type[ProxyMode]] = {
    kind.type_name: kind
    for kind in (
        RegularMode, UpstreamMode, ReverseMode, TransparentMode, Socks5Mode, DnsMode, WireGuardMode, LocalMode, TunMode,
    )
}  # fmt: skip

MODE_NAMES = tuple(_KINDS)
"""The names that a mode spec may start with."""

# Every client record of the default mode needs this one.
_PARSED: Mapping[str, ProxyMode] = {"regular": RegularMode("regular")}


def _listen_address(spec: str, listen: str) -> tuple[str | None, int | None]:
    """Split what stands after the last @. The last colon separates, so that IPv6 needs no brackets, but may have."""
    if not listen:
        return None, None
    host, colon, digits = listen.rpartition(":")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        hint = NO_USERS if "://" in spec else ""
        raise ValueError(f"mode {spec!r}: {digits!r} is no port; use a number from 0 to 65535{hint}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return host if colon else None, int(digits)
