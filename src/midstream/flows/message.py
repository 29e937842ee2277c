"""What HTTP requests and responses have in common: headers, body, trailers, timestamps.

The proxy makes messages out of parsed heads and reads the raw parts back; addons and panes use the decoded views. Raw
parts are immutable values, so that `message.raw_content is before` tells whether anyone touched them. Decoded text
never flows back by itself (P1).
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Self

from midstream.flows import charset, encodings
from midstream.flows import state as s
from midstream.flows.checked_slot import CheckedSlot
from midstream.flows.headers import AnyHeaders, HeaderFields, Headers, to_bytes

StreamFunction = Callable[[bytes], Iterable[bytes] | bytes]
"""Called with each piece of a streamed body, and once with b"" at its end; what it returns is sent instead."""

PaceFunction = Callable[[int], Awaitable[int]]
"""Called with the number of bytes of a body that could go on; returns how many may, one at least, when they may."""

MESSAGE_SCHEMA: s.Schema = s.Schema(
    {
        "http_version": s.binary,
        "headers": s.pairs,
        "content": s.optional(s.binary),
        "trailers": s.optional(s.pairs),
        "timestamp_start": s.number,
        "timestamp_end": s.optional(s.number),
    }
)


def _checked_trailers(value: "AnyHeaders | None") -> Headers | None:
    return None if value is None else Headers.of(value)


class Message:
    """Base of `Request` and `Response`.

    `raw_content` is the body as on the wire, None when it is missing (not kept, or streamed). `stream` may be set
    while only the head is known: True passes the body on without keeping it, a function may change it meanwhile.
    `pace` slows a body down on its way out, whether it is streamed or held.
    Timestamps are seconds since the epoch. `raw_http_version` and the like are the bytes of the wire.
    """

    __slots__ = {  # the texts are what pydoc says of each
        "__weakref__": "",
        "_headers": "",
        "_trailers": "",
        "pace": "None, or an async function that tells when, and how many, bytes of the body go on; see PaceFunction.",
        "raw_content": "The body as on the wire, content encoding and all; None when it was not kept, or not read yet.",
        "raw_http_version": "`http_version` as bytes.",
        "stream": "True, or a function of each piece, to stream the body; None holds even endless ones whole.",
        "timestamp_end": "When the last byte came, in seconds since the epoch; None before that.",
        "timestamp_start": "When the first byte came, in seconds since the epoch.",
    }

    _headers: Headers
    _trailers: Headers | None
    pace: PaceFunction | None
    raw_content: bytes | None
    held_content: Any
    raw_http_version: bytes
    stream: StreamFunction | bool | None
    timestamp_end: float | None
    timestamp_start: float

    headers = CheckedSlot("_headers", Headers.of, "The header fields, as Headers; a dict or pairs become some.")
    trailers = CheckedSlot("_trailers", _checked_trailers, "The fields that follow a body, as Headers, or None.")

    # What `message.data.NAME` reads and writes, and what the state calls NAME.
    _DATA: ClassVar[dict[str, str]] = {
        "http_version": "raw_http_version",
        "headers": "headers",
        "content": "raw_content",
        "trailers": "trailers",
        "timestamp_start": "timestamp_start",
        "timestamp_end": "timestamp_end",
    }
    _SCHEMA: ClassVar[s.Schema] = MESSAGE_SCHEMA

    @property
    def data(self) -> "MessageData":
        """The raw attributes under the names that old scripts know."""
        return MessageData(self, self._DATA)

    @property
    def http_version(self) -> str:
        """`HTTP/1.1`, `HTTP/2.0`, …"""
        return self.raw_http_version.decode("utf-8", "surrogateescape")

    @http_version.setter
    def http_version(self, value: str | bytes) -> None:
        self.raw_http_version = to_bytes(value)

    @property
    def is_http10(self) -> bool:
        """Whether this is HTTP/1.0."""
        return self.raw_http_version == b"HTTP/1.0"

    @property
    def is_http11(self) -> bool:
        """Whether this is HTTP/1.1."""
        return self.raw_http_version == b"HTTP/1.1"

    @property
    def is_http2(self) -> bool:
        """Whether this is HTTP/2."""
        return self.raw_http_version == b"HTTP/2.0"

    @property
    def is_http3(self) -> bool:
        """Whether this is HTTP/3."""
        return self.raw_http_version == b"HTTP/3"

    # --- body

    def get_content(self, strict: bool = True, limit: int = encodings.DECODED_SIZE_LIMIT) -> bytes | None:
        """The body without its content encoding, None when it is missing.

        Raises ValueError when it cannot be decoded or is larger than `limit` bytes then; unless `strict`, the raw
        body is returned in this case.
        """
        raw = self.raw_content
        if raw is None:
            return None
        encoding = self.headers.get("content-encoding")
        if not encoding:
            return raw
        try:
            return encodings.decode(raw, encoding, limit)
        except ValueError:
            if strict:
                raise
            return raw

    def set_content(self, value: bytes | None) -> None:
        """Replace the body by this one, encoded as Content-Encoding says, and make Content-Length fit.

        A Content-Encoding that we cannot apply is dropped. None says that the body is missing.
        """
        if value is None:
            self.raw_content = None
            return
        if not isinstance(value, bytes):
            raise TypeError(f"The content of a message is bytes, not {type(value).__name__}; use .text to assign text.")
        headers = self.headers
        encoding = headers.get("content-encoding")
        if encoding:
            try:
                self.raw_content = encodings.encode(value, encoding)
            except ValueError:
                del headers["content-encoding"]
                self.raw_content = value
        else:
            self.raw_content = value
        # RFC 9112 §6.2: a message has one framing or the other, never both.
        if "transfer-encoding" not in headers:
            headers["content-length"] = str(len(self.raw_content))

    @property
    def content(self) -> bytes | None:
        """The body without its content encoding. Raises ValueError when it cannot be decoded."""
        return self.get_content()

    @content.setter
    def content(self, value: bytes | None) -> None:
        self.set_content(value)

    def get_text(self, strict: bool = True) -> str | None:
        """The decoded body as text, None when it is missing.

        Raises ValueError when it is not written in the encoding that we take it for; unless `strict`, bytes that are
        no UTF-8 become surrogates in this case.
        """
        content = self.get_content(strict)
        if content is None:
            return None
        encoding = charset.guess(self.headers.get("content-type", ""), content)
        try:
            if not charset.is_text_codec(encoding):
                raise ValueError(f"{encoding!r} is no known character encoding")
            return content.decode(encoding)
        except ValueError as exc:
            if strict:
                raise ValueError(f"the body is not text in {encoding}: {exc}") from None
            return content.decode("utf-8", "surrogateescape")

    def set_text(self, text: str | None) -> None:
        """Replace the body by this text, in the character encoding that it has.

        Falls back to UTF-8, and then says so in Content-Type, when that encoding is unknown or lacks a character.
        """
        if text is None:
            self.set_content(None)
            return
        if not isinstance(text, str):
            raise TypeError(f"The text of a message is a str, not {type(text).__name__}; .content takes bytes.")
        content_type = self.headers.get("content-type", "")
        encoding = self._encoding_for(content_type, text)
        if charset.is_text_codec(encoding):
            try:
                encoded = text.encode(encoding)
                # Bytes that happen to look like a byte order mark would be read as something else.
                if charset.guess(content_type, encoded) == encoding:
                    self.set_content(encoded)
                    return
            except UnicodeError:
                pass
        main, sub, parameters = charset.parse_content_type(content_type) or ("text", "plain", {})
        parameters["charset"] = "utf-8"
        self.headers["content-type"] = charset.assemble_content_type(main, sub, parameters)
        self.set_content(text.encode("utf-8", "surrogateescape"))

    def _encoding_for(self, content_type: str, text: str) -> str:
        before = self.get_content(strict=False) or b""
        encoding = charset.guess(content_type, before)
        if charset.guess(content_type, before, bom=False) != encoding:
            return encoding  # the old body has a byte order mark: so has the new one
        return charset.guess(content_type, text[:4096].encode("ascii", "replace"), bom=False)

    @property
    def text(self) -> str | None:
        """The decoded body as text. Raises ValueError when it is none."""
        return self.get_text()

    @text.setter
    def text(self, value: str | None) -> None:
        self.set_text(value)

    def decode(self, strict: bool = True) -> None:
        """Take the content encoding off the body for good. Raises ValueError, unless `strict` is off, if it fails."""
        content = self.get_content(strict)
        if content is None:
            return
        self.headers.pop("content-encoding", None)
        self.set_content(content)

    def encode(self, encoding: str) -> None:
        """Give the body another content encoding: gzip, deflate, deflateraw, br, zstd or identity.

        Raises ValueError, and changes nothing, for unknown ones and for a body that cannot be decoded.
        """
        content = self.get_content()
        encoded = None if content is None else encodings.encode(content, encoding)
        self.headers["content-encoding"] = encoding
        self.raw_content = encoded
        if encoded is not None and "transfer-encoding" not in self.headers:
            self.headers["content-length"] = str(len(encoded))

    def json(self, **kwargs: Any) -> Any:
        """The body as `json.loads` reads it, with the same keywords. Raises TypeError when the body is missing."""
        content = self.get_content(strict=False)
        if content is None:
            raise TypeError("Message content is not available.")
        return json.loads(content, **kwargs)

    # --- state

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        state = {name: getattr(self, attribute) for name, attribute in self._DATA.items()}
        state["headers"] = self.headers.fields
        state["trailers"] = self.trailers.fields if self.trailers is not None else None
        return state

    def set_state(self, state: s.State) -> None:
        """Take over the values of a state; nothing is changed when it is refused. Raises ValueError."""
        self._take(state, type(self).__name__.lower())

    def _take(self, state: s.State, where: str) -> None:
        values = s.read(state, where, self._SCHEMA)
        self._headers = Headers(values.pop("headers"))
        trailers = values.pop("trailers")
        self._trailers = None if trailers is None else Headers(trailers)
        for name, value in values.items():
            setattr(self, self._DATA[name], value)

    @classmethod
    def from_state(cls, state: s.State) -> Self:
        """A message with these values. Raises ValueError."""
        return cls._checked(state, cls.__name__.lower())

    @classmethod
    def _checked(cls, value: Any, where: str) -> Self:
        """A state check: such a message."""
        self = cls.__new__(cls)
        self.stream, self.pace = False, None
        self._take(value, where)
        return self

    def copy(self) -> Self:
        """An independent message of the same content."""
        return self.from_state(self.get_state())


# The same slot by another name: what is in memory of the body, also where touching it would read it (elsewhere.py).
Message.held_content = Message.__dict__["raw_content"]


class MessageData:
    """The raw attributes of a message under old names, read and written through."""

    __slots__ = ("_message", "_names")

    def __init__(self, message: Message, names: dict[str, str]) -> None:
        object.__setattr__(self, "_message", message)
        object.__setattr__(self, "_names", names)

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            return getattr(self._message, self._names[name])
        raise AttributeError(f"{type(self._message).__name__}.data has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names:
            raise AttributeError(f"{type(self._message).__name__}.data has no attribute {name!r}")
        setattr(self._message, self._names[name], value)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self._message).__name__}Data({values})"


def header_arguments(headers: Headers | HeaderFields | None) -> Headers | None:
    """Headers out of what the constructors accept; None stays None."""
    return headers if headers is None or isinstance(headers, Headers) else Headers(headers)


def content_argument(content: str | bytes, what: str = "content") -> bytes | str:
    """Refuse what `make` cannot turn into a body."""
    if isinstance(content, str | bytes):
        return content
    raise TypeError(f"Expected {what} to be str or bytes, but is {type(content).__name__}.")
