"""The option redact: what counts as a secret, that the same one has the same name, and what stays as it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from midstream.addons.cut import Cut
from midstream.addons.export import Export
from midstream.addons.redact import Redact
from midstream.addons.secrets import LARGEST, MOST_NAMES, Masker, Names, Rules
from midstream.console.panes.edits_text import edits_pieces
from midstream.flows.change import Change, Part
from midstream.flows.errors import OptionsError
from midstream.flows.flow import Error
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow
from midstream.testing import context
from tests.kit.captured import dns_flow, http_flow, tcp_flow, websocket_flow
from tests.kit.stopwatch import within

JWT = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
async def tests() -> AsyncIterator[context]:
    with context(Redact(), Export(), Cut()) as running:
        running.options.redact = True
        yield running


def shown(tests: context, flow: HTTPFlow) -> HTTPFlow:
    found = tests.master.showing.flow(flow)
    assert isinstance(found, HTTPFlow)
    return found


def masked(data: bytes, *rules: str) -> bytes:
    return Masker(Names(), Rules(rules)).text(data)


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (b'{"password": "hunter2", "user": "me"}', b'{"password": "<password-1>", "user": "me"}'),
        (b'{"newPassword":"a\\"b","x":1}', b'{"newPassword":"<password-1>","x":1}'),
        (b'{"access_token":"abc","token_type":"Bearer"}', b'{"access_token":"<token-1>","token_type":"Bearer"}'),
        (b'{"otp": 123456}', b'{"otp": "<secret-1>"}'),
        (b'{"secret": ""}', b'{"secret": ""}'),
        (b'{"api_key": "broken off he', b'{"api_key": "<key-1>'),
        (b'"{\\"token\\": \\"abc\\"}"', b'"{\\"token\\": \\"<token-1>\\"}"'),
        (b"user=me&password=a%26b&x=1", b"user=me&password=<password-1>&x=1"),
        (b"/path?access_token=abc#top", b"/path?access_token=<token-1>#top"),
        (b"user[password]=abc&user%5Btoken%5D=def", b"user[password]=<password-1>&user%5Btoken%5D=<token-1>"),
        (b"<Password>abc</Password><n>1</n>", b"<Password><password-1></Password><n>1</n>"),
        (b'<a:Secret type="x">abc</a:Secret>', b'<a:Secret type="x"><secret-1></a:Secret>'),
        (
            b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nabc\r\ndef\r\n--x--',
            b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n<password-1>\r\n--x--',
        ),
        (
            b'--x\nContent-Disposition: form-data; name=token; filename="a"\nContent-Type: a/b\n\nabc\nd\n--x--',
            b'--x\nContent-Disposition: form-data; name=token; filename="a"\nContent-Type: a/b\n\n<token-1>\n--x--',
        ),
        (b'{"passwords": ["abc", "def"], "n": [1]}', b'{"passwords": ["<password-1>"], "n": [1]}'),
        (b'{"name": "password", "value": "abc"}', b'{"name": "password", "value": "<password-1>"}'),
        (b"{'password': 'abc', 'n': 1}", b"{'password': '<password-1>', 'n': 1}"),
        (b"<password><![CDATA[a]b]]></password>", b"<password><![CDATA[<password-1>]]></password>"),
        (b'<add password="abc" x="1"/>', b'<add password="<password-1>" x="1"/>'),
        (b'<input name="csrf_token" type=x value="abc">', b'<input name="csrf_token" type=x value="<token-1>">'),
        (b'<meta name="csrf-token" content="abc">', b'<meta name="csrf-token" content="<token-1>">'),
        (b"u=1&pass=abc&bypass=no", b"u=1&pass=<password-1>&bypass=no"),
        (b"password[]=abc&token%5B%5D=def", b"password[]=<password-1>&token%5B%5D=<token-1>"),
        (b"X: 1\r\nAuthorization: Basic YTpi\r\n", b"X: 1\r\nAuthorization: Basic <token-1>\r\n"),
        (b"X: 1\r\nCookie: a=1; b=2\r\n", b"X: 1\r\nCookie: <cookie-1>\r\n"),
        (b"user: me\npassword: abc\n", b"user: me\npassword: <password-1>\n"),
        (b"{token: other.token(1), key: 1}", b"{token: other.token(1), key: 1}"),
        (b"eyJeyJeyJ see " + JWT + b".", b"eyJeyJeyJ see <jwt-1>."),
        (b"curl -H 'Authorization: Bearer abcdef123456'", b"curl -H 'Authorization: Bearer <token-1>'"),
        (b"https://me:hunter2@example.com/", b"https://me:<password-1>@example.com/"),
        (b"AKIAABCDEFGHIJKLMNOP", b"<key-1>"),
        (b"no secrets in here: passwords and tokens are words", b"no secrets in here: passwords and tokens are words"),
        (b"", b""),
        (b"\xff\0 token=\xfe&", b"\xff\0 token=<token-1>&"),
    ],
)
def test_what_is_found_in_texts(data: bytes, result: bytes) -> None:
    assert masked(data) == result
    assert masked(result) == result


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        (b"Authorization", b"Bearer abc", b"Bearer <token-1>"),
        (b"authorization", b"Digest username=x, response=y", b"Digest <token-1>"),
        (b"Proxy-Authorization", b"abc", b"<token-1>"),
        (b"Cookie", b"a=1; sid=abc; b", b"a=<cookie-1>; sid=<cookie-2>; b"),
        (b"Set-Cookie", b"sid=abc; Path=/; Secure", b"sid=<cookie-1>; Path=/; Secure"),
        (b"X-Api-Key", b"abc", b"<key-1>"),
        (b"apikey", b"abc", b"<key-1>"),
        (b"X-Authorization", b"Bearer abc", b"Bearer <token-1>"),
        (b"X-AccessToken", b"abc", b"<token-1>"),
        (b"X-CSRF-Token", b"abc", b"<token-1>"),
        (b"X-Amz-Security-Token", b"abc", b"<token-1>"),
        (b"Referer", b"http://x/?token=abc", b"http://x/?token=<token-1>"),
        (b"Sec-WebSocket-Key", b"abc", b"abc"),
        (b"Idempotency-Key", b"abc", b"abc"),
        (b"Content-Type", b"text/plain", b"text/plain"),
    ],
)
def test_what_is_secret_in_headers(name: bytes, value: bytes, result: bytes) -> None:
    assert Masker(Names(), Rules()).fields(((name, value),)) == ((name, result),)


def test_the_same_secret_has_the_same_name_everywhere(tests: context) -> None:
    flow = http_flow(
        "http://example.com/?access_token=same",
        "POST",
        request_body=b'{"refresh_token": "same", "client_secret": "other"}',
        request_headers=((b"Authorization", b"Bearer same"), (b"Cookie", b"a=same")),
    )
    found = shown(tests, flow)
    assert found.request.path == "/?access_token=<token-1>"
    assert found.request.headers["authorization"] == "Bearer <token-1>"
    assert found.request.headers["cookie"] == "a=<token-1>"
    assert found.request.text == '{"refresh_token": "<token-1>", "client_secret": "<secret-1>"}'
    later = shown(tests, http_flow("http://example.com/?token=other"))
    assert later.request.path == "/?token=<secret-1>"


def test_a_compressed_body_stays_compressed_and_its_length_true(tests: context) -> None:
    body = gzip.compress(b'{"password": "hunter2"}')
    headers = ((b"Content-Encoding", b"gzip"), (b"Content-Length", b"%d" % len(body)))
    flow = http_flow(response_body=body, response_headers=headers)
    for _ in range(2):  # the second time it is remembered
        response = shown(tests, flow).response
        assert response is not None
        assert response.text == '{"password": "<password-1>"}'
        assert response.raw_content is not None
        assert response.headers["content-length"] == str(len(response.raw_content))
    first, second = shown(tests, flow).response, shown(tests, flow).response
    assert first is not None
    assert second is not None
    assert first.raw_content is second.raw_content
    assert flow.response is not None
    assert flow.response.raw_content == body


def test_what_cannot_be_looked_into_is_left_out(tests: context) -> None:
    packed = gzip.compress(b"x" * (LARGEST + 1) + b'"password":"hunter2"')
    for body, headers in (
        (b"password=hunter2", ((b"Content-Encoding", b"gzip"),)),
        (packed, ((b"Content-Encoding", b"gzip"),)),
        (b"x" * LARGEST + b"password=hunter2", ()),
    ):
        response = shown(tests, http_flow(response_body=body, response_headers=headers)).response
        assert response is not None
        assert b"redact" in (response.content or b"")
        assert b"hunter2" not in (response.content or b"")
    image = http_flow(response_body=b"x" * LARGEST * 2, response_headers=((b"Content-Type", b"image/png"),))
    response = shown(tests, image).response
    assert response is not None
    assert response.raw_content == b"x" * LARGEST * 2


def test_messages_errors_and_trailers(tests: context) -> None:
    talk = shown(tests, websocket_flow((True, b'{"token": "abc"}')))
    assert talk.websocket is not None
    assert talk.websocket.messages[0].content == b'{"token": "<token-1>"}'
    raw: Any = tests.master.showing.flow(tcp_flow((True, b"password=abc\n")))
    assert raw.messages[0].content == b"password=<token-1>\n"
    flow = http_flow()
    flow.error = Error("http://a:abc@b/ failed")
    flow.request.trailers = Headers(((b"x-token", b"abc"),))
    found = shown(tests, flow)
    assert str(found.error) == "http://a:<token-1>@b/ failed"
    assert found.request.trailers is not None
    assert found.request.trailers.fields == ((b"x-token", b"<token-1>"),)
    assert tests.master.showing.flow(dns_flow()).type == "dns"


def test_exports_and_cuts_are_masked_and_the_flow_is_not(tests: context) -> None:
    flow = http_flow("http://example.com/?key=1", request_headers=((b"X-Token", b"abc"), (b"Host", b"example.com")))
    for name in tests.commands.call("export.formats"):
        text = tests.commands.call("export", name, flow)
        if name != "raw_response":
            assert "<token-1>" in text or "token-1" in text
        assert "abc" not in text
    assert tests.commands.call("cut", [flow], ["request.header[x-token]"]) == [["<token-1>"]]
    assert flow.request.headers["x-token"] == "abc"
    tests.options.redact = False
    assert tests.commands.call("cut", [flow], ["request.header[x-token]"]) == [["abc"]]
    assert tests.master.showing.flow(flow) is flow


def test_notes_of_changes_are_masked_as_a_whole(tests: context) -> None:
    before = b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--x--'
    flow = http_flow("http://example.com/", "POST", request_body=before)
    parts = (
        Part("request.content", before, before.replace(b"hunter2", b"hunter3")),
        Part("request.content", b"<password>" + b"hunter2 " * 9000 + b"</password>", b""),
        Part("request.headers", ((b"Authorization", b"Basic hunter2"),), ()),
    )
    flow.note_change(Change("you", "edit", parts))
    shown = str(edits_pieces(flow, tests.master.showing.text))
    assert "<password-1>" in shown
    assert "<password-2>" in shown
    assert "hunter" not in shown
    assert "hunter" in str(edits_pieces(flow))


def test_the_rules_of_a_user(tests: context) -> None:
    before = tests.master.showing.revision
    tests.options.redact_rules = ["header:X-Account", "field:pin", r"card ([0-9]+)", r"\bInternal\w+"]
    assert tests.master.showing.revision > before
    flow = http_flow(
        request_headers=((b"x-account", b"one"),),
        response_body=b'{"pin": "two words", "spin": 1} card 4111 InternalThing pin=3&',
    )
    found = shown(tests, flow)
    assert found.request.headers["x-account"] == "<secret-1>"
    assert found.response is not None
    text = found.response.text
    assert text == '{"pin": "<secret-4>", "spin": 1} card <secret-2> <secret-3> pin=<secret-5>&'


@pytest.mark.parametrize("rule", ["header:", "field: ", "(", "x*"])
def test_a_rule_that_is_none_is_refused(tests: context, rule: str) -> None:
    with pytest.raises(OptionsError, match=r"option redact_rules: "):
        tests.options.redact_rules = [rule]
    assert tests.options.redact_rules == []
    assert shown(tests, http_flow("http://example.com/?token=abc")).request.path == "/?token=<token-1>", "still on"


def test_a_rule_that_takes_too_long_shows_nothing() -> None:
    result = masked(b"a" * 5000 + b"hunter2", "(a+)+$")
    assert result == b"<a text that the rule of redact_rules is too slow for>"


def test_rules_that_find_something_slowly_again_and_again_end_in_time() -> None:
    with within(0.25):
        result = masked((b"a" * 18 + b"!c") * 20_000 + b"hunter2", "(a+)+c|!")
    assert result.endswith(b"<the rest, which redact had no time to look into>")


def test_names_are_bounded() -> None:
    names = Names()
    for number in range(MOST_NAMES):
        names.name(b"%d" % number, b"token")
    assert names.name(b"one more", b"token") == b"<secret>"
    assert names.name(b"7", b"token") == b"<token-8>"


@pytest.mark.parametrize(
    "data",
    [
        b'"' * LARGEST,
        b'token"' * (LARGEST // 6),
        b'token"\r\n' * (LARGEST // 8),
        b"token=" * (LARGEST // 6),
        b"token <" * (LARGEST // 7),
        b'token\\"' * (LARGEST // 7),
        b"eyJaaaaa." * (LARGEST // 9),
        b"eyJ" * (LARGEST // 3),
        b"token x" * (LARGEST // 7),
        b'token" x' * (LARGEST // 8),
        b'Content-Disposition: form-data; name="token"\r\n' * (LARGEST // 46),
        b"eyJ" + b"a" * (LARGEST - 3),
        b"://a" * (LARGEST // 4),
        b"bearer " * (LARGEST // 7),
        b"token" + b" " * (LARGEST - 5),
        json.dumps([{"token": str(n)} for n in range(LARGEST // 24)]).encode(),
    ],
    ids=range(16),
)
def test_no_text_takes_long(data: bytes) -> None:
    with within(0.25):
        masked(data)
