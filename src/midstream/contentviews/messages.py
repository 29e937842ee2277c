"""What views need to know of a message: its content without its coding, and the metadata."""

from __future__ import annotations

from pathlib import Path

from midstream.contentviews.api import ContentviewMessage, Metadata
from midstream.flows import charset, encodings
from midstream.flows.dns import DNSMessage
from midstream.flows.flow import Flow
from midstream.flows.http import Message
from midstream.flows.tcp import TCPMessage
from midstream.flows.udp import UDPMessage
from midstream.flows.websocket import WebSocketMessage
from midstream.hub import ctx
from midstream.text.sizes import human_size


def content_of(message: ContentviewMessage, limit: int) -> tuple[bytes | None, str]:
    """The content, None when it is missing, and a note on how it was decoded. What cannot be decoded is given raw; of
    what is larger than the limit the beginning, and the note says so.
    """
    content, trouble, _ = beginning_of(message, limit)
    if not isinstance(message, Message) or content is None or trouble:
        return content, trouble
    coding = message.headers.get("content-encoding", "")
    return content, f"[decoded {coding}]" if content and encodings.codings(coding) else ""


def beginning_of(message: ContentviewMessage, limit: int) -> tuple[bytes | None, str, bool]:
    """The content, at most `limit` bytes of it when it is encoded; what there is to say of its decoding, if anything;
    and whether there would be more.
    """
    if not isinstance(message, Message):
        return message.content, "", False
    coding, raw = message.headers.get("content-encoding", ""), message.raw_content
    if not raw or not encodings.codings(coding):
        return raw, "", False
    try:
        content, is_cut = encodings.decode_beginning(raw, coding, limit)
    except ValueError as error:
        return raw, f"[cannot decode: {error}]", False
    return content, f"[decoded {coding}: the first {human_size(limit)}, there is more]" if is_cut else "", is_cut


def metadata_of(message: ContentviewMessage, flow: Flow) -> Metadata:
    """What a view is told about the content of a message."""
    metadata = Metadata(flow=flow, protobuf_definitions=_protobuf_definitions())
    match message:
        case Message():
            parsed = charset.parse_content_type(message.headers.get("content-type", ""))
            metadata.http_message = message
            metadata.content_type = f"{parsed[0]}/{parsed[1]}" if parsed is not None else None
        case TCPMessage():
            metadata.tcp_message = message
        case UDPMessage():
            metadata.udp_message = message
        case WebSocketMessage():
            metadata.websocket_message = message
        case DNSMessage():
            metadata.dns_message = message
    return metadata


def _protobuf_definitions() -> Path | None:
    options = getattr(ctx, "options", None)
    if options is None or "protobuf_definitions" not in options:
        return None
    path = options.protobuf_definitions
    return Path(path).expanduser() if path else None
