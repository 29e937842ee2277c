"""What binary views show and encode beyond the golden samples: edits, pieces of connections, which view is chosen."""

import base64
import gzip
import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.contentviews import cbor, msgpack, yaml_nodes
from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.messages import metadata_of
from midstream.contentviews.registries import Registry
from midstream.flows.dns import DNSMessage, ResourceRecord
from midstream.flows.http import HTTPFlow, Response
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.testing import tdnsflow, tflow, ttcpflow, tudpflow, twebsocketflow

VIEWS = Registry()


def response(content_type: str, data: bytes = b"", **headers: str) -> Metadata:
    flow = tflow(resp=True)
    assert isinstance(flow, HTTPFlow)
    fields = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    flow.response = Response.make(200, data, fields)
    return metadata_of(flow.response, flow)


@pytest.mark.parametrize(
    ("content_type", "data", "view"),
    [
        ("application/x-protobuf", b"", "Protobuf"),
        ("application/protobuf; x=y", b"\x08\x01", "Protobuf"),
        ("application/grpc", b"", "gRPC"),
        ("application/grpc+proto", b"\0", "gRPC"),
        ("application/grpc-web-text", b"\0", "gRPC"),
        ("application/msgpack", b"\x01", "MsgPack"),
        ("application/x-msgpack", b"", "Raw"),
        ("application/cbor", b"\x01", "CBOR"),
        ("image/png", b"\x89PNG\r\n\x1a\n", "Image"),
        ("image/svg+xml", b"<svg/>", "XML/HTML"),
        ("image/png", b"<html>", "XML/HTML"),
        ("application/dns-message", b"", "DNS"),
        ("application/vnd.wap.wbxml", b"\x03", "WBXML"),
        ("application/vnd.ms-sync.wbxml", b"\x03", "WBXML"),
        ("application/zip", b"PK", "ZIP Archive"),
    ],
)
def test_the_type_of_a_body_chooses(content_type: str, data: bytes, view: str) -> None:
    assert VIEWS.get_view(data, response(content_type)).name == view


def test_what_a_flow_is_chooses() -> None:
    dns = tdnsflow()
    assert VIEWS.get_view(b"x", metadata_of(dns.request, dns)).name == "DNS"
    udp = tudpflow()
    udp.server_conn.address = ("192.0.2.1", 5353)
    assert VIEWS.get_view(b"x", metadata_of(udp.messages[0], udp)).name == "DNS"
    udp.server_conn.address = None
    assert VIEWS.get_view(b"x", metadata_of(udp.messages[0], udp)).name == "Raw"
    tcp = ttcpflow()
    tcp.client_conn.alpn = b"h3"
    assert VIEWS.get_view(b"\0\0", metadata_of(tcp.messages[0], tcp)).name == "HTTP/3 Frames"
    socket = twebsocketflow()
    assert socket.websocket is not None
    socket.request.path = "/socket.io/?EIO=4"
    assert VIEWS.get_view(b"2", metadata_of(socket.websocket.messages[0], socket)).name == "Socket.IO"


# --- MsgPack and CBOR -------------------------------------------------------------------------------------------------

heads = st.integers(0, 255).map(lambda byte: bytes([byte]))


@given(
    st.lists(st.one_of(heads, st.binary(max_size=9)), max_size=30).map(b"".join), st.sampled_from(["msgpack", "cbor"])
)
def test_what_is_read_is_written_the_same(data: bytes, name: str) -> None:
    """But for heads of texts, lists and maps that are longer than they need be."""
    view = VIEWS[name]
    encode = msgpack.encode if name == "msgpack" else cbor.encode
    assert isinstance(view, InteractiveContentview)
    try:
        text = view.prettify(data, Metadata())
        documents = [yaml_nodes.read(document) for document in yaml_nodes.documents(text)]
    except ValueError:
        return
    again = b"".join(encode(document) for document in documents if document is not None)
    assert view.prettify(again, Metadata()) == text


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("msgpack", "cd0005", "!uint16 5\n"),
        ("msgpack", "d3ffffffffffffffff", "!int64 -1\n"),
        ("msgpack", "cdffff", "65535\n"),
        ("msgpack", "ca3fc00000", "!float32 1.5\n"),
        ("msgpack", "a1ff", '"\\udcff"\n'),
        ("msgpack", "8193010203c0", "? - 1\n  - 2\n  - 3\n: null\n"),
        ("msgpack", "82a16101a16102", "a: 1\na: 2\n"),
        ("msgpack", "d6ff65535000", "!ext -1:65535000  # 2023-11-14T10:46:24Z\n"),
        ("msgpack", "c70c0100112233445566778899aabb", "!ext 1:00112233445566778899aabb\n"),
        ("msgpack", "81c70001c70000", "!ext 1: !ext 0\n"),  # nothing follows the types: no second colon
        ("msgpack", "9301", "- 1\n# cut off here: the data end inside of a value\n"),
        ("cbor", "1801", "!uint8 1\n"),
        ("cbor", "f97e00", "!float16 .nan\n"),
        ("cbor", "c11a514b67b0", "!tag1  # seconds since 1970\n- 1363896240\n"),
        ("cbor", "bf0102ff", "!indefinite\n1: 2\n"),
        ("cbor", "a0", "{}\n"),
        ("cbor", "3bffffffffffffffff", "-18446744073709551616\n"),
        ("cbor", "f7", "!undefined ''\n"),
    ],
)
def test_values(name: str, data: str, text: str) -> None:
    view = VIEWS[name]
    assert isinstance(view, InteractiveContentview)
    assert view.prettify(bytes.fromhex(data), Metadata()) == text
    if "cut off" not in text:
        assert view.reencode(text + "# edited", Metadata(original_data=bytes.fromhex(data))) == bytes.fromhex(data)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("msgpack", "!uint8 256", "256 does not fit into uint8"),
        ("msgpack", "18446744073709551616", "not within"),
        ("msgpack", "!ext 300:00", "a type from -128 to 127"),
        ("msgpack", "!tag1 5", "no tag of MsgPack"),
        ("msgpack", "a: !float32 1.0e+300", "too large"),
        ("cbor", "!uint8 256", "256 does not fit"),
        ("cbor", "!tag1 [1, 2]", "a list of one value"),
        ("cbor", "!text_chunks [1]", "pieces of one kind"),
        ("cbor", "!odd 1", "no tag of CBOR"),
        ("cbor", "!odd [1]", "no tag of a list"),
        ("cbor", "!float16 100000.0", "too large"),
        ("cbor", "!tag99999999999999999999 [1]", "64 bits"),
    ],
)
def test_what_has_no_bytes(name: str, text: str, reason: str) -> None:
    view = VIEWS[name]
    assert isinstance(view, InteractiveContentview)
    with pytest.raises(ValueError, match=reason):
        view.reencode(text, Metadata())


# --- gRPC -------------------------------------------------------------------------------------------------------------


def framed(*messages: bytes, flags: int = 0) -> bytes:
    return b"".join(bytes([flags]) + len(one).to_bytes(4, "big") + one for one in messages)


def grpc(data: bytes, edit: tuple[str, str], content_type: str = "application/grpc", **headers: str) -> bytes:
    view, metadata = VIEWS["grpc"], response(content_type, **headers)
    assert isinstance(view, InteractiveContentview)
    metadata.original_data = data
    text = view.prettify(data, metadata)
    assert view.reencode(text, metadata) == data
    assert edit[0] in text, text
    return view.reencode(text.replace(*edit), metadata)


def test_one_of_several_messages_is_edited() -> None:
    data = framed(b"\x0a\x03one", b"\x0a\x03two\x10\x81\x00", b"")
    assert grpc(data, ("two", "three")) == framed(b"\x0a\x03one", b"\x0a\x05three\x10\x81\x00", b"")
    assert grpc(data, ("1: one\n---\n", "")) == framed(b"\x0a\x03two\x10\x01", b"")


def test_a_compressed_message_is_compressed_again() -> None:
    packed = gzip.compress(b"\x0a\x03one")
    edited = grpc(framed(packed, flags=1) + framed(b"\x08\x01"), ("one", "other"), grpc_encoding="gzip")
    assert edited[0] == 1
    assert edited.endswith(framed(b"\x08\x01"))
    assert gzip.decompress(edited[5 : -len(framed(b"\x08\x01"))]) == b"\x0a\x05other"


def test_trailers_and_base64_of_grpc_web() -> None:
    data = framed(b"\x0a\x03one") + framed(b"grpc-status: 0\r\n", flags=0x80)
    text = base64.b64encode(data[:8]) + base64.b64encode(data[8:])  # each part with its padding
    edited = grpc(base64.b64encode(data), ("grpc-status: '0'", "grpc-status: '5'"), "application/grpc-web-text")
    assert base64.b64decode(edited) == data.replace(b"status: 0", b"status: 5")
    assert (
        VIEWS["grpc"].prettify(text, response("application/grpc-web-text+proto")).startswith("1: one\n---\n!trailers")
    )


def test_what_is_no_grpc() -> None:
    view = VIEWS["grpc"]
    assert view.prettify(framed(b"\xff"), response("application/grpc")).startswith("# no protobuf: ")
    assert "cut short: 0 of 0 bytes" in view.prettify(b"\0\0", response("application/grpc"))
    assert view.prettify(b"", response("application/grpc")) == ""
    with pytest.raises(ValueError, match="no header grpc-encoding says how"):
        view.prettify(framed(b"x", flags=1), response("application/grpc"))
    with pytest.raises(ValueError, match="this is no base64"):
        view.prettify(b"\xff\xff", response("application/grpc-web-text"))


# --- DNS --------------------------------------------------------------------------------------------------------------


def dns_answer() -> DNSMessage:
    query = tdnsflow().request
    message = query.succeed([ResourceRecord(query.questions[0].name, 16, 1, 60, b"\x01a\x02bc")])
    message.reserved = 2
    return message


def test_what_is_longer_than_dns_can_be_is_not_read() -> None:
    data = dns_answer().packed
    with pytest.raises(ValueError, match="no more than 65,535 bytes"):
        VIEWS["dns"].prettify(data + bytes(65_536 - len(data)), response("application/dns-message"))


def test_an_edit_of_dns_leaves_the_rest() -> None:
    view, data = VIEWS["dns"], dns_answer().packed
    assert isinstance(view, InteractiveContentview)
    for prefix, metadata in (
        (b"", response("application/dns-message")),
        (struct.pack(">H", len(data)), Metadata(tcp_message=TCPMessage(True, b""))),
    ):
        metadata.original_data = prefix + data
        text = view.prettify(prefix + data, metadata)
        assert view.reencode(text, metadata) == prefix + data
        edited = DNSMessage.unpack(view.reencode(text.replace("NOERROR", "NXDOMAIN"), metadata)[len(prefix) :])
        assert (edited.response_code, edited.reserved, edited.answers[0].data) == (3, 2, b"\x01a\x02bc")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("id: ", "number: "), "no 'id'"),
        (("type: TXT", "type: NOTHING"), "NOTHING"),
        (("ttl: 60", "ttl: soon"), "ttl"),
        (("questions:\n-", "questions:\n- x\n-"), "wrong kind"),
    ],
)
def test_what_is_no_dns_message(edit: tuple[str, str], reason: str) -> None:
    view, data, metadata = VIEWS["dns"], dns_answer().packed, response("application/dns-message")
    assert isinstance(view, InteractiveContentview)
    metadata.original_data = data
    text = view.prettify(data, metadata)
    assert edit[0] in text, text
    with pytest.raises(ValueError, match=reason) as refused:
        view.reencode(text.replace(*edit, 1), metadata)
    assert "\n" not in str(refused.value)


# --- pieces of connections --------------------------------------------------------------------------------------------


def test_http3_frames_that_go_over_several_messages() -> None:
    flow = ttcpflow(
        messages=[TCPMessage(True, b"\0\x05he"), TCPMessage(False, b"\0\0"), TCPMessage(True, b"llo\x07\x01\x04")]
    )
    assert isinstance(flow, TCPFlow)
    view = VIEWS["http/3 frames"]

    def shown(at: int) -> str:
        return view.prettify(flow.messages[at].content, metadata_of(flow.messages[at], flow))

    assert shown(0).startswith("DATA Frame, 2 bytes, goes on in what follows\n00000000  68 65")
    assert shown(2).startswith("DATA Frame, 5 bytes, began before\n00000000  6c 6c 6f ")
    assert shown(2).endswith("GOAWAY Frame, 1 bytes\nid: 4\n\n")
    flow.metadata["quic_stream_id_client"] = 2
    assert shown(0).startswith("stream: control\n")


def test_the_version_of_mqtt_is_that_of_the_connection() -> None:
    connect = b"\x10\x0f\0\x04MQTT\x05\x02\0<\0\0\x02id"
    publish = b"\x30\x08\0\x01t\x03\x23\0\x05!"
    flow = ttcpflow(messages=[TCPMessage(True, connect), TCPMessage(True, publish)])
    assert isinstance(flow, TCPFlow)
    view = VIEWS["mqtt"]
    assert view.prettify(publish, metadata_of(flow.messages[1], flow)) == "[PUBLISH] 't', topic alias: 5: !\n"
    assert view.prettify(publish, Metadata()) == "[PUBLISH] 't': \x03#\0\x05!\n"
    with pytest.raises(ValueError, match="CONNECT packet is for 'HTTP' and not for MQTT"):
        view.prettify(connect.replace(b"MQTT", b"HTTP"), Metadata())


# --- ZIP --------------------------------------------------------------------------------------------------------------


def test_zip_archives() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a: b.txt", "x" * 1000)
        with archive.open("large", "w", force_zip64=True) as inside:
            inside.write(b"y")
    view = VIEWS["zip archive"]
    assert view.prettify(file.getvalue(), Metadata()) == "- 'a: b.txt'  # 1,000 bytes\n- large  # 1 bytes\n"
    before = b"#!/bin/sh\n" + file.getvalue()
    assert view.prettify(before, Metadata()).startswith("- 'a: b.txt'")
    with pytest.raises(ValueError, match="this is no ZIP archive"):
        view.prettify(b"other", Metadata())
    assert view.prettify(BytesIO(b"PK\x05\x06" + b"\0" * 18).getvalue(), Metadata()) == ""
