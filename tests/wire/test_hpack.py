"""Our HPACK against that of the hpack library, in both directions, with tables of changing sizes and any bytes."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.hpack_decoder import HeaderDecoder
from midstream.wire.hpack_encoder import LARGEST_TABLE, HeaderEncoder
from tests.kit.stopwatch import within

names = st.sampled_from([b":method", b":path", b"cookie", b"date", b"x-a", b"x-b", b"n" * 200])
values = st.one_of(st.sampled_from([b"", b"GET", b"1", b"two", b"x" * 130, b"y" * 1500]), st.binary(max_size=5))
fields = st.lists(st.tuples(names, values), max_size=12)
sizes = st.one_of(st.none(), st.sampled_from([0, 60, 500, 4096, 100_000]))
blocks = st.lists(st.tuples(sizes, sizes, fields), max_size=12)


@given(blocks)
def test_what_we_encode_others_decode(said: list[tuple[int | None, int | None, list[tuple[bytes, bytes]]]]) -> None:
    ours, theirs = HeaderEncoder(), hpack.Decoder()
    for first, second, wanted in said:
        for size in (first, second):
            if size is not None:
                ours.header_table_size = theirs.max_allowed_table_size = size
        assert theirs.decode(ours.encode(wanted), raw=True) == wanted
        assert len(ours._numbers) == len(ours._entries) >= len(ours._names)


@given(blocks, st.booleans())
def test_what_others_encode_we_decode(
    said: list[tuple[int | None, int | None, list[tuple[bytes, bytes]]]], huffman: bool
) -> None:
    ours, theirs = HeaderDecoder(), hpack.Encoder()
    ours.max_allowed_table_size = 100_000
    for size, _, wanted in said:  # of two changes at once that encoder forgets the first
        if size is not None:
            theirs.header_table_size = size
        assert ours.decode(theirs.encode(wanted, huffman)) == wanted


@given(st.binary(max_size=40))
def test_any_bytes_mean_the_same_to_both(block: bytes) -> None:
    ours, theirs = HeaderDecoder(), hpack.Decoder()
    try:
        expected = theirs.decode(block, raw=True)
    except (hpack.HPACKError, IndexError):
        with pytest.raises(hpack.HPACKDecodingError):
            ours.decode(block)
    else:
        found = ours.decode(block)
        assert found == expected
        assert [type(field) for field in found] == [type(field) for field in expected]


@pytest.mark.parametrize("pair", [(b"authorization", b"x"), (b":method", b"GET")], ids=["new", "static"])
def test_what_must_not_be_kept_stays_so(pair: tuple[bytes, bytes]) -> None:
    secret = hpack.NeverIndexedHeaderTuple(*pair)
    encoder, decoder = HeaderEncoder(), HeaderDecoder()
    for _ in range(2):
        (found,) = decoder.decode(encoder.encode([secret]))
        assert isinstance(found, hpack.NeverIndexedHeaderTuple)
    assert not encoder._entries
    assert not decoder._entries


def test_the_table_is_bounded_whatever_a_peer_offers() -> None:
    encoder = HeaderEncoder()
    encoder.header_table_size = 1 << 30
    for number in range(1000):
        encoder.encode([(b"x-%d" % number, b"y" * 100)])
    assert encoder._size <= LARGEST_TABLE
    assert len(encoder._entries) < 40


def test_a_list_beyond_the_limit() -> None:
    decoder = HeaderDecoder(1000)
    decoder.decode(hpack.Encoder().encode([(b"x", b"y" * 900)]))
    with pytest.raises(hpack.OversizedHeaderListError):
        decoder.decode(b"\xbe" * 2)


def test_long_values_and_many_fields_take_little_time() -> None:
    with within(0.5):  # measured: 30 ms
        HeaderEncoder().encode([(b"x", b"y" * 1_000_000)])
        HeaderDecoder(1 << 20).decode(b"\x00\x01x\x01y" * 20_000)
