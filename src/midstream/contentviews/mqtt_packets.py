"""MQTT control packets as lines of text: 3.1, 3.1.1 (docs.oasis-open.org/mqtt/mqtt/v3.1.1) and 5.0 (…/v5.0).

Called by the MQTT view. Which version is spoken, only the CONNECT packet tells; it is looked for in the flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from midstream.contentviews.api import Metadata
from midstream.flows.tcp import TCPFlow

_NAMES = (
    "", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE",
    "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
)  # fmt: skip
_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK, _UNSUBSCRIBE, _UNSUBACK = 1, 2, 3, 8, 9, 10, 11
_PUBACKS, _DISCONNECT, _AUTH = (4, 5, 6, 7), 14, 15
_LATEST = 5
_REFUSALS = (
    "accepted", "unacceptable protocol version", "identifier rejected", "server unavailable",
    "bad user name or password", "not authorized",
)  # fmt: skip
# MQTT 5.0 §2.4.
_REASONS = {
    0x00: "success", 0x01: "granted QoS 1", 0x02: "granted QoS 2", 0x04: "disconnect with will message",
    0x10: "no matching subscribers", 0x11: "no subscription existed", 0x18: "continue authentication",
    0x19: "re-authenticate", 0x80: "unspecified error", 0x81: "malformed packet", 0x82: "protocol error",
    0x83: "implementation specific error", 0x84: "unsupported protocol version", 0x85: "client identifier not valid",
    0x86: "bad user name or password", 0x87: "not authorized", 0x88: "server unavailable", 0x89: "server busy",
    0x8A: "banned", 0x8B: "server shutting down", 0x8C: "bad authentication method", 0x8D: "keep alive timeout",
    0x8E: "session taken over", 0x8F: "topic filter invalid", 0x90: "topic name invalid",
    0x91: "packet identifier in use", 0x92: "packet identifier not found", 0x93: "receive maximum exceeded",
    0x94: "topic alias invalid", 0x95: "packet too large", 0x96: "message rate too high", 0x97: "quota exceeded",
    0x98: "administrative action", 0x99: "payload format invalid", 0x9A: "retain not supported",
    0x9B: "QoS not supported", 0x9C: "use another server", 0x9D: "server moved",
    0x9E: "shared subscriptions not supported", 0x9F: "connection rate exceeded", 0xA0: "maximum connect time",
    0xA1: "subscription identifiers not supported", 0xA2: "wildcard subscriptions not supported",
}  # fmt: skip
# MQTT 5.0 §2.2.2.2: name and kind; b a byte, h and i numbers of two and four bytes, v a varying one, s a text, d bytes,
# p a pair of texts.
_PROPERTIES = {
    0x01: ("payload format", "b"), 0x02: ("message expiry", "i"), 0x03: ("content type", "s"),
    0x08: ("response topic", "s"), 0x09: ("correlation data", "d"), 0x0B: ("subscription identifier", "v"),
    0x11: ("session expiry", "i"), 0x12: ("assigned client identifier", "s"), 0x13: ("server keep alive", "h"),
    0x15: ("authentication method", "s"), 0x16: ("authentication data", "d"),
    0x17: ("request problem information", "b"),
    0x18: ("will delay", "i"), 0x19: ("request response information", "b"), 0x1A: ("response information", "s"),
    0x1C: ("server reference", "s"), 0x1F: ("reason", "s"), 0x21: ("receive maximum", "h"),
    0x22: ("topic alias maximum", "h"), 0x23: ("topic alias", "h"), 0x24: ("maximum QoS", "b"),
    0x25: ("retain available", "b"), 0x26: ("user property", "p"), 0x27: ("maximum packet size", "i"),
    0x28: ("wildcard subscription available", "b"), 0x29: ("subscription identifiers available", "b"),
    0x2A: ("shared subscription available", "b"),
}  # fmt: skip
_LONGEST = 64 * 1024


class Versions(NamedTuple):
    """Which version to begin with, None if nobody said it."""

    first: int | None = None

    @classmethod
    def of(cls, metadata: Metadata) -> Versions:
        """The version of the CONNECT packet with which the client of a flow began."""
        flow = metadata.flow
        if isinstance(flow, TCPFlow):
            first = next((message.content for message in flow.messages[:10] if message.from_client), b"")
            try:
                kind, body, _ = _packet(first, 0)
                if kind >> 4 == _CONNECT:
                    return cls(_Fields(body).protocol()[1])
            except ValueError:
                pass
        return cls()


def summaries(data: bytes, versions: Versions) -> Iterator[str]:
    """A line for each packet, with more lines for what a connection begins with. ValueError if the first is none."""
    pos, version = 0, versions.first
    while pos < len(data):
        try:
            head, body, end = _packet(data, pos)
            fields = _Fields(body)
            if head >> 4 == _CONNECT:
                version = _Fields(body).protocol()[1]
            line = f"[{_NAMES[head >> 4]}]{_told(head, fields, version if version is not None else 4)}"
        except ValueError as error:
            if pos == 0:
                raise
            yield f"{len(data) - pos:,} more bytes: {error}"
            return
        yield line
        pos = end


def _packet(data: bytes, pos: int) -> tuple[int, bytes, int]:
    """The first byte of a packet, what follows its head, and where it ends."""
    head = data[pos] if pos < len(data) else 0
    if not head >> 4:
        raise ValueError(f"byte {pos} begins no packet of MQTT")
    length, after = _varying(data, pos + 1)
    if length > len(data) - after:
        raise ValueError(f"a {_NAMES[head >> 4]} packet has {length:,} bytes, of which {len(data) - after:,} are here")
    return head, data[after : after + length], after + length


def _varying(data: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for at in range(4):
        if pos + at >= len(data):
            break
        byte = data[pos + at]
        value |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return value, pos + at + 1
    raise ValueError(f"the length at byte {pos} has no end")


class _Fields:
    """What follows the head of a packet, read from the front."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.pos

    def taken(self, length: int) -> bytes:
        if length > self.left:
            raise ValueError("a packet is shorter than what is in it")
        self.pos += length
        return self.data[self.pos - length : self.pos]

    def number(self, size: int) -> int:
        return int.from_bytes(self.taken(size), "big")

    def varying(self) -> int:
        value, self.pos = _varying(self.data, self.pos)
        return value

    def binary(self) -> bytes:
        return self.taken(self.number(2))

    def text(self) -> str:
        return self.binary().decode("utf-8", "backslashreplace")

    def protocol(self) -> tuple[str, int]:
        name = self.text()
        if name not in ("MQTT", "MQIsdp"):
            raise ValueError(f"a CONNECT packet is for {name[:20]!r} and not for MQTT")
        return name, self.number(1)

    def properties(self) -> list[str]:
        end = self.varying() + self.pos
        told = []
        while self.pos < min(end, len(self.data)):
            number = self.varying()
            name, kind = _PROPERTIES.get(number, ("", ""))
            match kind:
                case "b" | "h" | "i":
                    value = str(self.number({"b": 1, "h": 2, "i": 4}[kind]))
                case "v":
                    value = str(self.varying())
                case "s":
                    value = repr(self.text())
                case "d":
                    value = self.binary().hex()
                case "p":
                    value = f"{self.text()!r}={self.text()!r}"
                case _:
                    raise ValueError(f"there is no property {number:#04x}")
            told.append(f"{name}: {value}")
        return told


def _told(head: int, fields: _Fields, version: int) -> str:
    """What a packet says, behind its name."""
    kind, is_latest = head >> 4, version >= _LATEST
    if kind == _CONNECT:
        return _connect(fields)
    if kind == _PUBLISH:
        return _publish(head, fields, is_latest)
    parts: list[str] = []
    if kind == _CONNACK:
        has_session, code = fields.number(1) & 1, fields.number(1)
        parts.append(_reason(code) if is_latest else _REFUSALS[code] if code < len(_REFUSALS) else f"code {code}")
        parts += ["session present"] * has_session
        parts += fields.properties() if is_latest and fields.left else []
    elif kind in _PUBACKS:
        parts.append(f"packet {fields.number(2)}")
        parts += _reason_and_properties(fields) if is_latest else []
    elif kind in (_SUBSCRIBE, _UNSUBSCRIBE, _SUBACK, _UNSUBACK):
        parts.append(f"packet {fields.number(2)}")
        parts += fields.properties() if is_latest else []
        parts += list(_topics(kind, fields)) if kind in (_SUBSCRIBE, _UNSUBSCRIBE) else list(_codes(kind, fields))
    elif kind in (_DISCONNECT, _AUTH) and is_latest:
        parts += _reason_and_properties(fields)
    return f" {', '.join(parts)}" if parts else ""


def _reason(code: int) -> str:
    return _REASONS.get(code, f"code {code}")


def _reason_and_properties(fields: _Fields) -> list[str]:
    parts = [_reason(fields.number(1))] if fields.left else []
    return parts + (fields.properties() if fields.left else [])


def _topics(kind: int, fields: _Fields) -> Iterator[str]:
    while fields.left:
        topic = repr(fields.text())
        yield f"{topic} QoS {fields.number(1) & 3}" if kind == _SUBSCRIBE else topic


def _codes(kind: int, fields: _Fields) -> Iterator[str]:
    while fields.left:
        code = fields.number(1)
        yield f"QoS {code}" if kind == _SUBACK and code < 3 else "refused" if code == 0x80 else _reason(code)


def _publish(head: int, fields: _Fields, is_latest: bool) -> str:
    topic, quality = fields.text(), head >> 1 & 3
    parts = [f" {topic!r}"]
    if quality:
        parts.append(f"QoS {quality}, packet {fields.number(2)}")
    parts += ["retained"] * (head & 1) + ["sent again"] * (head >> 3 & 1)
    parts += fields.properties() if is_latest else []
    payload = fields.taken(fields.left)
    more = f" … {len(payload):,} bytes" if len(payload) > _LONGEST else ""
    return f"{', '.join(parts)}: {payload[:_LONGEST].decode('utf-8', 'backslashreplace')}{more}"


def _connect(fields: _Fields) -> str:
    _, version = fields.protocol()
    flags, keep_alive = fields.number(1), fields.number(2)
    told = {3: "3.1", 4: "3.1.1", 5: "5.0"}.get(version, str(version))
    lines = [f" MQTT {told}{', clean start' if flags & 2 else ''}, keep alive {keep_alive} s"]
    is_latest = version >= _LATEST
    lines += fields.properties() if is_latest else []
    lines.append(f"Client Id: {fields.text()}")
    if flags & 4:
        lines += [f"Will: {each}" for each in (fields.properties() if is_latest else [])]
        kept = ", retained" if flags & 0x20 else ""
        lines.append(f"Will Topic: {fields.text()} (QoS {flags >> 3 & 3}{kept})")
        lines.append(f"Will Message: {fields.binary().decode('utf-8', 'backslashreplace')}")
    if flags & 0x80:
        lines.append(f"User Name: {fields.text()}")
    if flags & 0x40:
        lines.append(f"Password: {fields.binary().decode('utf-8', 'backslashreplace')}")
    return "\n  ".join(lines)
