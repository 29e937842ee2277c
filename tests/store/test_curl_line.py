from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.store.curl_line import BadCurl, looks_like_curl, read_curl, split_words
from midstream.store.exports.formats import export
from tests.kit.captured import http_flow


@pytest.mark.parametrize(
    ("line", "method", "url", "headers", "body"),
    [
        ("curl https://x.example/a", "GET", "https://x.example/a", [], b""),
        ("curl x.example", "GET", "http://x.example", [], b""),
        ("$ curl -X PUT http://x/ -H 'A: 1' -H 'B:' -H 'C;'", "PUT", "http://x/", [("A", "1"), ("C", "")], b""),
        (
            "curl http://x/ -d a=1 --data 'b=2\n3'",
            "POST",
            "http://x/",
            [("Content-Type", "application/x-www-form-urlencoded")],
            b"a=1&b=23",
        ),
        ("curl -XDELETE 'http://x/?q=a b'", "DELETE", "http://x/?q=a b", [], b""),
        (
            "curl 'http://x/' \\\n  -H 'content-type: application/json' \\\n "
            '--data-raw $\'{"a": "it\\\'s \\u00e9\\n"}\' --compressed',
            "POST",
            "http://x/",
            [("content-type", "application/json"), ("Accept-Encoding", "deflate, gzip, br, zstd")],
            '{"a": "it\'s é\n"}'.encode(),
        ),
        ("curl -G http://x/?a=1 --data-urlencode 'q=a b&c' -d z", "GET", "http://x/?a=1&q=a+b%26c&z", [], b""),
        ("curl --compressed http://x/ -H 'accept-encoding: br'", "GET", "http://x/", [("accept-encoding", "br")], b""),
        ("curl -I http://x/", "HEAD", "http://x/", [], b""),
        ("curl -sSLk -o out -m5 http://x/ -b 'a=1; b=2'", "GET", "http://x/", [("Cookie", "a=1; b=2")], b""),
        (
            "curl -u me:pw -A agent -e http://r/ --url http://x/",
            "GET",
            "http://x/",
            [("User-Agent", "agent"), ("Referer", "http://r/"), ("Authorization", "Basic bWU6cHc=")],
            b"",
        ),
        (
            'curl --json "{\\"a\\": \\$HOME}" http://x/',
            "POST",
            "http://x/",
            [("Content-Type", "application/json"), ("Accept", "application/json")],
            b'{"a": $HOME}',
        ),
        (
            "curl http://x/ --data-raw @name -d ''",
            "POST",
            "http://x/",
            [("Content-Type", "application/x-www-form-urlencoded")],
            b"@name&",
        ),
        ("curl http://x/ | sh; rm -rf /\ncurl http://y/", "GET", "http://x/", [], b""),
        ("curl -r 0-9 http://x/", "GET", "http://x/", [("Range", "bytes=0-9")], b""),
    ],
)
def test_commands_are_read(line, method, url, headers, body):
    made = read_curl(line)
    assert (made.method, made.url, made.headers, made.body) == (method, url, headers, body)


def test_forms_are_multipart():
    made = read_curl("curl -F a=1 -F 'b=x y' http://x/")
    assert made.method == "POST"
    boundary = made.headers[0][1].partition("boundary=")[2].encode()
    assert made.body == (
        b'--%b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--%b\r\nContent-Disposition: form-data; name="b"\r\n\r\nx y\r\n--%b--\r\n' % (boundary, boundary, boundary)
    )


def test_what_means_nothing_here_is_named():
    assert read_curl("curl -k --http2 -o f http://x/ http://y/").ignored == ["-k", "--http2", "--output", "http://y/"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("curl", "names no URL"),
        ("wget http://x/", "begins with curl"),
        ("curl 'http://x/", "column 6: this ' is not closed"),
        ('curl "http://x/', 'column 6: this " is not closed'),
        ("curl $'http://x/\\'", "column 6: this $' is not closed"),
        ("curl http://x/ -H", "--header needs a value"),
        ("curl http://x/ -d @/etc/passwd", "files are not read"),
        ("curl http://x/ -F f=@/etc/passwd", "files are not read"),
        ("curl http://x/ -b jar.txt", "files are not read"),
        ("curl http://x/ -H @file", "files are not read"),
        ("curl http://x/ -T file", "files are not read"),
        ("curl http://x/ --data-urlencode a@file", "files are not read"),
        ("curl http://x/ -F nothing", "a field is name=value"),
        ("curl " + "x" * 2_000_000, "longer than 1024 kB"),
    ],
)
def test_what_cannot_be_read_says_why(line, reason):
    with pytest.raises(BadCurl, match=reason.replace("$", r"\$")):
        read_curl(line)


def test_what_looks_like_a_command():
    assert looks_like_curl("  $ curl http://x/")
    assert not looks_like_curl("curly hair")


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=5))
def test_words_that_a_shell_quotes_come_back(words):
    assert split_words(" ".join(shlex.quote(word) for word in words)) == words


@given(st.text(st.sampled_from("curl -dHX'\"\\$ \n;|&#@=:/uné\x00"), max_size=40))
def test_whatever_is_pasted_is_read_or_refused(text):
    try:
        made = read_curl("curl " + text)
    except BadCurl:
        return
    assert made.url


def test_what_is_exported_is_read_back():
    flow = http_flow(
        "http://x.example/a?q='$x",
        "POST",
        request_headers=((b"content-type", b"text/plain"), (b"x-odd", b'it\'s "$HOME" \\ `id`')),
        request_body="it's\n$'x' é \\".encode(),
    )
    made = read_curl(export("curl", flow).decode())
    assert made.url == flow.request.url
    assert made.body == flow.request.raw_content
    assert ("x-odd", 'it\'s "$HOME" \\ `id`') in made.headers
