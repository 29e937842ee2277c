"""The part of LDAP that we speak; the real conversation is in tests/end2end/test_proxyauth.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import ldap
from midstream.wire.ldap import Malformed, Message, Op, parse_message

# RFC 4511 by hand: number 1, bind response, code 49, no name, a text.
REFUSED = bytes.fromhex("300e 020101 6109 0a0131 0400 0402") + b"no"
# Number 2, an entry `dc=x` without attributes; then that is all.
ENTRY = bytes.fromhex("300d 020102 6408 0404") + b"dc=x" + bytes.fromhex("3000")
DONE = bytes.fromhex("300c 020102 6507 0a0100 0400 0400")


def test_a_bind_as_the_standard_writes_it():
    assert (
        ldap.bind_request(1, "cn=a", b"pw") == bytes.fromhex("3012 020101 600d 020103 0404") + b"cn=a" + b"\x80\x02pw"
    )
    assert ldap.unbind_request(3) == bytes.fromhex("3005 020103 4200")


def test_a_value_is_no_filter():
    """`*`, parentheses and NUL stand as they are in an equality match: there is no filter to break out of."""
    said = ldap.search_request(2, "dc=x", "uid", b"*)(uid=\0", most=2, seconds=10)
    assert bytes.fromhex("a30f 0403") + b"uid" + b"\x04\x08*)(uid=\0" in said
    assert said[:2] == bytes([0x30, len(said) - 2])


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 70_000])
def test_lengths(size: int):
    said = ldap.bind_request(1, "x" * size, b"")
    head = {0x81: 1, 0x82: 2, 0x83: 3}.get(said[1], 0)
    length = int.from_bytes(said[2 : 2 + head], "big") if head else said[1]
    assert length == len(said) - 2 - head


def test_answers():
    assert parse_message(REFUSED) == (Message(1, Op.BIND_RESPONSE, 49, "no"), len(REFUSED))
    entry, length = parse_message(ENTRY + DONE) or (None, 0)
    assert (entry, length) == (Message(2, Op.SEARCH_ENTRY, name="dc=x"), len(ENTRY))
    assert parse_message(DONE) == (Message(2, Op.SEARCH_DONE), len(DONE))


@pytest.mark.parametrize("whole", [REFUSED, ENTRY, DONE])
def test_more_is_waited_for(whole: bytes):
    assert all(parse_message(whole[:size]) is None for size in range(len(whole)))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400",
        bytes.fromhex("3080"),  # an indefinite length
        bytes.fromhex("3085 0100000000"),
        bytes.fromhex("3084 7fffffff"),
        bytes.fromhex("3003 040161"),
        bytes.fromhex("3005 020101 6105"),
        bytes.fromhex("3007 020101 6102 0401"),
    ],
)
def test_what_is_none(data: bytes):
    with pytest.raises(Malformed):
        parse_message(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes):
    for begin in (b"", b"\x30\x20\x02\x01\x01\x61"):
        try:
            found = parse_message(begin + data)
        except Malformed:
            continue
        assert found is None or found[1] <= len(begin + data)
