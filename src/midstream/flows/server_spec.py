"""`scheme://host:port` as modes and `Server.via` name a fixed server. Not a URL: no path, user or query."""

from collections.abc import Sequence
from typing import Literal, get_args

from midstream.text import url

Scheme = Literal["http", "https", "http3", "quic", "tls", "dtls", "tcp", "udp", "dns", "socks5"]
ServerSpec = tuple[Scheme, tuple[str, int]]

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


def parse(spec: str, default_scheme: str, schemes: Sequence[Scheme] = SCHEMES) -> ServerSpec:
    """Read `[scheme://]host[:port][/]`. Raises ValueError with a sentence that names the spec."""
    name, sep, authority = spec.rpartition("://")
    if not sep:
        name = default_scheme
    scheme = next((known for known in SCHEMES if known == name.lower()), None)
    if scheme is None:
        raise ValueError(f"server {spec!r}: {name!r} is no scheme; use one of {', '.join(schemes)}")
    authority = authority.removesuffix("/")
    if not authority:
        raise ValueError(f"server {spec!r}: the host is missing")
    try:
        if authority.isascii():
            host, port = url.split_authority(authority.encode("ascii"))
        else:
            name, colon, digits = authority.partition(":")
            host, port = url.split_authority(url.host_to_bytes(name) + (colon + digits).encode("ascii", "replace"))
    except ValueError as exc:
        raise ValueError(f"server {spec!r}: {exc}") from None
    if port is None:
        port = url.default_port(scheme)
    if port is None:
        raise ValueError(f"server {spec!r}: scheme {scheme} has no default port; write {scheme}://HOST:PORT")
    return scheme, (host.decode("ascii"), port)
