"""JA3 and JA4, against the values that their authors published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.client_hello import ClientHelloMessage, parse_message
from midstream.wire.fingerprints import ja3, ja3_text, ja4, ja4_text


def numbers(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def counted(body: bytes, length: int = 2) -> bytes:
    return len(body).to_bytes(length, "big") + body


def hello(
    ciphers: list[int], extensions: list[tuple[int, bytes]], version: int = 0x0303, session: bytes = b""
) -> ClientHelloMessage:
    """What a client would have said, read by the parser."""
    listed = b"".join(kind.to_bytes(2, "big") + counted(body) for kind, body in extensions)
    body = numbers([version]) + bytes(32) + counted(session, 1) + counted(numbers(ciphers)) + b"\x01\x00"
    if extensions:
        body += counted(listed)
    return parse_message(b"\x01" + counted(body, 3))


SNI = (0, counted(b"\x00" + counted(b"a.example")))
H2 = (16, counted(counted(b"h2", 1) + counted(b"http/1.1", 1)))
FORMATS = (11, counted(b"\x00", 1))


def groups(*values: int) -> tuple[int, bytes]:
    return 10, counted(numbers(list(values)))


# https://github.com/salesforce/ja3, README: the two examples there.
def test_ja3_of_its_authors() -> None:
    old = hello([47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4], [SNI, groups(23, 24, 25), FORMATS], 769)
    assert ja3_text(old) == "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"
    assert ja3(old) == "ada70206e40642a3e4461f35503241d5"
    bare = hello([4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], [], 769)
    assert ja3_text(bare) == "769,4-5-10-9-100-98-3-6-19-18-99,,,"
    assert ja3(bare) == "de350869b8c85de67a350c8d186f11e6"


# https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md: the example there, a browser with GREASE all over.
CIPHERS = "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
EXTENSIONS = "001b 0000 0033 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b 000a 0015"
SIGNATURES = "0403 0804 0401 0503 0805 0501 0806 0601"


def listed(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def browser(signatures: str = SIGNATURES) -> ClientHelloMessage:
    bodies = {
        0: SNI[1],
        16: H2[1],
        10: groups(0x2A2A, 29, 23)[1],
        13: counted(numbers(listed(signatures))),
        43: counted(numbers([0xEAEA, 0x0304, 0x0303]), 1),
    }
    extensions = [(kind, bodies.get(kind, b"")) for kind in listed(EXTENSIONS)]
    return hello([0x0A0A, *listed(CIPHERS)], [(0x1A1A, b""), *extensions, (0xFAFA, b"\x00")])


def test_ja4_of_its_authors() -> None:
    assert ja4(browser()) == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert ja4_text(browser()) == (
        "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9"
        "_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01"
        "_0403,0804,0401,0503,0805,0501,0806,0601"
    )


def test_ja4_without_signatures() -> None:
    assert ja4(browser(signatures="")) == "t13d1516h2_8daaf6152771_6d807ffa2a79"


def test_ja4_of_next_to_nothing() -> None:
    assert ja4(hello([0x0A0A], [], 0x0301)) == "t10i000000_000000000000_000000000000"
    assert ja4(hello([0x1301], [SNI], 0x0999)) == "t00d010100_0f2cb44170f4_000000000000"


def test_grease_is_only_what_repeats_itself() -> None:
    assert ja3_text(hello([0x0A0A, 0xFAFA, 0x0A1A, 0x1301], [], 771)) == "771,2586-4865,,,"


@pytest.mark.parametrize(
    ("protocol", "shown"),
    [
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ],
)
def test_ja4_shows_the_ends_of_the_first_protocol(protocol: bytes, shown: str) -> None:
    alpn = (16, counted(counted(protocol, 1)))
    assert ja4(hello([0x1301], [alpn]))[8:10] == shown


def test_dtls() -> None:
    versions = (43, counted(numbers([0xFEFD, 0xFEFC]), 1))
    assert ja4(hello([0x1301], [versions], 0xFEFD), "d").startswith("dd3i0101")


def test_hellos_with_other_orders_look_alike_to_ja4_only() -> None:
    one = hello([1, 2], [SNI, FORMATS, groups(29)])
    other = hello([2, 1], [groups(29), SNI, FORMATS])
    assert ja4(one) == ja4(other)
    assert ja3(one) != ja3(other)


@given(st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=20)), unique_by=lambda pair: pair[0], max_size=20))
def test_whatever_the_extensions_hold_there_is_a_fingerprint(extensions: list[tuple[int, bytes]]) -> None:
    message = hello([1], [])._replace(extensions=tuple(extensions))
    assert len(ja3(message)) == 32
    assert len(ja4(message)) == 36
