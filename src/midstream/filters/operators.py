"""The table of filter operators: one line each, from which the parser, help and completion are derived.

What an operator looks at stands in `subjects`, how it searches in `patterns`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

from midstream.filters import subjects
from midstream.filters.errors import BadArgument
from midstream.filters.patterns import bytes_test, str_test
from midstream.filters.subjects import Sides, Test
from midstream.flows.dns import DNSFlow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from midstream.text.patterns import Allowance

FlowType: TypeAlias = Literal["http", "tcp", "udp", "dns"]
ANY: tuple[FlowType, ...] = ("http", "tcp", "udp", "dns")
HTTP: tuple[FlowType, ...] = ("http",)


class Operator(NamedTuple):
    """`build` makes the test out of the argument ("" when the operator takes none) and the allowance for its regular
    expressions; it may raise BadArgument.
    """

    name: str
    argument: Literal["", "regex", "number"]
    help: str
    flow_types: tuple[FlowType, ...]
    build: Callable[[str, Allowance], Test]


def _plain(name: str, text: str, types: tuple[FlowType, ...], test: Test) -> Operator:
    return Operator(name, "", text, types, lambda _, __: test)


def _text(name: str, text: str, types: tuple[FlowType, ...], subject: Callable[..., Test], flags: int = 0) -> Operator:
    def build(pattern: str, allowance: Allowance) -> Test:
        return subject(str_test(pattern, flags, allowance))

    return Operator(name, "regex", text, types, build)


def _raw(name: str, text: str, types: tuple[FlowType, ...], subject: Callable[..., Test], flags: int = 0) -> Operator:
    def build(pattern: str, allowance: Allowance) -> Test:
        return subject(bytes_test(pattern, flags, allowance))

    return Operator(name, "regex", text, types, build)


def _status(argument: str, _: Allowance) -> Test:
    if not (argument.isascii() and argument.isdigit() and len(argument) <= 9):
        raise BadArgument(f"{argument!r} is no status code")
    return subjects.status_is(int(argument))


_BOTH, _SENT, _RECEIVED = Sides(True, True), Sides(True, False), Sides(False, True)
_body, _head, _type = subjects.body, subjects.header_block, subjects.content_type
_LINES = re.MULTILINE

OPERATORS: tuple[Operator, ...] = (
    _plain("~a", "the response is JavaScript, CSS, an image or a font", HTTP, subjects.is_asset),
    _plain("~all", "every flow", ANY, lambda flow: True),
    _raw("~b", "a body or message matches (decoded)", ANY, partial(_body, sides=_BOTH), re.DOTALL),
    _raw("~bq", "a body or message from the client matches", ANY, partial(_body, sides=_SENT), re.DOTALL),
    _raw("~bs", "a body or message from the server matches", ANY, partial(_body, sides=_RECEIVED), re.DOTALL),
    Operator("~c", "number", "the response has this status code", HTTP, _status),
    _text("~comment", "the comment matches", ANY, lambda test: lambda flow: test(flow.comment), _LINES),
    _text("~d", "the host matches, as connected to or as named by the client", HTTP, subjects.host),
    _plain("~dns", "DNS flows", ("dns",), lambda flow: isinstance(flow, DNSFlow)),
    _text("~dst", "the server's host:port matches", ANY, subjects.destination),
    _plain("~e", "flows with an error", ANY, lambda flow: flow.error is not None),
    _raw("~h", "a header line of request or response matches", HTTP, partial(_head, sides=_BOTH), _LINES),
    _raw("~hq", "a header line of the request matches", HTTP, partial(_head, sides=_SENT), _LINES),
    _raw("~hs", "a header line of the response matches", HTTP, partial(_head, sides=_RECEIVED), _LINES),
    _plain("~http", "HTTP flows, websockets included", HTTP, lambda flow: isinstance(flow, HTTPFlow)),
    _raw("~m", "the method matches", HTTP, subjects.method),
    _plain("~marked", "flows with a mark", ANY, lambda flow: bool(flow.marked)),
    _text("~marker", "the mark matches, like :dog:", ANY, lambda test: lambda flow: test(flow.marked)),
    _text("~meta", "a line `key: value` of the metadata matches", ANY, subjects.metadata, _LINES),
    _plain("~q", "there is no response yet", ("http", "dns"), subjects.lacks_response),
    _plain("~replay", "replayed, in either direction", ANY, lambda flow: flow.is_replay is not None),
    _plain("~replayq", "the request was replayed", ANY, lambda flow: flow.is_replay == "request"),
    _plain("~replays", "the response was replayed", ANY, lambda flow: flow.is_replay == "response"),
    _plain("~s", "there is a response", ("http", "dns"), subjects.has_response),
    _text("~src", "the client's ip:port matches", ANY, subjects.source),
    _raw("~t", "the content-type of request or response matches", HTTP, partial(_type, sides=_BOTH)),
    _plain("~tcp", "TCP flows", ("tcp",), lambda flow: isinstance(flow, TCPFlow)),
    _raw("~tq", "the content-type of the request matches", HTTP, partial(_type, sides=_SENT)),
    _raw("~ts", "the content-type of the response matches", HTTP, partial(_type, sides=_RECEIVED)),
    _text("~u", "the URL matches; for DNS the name that was asked for", ("http", "dns"), subjects.url),
    _plain("~udp", "UDP flows", ("udp",), lambda flow: isinstance(flow, UDPFlow)),
    _plain(
        "~websocket",
        "HTTP flows that became websockets",
        HTTP,
        lambda flow: isinstance(flow, HTTPFlow) and flow.websocket is not None,
    ),
)

# A word that stands alone is searched in the URL.
BARE_WORD = next(operator for operator in OPERATORS if operator.name == "~u")
