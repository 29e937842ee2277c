"""DNS questions, records, messages and flows, as addons see them.

The bytes are read and written by `wire.dns`. Numbers have their names in `types`, `classes`, `op_codes` and
`response_codes`.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from midstream.flows import state as s
from midstream.flows.checked_slot import CheckedSlot
from midstream.flows.connection import Client, Server
from midstream.flows.dns_record import Question, ResourceRecord, checked_question, checked_record
from midstream.flows.flow import Flow
from midstream.wire import dns as codec
from midstream.wire import dns_classes as classes
from midstream.wire import dns_op_codes as op_codes
from midstream.wire import dns_response_codes as response_codes
from midstream.wire import dns_types as types

__all__ = [
    "DNSFlow",
    "DNSMessage",
    "Question",
    "ResourceRecord",
    "classes",
    "op_codes",
    "response_codes",
    "types",
]

_RECORDS = s.listed(checked_record)

_MESSAGE: s.Schema = s.Schema(
    {
        "id": s.integer,
        "query": s.flag,
        "op_code": s.integer,
        "authoritative_answer": s.flag,
        "truncation": s.flag,
        "recursion_desired": s.flag,
        "recursion_available": s.flag,
        "reserved": s.integer,
        "response_code": s.integer,
        "questions": s.listed(checked_question),
        "answers": _RECORDS,
        "authorities": _RECORDS,
        "additionals": _RECORDS,
        "timestamp": s.optional(s.number),
    }
)
_SECTIONS = ("questions", "answers", "authorities", "additionals")
_FLAGS = ("authoritative_answer", "truncation", "recursion_desired", "recursion_available")


@dataclass(slots=True)
class DNSMessage:
    """A query or an answer. `reserved` are the three Z bits of the header; `timestamp` is in seconds."""

    id: int
    query: bool
    op_code: int
    authoritative_answer: bool
    truncation: bool
    recursion_desired: bool
    recursion_available: bool
    reserved: int
    response_code: int
    questions: list[Question] = field(default_factory=list)
    answers: list[ResourceRecord] = field(default_factory=list)
    authorities: list[ResourceRecord] = field(default_factory=list)
    additionals: list[ResourceRecord] = field(default_factory=list)
    timestamp: float | None = None

    @classmethod
    def unpack(cls, buffer: bytes, timestamp: float | None = None) -> Self:
        """Read a message that fills `buffer`. Raises ValueError."""
        return cls.from_entry(codec.unpack(buffer), timestamp)

    @classmethod
    def unpack_from(cls, buffer: bytes, offset: int, timestamp: float | None = None) -> tuple[int, Self]:
        """Read the message that begins at `offset`; returns its length too. Raises ValueError."""
        length, entry = codec.unpack_from(buffer, offset)
        return length, cls.from_entry(entry, timestamp)

    @classmethod
    def from_entry(cls, entry: codec.MessageEntry, timestamp: float | None = None) -> Self:
        """A message with the values that `wire.dns` has read."""
        questions = [Question(*question) for question in entry.questions]
        sections = (entry.answers, entry.authorities, entry.additionals)
        answers, authorities, additionals = [[ResourceRecord(*record) for record in section] for section in sections]
        return cls(*entry[:9], questions, answers, authorities, additionals, timestamp)

    def to_entry(self) -> codec.MessageEntry:
        """The opposite of `from_entry`: two messages with equal entries say the same."""
        return codec.MessageEntry(
            self.id,
            self.query,
            self.op_code,
            self.authoritative_answer,
            self.truncation,
            self.recursion_desired,
            self.recursion_available,
            self.reserved,
            self.response_code,
            tuple([codec.QuestionEntry(q.name, q.type, q.class_) for q in self.questions]),
            *(
                tuple([codec.RecordEntry(r.name, r.type, r.class_, r.ttl, r.data) for r in section])
                for section in (self.answers, self.authorities, self.additionals)
            ),
        )

    @property
    def packed(self) -> bytes:
        """The message in wire format. Raises ValueError when something in it has none."""
        return codec.pack(self.to_entry())

    @property
    def content(self) -> bytes:
        """Same as `packed`."""
        return self.packed

    @property
    def size(self) -> int:
        """Bytes of record data, over all sections."""
        return sum(len(r.data) for section in (self.answers, self.authorities, self.additionals) for r in section)

    @property
    def question(self) -> Question | None:
        """The question, if there is exactly one, as in every query of practice."""
        return self.questions[0] if len(self.questions) == 1 else None

    def __str__(self) -> str:
        entries: list[Any] = [entry for section in _SECTIONS for entry in getattr(self, section)]
        return "\r\n".join(map(str, entries))

    def fail(self, response_code: int) -> "DNSMessage":
        """An answer to this query that says why there is none. Raises ValueError if the code is no error."""
        if response_code == response_codes.NOERROR:
            raise ValueError("response_code must be an error code.")
        return self._answered(response_code, recursion_available=False, answers=[])

    def succeed(self, answers: list[ResourceRecord]) -> "DNSMessage":
        """An answer to this query with these records."""
        return self._answered(response_codes.NOERROR, recursion_available=True, answers=answers)

    def _answered(self, response_code: int, recursion_available: bool, answers: list[ResourceRecord]) -> "DNSMessage":
        if not self.query:
            raise ValueError("only a query can be answered")
        return DNSMessage(
            id=self.id,
            query=False,
            op_code=self.op_code,
            authoritative_answer=False,
            truncation=False,
            recursion_desired=self.recursion_desired,
            recursion_available=recursion_available,
            reserved=0,
            response_code=response_code,
            questions=[replace(question) for question in self.questions],
            answers=answers,
            timestamp=time.time(),
        )

    def copy(self) -> Self:
        """An independent message of the same content with a new random id."""
        # RFC 5452 §4.3: an id that can be guessed lets others answer.
        return self.from_state({**self.get_state(), "id": secrets.randbelow(1 << 16)})

    # --- JSON and state

    def to_json(self) -> dict[str, Any]:
        """The message for people and tools: names instead of numbers, data as text."""
        result: dict[str, Any] = {
            "id": self.id,
            "query": self.query,
            "op_code": op_codes.to_str(self.op_code),
            **{name: getattr(self, name) for name in _FLAGS},
            "response_code": response_codes.to_str(self.response_code),
            "status_code": response_codes.http_equiv_status_code(self.response_code),
            **{section: [entry.to_json() for entry in getattr(self, section)] for section in _SECTIONS},
            "size": self.size,
        }
        if self.timestamp is not None:
            result["timestamp"] = self.timestamp
        return result

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The opposite of `to_json`. Raises ValueError or KeyError."""
        records: list[Iterable[ResourceRecord]] = [
            [ResourceRecord.from_json(record) for record in data[section]] for section in _SECTIONS[1:]
        ]
        return cls.from_state(
            {
                "id": data["id"],
                "query": data["query"],
                "op_code": op_codes.from_str(data["op_code"]),
                **{name: data[name] for name in _FLAGS},
                "reserved": 0,
                "response_code": response_codes.from_str(data["response_code"]),
                "questions": [Question.from_json(question).get_state() for question in data["questions"]],
                **{
                    section: [record.get_state() for record in section_records]
                    for section, section_records in zip(_SECTIONS[1:], records, strict=True)
                },
                "timestamp": data.get("timestamp"),
            }
        )

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        state = {name: getattr(self, name) for name in _MESSAGE}
        for section in _SECTIONS:
            state[section] = [entry.get_state() for entry in state[section]]
        return state

    def set_state(self, state: s.State) -> None:
        """Take over the values of a state; nothing is changed when it is refused. Raises ValueError."""
        self._take(s.read(state, "dns message", _MESSAGE))

    def _take(self, values: s.State) -> None:
        for name, value in values.items():
            setattr(self, name, list(value) if name in _SECTIONS else value)

    @classmethod
    def from_state(cls, state: s.State) -> Self:
        """A message with these values. Raises ValueError."""
        return cls._checked(state, "dns message")

    @classmethod
    def _checked(cls, value: Any, where: str) -> Self:
        message = cls.__new__(cls)
        message._take(s.read(value, where, _MESSAGE))
        return message


def _checked_request(value: DNSMessage) -> DNSMessage:
    if isinstance(value, DNSMessage):
        return value
    raise TypeError(f"flow.request is a DNSMessage, not {type(value).__name__}")


def _checked_response(value: DNSMessage | None) -> DNSMessage | None:
    if value is None or isinstance(value, DNSMessage):
        return value
    raise TypeError(
        f"flow.response is a DNSMessage or None, not {type(value).__name__}; flow.request.succeed(…) makes one"
    )


class DNSFlow(Flow):
    """A query and its answer once there is one. Setting `response` before the query was sent answers it locally."""

    __slots__ = {"_request": "", "_response": ""}

    _SCHEMA: ClassVar[s.Schema] = s.Schema(
        {
            **Flow._SCHEMA,
            "request": DNSMessage._checked,
            "response": s.optional(DNSMessage._checked),
        }
    )

    _request: DNSMessage
    _response: DNSMessage | None

    request = CheckedSlot("_request", _checked_request, "The query.")
    response = CheckedSlot("_response", _checked_response, "The answer; None until there is one.")

    def __init__(self, client_conn: Client, server_conn: Server, live: bool = False) -> None:
        super().__init__(client_conn, server_conn, live)
        self._request = None  # type: ignore[assignment] # filled in by whoever makes the flow
        self._response = None

    def get_state(self) -> s.State:
        """The plain values that a saved flow holds."""
        response = self.response.get_state() if self.response else None
        return {**super().get_state(), "request": self.request.get_state(), "response": response}

    def __repr__(self) -> str:
        return f"<DNSFlow\n  request={self.request!r}\n  response={self.response!r}\n>"
