"""DNS messages (RFC 1035 §4): bytes to plain values and back, without I/O.

Called by `flows.dns`, which gives the values a face for addons. Names inside of record data are uncompressed when
read, so that each record means the same wherever it is put. It resolves nothing.
"""

from struct import Struct
from typing import NamedTuple

from midstream.wire import dns_names

_HEADER = Struct(">HHHHHH")
_QUESTION_TAIL = Struct(">HH")
_RECORD_TAIL = Struct(">HHIH")


class QuestionEntry(NamedTuple):
    """What is asked: a name, a record type and a class."""

    name: str
    type: int
    class_: int


class RecordEntry(NamedTuple):
    """One resource record; `data` is uncompressed."""

    name: str
    type: int
    class_: int
    ttl: int
    data: bytes


class MessageEntry(NamedTuple):
    """A whole message. `reserved` are the three Z bits, of which DNSSEC uses two (RFC 4035 §3)."""

    id: int
    query: bool
    op_code: int
    authoritative_answer: bool
    truncation: bool
    recursion_desired: bool
    recursion_available: bool
    reserved: int
    response_code: int
    questions: tuple[QuestionEntry, ...]
    answers: tuple[RecordEntry, ...]
    authorities: tuple[RecordEntry, ...]
    additionals: tuple[RecordEntry, ...]


def unpack(data: bytes) -> MessageEntry:
    """Read a message that fills `data`. Raises ValueError with a sentence."""
    length, message = unpack_from(data, 0)
    if length != len(data):
        raise ValueError(f"{len(data) - length} bytes follow the end of the DNS message")
    return message


def unpack_from(data: bytes, offset: int) -> tuple[int, MessageEntry]:
    """Read the message that begins at `offset`; returns its length too. Raises ValueError with a sentence."""
    reader = _Reader(data[offset:] if offset else data)
    message = reader.message()
    return reader.pos, message


class _Reader:
    """A position in a message, and the names found so far."""

    __slots__ = ("data", "names", "pos", "texts")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0
        self.names: dict[int, bytes] = {}
        self.texts: dict[bytes, str] = {}

    def message(self) -> MessageEntry:
        if len(self.data) < _HEADER.size:
            raise ValueError(f"a DNS message of {len(self.data)} bytes is shorter than its header")
        id_, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(self.data)
        self.pos = _HEADER.size
        # Each question takes 5 bytes at least and each record 11: forged counts are found out before anything is made.
        if self.pos + 5 * questions + 11 * (answers + authorities + additionals) > len(self.data):
            raise ValueError("the DNS message ends before its last record")
        return MessageEntry(
            id=id_,
            query=not flags & 0x8000,
            op_code=flags >> 11 & 0xF,
            authoritative_answer=bool(flags & 0x0400),
            truncation=bool(flags & 0x0200),
            recursion_desired=bool(flags & 0x0100),
            recursion_available=bool(flags & 0x0080),
            reserved=flags >> 4 & 0x7,
            response_code=flags & 0xF,
            questions=tuple([self.question() for _ in range(questions)]),
            answers=tuple([self.record() for _ in range(answers)]),
            authorities=tuple([self.record() for _ in range(authorities)]),
            additionals=tuple([self.record() for _ in range(additionals)]),
        )

    def question(self) -> QuestionEntry:
        name = self.name()
        type_, class_ = self.fields(_QUESTION_TAIL)
        return QuestionEntry(name, type_, class_)

    def record(self) -> RecordEntry:
        name = self.name()
        type_, class_, ttl, length = self.fields(_RECORD_TAIL)
        end = self.pos + length
        if end > len(self.data):
            raise ValueError("the DNS message ends inside of a record")
        data = self.record_data(type_, end)
        self.pos = end
        return RecordEntry(name, type_, class_, ttl, data)

    def record_data(self, type_: int, end: int) -> bytes:
        data = self.data[self.pos : end]
        layout = dns_names.NAMES_IN_DATA.get(type_)
        if layout is None or not data:
            return data
        before, count = layout
        pos = self.pos + before
        parts = [self.data[self.pos : pos]]
        for _ in range(count):
            if pos >= end:
                raise ValueError("a domain name is missing in the data of a DNS record")
            wire, pos = dns_names.read(self.data, pos, self.names)
            parts.append(wire)
        if pos > end:
            raise ValueError("a domain name runs over the end of its DNS record")
        return b"".join([*parts, self.data[pos:end]])

    def name(self) -> str:
        wire, self.pos = dns_names.read(self.data, self.pos, self.names)
        text = self.texts.get(wire)
        if text is None:
            text = self.texts[wire] = dns_names.to_text(wire)
        return text

    def fields(self, layout: Struct) -> tuple[int, ...]:
        if self.pos + layout.size > len(self.data):
            raise ValueError("the DNS message ends inside of a record")
        values = layout.unpack_from(self.data, self.pos)
        self.pos += layout.size
        return values


def pack(message: MessageEntry) -> bytes:
    """Write a message; names of questions and records are compressed. Raises ValueError with a sentence."""
    flags = (
        (0 if message.query else 0x8000)
        | _bits(message.op_code, 4, "op_code") << 11
        | (0x0400 if message.authoritative_answer else 0)
        | (0x0200 if message.truncation else 0)
        | (0x0100 if message.recursion_desired else 0)
        | (0x0080 if message.recursion_available else 0)
        | _bits(message.reserved, 3, "reserved") << 4
        | _bits(message.response_code, 4, "response_code")
    )
    sections = (message.questions, message.answers, message.authorities, message.additionals)
    counts = [_bits(len(section), 16, "number of records") for section in sections]
    out = bytearray(_HEADER.pack(_bits(message.id, 16, "id"), flags, *counts))
    known: dict[bytes, int] = {}
    for question in message.questions:
        out += dns_names.compress(dns_names.to_wire(question.name), known, len(out))
        out += _QUESTION_TAIL.pack(_bits(question.type, 16, "type"), _bits(question.class_, 16, "class"))
    for record in (*message.answers, *message.authorities, *message.additionals):
        out += dns_names.compress(dns_names.to_wire(record.name), known, len(out))
        out += _RECORD_TAIL.pack(
            _bits(record.type, 16, "type"),
            _bits(record.class_, 16, "class"),
            _bits(record.ttl, 32, "ttl"),
            _bits(len(record.data), 16, "length of the data"),
        )
        out += record.data
    return bytes(out)


def _bits(value: int, bits: int, what: str) -> int:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{what} of a DNS message is {value}; it must fit into {bits} bits")
    return value
