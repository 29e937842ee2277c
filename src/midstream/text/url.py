"""URLs, authorities and query strings as HTTP uses them.

Called by the HTTP reader (absolute-form targets, CONNECT), by `flows.request` (url, host, query) and by mode specs.
It is no general URL library: only hierarchical URLs with a host, strict about everything that could make two readers
disagree about where a request goes (RFC 9110 §4.2, RFC 3986 §3.2), silent about what a path or query means.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import AnyStr
from urllib.parse import parse_qsl, urlencode

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "quic": 443, "http3": 443, "dns": 53, "socks5": 1080}

_NAME = rb"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?"
_AUTHORITY = re.compile(rb"(?:(" + _NAME + rb")|\[([0-9A-Fa-f:.]{2,45})\])(?::([0-9]{1,5}))?")
LONGEST_NAME = 255
"""RFC 1035 §2.3.4. No resolver takes more, and what is longer would be kept, logged and shown in full."""
_URL = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)((?:[/?#].*)?)", re.DOTALL)
_FORBIDDEN_IN_PATH = re.compile(rb"[\x00-\x20\x7f]")


def default_port(scheme: str | bytes) -> int | None:
    """The port that a URL of this scheme means when it names none; None for schemes we do not know."""
    if isinstance(scheme, bytes):
        scheme = scheme.decode("latin-1")
    return _DEFAULT_PORTS.get(scheme) or _DEFAULT_PORTS.get(scheme.lower())


def parse(url: str | bytes) -> tuple[bytes, bytes, int, bytes]:
    """Split an absolute URL into (scheme, host, port, path with query and fragment).

    The host comes back in ASCII (IDNA) and without brackets, the scheme in lower case, the path never empty.
    User information is dropped. Text may hold spaces and controls in its path, which are then percent-encoded; bytes
    come from the wire and may not. Raises ValueError with a sentence.
    """
    if isinstance(url, str):
        url = _to_bytes(url)
    elif _FORBIDDEN_IN_PATH.search(url):
        raise ValueError("a URL may not hold spaces or control characters")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(f"{_shown(url)} is no absolute URL; it must start with a scheme such as http://")
    scheme, authority, path = match.groups()
    scheme = scheme.lower()
    if b"@" in authority:
        authority = authority.rpartition(b"@")[2]
    if not authority:
        raise ValueError(f"{_shown(url)} names no host")
    host, port = split_authority(authority)
    if port is None:
        port = default_port(scheme)
        if port is None:
            raise ValueError(f"{_shown(url)} names no port, and scheme {_shown(scheme)} has no default port")
    if not path.startswith(b"/"):
        path = b"/" + path
    return scheme, host, port, path


def split_authority(authority: bytes) -> tuple[bytes, int | None]:
    """Split `host`, `host:port`, `[v6]` or `[v6]:port` into the bare host and the port, if there is one.

    No user information and no empty port; raises ValueError with a sentence.
    """
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise ValueError(f"{_shown(authority)} is no host with an optional port")
    name, ipv6, digits = match.groups()
    if name is None:
        try:
            IPv6Address(ipv6.decode("ascii"))
        except ValueError:
            raise ValueError(f"{_shown(authority)} holds no valid IPv6 address") from None
        name = ipv6
    elif len(name) > LONGEST_NAME:
        raise ValueError(f"the host name has {len(name)} characters; {LONGEST_NAME} is the limit")
    if digits is None:
        return name, None
    port = int(digits)
    if port > 65535:
        raise ValueError(f"port {port} is out of range")
    return name, port


def hostport(scheme: AnyStr, host: AnyStr, port: int) -> AnyStr:
    """`host:port` as it stands in a URL or Host header: default port left out, IPv6 in brackets."""
    if isinstance(host, bytes):
        shown: AnyStr = b"[%b]" % host if b":" in host and not host.startswith(b"[") else host
        return shown if default_port(scheme) == port else b"%b:%d" % (shown, port)
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return shown if default_port(scheme) == port else f"{shown}:{port}"


def unparse(scheme: str, host: str, port: int, path: str) -> str:
    """Put a URL together. The asterisk form of OPTIONS has no path in a URL (RFC 9112 §3.2.4)."""
    return f"{scheme}://{hostport(scheme, host, port)}{'' if path == '*' else path}"


def host_to_bytes(host: str) -> bytes:
    """A host name as it goes on the wire: ASCII, by IDNA where needed. Raises ValueError for what has no such form."""
    if host.isascii():
        return host.encode("ascii")
    try:
        return host.encode("idna")
    except UnicodeError:
        raise ValueError(f"{host!r} cannot be written as an ASCII host name") from None


def decode_query(query: str | bytes) -> list[tuple[str, str]]:
    """Name and value pairs of a query string or urlencoded form, blank ones included, bad UTF-8 as surrogates."""
    if isinstance(query, bytes):
        query = query.decode("utf-8", "surrogateescape")
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """The opposite of `decode_query`, with `+` for spaces."""
    return urlencode(list(pairs), errors="surrogateescape")


def _to_bytes(url: str) -> bytes:
    head, sep, rest = url.partition("://")
    if not sep:
        raise ValueError(f"{url!r} is no absolute URL; it must start with a scheme such as http://")
    authority = re.match(r"[^/?#]*", rest)
    assert authority is not None
    path = rest[authority.end() :].encode("utf-8", "surrogateescape")
    path = _FORBIDDEN_IN_PATH.sub(lambda found: b"%%%02X" % found[0][0], path)
    return head.encode("ascii", "replace") + b"://" + host_to_bytes(authority[0]) + path


def _shown(data: bytes) -> str:
    text = repr(data[:100].decode("ascii", "backslashreplace"))
    return text if len(data) <= 100 else f"{text}…"
