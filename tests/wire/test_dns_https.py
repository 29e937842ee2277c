"""The data of HTTPS records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import dns_https
from midstream.wire.dns_https import HTTPSRecord

RECORD = st.builds(
    HTTPSRecord,
    st.integers(0, 65535),
    st.sampled_from(["", "a", "example.com"]),
    st.dictionaries(st.integers(0, 65535), st.binary(max_size=9), max_size=4),
)


@given(RECORD)
def test_round_trip(record: HTTPSRecord) -> None:
    assert dns_https.unpack(dns_https.pack(record)) == record


@given(st.binary())
def test_anything_is_a_record_or_a_sentence(data: bytes) -> None:
    for read in (dns_https.unpack, dns_https.unpack_strings):
        try:
            read(data)
        except ValueError as exc:
            assert " " in str(exc)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\0\1", "cut short"),
        (b"\0\1\0\0\1", "parameters of an HTTPS record are cut short"),
        (b"\0\1\0\0\1\0\2a", "cut short"),
        (b"\0\1\0\0\1\0\0\0\1\0\0", "parameter 1 stands twice"),
        (b"\0\1\1a\xc0\2", "compressed|points"),
    ],
)
def test_broken_records(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        dns_https.unpack(data)


def test_parameters_are_written_in_order() -> None:
    assert dns_https.pack(HTTPSRecord(1, "", {5: b"e", 1: b"a"})) == b"\0\1\0\0\1\0\1a\0\5\0\1e"
    with pytest.raises(ValueError, match="priority"):
        dns_https.pack(HTTPSRecord(-1, ""))
    with pytest.raises(ValueError, match="parameter 1"):
        dns_https.pack(HTTPSRecord(1, "", {1: bytes(65536)}))


@given(st.lists(st.binary(max_size=255)))
def test_strings_round_trip(strings: list[bytes]) -> None:
    assert dns_https.unpack_strings(dns_https.pack_strings(strings)) == tuple(strings)


def test_strings_have_a_limit() -> None:
    with pytest.raises(ValueError, match="255 is the limit"):
        dns_https.pack_strings([bytes(256)])
