"""Whatever bytes a binary view gets, it makes a text or refuses with a sentence, in bounded steps, time and size."""

import contextlib
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midstream.contentviews.api import InteractiveContentview, Metadata
from midstream.contentviews.registries import Registry
from midstream.contentviews.stepped import Stepped
from midstream.flows.tcp import TCPMessage
from midstream.flows.websocket import WebSocketMessage
from midstream.testing import tflow
from tests.kit.stopwatch import judge, longest_step

VIEWS = Registry()
BINARY = (
    "cbor", "dns", "grpc", "http/3 frames", "image", "mqtt", "msgpack", "protobuf", "socket.io", "wbxml", "zip archive",
)  # fmt: skip
GOLDEN = Path(__file__).parent / "golden"
SAMPLES = {
    name: [file.read_bytes() for file in sorted(GOLDEN.glob(f"{VIEWS[name].name.replace('/', '_')}/*/sample"))]
    for name in BINARY
}
SHOP = GOLDEN / "Protobuf" / "named" / "shop.proto"


def metadata_for(name: str, data: bytes) -> Metadata:
    metadata = Metadata(flow=tflow())
    if name == "socket.io":
        metadata.websocket_message = WebSocketMessage(1, True, data)
    if name in ("http/3 frames", "dns"):
        metadata.tcp_message = TCPMessage(True, data)
    return metadata


def text_or_refusal(name: str, data: bytes, metadata: Metadata | None = None) -> str | None:
    """The text, None when it was refused in the way that is allowed."""
    view = VIEWS[name]
    assert isinstance(view, Stepped)
    metadata = metadata or metadata_for(name, data)
    assert view.render_priority(data, metadata) <= 2
    try:
        text = view.prettify(data, metadata)
    except ValueError as error:
        assert str(error) and "\n" not in str(error)
        return None
    assert len(text) < 64 * len(data) + 512 * 1024
    return text


def reencoded(name: str, text: str, data: bytes) -> bytes | None:
    view = VIEWS[name]
    assert isinstance(view, InteractiveContentview)
    metadata = metadata_for(name, data)
    metadata.original_data = data
    try:
        return view.reencode(text, metadata)
    except ValueError as error:
        assert str(error)
        return None


INTERACTIVE = [name for name in BINARY if isinstance(VIEWS[name], InteractiveContentview)]


def test_there_are_samples_of_each() -> None:
    assert all(SAMPLES.values())
    assert set(INTERACTIVE) == {"cbor", "dns", "grpc", "msgpack", "protobuf"}


@given(st.sampled_from(BINARY), st.binary(max_size=300))
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_bytes(name: str, data: bytes) -> None:
    text_or_refusal(name, data)


@pytest.mark.parametrize("name", BINARY)
def test_mutated_samples(name: str) -> None:
    dice = random.Random(name)
    for _ in range(150):
        text_or_refusal(name, mutated(dice, dice.choice(SAMPLES[name])))


@pytest.mark.parametrize("name", BINARY)
def test_samples_that_were_cut(name: str) -> None:
    for sample in SAMPLES[name]:
        for length in range(0, len(sample), max(len(sample) // 60, 1)):
            text_or_refusal(name, sample[:length])


@pytest.mark.parametrize("name", INTERACTIVE)
def test_what_is_shown_unedited_is_encoded_to_what_it_was(name: str) -> None:
    dice = random.Random(name)
    shown = 0
    for _ in range(80):
        data = mutated(dice, dice.choice(SAMPLES[name]))
        text = text_or_refusal(name, data)
        if text is not None and "# cut off here" not in text:
            again = reencoded(name, text, data)
            assert again == data or (again is None and nested_deeply(text)), data.hex()
            shown += 1
    assert shown


def nested_deeply(text: str) -> bool:
    return any(line.startswith(" " * 40) for line in text.split("\n"))


def mutated(dice: random.Random, sample: bytes) -> bytes:
    data = bytearray(sample)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data)) if data else 0
        match dice.randrange(4):
            case 0 if data:
                data[at] ^= 1 << dice.randrange(8)
            case 1 if data:
                data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                data[at:at] = dice.randbytes(dice.randint(1, 6))
            case _:
                del data[at : at + dice.randint(1, 6)]
    return bytes(data)


def nested_protobuf(levels: int) -> bytes:
    data = b"\x08\x01"
    for _ in range(levels):
        length, size = len(data), bytearray()
        while length > 0x7F:
            size.append(length & 0x7F | 0x80)
            length >>= 7
        data = b"\x0a" + bytes([*size, length]) + data
    return data


def zip_bomb() -> bytes:
    """Central entries that all say they have four gigabytes."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 8, 0, 0, 0, 100, 0xFFFFFFFE, 1, 0, 0, 0, 0, 0, 0) + b"x"
    entries = entry * 60_000
    return entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 60_000, 60_000, len(entries), 0, 0)


def png_bomb() -> bytes:
    content = b"t\0\0" + zlib.compress(b"\0" * 20_000_000)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", len(content), b"zTXt") + content + b"\0\0\0\0"


def gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = b"".join([packer.compress(b"\0" * 1_000_000) for _ in range(100)]) + packer.flush()
    return b"\1" + len(content).to_bytes(4, "big") + content


HOSTILE = {
    "fields": ("protobuf", b"\x08\x01" * 60_000),
    "too many fields": ("protobuf", b"\x08\x01" * 250_000),
    "nested messages": ("protobuf", nested_protobuf(2_000)),
    "nested groups": ("protobuf", b"\x0b" * 100_000),
    "groups that end": ("protobuf", b"\x0b" * 40 + b"\x0c" * 40),
    "wide messages in messages": ("protobuf", nested_protobuf(30) * 800),
    "frames": ("grpc", b"\0\0\0\0\0" * 40_000),
    "a frame of four gigabytes": ("grpc", b"\0\xff\xff\xff\xff" + b"a" * 100_000),
    "lists in lists of msgpack": ("msgpack", b"\x91" * 200_000),
    "a list that claims much": ("msgpack", b"\xdd\xff\xff\xff\xff" + b"\x01" * 100_000),
    "values of msgpack": ("msgpack", b"\xc0" * 100_000),
    "values deep down": ("msgpack", b"\x91" * 38 + b"\xdc\xff\xff" + b"\x01" * 100_000),
    "tags": ("cbor", b"\xc1" * 200_000),
    "endless lists": ("cbor", b"\x9f" * 200_000),
    "breaks": ("cbor", b"\xff" * 1000),
    "values of cbor": ("cbor", b"\xf6" * 100_000),
    "bytes that claim much": ("cbor", b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff"),
    "tags in tags": ("wbxml", b"\x03\x01\x6a\0" + b"\x45" * 200_000),
    "tags of wbxml": ("wbxml", b"\x03\x01\x6a\0\x45" + b"\x05" * 100_000 + b"\x01"),
    "attributes": ("wbxml", b"\x03\x01\x6a\0\x85" + b"\x05" * 100_000 + b"\x01"),
    "a long text again and again": (
        "wbxml",
        b"\x03\x01\x6a\xce\x10" + b"a" * 9999 + b"\0\x45" + b"\x83\0" * 50_000 + b"\x01",
    ),
    "files": ("zip archive", zip_bomb()),
    "local heads": ("zip archive", b"PK\3\4" * 50_000),
    "compressed text": ("image", png_bomb()),
    "blocks of gif": ("image", b"GIF89a" + b"\1\0\1\0\0\0\0" + b"!\xfe\1a\0" * 40_000),
    "segments of jpeg": ("image", b"\xff\xd8" + b"\xff\xfe\0\2" * 60_000),
    "fill bytes of jpeg": ("image", b"\xff\xd8" + b"\xff" * 200_000),
    "directories of tiff": ("image", b"II*\0\x08\0\0\0\xff\xff" + b"\x69\x87\x04\0\x01\0\0\0\x08\0\0\0" * 5000),
    "boxes": ("image", b"\0\0\0\x0cftypavif" + b"\0\0\0\0meta\0\0\0\0" * 20_000),
    "packets": ("mqtt", b"\xc0\0" * 50_000),
    "properties": ("mqtt", b"\x30\xff\xff\x03\0\0\xff\xff\x03" + b"\x26\0\0\0\0" * 13_000),
    "frames of http/3": ("http/3 frames", b"\x01\0" * 50_000),
    "fields of http/3": ("http/3 frames", b"\x01\x80\0\xc3\x52\0\0" + b"\xd1" * 50_000),
    "names that point": ("dns", b"\0\1\1\0\0\1\xff\xff\0\0\0\0" + b"\xc0\x0c" * 30_000),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_no_step_is_long_and_the_text_is_bounded(case: str) -> None:
    name, data = HOSTILE[case]
    view, metadata = VIEWS[name], metadata_for(name, data)
    assert isinstance(view, Stepped)
    size = 0

    def steps() -> Iterator[None]:
        nonlocal size
        with contextlib.suppress(ValueError):
            for part in view.steps(data, metadata):
                size += len(part or b"")
                yield

    judge(longest_step(steps()), 0.05)
    assert size < 32 * len(data) + 512 * 1024


def test_a_compressed_message_does_not_become_gigabytes() -> None:
    flow = tflow(resp=True)
    assert flow.response is not None
    flow.response.headers["grpc-encoding"] = "gzip"
    metadata = Metadata(flow=flow, http_message=flow.response, content_type="application/grpc")
    with pytest.raises(ValueError, match="larger than"):
        VIEWS["grpc"].prettify(gzip_bomb(), metadata)


@pytest.mark.parametrize("name", ["protobuf", "grpc"])
def test_any_bytes_by_definitions(name: str) -> None:
    dice = random.Random(name)
    flow = tflow()
    flow.request.path = "/shop.Shop/Buy"
    for _ in range(150):
        data = mutated(dice, dice.choice(SAMPLES[name]))
        metadata = Metadata(flow=flow, http_message=flow.request, protobuf_definitions=SHOP, original_data=data)
        text = text_or_refusal(name, data, metadata)
        if text is not None:
            view = VIEWS[name]
            assert isinstance(view, InteractiveContentview)
            assert view.reencode(text, metadata) == data, data.hex()
