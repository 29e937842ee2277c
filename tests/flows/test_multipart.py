"""Multipart forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows import multipart
from midstream.flows.multipart import Part

NAME = st.text("abcXYZ 09;=", min_size=1).map(str.encode)


@given(st.lists(st.tuples(NAME, st.binary())))
def test_round_trip(pairs: list[tuple[bytes, bytes]]) -> None:
    boundary = multipart.new_boundary()
    body = multipart.write(pairs, boundary, [])
    parts = multipart.read(body, boundary)
    assert [(part.name, part.value) for part in parts] == pairs
    assert multipart.write(pairs, boundary, parts) == body


@given(st.binary())
def test_reading_anything(content: bytes) -> None:
    multipart.read(content, "B")
    multipart.read(b"--B\r\n" + content, "B")


def test_lenient_reading() -> None:
    body = (
        b"preamble\n--B  \nContent-Disposition: form-data; name=a\n\n1\n--Bx\n2\n"
        b"--B\r\nContent-Type: text/plain\r\n\r\nnameless\r\n"
        b'--B\r\ncontent-disposition: form-data; filename=x; name="b"\r\n\r\nno end'
    )
    assert [(part.name, part.value) for part in multipart.read(body, "B")] == [(b"a", b"1\n--Bx\n2"), (b"b", b"no end")]


def test_old_parts_lend_their_headers() -> None:
    old = [Part(b"a", b"H: 1", b"x"), Part(b"a", b"H: 2", b"y")]
    body = multipart.write([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], "B", old)
    assert body.split(b"--B\r\n")[1:] == [
        b"H: 1\r\n\r\n1\r\n",
        b'Content-Disposition: form-data; name="b"\r\n\r\n2\r\n',
        b"H: 2\r\n\r\n3\r\n--B--\r\n",
    ]


def test_names_cannot_break_out() -> None:
    assert b'name="a%22%0D%0AX: 1"' in multipart.write([(b'a"\r\nX: 1', b"")], "B", [])
    with pytest.raises(ValueError, match="contains the boundary"):
        multipart.write([(b"a", b"x\r\n--B--\r\n")], "B", [])


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=B", "B"),
        ('multipart/form-data; boundary="a b"', "a b"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=é", None),
        ("text/plain; boundary=B", None),
        ("multipart/form-data; boundary=" + "x" * 71, None),
    ],
)
def test_boundary_of(content_type: str, boundary: str | None) -> None:
    assert multipart.boundary_of(content_type) == boundary
