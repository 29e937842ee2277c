"""What nobody touched stays the bytes that came, whatever they are, in every way of editing (P1)."""

from __future__ import annotations

import gzip
from collections.abc import Coroutine

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from midstream.console.edit_texts import BodyText, HeadText, WholeText
from midstream.console.grids import PARTS, FlowKind
from midstream.flows.errors import CommandError
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from tests.console.masters import Shown, shown_console
from tests.kit.captured import http_flow

# Nothing of it ends a line of a head; everything else may come from a peer that means harm.
HOSTILE = [
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"\xff",
    b"\x00",
    b"%zz",
    b"%20",
    b"+",
    b" ",
    b"\t",
    b"=",
    b"&",
    b";",
    b'"',
    b"a",
]
BITS = st.lists(st.sampled_from(HOSTILE), max_size=5).map(b"".join)
FIELDS = st.lists(
    st.tuples(st.sampled_from([b"X-A", b"x-a", b"Cookie", b"set-cookie", b"b d", b"\xff"]), BITS), max_size=4
).map(tuple)
BODIES = st.one_of(
    BITS, st.lists(st.sampled_from([*HOSTILE, b"\r\n", b"\n", b"\r", b"a=1&b"]), max_size=8).map(b"".join)
)
MULTIPART = b'--XX\r\nContent-Disposition: form-data; name="%s"\r\nX:  odd \r\n\r\n%s\r\n--XX--%s'


def a_flow(path: bytes, fields: Headers, body: bytes, kind: str, reason: bytes) -> HTTPFlow:
    flow = http_flow("http://shop.example/", "POST")
    assert flow.response is not None
    more: tuple[tuple[bytes, bytes], ...] = ()
    if kind == "form":
        more += ((b"content-type", b"application/x-www-form-urlencoded"),)
    elif kind == "multipart":
        more += ((b"content-type", b'multipart/form-data; boundary="XX"'),)
        body = MULTIPART % (body.translate(None, b'\r\n"'), body, body[:1])
    elif kind == "gzip":
        more += ((b"content-encoding", b"gzip"), (b"content-type", b"text/plain; charset=utf-8"))
        body = gzip.compress(body, 3, mtime=7)
    flow.request.raw_path = b"/" + path
    flow.response.raw_reason = reason
    for message in (flow.request, flow.response):
        message.headers = Headers((*fields, *more, (b"content-length", b"%d" % len(body))))
        message.raw_content = body
    return flow


def flows(*kinds: str) -> st.SearchStrategy[HTTPFlow]:
    path = st.tuples(BITS, BITS).map(b"?".join)
    return st.builds(a_flow, path, FIELDS, BODIES, st.sampled_from(kinds), BITS.map(lambda data: data.strip()))


FLOWS = flows("plain", "form", "multipart", "gzip")
OF_PARTS = {"urlencoded-form": flows("form"), "multipart-form": flows("multipart")}


@pytest.fixture
async def shown(tmp_path):
    async with shown_console(tmp_path, 100, 26) as shown:
        yield shown


def everything(flow: HTTPFlow) -> tuple[object, object]:
    assert flow.response is not None
    return flow.request.get_state(), flow.response.get_state()


def at_once(work: Coroutine[object, object, str]) -> str:
    """The result of what waits for nothing."""
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    return str(ended.value.value)


def opened(shown: Shown, part: str, flow: HTTPFlow) -> FlowKind:
    try:
        kind = PARTS[part](shown.console, flow)
        kind.read()
    except CommandError:
        assume(False)
    return kind


def rest_of(message: Request | Response, but: str) -> dict[str, object]:
    """All of a message but one part of it, and what follows from that."""
    state = dict(message.get_state())
    for name in {"headers": ["headers"], "body": ["content"], "path": ["path"]}[but]:
        assert name in state
        del state[name]
    if but == "body":
        state["headers"] = tuple(field for field in message.headers.fields if field[0] != b"content-length")
    return state


@pytest.mark.parametrize("part", PARTS)
async def test_a_table_that_is_applied_as_it_was_read(shown, part):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(OF_PARTS.get(part, FLOWS))
    def check(flow: HTTPFlow) -> None:
        kind = opened(shown, part, flow)
        before, rows = everything(flow), kind.read()
        if rows:
            kind.apply(rows)
        assert everything(flow) == before

    check()


@pytest.mark.parametrize("part", [part for part in PARTS if part != "set-cookies"])
async def test_one_cell_of_a_table(shown, part):
    of = "path" if part in ("query", "path") else "body" if "form" in part else "headers"

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(OF_PARTS.get(part, FLOWS), st.integers(0, 3))
    def check(flow: HTTPFlow, at: int) -> None:
        kind = opened(shown, part, flow)
        rows = kind.read()
        assume(at < len(rows))
        column = min(1, len(kind.columns) - 1)
        before, response = rest_of(kind.message, of), everything(flow)[not kind.of_response]
        rows[at] = rows[at].with_cell(column, b"new")
        kind.apply(rows)
        assert rest_of(kind.message, of) == before
        assert everything(flow)[not kind.of_response] == response
        after = kind.read()
        assert [row.origin for number, row in enumerate(after) if number != at] == [
            row.origin for number, row in enumerate(rows) if number != at
        ]
        assert after[at].cells[column] == b"new"

    check()


@pytest.mark.parametrize("make", [HeadText, BodyText, WholeText])
@pytest.mark.parametrize("part", ["request", "response"])
async def test_a_text_that_is_applied_as_it_was_read(shown, make, part):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(flows("plain", "form", "multipart") if make is BodyText else FLOWS)
    def check(flow: HTTPFlow) -> None:
        before = everything(flow)
        subject = make(shown.console, flow, f"{part}-body" if make is BodyText else part)
        text = subject.read()
        assert subject.check(text) is None
        at_once(subject.apply(text))
        assert everything(flow) == before

    check()


@pytest.mark.parametrize("make", [HeadText, WholeText])
@pytest.mark.parametrize("part", ["request", "response"])
async def test_one_line_more_of_a_head(shown, make, part):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(FLOWS)
    def check(flow: HTTPFlow) -> None:
        subject = make(shown.console, flow, part)
        before, fields = rest_of(subject.message, "headers"), subject.message.headers.fields
        first, _, rest = subject.read().partition("\n")
        text = f"{first}\nX-New: 1\n{rest}"
        assert subject.check(text) is None
        at_once(subject.apply(text))
        assert rest_of(subject.message, "headers") == before
        assert subject.message.headers.fields == ((b"X-New", b"1"), *fields)

    check()


@pytest.mark.parametrize("make", [BodyText, WholeText])
async def test_one_letter_more_of_a_body(shown, make):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(FLOWS)
    def check(flow: HTTPFlow) -> None:
        subject = make(shown.console, flow, "request" if make is WholeText else "request-body")
        before, body = rest_of(flow.request, "body"), flow.request.content
        text = subject.read() + "x"
        assert subject.check(text) is None
        at_once(subject.apply(text))
        assert rest_of(flow.request, "body") == before
        assert flow.request.content == body + b"x"

    check()
