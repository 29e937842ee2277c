"""Flows of every kind with one hostile text in every place that traffic, a file or a script can fill.

Panes and boxes are swept with them in memory (tests/console/test_hostile_widgets.py); written to a file they are what a
stranger sends to be opened (tests/end2end/test_hostile_bytes.py).
"""

from __future__ import annotations

import datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from midstream.flows.certificate import Cert
from midstream.flows.change import Change, Part
from midstream.flows.dns import ResourceRecord, classes, types
from midstream.flows.flow import Error, Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.websocket import WebSocketMessage
from tests.kit.captured import START, dns_flow, http_flow, tcp_flow, udp_flow, websocket_flow


def raw(text: str) -> bytes:
    """The bytes of a hostile text; its surrogates are bytes that were no UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def clean_name(text: str) -> str:
    """The text as names of certificates can hold it: Unicode, and not empty."""
    return text.encode("utf-8", "replace")[:60].decode("utf-8", "ignore") or "x"


@cache
def hostile_key() -> ec.EllipticCurvePrivateKey:
    """The key of all these certificates."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def hostile_certificate(text: str) -> x509.Certificate:
    """A certificate with the text in its subject, issuer and alternative names."""
    name = clean_name(text)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.LOCALITY_NAME, name),
        ]
    )
    ascii_name = "".join(c for c in name if c.isascii()) or "x"
    # The constructors refuse what is not ASCII, those of newer Pythons what is no address; peers send anything.
    odd = x509.DNSName._init_without_validation(raw(text).decode("latin-1") or "x")
    mail = x509.RFC822Name._init_without_validation(ascii_name)
    now = datetime.datetime.fromtimestamp(START, datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(hostile_key().public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    names: list[x509.GeneralName] = [
        x509.DNSName(ascii_name),
        mail,
        x509.UniformResourceIdentifier(ascii_name),
    ]
    try:
        return _signed(builder, [*names, odd])
    except UnicodeEncodeError:
        return _signed(builder, names)


def _signed(builder: x509.CertificateBuilder, names: list[x509.GeneralName]) -> x509.Certificate:
    extended = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return extended.sign(hostile_key(), hashes.SHA256())


def hostile_bodies(text: str) -> list[tuple[bytes, bytes]]:
    """A content type, and a body of it with the text in all its places."""
    data = raw(text)
    quoted = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    disposition = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\n' % (data, data)
    part = b"--XX\r\n" + disposition + b"X-More: %s\r\n\r\n%s\r\n--XX--\r\n" % (data, data)
    field = bytes([0x0A, min(len(data), 127)]) + data[:127]
    return [
        (b"text/plain; charset=" + data, data + b"\n" + data),
        (b"application/json", b'{"' + quoted + b'": ["' + quoted + b'", {"a/b": "' + quoted + b'"}]}'),
        (b"text/html", b"<p title='" + data + b"'>" + data + b"<!--" + data + b"--><script>" + data + b"</script>"),
        (b"text/xml", b"<?xml version='1.0'?><a b='" + data + b"'><![CDATA[" + data + b"]]>" + data + b"</a>"),
        (b"text/css", b"a{content:'" + data + b"'}/*" + data + b"*/"),
        (b"text/javascript", b"var a='" + data + b"';//" + data),
        (b"application/x-www-form-urlencoded", data + b"=" + data + b"&a=%1b%5d0;x%07%e2%80%ae" + data),
        (b"multipart/form-data; boundary=XX", part),
        (b"application/grpc", b"\0\0\0\0" + bytes([len(field) & 255]) + field),
        (b"application/x-protobuf", field),
        (b"application/msgpack", b"\x81\xd9" + bytes([len(data[:200])]) + data[:200] + b"\xc4\x01\x1b"),
        (b"text/event-stream", b"event: %s\nid: %s\ndata: %s\n\n:%s\n\n" % (data, data, data, data)),
        (b"image/gif", b"GIF89a\1\0\1\0\0\0\0!\xfe" + bytes([min(len(data), 255)]) + data[:255] + b"\0;"),
        (b"application/graphql", b'{"query": "' + quoted + b'", "variables": {"' + quoted + b'": 1}}'),
        (b"application/dns-message", data),
        (data, data * 3),
    ]


def hostile_flows(text: str) -> list[Flow]:
    """One of every kind, the HTTP ones first; the first has been edited, the second is a replay of it."""
    data = raw(text)
    flows: list[Flow] = [_http(text, kind, body) for kind, body in hostile_bodies(text)]
    first, second = flows[0], flows[1]
    parts = (
        Part("request.headers", (), ((data, data),)),
        Part("response.content", data, data + b"\n!" + data),
        Part("request.path", text, text + "x"),
    )
    first.note_change(Change(clean_name(text), "edit", parts, START + 1))
    first.note_change(Change(clean_name(text), clean_name(text), parts, START + 2, undone=True))
    second.is_replay, second.metadata["replay_of"] = "request", first.id
    failed = _http(text, b"text/plain", b"")
    failed.response = None
    failed.error = Error(text)
    socket = websocket_flow((True, data), (False, data * 2), (True, b"\0" + data))
    assert socket.websocket is not None
    socket.websocket.messages.append(WebSocketMessage(2, False, data, START + 1))
    socket.websocket.close_code, socket.websocket.close_reason = 1001, text
    socket.websocket.timestamp_end = START + 3
    lookup = dns_flow("dns.example")
    assert lookup.request.question is not None and lookup.response is not None
    lookup.request.questions[0].name = text
    lookup.response.answers = [
        ResourceRecord(text, types.TXT, classes.IN, 60, bytes([len(data) & 255]) + data[:255]),
        ResourceRecord(text, types.CNAME, classes.IN, 60, b"\x04\x1b[2J\0"),
    ]
    others: list[Flow] = [failed, socket, tcp_flow((True, data), (False, data)), udp_flow((True, data)), lookup]
    for flow in others:
        _spoil_connections(flow, text)
        flow.comment = text
    return [*flows, *others]


def _http(text: str, kind: bytes, body: bytes) -> HTTPFlow:
    data = raw(text)
    fields = ((b"Content-Type", kind), (data, data), (b"X-Long", data * 4), (b"Cookie", data + b"=" + data + b"; b=1"))
    answer = (
        (b"Content-Type", kind),
        (data, data),
        (b"Set-Cookie", data + b"=" + data + b"; Path=" + data),
        (b"Location", data),
        (b"grpc-status", b"2"),
        (b"grpc-message", data),
        (b"Content-Disposition", b'attachment; filename="' + data + b'"'),
    )
    flow = http_flow(
        "http://h.example/", "POST", request_headers=fields, response_headers=answer, request_body=body,
        response_body=body,
    )  # fmt: skip
    # As what arrived is kept: a byte that is no UTF-8 is a surrogate, everything else itself.
    flow.request.raw_path = b"/" + data + b"?" + data + b"=" + data
    flow.request.raw_method = data or b"GET"
    flow.request.raw_authority = data
    flow.request.headers.fields = ((b"Host", data), *fields)
    assert flow.response is not None
    flow.response.raw_reason = data
    flow.comment = text
    flow.marked = text
    flow.metadata[clean_name(text)] = text
    _spoil_connections(flow, text)
    return flow


def _spoil_connections(flow: Flow, text: str) -> None:
    for connection in (flow.client_conn, flow.server_conn):
        connection.tls, connection.tls_version = True, "TLSv1.3"
        connection.sni = connection.cipher = connection.error = text
        connection.alpn, connection.alpn_offers = raw(text), [raw(text), b"h2"]
        connection.timestamp_tls_setup = START + 0.01
        connection.certificate_list = [Cert(hostile_certificate(text))]
    flow.server_conn.peername = (text, 443)
    flow.server_conn.address = (text, 443)
    flow.client_conn.peername = (text, 1)
