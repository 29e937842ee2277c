"""A filter judged by the row of a flow: three answers, of which None means that only the flow itself can tell.

Flows may be on disk, and there may be a hundred thousand of them: what their rows say need not be loaded. Others call
`Filter.on_row`; the rows are those of store/rows.py, which this room knows by their shape only. Each test here is that
of the same name in the table of operators, whose subjects look at flows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple, Protocol, TypeAlias, assert_never

from midstream.filters.nodes import And, Node, Not, Or, Term
from midstream.filters.patterns import BytesTest, StrTest, bytes_test, str_test
from midstream.filters.subjects import is_asset_type
from midstream.text.patterns import Allowance


class Facts(NamedTuple):
    """What filters ask of a flow beyond what lists show; DNS flows have some if their name is whole.
    Many flows say the same, and share one object.

    `is_whole`: method and URL are exactly what the row says. `server` is the host that was connected to, `sent` and
    `received` are the content types of request and response, as they came, b"" for none; None is what is too long.
    """

    is_whole: bool
    server: str | None
    sent: bytes | None
    received: bytes | None


class _Shared(Protocol):
    @property
    def comment(self) -> str: ...


class RowLike(Protocol):
    """The slots of a row that are looked at."""

    @property
    def kind(self) -> Literal["http", "ws", "tcp", "udp", "dns"]: ...
    @property
    def method(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def status(self) -> int | None: ...
    @property
    def marked(self) -> str: ...
    @property
    def replay(self) -> str: ...
    @property
    def failed(self) -> str: ...
    @property
    def facts(self) -> Facts | None: ...
    @property
    def shared(self) -> _Shared: ...


RowTest: TypeAlias = Callable[[RowLike], bool | None]

_LONGEST_COMMENT = 1000  # a longer one may have been cut
_HTTP = frozenset({"http", "ws"})
_REPLIED = frozenset({"http", "ws", "dns"})


def url_of(row: RowLike) -> str:
    """The URL of an HTTP flow by its row; right if `facts.is_whole`."""
    host = f"[{row.host}]" if ":" in row.host else row.host
    return f"{row.scheme}://{host}:{row.port}{row.path}" if row.port else f"{row.scheme}://{host}{row.path}"


def compile_rows(node: Node, allowance: Allowance) -> RowTest:
    """One function for the whole tree of a filter."""
    match node:
        case Term():
            return _term(node, allowance)
        case Not():
            inner = compile_rows(node.inner, allowance)
            return lambda row: None if (answer := inner(row)) is None else not answer
        case And():
            return _joined([compile_rows(part, allowance) for part in node.parts], decides=False)
        case Or():
            return _joined([compile_rows(part, allowance) for part in node.parts], decides=True)
        case _:
            assert_never(node)


def _joined(tests: list[RowTest], *, decides: bool) -> RowTest:
    """All or any of the tests: one answer that `decides` is enough, and one that is missing leaves it open."""

    def run(row: RowLike) -> bool | None:
        answer: bool | None = not decides
        for test in tests:
            one = test(row)
            if one is decides:
                return decides
            if one is None:
                answer = None
        return answer

    return run


def _term(term: Term, allowance: Allowance) -> RowTest:
    if term.name in _PLAIN:
        return _PLAIN[term.name]
    argument = term.argument or ""
    if term.name == "~c":
        return partial(_status, int(argument))
    if term.name in _OF_TEXT:
        return partial(_OF_TEXT[term.name], str_test(argument, 0, allowance))
    if term.name == "~comment":
        return partial(_comment, str_test(argument, re.MULTILINE, allowance))
    if term.name in _OF_BYTES:
        return partial(_OF_BYTES[term.name], bytes_test(argument, 0, allowance))
    if term.name in _OF_HEADS:
        return _head if term.name == "~h" else partial(_head, side=term.name[-1])
    return _open


def _open(row: RowLike) -> None:
    """Rows say nothing about it."""
    return


def _head(row: RowLike, side: str = "") -> bool | None:
    if row.kind not in _HTTP or (side == "s" and row.status is None):
        return False
    return None


def _status(number: int, row: RowLike) -> bool:
    return row.status == number and row.kind in _HTTP


def _comment(test: StrTest, row: RowLike) -> bool | None:
    comment = row.shared.comment
    return test(comment) if len(comment) < _LONGEST_COMMENT else None


def _marker(test: StrTest, row: RowLike) -> bool:
    return test(row.marked)


def _host(test: StrTest, row: RowLike) -> bool | None:
    if row.kind not in _HTTP:
        return False
    facts = row.facts
    if facts is None or facts.server is None:
        return None
    return test(facts.server) or (row.host != facts.server and test(row.host))


def _url(test: StrTest, row: RowLike) -> bool | None:
    if row.kind in _HTTP:
        return test(url_of(row)) if row.facts is not None and row.facts.is_whole else None
    if row.kind == "dns":
        # The type of the question is its content type: without one nothing was asked.
        return bool(row.content_type) and (test(row.host) if row.facts is not None else None)
    return False


def _method(test: BytesTest, row: RowLike) -> bool | None:
    if row.kind not in _HTTP:
        return False
    if row.facts is None or not row.facts.is_whole:
        return None
    return test(row.method.encode("utf-8", "surrogateescape"))


def _sent_type(test: BytesTest, row: RowLike) -> bool | None:
    if row.kind not in _HTTP:
        return False
    value = row.facts.sent if row.facts is not None else None
    return None if value is None else bool(value) and test(value)


def _received_type(test: BytesTest, row: RowLike) -> bool | None:
    if row.kind not in _HTTP or row.status is None:
        return False
    value = row.facts.received if row.facts is not None else None
    return None if value is None else bool(value) and test(value)


def _either_type(test: BytesTest, row: RowLike) -> bool | None:
    sent, received = _sent_type(test, row), _received_type(test, row)
    if sent or received:
        return True
    return None if sent is None or received is None else False


def _asset(row: RowLike) -> bool | None:
    if row.kind not in _HTTP or row.status is None:
        return False
    value = row.facts.received if row.facts is not None else None
    return None if value is None else is_asset_type(value)


_PLAIN: dict[str, RowTest] = {
    "~a": _asset,
    "~all": lambda row: True,
    "~dns": lambda row: row.kind == "dns",
    "~e": lambda row: bool(row.failed),
    "~http": lambda row: row.kind in _HTTP,
    "~marked": lambda row: bool(row.marked),
    "~q": lambda row: row.status is None and row.kind in _REPLIED,
    "~replay": lambda row: bool(row.replay),
    "~replayq": lambda row: row.replay == "request",
    "~replays": lambda row: row.replay == "response",
    "~s": lambda row: row.status is not None and row.kind in _REPLIED,
    "~tcp": lambda row: row.kind == "tcp",
    "~udp": lambda row: row.kind == "udp",
    "~websocket": lambda row: row.kind == "ws",
}
_OF_TEXT: dict[str, Callable[[StrTest, RowLike], bool | None]] = {"~d": _host, "~marker": _marker, "~u": _url}
_OF_BYTES: dict[str, Callable[[BytesTest, RowLike], bool | None]] = {
    "~m": _method,
    "~t": _either_type,
    "~tq": _sent_type,
    "~ts": _received_type,
}
_OF_HEADS = frozenset({"~h", "~hq", "~hs"})
