"""DNS messages as YAML, from DNS itself, DNS over HTTPS and connections to a name server."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.stepped import Stepped
from midstream.flows.dns import DNSMessage, types

if TYPE_CHECKING:
    from midstream.contentviews.yaml_nodes import Node
    from midstream.contentviews.yaml_tree import Event

_PORTS = (53, 5353)
# What a length of two bytes can say (RFC 1035 §4.2.2). Reading is done in one go.
LONGEST = 0xFFFF
# What follows from the rest, or is no part of the message.
_DERIVED = ("status_code", "size", "timestamp")
_SECTIONS = ("questions", "answers", "authorities", "additionals")


class DNS(Stepped, InteractiveContentview):
    """By its type, or by the port of the server."""

    name = "DNS"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        from midstream.contentviews.yaml_tree import write

        prefix = _length_prefix(data, metadata)
        if len(data) - prefix > LONGEST:
            raise ValueError(f"a DNS message has no more than {LONGEST:,} bytes")
        message = DNSMessage.unpack(data[prefix:])
        return write(_events(message), len(data))

    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        from midstream.contentviews import yaml_nodes

        original = metadata.original_data or b""
        prefix = _length_prefix(original, metadata)
        before = DNSMessage.unpack(original[prefix:]) if original else None
        node = yaml_nodes.read(prettified)
        if node is None:
            raise ValueError("there must be a DNS message here")
        values = _plain(node)
        if not isinstance(values, dict):
            raise ValueError("a DNS message is a map, lines like `id: 1`")
        try:
            message = DNSMessage.from_json(values)
            message.reserved = int(values.get("reserved", 0))
        except KeyError as error:
            raise ValueError(f"the DNS message has no {error.args[0]!r}") from None
        except (TypeError, AttributeError) as error:
            raise ValueError(f"a value in the DNS message is of the wrong kind: {error}") from None
        if before is not None:
            if _shown(message) == _shown(before):
                return original
            _keep_unchanged(message, before)
        packed = message.packed
        return struct.pack(">H", len(packed)) + packed if prefix else packed

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if metadata.content_type == "application/dns-message":
            return 1
        if metadata.dns_message is not None:
            return 1
        if metadata.http_message is None and metadata.websocket_message is None and metadata.flow is not None:
            address = metadata.flow.server_conn.address
            return 1 if address is not None and address[1] in _PORTS else 0
        return 0


def _length_prefix(data: bytes, metadata: Metadata) -> int:
    """How many bytes stand before the message: its length over TCP (RFC 1035 §4.2.2), nothing elsewhere."""
    return 2 if metadata.tcp_message is not None and len(data) > 2 else 0


def _shown(message: DNSMessage) -> dict[str, Any]:
    shown = {name: value for name, value in message.to_json().items() if name not in _DERIVED}
    return {**shown, "reserved": message.reserved}


def _keep_unchanged(message: DNSMessage, before: DNSMessage) -> None:
    """Give records that are as they were their bytes: the text does not tell, for one, where strings were split."""
    for section in _SECTIONS[1:]:
        for new, old in zip(getattr(message, section), getattr(before, section), strict=False):
            if new.to_json() == old.to_json():
                new.data = old.data


def _events(message: DNSMessage) -> Iterator[Event]:
    from midstream.contentviews.yaml_tree import END, LIST, MAP

    yield MAP
    for name, value in _shown(message).items():
        if name not in _SECTIONS:
            yield name
            yield from _value(value)
    for section in _SECTIONS:
        yield section
        yield LIST
        for entry in getattr(message, section):
            yield MAP
            for name, value in entry.to_json().items():
                yield name
                yield from _data(entry, value) if name == "data" else _value(value)
            yield END
            yield None
        yield END
    yield END


def _data(record: Any, value: Any) -> Iterator[Event]:
    from midstream.contentviews.yaml_tree import Value, text

    comment = _meaning(record.type, record.data)
    if comment and isinstance(value, str):
        yield Value(text(value), comment)
    else:
        yield from _value(value)


def _value(value: Any) -> Iterator[Event]:
    from midstream.contentviews.yaml_tree import END, MAP, text

    if isinstance(value, dict):
        yield MAP
        for name, inner in value.items():
            yield text(name)
            yield from _value(inner)
        yield END
    elif isinstance(value, bool):
        yield "true" if value else "false"
    else:
        yield str(value) if isinstance(value, int) else text(str(value))


def _meaning(type_: int, data: bytes) -> str:
    """What stands in data that are shown in hex."""
    from midstream.wire import dns_names

    try:
        if type_ == types.MX:
            return f"{int.from_bytes(data[:2], 'big')} {_name(data, 2)[0]}"
        if type_ == types.SRV:
            priority, weight, port = struct.unpack(">HHH", data[:6])
            return f"{priority} {weight} {port} {_name(data, 6)[0]}"
        if type_ == types.SOA:
            first, end = _name(data, 0)
            _, end = dns_names.read(data, end, {})
            return f"{first}, serial {int.from_bytes(data[end : end + 4], 'big')}"
    except (ValueError, struct.error):
        pass
    return ""


def _name(data: bytes, pos: int) -> tuple[str, int]:
    from midstream.wire import dns_names

    wire, end = dns_names.read(data, pos, {})
    return dns_names.to_text(wire), end


def _plain(node: Node) -> Any:
    """A node as the values that `DNSMessage.from_json` takes."""
    from midstream.contentviews import yaml_nodes as nodes

    if nodes.is_map(node):
        return {nodes.string(name): _plain(value) for name, value in nodes.pairs(node)}
    if nodes.is_list(node):
        return [_plain(value) for value in nodes.items(node)]
    if nodes.tag(node) == "bool":
        return nodes.flag(node)
    return nodes.integer(node, 0, (1 << 32) - 1) if nodes.tag(node) == "int" else nodes.string(node)
