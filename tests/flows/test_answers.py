"""Which requests ask the same."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.flows.answers import Answers, Matching, key_of, why_no_answer
from midstream.flows.http import HTTPFlow, Request, Response
from tests.kit.captured import http_flow, tcp_flow, websocket_flow

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask(url: str = "http://h.test/a?x=1&y=2", method: str = "POST", body: bytes = b"", **fields: str) -> Request:
    return Request.make(method, url, body, {name.replace("_", "-"): value for name, value in fields.items()})


def form(boundary: str, *pairs: tuple[str, str]) -> Request:
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs
    )
    kind = f"multipart/form-data; boundary={boundary}"
    return ask(body=f"{parts}--{boundary}--\r\n".encode(), Content_Type=kind)


EXACTLY = Matching()
BUT_T = Matching(ignore_params=frozenset("t"))
BUT_T_IN_FORMS = Matching(ignore_payload_params=frozenset("t"))


def listed(*values: str) -> Request:
    request = ask()
    request.headers.set_all("X-One", list(values))
    return request


@dataclass
class Case:
    what: str
    one: Request
    other: Request
    matching: Matching = EXACTLY


ALIKE = [
    Case("the same", ask(), ask()),
    Case("the case of method, scheme and host", ask("http://H.test/a", "post"), ask("http://h.test/a")),
    Case("the port that goes without saying", ask("http://h.test:80/"), ask("http://h.test/")),
    Case("a query without its equals sign", ask("http://h.test/?x"), ask("http://h.test/?x=")),
    Case("no query, or an empty one", ask("http://h.test/?"), ask("http://h.test/")),
    Case("letters that are escaped or not", ask("http://h.test/?x=%41"), ask("http://h.test/?x=A")),
    Case("a fragment", ask("http://h.test/#one"), ask("http://h.test/#two")),
    Case("headers that nobody asked for", ask(X_One="1"), ask()),
    Case("the boundary of a form", form("one", ("a", "1")), form("two", ("a", "1"))),
    Case("the body", ask(body=b"1"), ask(body=b"2"), Matching(ignore_content=True)),
    Case("the host", ask("http://h.test/"), ask("http://i.test/"), Matching(ignore_host=True)),
    Case("the port", ask("http://h.test/"), ask("http://h.test:81/"), Matching(ignore_port=True)),
    Case("a field", ask("http://h.test/?t=1&x=2"), ask("http://h.test/?x=2&t=3&t=4"), BUT_T),
    Case("a field of a form", ask(body=b"t=1&x=2", **FORM), ask(body=b"x=2&t=3", **FORM),
         BUT_T_IN_FORMS),
    Case("a field of a multipart form", form("one", ("t", "1"), ("x", "2")), form("two", ("t", "3"), ("x", "2")),
         BUT_T_IN_FORMS),
    Case("a header that is repeated, or a list", listed("1", "2"), listed("1, 2"), Matching(use_headers=("x-one",))),
    Case("the case of a header's name", ask(x_key="1"), ask(X_KEY="1"), Matching(use_headers=("x-key",))),
]  # fmt: skip

OTHER = [
    Case("method", ask(method="GET"), ask()),
    Case("scheme", ask("https://h.test:80/"), ask("http://h.test:80/")),
    Case("host", ask("http://h.test/"), ask("http://i.test/")),
    Case("port", ask("http://h.test:81/"), ask("http://h.test/")),
    Case("path", ask("http://h.test/a"), ask("http://h.test/A")),
    Case("path parameters", ask("http://h.test/a;1"), ask("http://h.test/a;2")),
    Case("order of the query", ask("http://h.test/?x=1&y=2"), ask("http://h.test/?y=2&x=1")),
    Case("a value of the query", ask("http://h.test/?x=1"), ask("http://h.test/?x=2")),
    Case("body", ask(body=b"1"), ask(body=b"2")),
    Case("a header that counts", ask(X_One="1"), ask(X_One="2"), Matching(use_headers=("x-one",))),
    Case("that a header is there", ask(X_One=""), ask(), Matching(use_headers=("x-one",))),
    Case("where one part ends", ask("http://h.test/?a=b"), ask("http://h.test/?ab=")),
    Case("what is a query and what a body", ask("http://h.test/?a=1", body=b""), ask("http://h.test/", body=b"a=1")),
    Case("a field that is not ignored", ask(body=b"t=1&x=2", **FORM), ask(body=b"t=1&x=3", **FORM),
         BUT_T_IN_FORMS),
    Case("a body that is no form", ask(body=b"\xff1"), ask(body=b"\xff2"), BUT_T_IN_FORMS),
]  # fmt: skip


@pytest.mark.parametrize("case", ALIKE, ids=lambda case: case.what)
def test_these_ask_the_same_although_different_in(case: Case):
    assert key_of(case.one, case.matching) == key_of(case.other, case.matching)


@pytest.mark.parametrize("case", OTHER, ids=lambda case: case.what)
def test_these_ask_something_else_by(case: Case):
    assert key_of(case.one, case.matching) != key_of(case.other, case.matching)


@given(
    st.binary(),
    st.binary(),
    st.binary(),
    st.sampled_from([FORM, {}, {"Content-Type": "multipart/form-data; boundary=a"}]),
)
def test_any_bytes_have_a_key(path: bytes, host: bytes, body: bytes, fields: dict[str, str]):
    request = ask(body=body, **fields)
    request.raw_path, request.host = path, host
    for matching in (Matching(), Matching(ignore_payload_params=frozenset("x"), use_headers=("content-type",))):
        assert key_of(request, matching) == key_of(request.copy(), matching)


def body_of(answers: Answers, url: str, *, keep: bool = False) -> bytes | None:
    answer = answers.take(Request.make("GET", url), keep=keep)
    return answer.content if answer is not None else None


def recorded(url: str, body: bytes) -> HTTPFlow:
    return http_flow(url, response_body=body)


def test_answers_are_taken_in_their_order():
    answers = Answers()
    for number in (b"1", b"2", b"3"):
        answers.add(recorded("http://h.test/a?t=" + number.decode(), number))
    assert body_of(answers, "http://h.test/a") is None
    for number in answers.unfile(BUT_T):
        answers.file(number)
    assert [body_of(answers, "http://h.test/a", keep=True) for _ in range(2)] == [b"1", b"1"]
    assert [body_of(answers, "http://h.test/a") for _ in range(4)] == [b"1", b"2", b"3", None]
    assert len(answers) == 0
    assert answers.may_know(Request.make("GET", "http://other.test/a")) and not answers.may_know(ask())


def test_what_gives_an_answer():
    assert why_no_answer(recorded("http://h.test/", b"")) == ""
    streamed = recorded("http://h.test/", b"")
    assert streamed.response is not None
    streamed.response.raw_content = None
    cut = recorded("http://h.test/", b"abc")
    cut.metadata["response_body_cut"] = "first 3 bytes"
    for flow in (streamed, cut):
        assert "not kept" in why_no_answer(flow)
    for flow in (tcp_flow(), http_flow(status=None)):
        assert "no response" in why_no_answer(flow)
    assert "WebSocket" in why_no_answer(websocket_flow())
    made = HTTPFlow(cut.client_conn, cut.server_conn)
    made.response = Response.make()
    assert "no request" in why_no_answer(made)
