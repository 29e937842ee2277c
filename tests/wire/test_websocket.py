"""WebSocket frames: the same events for every split, hostile frames get the right code, wsproto is the judge."""

import struct
import zlib
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto import events as judged
from wsproto.connection import Connection, ConnectionType
from wsproto.extensions import Extension, PerMessageDeflate

from midstream.wire.websocket import (
    BINARY,
    CLOSE,
    FRAGMENT,
    PING,
    PONG,
    TEXT,
    Broken,
    Close,
    Control,
    Event,
    Message,
    Reader,
    Writer,
    close_frame,
    frame,
    mask,
    may_close_with,
)
from midstream.wire.websocket_deflate import SLICE, TAIL, Deflate

MANY = 10_000_000


def read(data: bytes, *, masked: bool = True, cuts: Iterable[int] = (), deflate: Deflate | None = None,
         most: int = MANY) -> list[Event]:  # fmt: skip
    """The events of `data`, fed in slices between `cuts`."""
    reader = Reader(masked, deflate, most)
    events: list[Event] = []
    points = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(points):
        events += [event for event in reader.feed(data[start:end]) if event is not None]
    return events


def text(content: bytes, first: int = 0x81, masked: bool = True) -> bytes:
    return frame(first, content, masked)


def test_one_message():
    raw = text(b"hello")
    assert read(raw) == [Message(TEXT, b"hello", raw, (5,), False)]


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 300_000])
def test_sizes(size: int, masked: bool):
    raw = frame(0x82, b"\x81" * size, masked)
    assert read(raw, masked=masked) == [Message(BINARY, b"\x81" * size, raw, (size,), False)]
    assert read(raw, masked=masked, cuts=range(1, 20)) == read(raw, masked=masked)


def test_fragments_with_a_ping_between():
    first, ping, last = text(b"ab", 0x01), frame(0x89, b"?", True), text(b"c", 0x80)
    events = read(first + ping + last)
    assert events == [Control(PING, ping), Message(TEXT, b"abc", first + last, (2, 1), False)]


def test_a_character_in_two_fragments():
    raw = text("ä".encode()[:1], 0x01) + text("ä".encode()[1:], 0x80)
    assert [event.content for event in read(raw) if isinstance(event, Message)] == ["ä".encode()]


def test_the_close_is_the_last():
    raw = close_frame(4001, "bye", True)
    assert read(raw + text(b"more")) == [Close(4001, "bye", raw)]
    empty = frame(0x88, b"", True)
    assert read(empty) == [Close(1005, "", empty)]


def test_a_long_reason_of_our_own_is_cut_between_characters():
    (close,) = read(close_frame(1002, "ä" * 100, False), masked=False)
    assert isinstance(close, Close)
    assert close.reason == "ä" * 61


HOSTILE = {
    "not masked": (frame(0x81, b"x", False), 1002),
    "reserved bit 1": (text(b"x", 0xC1), 1002),
    "reserved bit 2": (text(b"x", 0xA1), 1002),
    "reserved bit 3": (text(b"x", 0x91), 1002),
    "opcode 3": (text(b"x", 0x83), 1002),
    "opcode 7": (text(b"x", 0x87), 1002),
    "opcode 11": (text(b"x", 0x8B), 1002),
    "opcode 15": (text(b"x", 0x8F), 1002),
    "ping of 126 bytes": (frame(0x89, b"x" * 126, True), 1002),
    "fragmented ping": (frame(0x09, b"x", True), 1002),
    "continuation of nothing": (text(b"x", 0x80), 1002),
    "continuation of a whole message": (text(b"x") + text(b"x", 0x80), 1002),
    "message inside a message": (text(b"x", 0x01) + text(b"x"), 1002),
    "length 5 in two bytes": (b"\x81\xfe\x00\x05" + bytes(4) + b"xxxxx", 1002),
    "length 5 in eight bytes": (b"\x81\xff" + struct.pack(">Q", 5) + bytes(4) + b"xxxxx", 1002),
    "length with its highest bit": (b"\x81\xff" + struct.pack(">Q", 1 << 63) + bytes(4), 1009),
    "a petabyte": (b"\x82\xff" + struct.pack(">Q", 1 << 50) + bytes(4), 1009),
    "text that is not UTF-8": (text(b"\xff"), 1007),
    "text that ends in a character": (text("ä".encode()[:1]), 1007),
    "fragment that is not UTF-8": (text(b"\xff", 0x01), 1007),
    "surrogate": (text(b"\xed\xa0\x80"), 1007),
    "close of one byte": (frame(0x88, b"\x03", True), 1002),
    "close with 1005": (frame(0x88, struct.pack(">H", 1005), True), 1002),
    "close with 1006": (frame(0x88, struct.pack(">H", 1006), True), 1002),
    "close with 999": (frame(0x88, struct.pack(">H", 999), True), 1002),
    "close with 5000": (frame(0x88, struct.pack(">H", 5000), True), 1002),
    "close with a reason that is not UTF-8": (frame(0x88, struct.pack(">H", 1000) + b"\xff", True), 1007),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_frames(case: str):
    data, code = HOSTILE[case]
    for cuts in ([], range(1, len(data))):
        *before, last = read(data + text(b"ignored"), cuts=cuts)
        assert isinstance(last, Broken), last
        assert last.code == code
        assert all(isinstance(event, Message) for event in before)


def test_a_server_must_not_mask():
    (event,) = read(text(b"x"), masked=False)
    assert event == Broken(1002, "a frame is masked")


def test_what_came_before_a_flaw_counts():
    good = text(b"good")
    assert read(good + text(b"x", 0xF1))[0] == Message(TEXT, b"good", good, (4,), False)


def test_a_bad_head_is_told_before_its_payload_comes():
    assert isinstance(read(frame(0x83, b"x" * 100_000, True)[:2])[0], Broken)


@pytest.mark.parametrize("piece", [b"", b"x", b"x" * 100, b"x" * 5000])
def test_fragments_without_end(piece: bytes):
    reader = Reader(True, None, 1_000_000)
    start, more = text(piece, 0x02), text(piece, 0x00)
    assert list(reader.feed(start)) == []
    for _ in range(20_000):
        if events := list(reader.feed(more)):
            assert events == [Broken(1009, "a message is larger than 1000000 bytes")]
            return
    raise AssertionError("it goes on for ever")


@pytest.mark.parametrize("size", [100, 1000])
def test_a_message_may_have_just_so_many_bytes(size: int):
    assert isinstance(read(frame(0x82, bytes(size), True), most=size)[0], Message)
    assert read(frame(0x82, bytes(size + 1), True), most=size)[0] == Broken(
        1009, f"a message is larger than {size} bytes"
    )


def test_masking_twice_is_nothing():
    for size in (0, 1, 3, 4, 5, 300_000):
        data = bytes(range(256)) * (size // 256 + 1)
        data = data[:size]
        assert mask(mask(data, b"\x01\x02\x03\xff"), b"\x01\x02\x03\xff") == data
    assert mask(b"\x01\x02\x03\x04\x05", b"\x01\x02\x03\x04") == b"\x00\x00\x00\x00\x04"


def test_which_codes_may_close():
    valid = {code for code in range(6000) if may_close_with(code)}
    assert {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999} <= valid
    assert not {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000} & valid


# -- any conversation, any split --

fragments = st.lists(st.binary(max_size=300), min_size=1, max_size=4)
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))
pieces = st.one_of(fragments, controls)


def frames_of(piece: object, masked: bool) -> bytes:
    if isinstance(piece, tuple):
        return frame(0x80 | piece[0], piece[1], masked)
    assert isinstance(piece, list)
    last = len(piece) - 1
    return b"".join(
        frame((BINARY if index == 0 else 0) | (0x80 if index == last else 0), part, masked)
        for index, part in enumerate(piece)
    )


@given(st.lists(pieces, max_size=6), st.booleans(), st.data())
def test_any_split_gives_the_same(said: list[object], masked: bool, data: st.DataObject):
    raw = b"".join(frames_of(piece, masked) for piece in said)
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=10))
    events = read(raw, masked=masked, cuts=cuts)
    assert events == read(raw, masked=masked)
    assert b"".join(event.raw for event in events if not isinstance(event, Broken)) == raw


@given(st.binary(max_size=400), st.booleans(), st.booleans(), st.data())
def test_any_bytes_are_read_or_refused(noise: bytes, masked: bool, compressed: bool, data: st.DataObject):
    cuts = data.draw(st.lists(st.integers(0, len(noise)), max_size=6))
    deflate = Deflate() if compressed else None
    assert read(noise, masked=masked, deflate=deflate) == read(noise, masked=masked, deflate=deflate, cuts=cuts)


# -- wsproto as the judge --


def judge(data: bytes, *, masked: bool, deflate: bool = False) -> list[tuple[str, object]]:
    """What wsproto reads, messages put together."""
    side = ConnectionType.SERVER if masked else ConnectionType.CLIENT
    connection = Connection(side, extensions(side) if deflate else [])
    connection.receive_data(data)
    found: list[tuple[str, object]] = []
    held = b""
    for event in connection.events():
        match event:
            case judged.TextMessage() | judged.BytesMessage():
                held += event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                if event.message_finished:
                    found.append(("message", held))
                    held = b""
            case judged.Ping():
                found.append(("ping", bytes(event.payload)))
            case judged.Pong():
                found.append(("pong", bytes(event.payload)))
            case judged.CloseConnection():
                found.append(("close", int(event.code)))
                break
    return found


def extensions(side: ConnectionType) -> list[Extension]:
    extension = PerMessageDeflate()
    if side is ConnectionType.SERVER:
        extension.accept("permessage-deflate")
    else:
        extension.offer()
        extension.finalize("permessage-deflate")
    extension._enabled = True  # as after a handshake
    return [extension]


def ours(events: list[Event], masked: bool) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for event in events:
        match event:
            case Message():
                found.append(("message", event.content))
            case Control(opcode, raw):
                payload = mask(raw[6:], raw[2:6]) if masked else raw[2:]
                found.append(("ping" if opcode == PING else "pong", payload))
            case Close(code) | Broken(code):
                found.append(("close", int(code)))
    return found


@given(st.lists(pieces, max_size=6), st.booleans())
def test_wsproto_reads_the_same(said: list[object], masked: bool):
    raw = b"".join(frames_of(piece, masked) for piece in said) + close_frame(3000, "", masked)
    assert ours(read(raw, masked=masked), masked) == judge(raw, masked=masked)


HEADS = st.tuples(
    st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x09, 0x83, 0xC1, 0xA1]),
    st.one_of(st.binary(max_size=3), st.binary(min_size=125, max_size=127), st.just(b"\x03\xe8")),
)


@given(st.lists(HEADS, max_size=5), st.booleans())
@settings(max_examples=300)
def test_wsproto_refuses_the_same(heads: list[tuple[int, bytes]], masked: bool):
    raw = b"".join(frame(first, payload, masked) for first, payload in heads)
    assert ours(read(raw, masked=masked), masked) == judge(raw, masked=masked)


# -- compression --


def compressed(*contents: bytes, deflate: Deflate | None = None, masked: bool = True) -> list[bytes]:
    """One compressed message in one frame for each content."""
    deflate = deflate or Deflate()
    stream = zlib.compressobj(wbits=-deflate.bits)
    made = []
    for content in contents:
        data = (stream.compress(content) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL) or b"\x00"
        made.append(frame(0xC2, data, masked))
        if not deflate.takeover:
            stream = zlib.compressobj(wbits=-deflate.bits)
    return made


HOW = [Deflate(bits, takeover) for bits in (9, 12, 15) for takeover in (True, False)]
TALE = [b"once upon a time " * 40, b"", b"once upon a time there was", bytes(range(256)) * 300, b"upon a time"]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_compressed_messages_are_read(how: Deflate):
    data = b"".join(compressed(*TALE, deflate=how))
    events = read(data, deflate=how)
    assert [event.content for event in events if isinstance(event, Message)] == TALE
    assert read(data, deflate=how, cuts=range(1, len(data), 7)) == events


@pytest.mark.parametrize("how", HOW, ids=str)
def test_what_is_changed_in_the_middle_leaves_the_rest_readable(how: Deflate):
    messages = read(b"".join(compressed(*TALE, *TALE, deflate=how)), deflate=how)
    writer = Writer(True, how)
    sent, wanted = b"", []
    for number, event in enumerate(messages):
        assert isinstance(event, Message)
        if number == 2:
            writer.dropped(event)
        elif number in (4, 6):
            sent += b"".join(writer.changed(event, b"once upon another time"))
            wanted.append(b"once upon another time")
        else:
            sent += b"".join(writer.unchanged(event))
            wanted.append(event.content)
        if number == 5:
            sent += b"".join(writer.made(TEXT, b"injected"))
            wanted.append(b"injected")
    got = read(sent, deflate=how)
    assert [event.content for event in got if isinstance(event, Message)] == wanted
    assert len(got) == len(wanted)


def test_what_nobody_changes_stays_as_it_is():
    made = compressed(*TALE)
    writer = Writer(True, Deflate())
    for event, raw in zip(read(b"".join(made), deflate=Deflate()), made, strict=True):
        assert isinstance(event, Message)
        assert b"".join(writer.unchanged(event)) == raw
        b"".join(writer.made(TEXT, b"injected"))


@given(
    st.lists(st.lists(st.binary(max_size=200), min_size=1, max_size=4), min_size=1, max_size=5), st.sampled_from(HOW)
)
def test_compressed_fragments_are_made_as_wsproto_and_we_read_them(messages: list[list[bytes]], how: Deflate):
    writer = Writer(True, how)
    raw = b""
    for parts in messages:
        content = b"".join(parts)
        old = Message(BINARY, bytes(len(content)), b"", tuple(map(len, parts)), True)
        raw += b"".join(writer.changed(old, content))
    events = read(raw, deflate=how)
    assert [event.content for event in events if isinstance(event, Message)] == [b"".join(parts) for parts in messages]
    assert [event.sizes for event in events if isinstance(event, Message)] == [
        tuple(map(len, parts)) for parts in messages
    ]
    wanted = [("message", b"".join(parts)) for parts in messages]
    assert judge(raw, masked=True, deflate=True) == wanted or not how.takeover


def test_a_receiver_of_the_smallest_window_gets_changed_messages_as_they_are():
    (message,) = read(compressed(b"hello " * 50)[0], deflate=Deflate(8))
    assert isinstance(message, Message)
    raw = b"".join(Writer(False, Deflate(8)).changed(message, b"HELLO " * 50))
    assert raw == frame(0x82, b"HELLO " * 50, False)


def test_a_receiver_that_does_not_inflate_gets_the_content():
    (message,) = read(compressed(b"hello")[0], deflate=Deflate())
    assert isinstance(message, Message)
    assert b"".join(Writer(False, None, as_it_comes=False).unchanged(message)) == frame(0x82, b"hello", False)


@pytest.mark.parametrize("most", [1000, 1_000_000])
def test_a_bomb_is_not_unpacked(most: int):
    (bomb,) = compressed(bytes(50_000_000))
    assert len(bomb) < 60_000
    assert read(bomb, deflate=Deflate(), most=most) == [Broken(1009, f"a message is larger than {most} bytes")]


def test_a_bomb_in_fragments():
    stream = zlib.compressobj(wbits=-15)
    parts = [stream.compress(bytes(300_000)) + stream.flush(zlib.Z_SYNC_FLUSH) for _ in range(10)]
    data = frame(0x42, parts[0], True) + b"".join(frame(0, part, True) for part in parts[1:])
    assert isinstance(read(data, deflate=Deflate(), most=1_000_000)[-1], Broken)


def test_what_cannot_be_inflated():
    (event,) = read(frame(0xC2, b"\xff\xff\xff", True), deflate=Deflate())
    assert isinstance(event, Broken)
    assert event.code == 1007


def test_compressed_text_is_checked():
    stream = zlib.compressobj(wbits=-15)
    data = (stream.compress(b"\xff\xfe") + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
    (event,) = read(frame(0xC1, data, True), deflate=Deflate())
    assert isinstance(event, Broken)
    assert event.code == 1007


def test_a_compressed_continuation_is_refused():
    (event,) = read(frame(0x02, b"a", True) + frame(0xC0, b"b", True), deflate=Deflate())
    assert isinstance(event, Broken)


def test_messages_that_end_their_stream_of_blocks():
    # RFC 7692 §7.2.3.4, §7.2.3.5: "Hello" with the final bit set, and in two blocks.
    final = bytes.fromhex("f348cdc9c90700") + b"\x00"
    two = bytes.fromhex("f248050000 00ffffcac9c90700")
    data = frame(0xC2, final, True) + frame(0xC2, two, True)
    events = read(data, deflate=Deflate())
    assert [event.content for event in events if isinstance(event, Message)] == [b"Hello", b"Hello"]


# -- what goes out changed --


def message_of(*parts: bytes) -> Message:
    raw = frames_of(list(parts), True)
    (message,) = read(raw)
    assert isinstance(message, Message)
    return message


def sizes(pieces: Iterable[bytes]) -> tuple[int, ...]:
    (message,) = read(b"".join(pieces))
    assert isinstance(message, Message)
    return message.sizes


def test_another_content_of_the_same_length_keeps_the_fragments():
    assert sizes(Writer(True, None).changed(message_of(b"ab", b"", b"cde"), b"12345")) == (2, 0, 3)


def test_another_length_of_a_fragmented_message_makes_new_fragments():
    writer = Writer(True, None)
    assert sizes(writer.changed(message_of(b"ab", b"cde"), b"x" * (2 * FRAGMENT + 1))) == (FRAGMENT, FRAGMENT, 1)
    assert sizes(writer.changed(message_of(b"ab", b"cde"), b"x" * FRAGMENT)) == (FRAGMENT,)
    assert sizes(writer.changed(message_of(b"ab", b"cde"), b"")) == (0,)


def test_what_came_in_one_frame_goes_out_in_one():
    assert sizes(Writer(True, None).changed(message_of(b"ab"), b"x" * 100_000)) == (100_000,)


def test_frames_to_a_server_are_masked_and_those_to_a_client_are_not():
    assert b"".join(Writer(True, None).made(TEXT, b"hi"))[1] == 0x82
    assert b"".join(Writer(False, None).made(TEXT, b"hi")) == b"\x81\x02hi"
    assert close_frame(1000, "", False) == b"\x88\x02\x03\xe8"
    assert close_frame(1000, "", True)[0] & 0x0F == CLOSE


# -- long work in slices --

LONG = 3_000_000


def spread(data: bytes, *, deflate: Deflate | None = None) -> tuple[list[Event], int]:
    """The events of `data`, and how often there was a pause in the work."""
    steps = list(Reader(True, deflate, MANY).feed(data))
    return [step for step in steps if step is not None], steps.count(None)


@pytest.mark.parametrize("first", [0x81, 0x82, 0xC2])
def test_a_long_message_is_read_in_slices(first: int):
    content = b"0123456789abcdef" * (LONG // 16)
    data = compressed(content)[0] if first == 0xC2 else frame(first, content, True)
    (message,), pauses = spread(data, deflate=Deflate())
    assert isinstance(message, Message)
    assert message.content == content
    assert message.sizes == (LONG,)
    assert pauses >= LONG // SLICE


def test_a_long_text_may_be_cut_anywhere_but_must_be_whole():
    content = "€".encode() * (LONG // 3)
    (message,), _ = spread(frame(0x81, content, True))
    assert isinstance(message, Message)
    assert message.content == content
    (flaw,), _ = spread(frame(0x81, content[:-1], True))
    assert flaw == Broken(1007, "a text message is not UTF-8")


def test_streams_of_blocks_that_end_and_end_are_few_or_refused():
    (flaw,), pauses = spread(frame(0xC1, b"\x03\x00" * 200_000, True), deflate=Deflate())
    assert flaw == Broken(1009, f"a message is larger than {MANY} bytes")
    assert pauses > 1000


@pytest.mark.parametrize("how", [None, *HOW], ids=str)
@pytest.mark.parametrize("sizes", [(LONG,), (LONG // 2, LONG // 2)], ids=["whole", "halves"])
def test_a_long_message_is_made_in_slices(how: Deflate | None, sizes: tuple[int, ...]):
    old = Message(TEXT, bytes(LONG), b"", sizes, how is not None)
    content = bytes(range(100)) * (LONG // 100)
    pieces = list(Writer(True, how).changed(old, content))
    assert len(pieces) >= LONG // SLICE
    assert max(map(len, pieces)) <= SLICE + 14
    (message,) = read(b"".join(pieces), deflate=how)
    assert isinstance(message, Message)
    assert (message.content, message.sizes) == (content, sizes)


def test_a_long_message_goes_on_in_slices():
    raw = frame(0x82, bytes(LONG), True)
    (message,) = read(raw)
    assert isinstance(message, Message)
    pieces = list(Writer(True, None).unchanged(message))
    assert b"".join(pieces) == raw
    assert max(map(len, pieces)) == SLICE
