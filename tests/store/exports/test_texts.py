"""PowerShell lines and .http files, read by small readers of their languages: nothing but the request is in them."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.store.exports import shell
from midstream.store.exports.http_file import http_file
from midstream.store.exports.outgoing import CannotExport, outgoing
from midstream.store.exports.powershell import powershell
from midstream.store.exports.python import python
from tests.kit.awkward_requests import BODIES, TEXTS, awkward_requests
from tests.kit.captured import http_flow

_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
_PLAIN = re.compile(r"[A-Za-z0-9.\[\]():=;@{} -]*")


def powershell_strings(line: str) -> list[str]:
    """The strings of a line as PowerShell's reader takes them; whatever stands between must be plain words.

    A single-quoted string ends at any quote, curved ones too, that is not doubled (about_Quoting_Rules).
    """
    strings: list[str] = []
    between, at = "", 0
    while at < len(line):
        if line[at] not in _SINGLE_QUOTES:
            between += line[at]
            at += 1
            continue
        text = ""
        at += 1
        while True:
            if line[at] in _SINGLE_QUOTES:
                if at + 1 < len(line) and line[at + 1] in _SINGLE_QUOTES:
                    text += line[at + 1]
                    at += 2
                    continue
                break
            text += line[at]
            at += 1
        strings.append(text)
        at += 1
    assert _PLAIN.fullmatch(between), between
    return strings


def test_powershell_gets_strings_and_nothing_to_run() -> None:
    count = 0
    for flow in awkward_requests(300, "example.com", 8080):
        try:
            line = powershell(outgoing(flow))
        except CannotExport:
            continue
        count += 1
        strings = powershell_strings(line)
        assert strings[0] == flow.request.url
        assert strings[1] == flow.request.data.method.decode()
        for value in flow.request.headers.fields:
            if value[0].lower() not in (b"host", b"content-length", b"transfer-encoding"):
                assert value[1].decode() in strings
        if flow.request.raw_content:
            assert base64.b64decode(strings[-1]) == flow.request.raw_content
    assert count > 100


def request_of(text: str) -> tuple[str, list[str], str]:
    head, _, body = text.partition("\n\n")
    first, *fields = head.rstrip("\n").split("\n")
    return first, fields, body


def test_a_http_file_is_the_request_or_nothing() -> None:
    count = 0
    for flow in awkward_requests(400, "example.com", 8080):
        try:
            text = http_file(outgoing(flow))
        except CannotExport:
            continue
        count += 1
        first, fields, body = request_of(text)
        assert re.fullmatch(r"[A-Z-]+ http://example.com:8080/[!-z|~]* HTTP/1.1", first)
        assert body.encode() == flow.request.raw_content
        assert "{{" not in text
        for line in fields:
            assert re.match(r"[^\s#/<>@][^:]*: ", line)
    assert count > 50


@pytest.mark.parametrize(
    "body",
    [
        "a\n### next\nGET http://evil/",
        "< ./secret.txt",
        "\n  <@utf8 ./secret.txt",
        "<@./secret.txt",
        "{}\n> {% client.global.set('a', 1) %}",
        "{}\n>> out.txt",
        "{}\n<> answer.json",
        '{"a": "{{password}}"}',
        "@file = x",
        "# comment",
        "<\u00a0./secret.txt",
        "\u2003< ./secret.txt",
        "a\n?? js process.exit()",
        "// comment",
        "\n\n",
        "\0",
        "\u202e",
    ],
)
def test_a_body_that_is_more_than_text_to_a_rest_client_is_refused(body: str) -> None:
    with pytest.raises(CannotExport):
        http_file(outgoing(http_flow("http://example.com/", "POST", request_body=body.encode())))


def test_variables_in_a_url_are_escaped_and_in_a_header_refused() -> None:
    flow = http_flow("http://example.com/")
    flow.request.path = "/{{x}}?{{$y}}"
    assert "http://example.com/%7B%7Bx%7D%7D?%7B%7B$y%7D%7D " in http_file(outgoing(flow))
    flow.request.headers["x"] = "{{y}}"
    with pytest.raises(CannotExport, match="the header x"):
        http_file(outgoing(flow))


@pytest.mark.parametrize("name", [b"#x", b"&x"])
def test_names_that_a_http_file_takes_for_something_else(name: bytes) -> None:
    with pytest.raises(CannotExport, match="the header"):
        http_file(outgoing(http_flow("http://example.com/", request_headers=((name, b"y"),))))


@pytest.mark.parametrize("body", [b"a\n!touch", b"a\nb !!\n", b"a\n^touch^rm^\n", b"\n\n!$"])
def test_later_lines_hold_nothing_that_history_expansion_reacts_to(body: bytes) -> None:
    for text in (shell.word(body), shell.printed(body)):
        assert "\n!" not in text
        assert "\n^" not in text
        assert "!" not in text.partition("\n")[2]
    assert shell.word(b"first line! ^only") == "'first line! ^only'"
    assert shell.is_text(b"wow!\nsecond line")


def test_html_and_xml_bodies_are_plain() -> None:
    body = b"<html>\n<a href='x'>\n</html>"
    assert http_file(outgoing(http_flow("http://example.com/", "POST", request_body=body))).endswith(body.decode())


@pytest.mark.parametrize("body", BODIES)
def test_a_program_holds_its_body_as_a_literal(body: bytes) -> None:
    program = python(outgoing(http_flow("http://example.com/", "POST", request_body=body)))
    assert program.isascii()
    made: dict[str, object] = {}
    exec(program.partition("request = ")[0].replace("import httpx", ""), made)
    compile(program, "export", "exec")
    content = re.search(r"^    content=(.*?),$\n    extensions", program, re.DOTALL | re.MULTILINE)
    assert content is not None
    assert eval(content[1]) == body


@given(st.binary().filter(lambda data: b"\0" not in data))
def test_a_word_has_no_control_characters_but_line_breaks(data: bytes) -> None:
    word = shell.word(data)
    assert all(character.isprintable() or character == "\n" for character in word)
    assert word.count("'") % 2 == 0 or "\\'" in word


@pytest.mark.parametrize("text", TEXTS)
def test_words_of_text_are_quoted(text: str) -> None:
    word = shell.word(text.encode())
    assert re.fullmatch(r"[A-Za-z0-9_%+=:,./@-]+", word) or word[0] in "'\""
