"""An HTTP request, from any version of HTTP.

Made by the proxy from a parsed head and by scripts through `Request.make`. Where the request goes is in `host`, `port`
and `scheme`; what the client said about it is in the Host header and `authority`. It sends nothing itself.
"""

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote, unquote

from midstream.flows import cookies, encodings, multipart
from midstream.flows import state as s
from midstream.flows.headers import AnyHeaders, HeaderFields, Headers, to_bytes, to_str
from midstream.flows.message import MESSAGE_SCHEMA, Message, content_argument, header_arguments
from midstream.flows.multidict import Fields, MultiDictView, pairs_of, spliced
from midstream.text import url as urls

_URLENCODED = "application/x-www-form-urlencoded"


class Request(Message):
    """A request. Method, scheme, authority and path are kept as the bytes of the wire and read as text.

    `authority` is empty but for CONNECT, absolute-form targets and HTTP/2. `path` includes the query.
    """

    __slots__ = {
        "_host": "",
        "_port": "",
        "raw_authority": "`authority` as bytes.",
        "raw_method": "`method` as bytes.",
        "raw_path": "`path` as bytes.",
        "raw_scheme": "`scheme` as bytes.",
        "send_raw": "Bytes to send to the server in place of the request, unchecked; see the option send_raw.",
    }

    send_raw: bytes | None

    _DATA: ClassVar[dict[str, str]] = {
        **Message._DATA,
        "host": "_host",
        "port": "_port",
        "method": "raw_method",
        "scheme": "raw_scheme",
        "authority": "raw_authority",
        "path": "raw_path",
    }
    _SCHEMA: ClassVar[s.Schema] = s.Schema(
        {
            **MESSAGE_SCHEMA,
            "host": s.text,
            "port": s.integer,
            "method": s.binary,
            "scheme": s.binary,
            "authority": s.binary,
            "path": s.binary,
        }
    )

    def __init__(
        self,
        host: str | bytes,
        port: int,
        method: str | bytes,
        scheme: str | bytes,
        authority: str | bytes,
        path: str | bytes,
        http_version: str | bytes,
        headers: Headers | HeaderFields,
        content: bytes | None,
        trailers: Headers | HeaderFields | None,
        timestamp_start: float,
        timestamp_end: float | None,
    ) -> None:
        self._host: str = host if isinstance(host, str) else host.decode("utf-8", "surrogateescape")
        if not isinstance(port, int):
            raise TypeError(f"Expected an int for port, but got {type(port).__name__}.")
        self._port = port
        self.raw_method: bytes = method if isinstance(method, bytes) else to_bytes(method)
        self.raw_scheme: bytes = scheme if isinstance(scheme, bytes) else to_bytes(scheme)
        self.raw_authority: bytes = authority if isinstance(authority, bytes) else to_bytes(authority)
        self.raw_path: bytes = path if isinstance(path, bytes) else to_bytes(path)
        self.raw_http_version = http_version if isinstance(http_version, bytes) else to_bytes(http_version)
        self._headers = headers if isinstance(headers, Headers) else Headers(headers)
        if isinstance(content, str):
            raise ValueError("The content of a request is bytes, not text.")
        self.raw_content = content
        self._trailers = None if trailers is None else header_arguments(trailers)
        self.timestamp_start = timestamp_start
        self.timestamp_end = timestamp_end
        self.stream, self.pace, self.send_raw = False, None, None

    @classmethod
    def make(
        cls,
        method: str,
        url: str,
        content: str | bytes = "",
        headers: AnyHeaders = (),
    ) -> "Request":
        """A request for a URL, as scripts want it. Text content is encoded as the headers say. Raises ValueError."""
        fields = Headers.of(headers).copy()
        now = time.time()
        request = cls("", 0, method, b"", b"", b"", b"HTTP/1.1", fields, b"", None, now, now)
        request.url = url
        if isinstance(content_argument(content), str):
            request.text = content  # type: ignore[assignment]
        else:
            request.content = content  # type: ignore[assignment]
        return request

    @classmethod
    def _checked(cls, value: Any, where: str) -> Self:
        request = super()._checked(value, where)
        request.send_raw = None
        return request

    def __repr__(self) -> str:
        where = urls.hostport("", self._host, self._port) if self._host or self._port else ""
        return f"Request({self.method} {where}{'' if self.first_line_format == 'authority' else self.path})"

    # --- the request line

    @property
    def first_line_format(self) -> Literal["authority", "absolute", "relative"]:
        """Form of the target in HTTP/1 (RFC 9112 §3.2): of a CONNECT, of a request to a proxy, or of any other."""
        if self.raw_method.upper() == b"CONNECT":
            return "authority"
        return "absolute" if self.raw_authority else "relative"

    @property
    def method(self) -> str:
        """The method in upper case; `raw_method` has it as it came."""
        return self.raw_method.decode("utf-8", "surrogateescape").upper()

    @method.setter
    def method(self, value: str | bytes) -> None:
        self.raw_method = to_bytes(value)

    @property
    def scheme(self) -> str:
        """`http` or `https`; empty for CONNECT."""
        return self.raw_scheme.decode("utf-8", "surrogateescape")

    @scheme.setter
    def scheme(self, value: str | bytes) -> None:
        self.raw_scheme = to_bytes(value)

    @property
    def authority(self) -> str:
        """Host and port as the target or the :authority of HTTP/2 named them, empty if they did not."""
        return _host_shown(self.raw_authority)

    @authority.setter
    def authority(self, value: str | bytes) -> None:
        self.raw_authority = _authority_bytes(value) if isinstance(value, str) else to_bytes(value)

    @property
    def path(self) -> str:
        """Path and query, `*` for the asterisk form of OPTIONS."""
        return self.raw_path.decode("utf-8", "surrogateescape")

    @path.setter
    def path(self, value: str | bytes) -> None:
        self.raw_path = to_bytes(value)

    # --- where it goes

    @property
    def host(self) -> str:
        """Name or address of the server. Setting it rewrites the Host header and authority, where there are any."""
        return self._host

    @host.setter
    def host(self, value: str | bytes) -> None:
        self._host = value if isinstance(value, str) else to_str(to_bytes(value))
        self._rename_target()

    @property
    def port(self) -> int:
        """Port of the server. Setting it rewrites the Host header and authority, where there are any."""
        return self._port

    @port.setter
    def port(self, value: int) -> None:
        if not isinstance(value, int):
            raise TypeError(f"Expected an int for port, but got {type(value).__name__}.")
        self._port = value
        self._rename_target()

    def _rename_target(self) -> None:
        if "host" in self.headers:
            self.headers["Host"] = self._target()
        if self.raw_authority:
            self.raw_authority = self._target()

    def _target(self) -> bytes:
        try:
            host = urls.host_to_bytes(self._host)
        except ValueError:
            host = to_bytes(self._host)  # what goes out is checked when it is assembled
        return urls.hostport(self.raw_scheme, host, self._port)

    @property
    def host_header(self) -> str | None:
        """The host that the client named: :authority in HTTP/2 and 3, else the Host header; None if there is none."""
        if self.is_http2 or self.is_http3:
            return self.authority or self.headers.get("Host")
        host: str | None = self.headers.get("Host")
        return host

    @host_header.setter
    def host_header(self, value: str | bytes | None) -> None:
        multiplexed = self.is_http2 or self.is_http3
        if value is None:
            self.headers.pop("Host", None)
            if multiplexed:
                self.raw_authority = b""
            return
        if multiplexed:
            self.authority = value
        if not multiplexed or "Host" in self.headers:
            self.headers["Host"] = value

    @property
    def url(self) -> str:
        """The URL by `scheme`, `host`, `port` and `path`; for CONNECT host and port only, for what named none the path.

        Setting it sets these four, the Host header and authority where there are any. Raises ValueError.
        """
        if self.first_line_format == "authority":
            return urls.hostport("", self._host, self._port) if self._host else self.authority
        if not self._host and not self.raw_scheme:
            return self.path
        return urls.unparse(self.scheme, self._host, self._port, self.path)

    @url.setter
    def url(self, value: str | bytes) -> None:
        scheme, host, port, path = urls.parse(value)
        self.raw_scheme = scheme
        self._host = host.decode("ascii")
        self._port = port
        self.raw_path = path
        self._rename_target()

    @property
    def pretty_host(self) -> str:
        """The host as the client named it, which in transparent mode says more than an address; else `host`."""
        named = self._named_host()
        return named[0] if named else self.host_header or self._host

    @property
    def pretty_url(self) -> str:
        """The URL with the host as the client named it."""
        if self.first_line_format == "authority":
            return self.authority
        if not self.raw_scheme:
            return self.url
        named = self._named_host()
        if named:
            return urls.unparse(self.scheme, *named, self.path)
        header = self.host_header
        return f"{self.scheme}://{header}{self.path}" if header else self.url

    def _named_host(self) -> tuple[str, int] | None:
        """Host and port that the client named; None if it named none, or none that can be read."""
        named = self.host_header or ""
        host, port = (_read_authority if len(named) <= _LONGEST_REMEMBERED else _read_authority.__wrapped__)(named)
        return (host, port or urls.default_port(self.raw_scheme) or 443) if host else None

    # --- parts of path, headers and body

    @property
    def query(self) -> MultiDictView[str, str]:
        """The query as a multi-mapping of text. Pairs that nobody changes keep their spelling."""
        return MultiDictView(lambda: urls.decode_query(self._path_parts()[1]), self._set_query)

    @query.setter
    def query(self, value: Iterable[tuple[str, str]]) -> None:
        self._set_query(pairs_of(value))

    def _set_query(self, pairs: Fields[str, str]) -> None:
        path, query, fragment = self._path_parts()
        new = _spliced_query(query, pairs)
        self.path = path + (f"?{new}" if new else "") + fragment

    def _path_parts(self) -> tuple[str, str, str]:
        """Path, query without its question mark, and fragment with its hash."""
        whole, hash_, fragment = self.path.partition("#")
        path, _, query = whole.partition("?")
        return path, query, hash_ + fragment

    @property
    def path_components(self) -> tuple[str, ...]:
        """The segments of the path, percent-decoded, empty ones left out."""
        segments = self._path_parts()[0].split("/")
        return tuple(unquote(segment, errors="surrogateescape") for segment in segments if segment)

    @path_components.setter
    def path_components(self, components: Iterable[str]) -> None:
        _, query, fragment = self._path_parts()
        path = "/" + "/".join(quote(component, safe="", errors="surrogateescape") for component in components)
        self.path = path + (f"?{query}" if query else "") + fragment

    @property
    def cookies(self) -> MultiDictView[str, str]:
        """The cookies of all Cookie headers. They are written back into one."""
        return MultiDictView(self._get_cookies, self._set_cookies)

    @cookies.setter
    def cookies(self, value: Iterable[tuple[str, str]]) -> None:
        self._set_cookies(pairs_of(value))

    def _get_cookies(self) -> list[tuple[str, str]]:
        headers = self.headers.get_all("Cookie")
        return [pair for header in headers for pair, _ in cookies.read_cookie_header(header)]

    def _set_cookies(self, pairs: Fields[str, str]) -> None:
        if not pairs:
            self.headers.pop("Cookie", None)
            return
        before = "; ".join(self.headers.get_all("Cookie"))
        self.headers["Cookie"] = cookies.write_cookie_header(list(pairs), before)

    @property
    def urlencoded_form(self) -> MultiDictView[str, str]:
        """The fields of a urlencoded form; empty when Content-Type says that this is none. Setting it sets that too."""
        return MultiDictView(self._get_urlencoded_form, self._set_urlencoded_form)

    @urlencoded_form.setter
    def urlencoded_form(self, value: Iterable[tuple[str, str]]) -> None:
        self._set_urlencoded_form(pairs_of(value))

    def _urlencoded(self) -> str:
        if _URLENCODED not in self.headers.get("content-type", "").lower():
            return ""
        return (self.get_content(strict=False) or b"").decode("utf-8", "surrogateescape")

    def _get_urlencoded_form(self) -> list[tuple[str, str]]:
        return urls.decode_query(self._urlencoded())

    def _set_urlencoded_form(self, pairs: Fields[str, str]) -> None:
        new = _spliced_query(self._urlencoded(), pairs)
        if _URLENCODED not in self.headers.get("content-type", "").lower():
            self.headers["content-type"] = _URLENCODED
        self.content = new.encode("utf-8", "surrogateescape")

    @property
    def multipart_form(self) -> MultiDictView[bytes, bytes]:
        """The fields of a multipart form; empty when Content-Type says that this is none. Setting it sets that too."""
        return MultiDictView(lambda: [(part.name, part.value) for part in self._multipart()], self._set_multipart_form)

    @multipart_form.setter
    def multipart_form(self, value: Iterable[tuple[bytes, bytes]]) -> None:
        self._set_multipart_form(pairs_of(value))

    def _multipart(self) -> list[multipart.Part]:
        boundary = multipart.boundary_of(self.headers.get("content-type", ""))
        return multipart.read(self.get_content(strict=False) or b"", boundary) if boundary else []

    def _set_multipart_form(self, pairs: Fields[bytes, bytes]) -> None:
        before = self._multipart()
        boundary = multipart.boundary_of(self.headers.get("content-type", ""))
        if boundary is None:
            boundary = multipart.new_boundary()
            self.headers["content-type"] = f"multipart/form-data; boundary={boundary}"
        self.content = multipart.write(list(pairs), boundary, before)

    # --- shortcuts

    def anticache(self) -> None:
        """Drop the headers by which a server may answer 304 instead of a body."""
        for name in ("if-modified-since", "if-none-match"):
            self.headers.pop(name, None)

    def anticomp(self) -> None:
        """Ask for a body without content encoding."""
        self.headers["accept-encoding"] = "identity"

    def constrain_encoding(self) -> None:
        """Take the content encodings that we cannot undo out of Accept-Encoding."""
        accepted = self.headers.get("accept-encoding")
        if accepted is not None:
            offers = [offer.strip() for offer in accepted.split(",")]
            known = [offer for offer in offers if offer.partition(";")[0].strip().lower() in _UNDERSTOOD]
            self.headers["accept-encoding"] = ", ".join(known) or "identity"


_UNDERSTOOD = (*encodings.SUPPORTED, "identity")


def _spliced_query(before: str, pairs: Fields[str, str]) -> str:
    old = [(pair, raw) for raw in before.split("&") for pair in urls.decode_query(raw)]
    return "&".join(spliced(old, pairs, lambda pair: urls.encode_query([pair])))


def _authority_bytes(value: str) -> bytes:
    """Host and port as on the wire; what has no such form goes as UTF-8 and is refused at assembly."""
    if value.isascii():
        return value.encode("ascii")
    host, colon, port = value.partition(":")
    try:
        return urls.host_to_bytes(host) + (colon + port).encode("ascii")
    except ValueError:
        return value.encode("utf-8", "surrogateescape")


_LONGEST_REMEMBERED = 300  # no name with a port is longer


@lru_cache(1024)  # most requests name a host that another one has named just now
def _read_authority(authority: str) -> tuple[str, int | None]:
    """Host and port; an empty host where none can be read."""
    try:
        host, port = urls.split_authority(_authority_bytes(authority))
    except ValueError:
        return "", None
    return _host_shown(host), port


def _host_shown(host: bytes) -> str:
    """A host name for people: IDNA undone."""
    if b"xn--" not in host.lower():
        return host.decode("utf-8", "surrogateescape")
    try:
        return host.decode("idna")
    except UnicodeError:
        return host.decode("utf-8", "surrogateescape")
