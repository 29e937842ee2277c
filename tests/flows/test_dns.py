"""DNS flows, messages and records."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given

from midstream.dns import DNSMessage, HTTPSRecord, Question, ResourceRecord, classes, op_codes, response_codes, types
from midstream.flows.dns import DNSFlow
from tests.flows.states import DNS_MESSAGE
from tests.kit.captured import connections

V4, V6 = IPv4Address("8.8.8.8"), IPv6Address("2001:db8::1")


def query(*answers: ResourceRecord) -> DNSMessage:
    question = Question("dns.google", types.A, classes.IN)
    return DNSMessage(1, True, op_codes.QUERY, False, False, True, False, 0, 0, [question], list(answers), [], [])


def record(type_: int, data: bytes = b"") -> ResourceRecord:
    return ResourceRecord("a", type_, classes.IN, 60, data)


def test_packing() -> None:
    message = query(ResourceRecord.A("dns.google", V4))
    assert message.content == message.packed
    assert DNSMessage.unpack(message.packed) == message
    assert DNSMessage.unpack(message.packed, timestamp=5).timestamp == 5
    assert DNSMessage.unpack_from(b"x" + message.packed + b"y", 1) == (len(message.packed), message)
    assert message.size == 4
    with pytest.raises(ValueError, match="shorter than its header"):
        DNSMessage.unpack(b"abc")


def test_question() -> None:
    message = query()
    assert message.question == message.questions[0]
    message.questions.append(Question("b", 1, 1))
    assert message.question is None
    assert str(message) == "dns.google\r\nb"


def test_answering() -> None:
    message = query()
    failure = message.fail(response_codes.NXDOMAIN)
    assert (failure.id, failure.query, failure.response_code, failure.recursion_desired) == (1, False, 3, True)
    assert failure.questions == message.questions
    assert failure.questions[0] is not message.questions[0]
    success = message.succeed([ResourceRecord.A("dns.google", V4)])
    assert (success.response_code, success.recursion_available, len(success.answers)) == (0, True, 1)
    assert success.timestamp is not None
    with pytest.raises(ValueError, match="error code"):
        message.fail(0)
    with pytest.raises(ValueError, match="only a query"):
        success.succeed([])


def test_copies_have_another_id() -> None:
    message = query(ResourceRecord.A("dns.google", V4))
    copies = [message.copy() for _ in range(4)]
    assert {copy.id for copy in copies} != {message.id}
    copies[0].answers[0].name = "x"
    assert message.answers[0].name == "dns.google"


def test_addresses_and_names() -> None:
    assert ResourceRecord.A("a", V4).ipv4_address == V4
    assert ResourceRecord.AAAA("a", V6, ttl=5).ipv6_address == V6
    assert ResourceRecord.CNAME("a", "b.c").data == b"\1b\1c\0"
    assert ResourceRecord.PTR("a", "b").domain_name == "b"
    changed = record(types.A)
    changed.ipv4_address = V4
    assert changed.data == V4.packed
    changed.ipv6_address = V6
    assert changed.ipv6_address == V6
    changed.domain_name = "x.y"
    assert changed.domain_name == "x.y"
    for name in ("ipv4_address", "ipv6_address", "domain_name", "https_alpn"):
        with pytest.raises(ValueError, match=r"\w"):
            getattr(record(types.A, b"\1\2\3"), name)
    with pytest.raises(ValueError, match="no domain name"):
        _ = record(types.NS, b"\1a\0x").domain_name


def test_text() -> None:
    made = ResourceRecord.TXT("a", "hello")
    assert made.data == b"\5hello"
    assert made.text == "hello"
    made.text = "é" * 300
    assert made.text == "é" * 300
    assert made.data[0] == 255
    assert record(types.TXT, b"\1a\2bc").text == "abc"
    assert record(types.TXT, b"\xffabc").text == "\udcffabc"
    assert ResourceRecord.TXT("a", "").data == b"\0"


def test_https_records() -> None:
    made = ResourceRecord.HTTPS("h", HTTPSRecord(1, "t", {1: b"\2h2", 5: b"ech"}))
    assert made.https_alpn == (b"h2",)
    assert made.https_ech == "ZWNo"
    made.https_alpn = [b"h3", b"h2"]
    assert made.https_alpn == (b"h3", b"h2")
    made.https_alpn = None
    made.https_ech = "YQ=="
    assert made.data == b"\0\1\1t\0\0\5\0\1a"
    assert made.https_alpn is None
    made.https_ech = None
    assert made.https_ech is None


@pytest.mark.parametrize(
    ("entry", "data"),
    [
        (ResourceRecord.A("a", V4), "8.8.8.8"),
        (ResourceRecord.AAAA("a", V6), "2001:db8::1"),
        (ResourceRecord.CNAME("a", "b.c"), "b.c"),
        (ResourceRecord.PTR("a", "b.c"), "b.c"),
        (ResourceRecord.TXT("a", "hello"), "hello"),
        (ResourceRecord.TXT("a", "0x41"), "0x41"),
        (record(types.TXT, b"\x09a"), "0x0961 (invalid TXT data)"),
        (record(types.A, b"\1"), "0x01 (invalid A data)"),
        (record(types.MX, b"\0\1\1a\0"), "0x0001016100"),
        (
            ResourceRecord.HTTPS("h", HTTPSRecord(1, "t", {1: b"\2h2", 5: b"e\\c", 99: b"\xff"})),
            {"target_name": "t", "priority": 1, "alpn": "\\x02h2", "ech": "e\\\\c", "key99": "\\xff"},
        ),
    ],
)
def test_json_of_records(entry: ResourceRecord, data: object) -> None:
    made = entry.to_json()
    assert made["data"] == data
    assert ResourceRecord.from_json(made) == entry
    assert str(entry) == str(data)


def test_json_of_messages() -> None:
    message = query(ResourceRecord.A("dns.google", V4))
    message.timestamp = 5.0
    made = message.to_json()
    assert made["op_code"] == "QUERY"
    assert made["response_code"] == "NOERROR"
    assert made["status_code"] == 200
    assert made["questions"] == [{"name": "dns.google", "type": "A", "class": "IN"}]
    assert made["size"] == 4
    assert made["timestamp"] == 5.0
    assert DNSMessage.from_json(made) == message
    assert "timestamp" not in query().to_json()
    with pytest.raises(ValueError, match="must be hexadecimal"):
        ResourceRecord.from_json({**record(types.MX).to_json(), "data": "mail"})


@given(DNS_MESSAGE)
def test_state_round_trip(state: dict[str, Any]) -> None:
    message = DNSMessage.from_state(state)
    assert message.get_state() == state
    other = query()
    other.set_state(state)
    assert other == message


def test_a_damaged_state() -> None:
    state = query().get_state()
    with pytest.raises(ValueError, match=r"dns message\.questions\[0\]\.name: expected text, got bytes"):
        DNSMessage.from_state({**state, "questions": [{"name": b"x", "type": 1, "class_": 1}]})


def test_flow() -> None:
    flow = DNSFlow(*connections())
    flow.request = query()
    assert flow.response is None
    assert flow.copy().request == flow.request
    assert "request=DNSMessage(id=1" in repr(flow)


def test_what_is_no_message_is_refused_where_it_is_set() -> None:
    flow = DNSFlow(*connections())
    flow.request, flow.response = query(), query()
    with pytest.raises(TypeError, match=r"^flow\.response is a DNSMessage or None, not str"):
        flow.response = "text"  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^flow\.request is a DNSMessage, not NoneType"):
        flow.request = None  # type: ignore[assignment]
    assert flow.response == query()
    flow.response = None
