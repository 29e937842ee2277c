"""Content codings."""

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows import encodings

ALL = ["gzip", "x-gzip", "deflate", "deflateraw", "br", "zstd", "identity", "none", "", "gzip, br", "deflate,zstd"]


@given(st.binary(), st.sampled_from(ALL))
def test_round_trip(data: bytes, encoding: str) -> None:
    assert encodings.decode(encodings.encode(data, encoding), encoding) == data


@given(st.binary(), st.sampled_from(ALL))
def test_broken_data_gives_bytes_or_a_sentence(data: bytes, encoding: str) -> None:
    try:
        encodings.decode(data, encoding, limit=10_000)
    except ValueError as exc:
        assert " " in str(exc)


def test_what_servers_really_send() -> None:
    assert encodings.decode(zlib.compress(b"abc"), "gzip") == b"abc"
    assert encodings.decode(gzip.compress(b"abc"), " GZIP ") == b"abc"
    assert encodings.decode(encodings.encode(b"abc", "deflateraw"), "deflate") == b"abc"
    assert encodings.decode(gzip.compress(b"abc") + gzip.compress(b"def"), "gzip") == b"abcdef"
    assert encodings.decode(gzip.compress(b"abc") + b"\0\0junk", "gzip") == b"abc"
    assert encodings.decode(gzip.compress(b"abc") + b"\x1f\x8bjunk", "gzip") == b"abc"
    assert encodings.decode(zstandard.compress(b"a") + zstandard.compress(b"b"), "zstd") == b"ab"
    assert encodings.decode(b"", "br") == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_ends_early_gives_what_is_there(encoding: str) -> None:
    data = bytes(range(256)) * 4000
    cut = encodings.decode(encodings.encode(data, encoding)[:-20], encoding)
    assert data.startswith(cut)


def bombs() -> dict[str, bytes]:
    zeros = bytes(32 * 1024 * 1024)
    return {
        "gzip": gzip.compress(zeros),
        "deflate": zlib.compress(zeros),
        "deflateraw": encodings.encode(zeros, "deflateraw"),
        "br": brotli.compress(zeros, quality=1),
        "zstd": zstandard.compress(zeros),
        "gzip, gzip": gzip.compress(gzip.compress(zeros)),
    }


def test_bombs_stop_at_the_limit() -> None:
    for encoding, bomb in bombs().items():
        with pytest.raises(encodings.BodyTooLarge, match=r"larger than 1\.0m"):
            encodings.decode(bomb, encoding, limit=1024 * 1024)


def test_the_limit_counts_over_members_and_is_inclusive() -> None:
    twice = gzip.compress(bytes(100)) * 2
    assert encodings.decode(twice, "gzip", limit=200) == bytes(200)
    with pytest.raises(encodings.BodyTooLarge, match="larger than 199b"):
        encodings.decode(twice, "gzip", limit=199)


def test_the_beginning_of_a_bomb_can_be_looked_at() -> None:
    for encoding, bomb in bombs().items():
        data, is_cut = encodings.decode_beginning(bomb, encoding, 100_000)
        assert is_cut
        assert len(data) == 100_000
        twice = encodings.encode(bomb, "gzip")
        assert encodings.decode_beginning(twice, f"{encoding}, gzip", 100_000) == (data, True)
    assert encodings.decode_beginning(gzip.compress(b"abc"), "gzip", 3) == (b"abc", False)
    assert encodings.decode_beginning(gzip.compress(b"abc") * 2, "gzip", 4) == (b"abca", True)


def test_unknown_codings() -> None:
    for call in (encodings.decode, encodings.encode):
        with pytest.raises(ValueError, match="'rot13' is no known content coding"):
            call(b"x", "gzip, rot13")
    with pytest.raises(ValueError, match="5 content codings"):
        encodings.decode(b"x", "gzip,gzip,gzip,gzip,gzip")


def test_equal_bodies_give_equal_bytes() -> None:
    assert encodings.encode(b"abc", "gzip") == encodings.encode(b"abc", "gzip")
