"""DNS messages."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import dns, dns_classes, dns_names, dns_op_codes, dns_response_codes, dns_types
from midstream.wire.dns import MessageEntry, QuestionEntry, RecordEntry

U16 = st.integers(0, 65535)
NAME = (
    st.lists(st.binary(min_size=1, max_size=20), max_size=4)
    .map(lambda labels: b"".join(bytes([len(x)]) + x for x in labels) + b"\0")
    .map(dns_names.to_text)
)
OPAQUE_TYPE = U16.filter(lambda number: number not in dns_names.NAMES_IN_DATA)
QUESTION = st.builds(QuestionEntry, NAME, U16, U16)
RECORD = st.builds(RecordEntry, NAME, OPAQUE_TYPE, U16, st.integers(0, 2**32 - 1), st.binary(max_size=40))
RECORDS = st.lists(RECORD, max_size=3).map(tuple)
MESSAGE = st.builds(
    MessageEntry,
    U16,
    st.booleans(),
    st.integers(0, 15),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 7),
    st.integers(0, 15),
    st.lists(QUESTION, max_size=2).map(tuple),
    RECORDS,
    RECORDS,
    RECORDS,
)


def header(questions: int = 0, answers: int = 0, authorities: int = 0, additionals: int = 0) -> bytes:
    return struct.pack(">6H", 1, 0x8180, questions, answers, authorities, additionals)


def answer(type_: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack(">HHIH", type_, 1, 60, len(data)) + data


@given(MESSAGE)
def test_round_trip(message: MessageEntry) -> None:
    assert dns.unpack(dns.pack(message)) == message


@given(st.binary() | st.binary().map(lambda data: header(1, 1) + data))
def test_anything_is_a_message_or_a_sentence(data: bytes) -> None:
    try:
        message = dns.unpack(data)
    except ValueError as exc:
        assert " " in str(exc)
    else:
        assert dns.unpack(dns.pack(message)) == message


@given(MESSAGE, st.data())
def test_a_message_that_is_cut_is_refused(message: MessageEntry, data: st.DataObject) -> None:
    packed = dns.pack(message)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(ValueError, match=r"DNS|domain name"):
        dns.unpack(packed[:cut])


QUERY = header(1, 2) + b"\7example\3com\0\0\5\0\1"
REAL = QUERY + answer(5, b"\3www\xc0\x0c") + answer(1, b"\1\2\3\4", b"\xc0\x29")


def test_a_real_answer() -> None:
    message = dns.unpack(REAL)
    assert message.questions == (QuestionEntry("example.com", 5, 1),)
    assert message.answers == (
        RecordEntry("example.com", 5, 1, 60, b"\3www\7example\3com\0"),
        RecordEntry("www.example.com", 1, 1, 60, b"\1\2\3\4"),
    )
    assert not message.query
    assert message.recursion_desired
    assert message.recursion_available


@pytest.mark.parametrize(
    ("type_", "data", "expanded"),
    [
        (dns_types.MX, b"\0\x0a\xc0\x0c", b"\0\x0a\7example\3com\0"),
        (dns_types.SOA, b"\xc0\x0c\1m\xc0\x0c" + b"x" * 20, b"\7example\3com\0\1m\7example\3com\0" + b"x" * 20),
        (dns_types.SRV, b"\0\1\0\2\0\3\xc0\x0c", b"\0\1\0\2\0\3\7example\3com\0"),
        (dns_types.TXT, b"\xc0\x0c", b"\xc0\x0c"),
        (dns_types.NS, b"", b""),
    ],
)
def test_names_in_data_are_uncompressed(type_: int, data: bytes, expanded: bytes) -> None:
    message = dns.unpack(header(1, 1) + QUERY[12:] + answer(type_, data))
    assert message.answers[0].data == expanded
    assert dns.unpack(dns.pack(message)) == message


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\1\3ab", b"\0\1\xc0\xff"])
def test_broken_names_in_data(data: bytes) -> None:
    with pytest.raises(ValueError, match="domain name"):
        dns.unpack(header(0, 1) + answer(dns_types.MX, data, b"\0"))


def test_a_name_that_leaves_its_record() -> None:
    with pytest.raises(ValueError, match="runs over the end of its DNS record"):
        dns.unpack(header(0, 2) + answer(dns_types.NS, b"\3a", b"\0") + answer(1, b"bc\0\0", b"\0"))


def test_forged_counts_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="ends before its last record"):
        dns.unpack(header(65535, 65535, 65535, 65535) + bytes(100))


def test_names_made_of_pointers_cost_little() -> None:
    # 5,000 records whose names all point into one long name: each is decoded once, not 5,000 times.
    name = b"\1a" * 126 + b"\0"
    message = header(1, 5000) + name + b"\0\1\0\1" + answer(1, b"", b"\xc0\x0c") * 5000
    assert len(dns.unpack(message).answers) == 5000


def test_what_follows_a_message() -> None:
    with pytest.raises(ValueError, match="3 bytes follow"):
        dns.unpack(REAL + b"abc")
    assert dns.unpack_from(b"xx" + REAL + b"abc", 2) == (len(REAL), dns.unpack(REAL))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": 65536}, "id of a DNS message is 65536"),
        ({"op_code": 16}, "op_code"),
        ({"reserved": 8}, "reserved"),
        ({"response_code": -1}, "response_code"),
        ({"questions": (QuestionEntry("a", -1, 1),)}, "type"),
        ({"questions": (QuestionEntry("a..b", 1, 1),)}, "empty label"),
        ({"answers": (RecordEntry("a", 1, 1, 2**32, b""),)}, "ttl"),
        ({"answers": (RecordEntry("a", 1, 1, 1, bytes(65536)),)}, "length of the data"),
    ],
)
def test_what_has_no_wire_form(changes: dict[str, object], sentence: str) -> None:
    message = MessageEntry(1, True, 0, False, False, True, False, 0, 0, (), (), (), ())
    with pytest.raises(ValueError, match=sentence):
        dns.pack(message._replace(**changes))


def test_names_of_numbers() -> None:
    assert dns_types.to_str(dns_types.AAAA) == "AAAA"
    assert dns_types.from_str("HTTPS") == dns_types.HTTPS == 65
    assert dns_types.to_str(12345) == "TYPE(12345)"
    assert dns_types.from_str("TYPE(12345)") == 12345
    assert dns_classes.to_str(1) == "IN"
    assert dns_op_codes.to_str(9) == "OPCODE(9)"
    assert dns_response_codes.from_str("NXDOMAIN") == 3
    assert dns_response_codes.http_equiv_status_code(3) == 404
    assert dns_response_codes.http_equiv_status_code(15) == 500
    assert sum(name.isupper() and not name.startswith("_") for name in vars(dns_types)) == 89
    for bad in ("nope", "TYPE(x)", "TYPE(1", ""):
        with pytest.raises(ValueError, match="no DNS record type"):
            dns_types.from_str(bad)
