"""Requests that are awkward to write down for another program: seeded, so that a failure comes again.

for flow in awkward_requests(200, "127.0.0.1", port): …
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from midstream.flows.http import Headers, HTTPFlow
from tests.kit.captured import http_flow

TEXTS = (
    "a",
    "@/etc/passwd",
    "<@/etc/passwd",
    "-d@/etc/passwd",
    "--config=/etc/passwd",
    "$(touch PWNED)",
    "`touch PWNED`",
    "'; touch PWNED; '",
    '"; touch PWNED; "',
    "'\\''; touch PWNED; '\\''",
    "\\'; touch PWNED; \\'",
    "${HOME} $HOME %HOME% ~ ~root",
    "!! !touch !-1 ^a^b",
    "a&touch PWNED|touch PWNED;touch PWNED>PWNED<PWNED",
    "* ? [a-z] {a,b} {1..3}",
    "# no comment",
    "%s %d %n %% \\n \\0 \\x41 \\",
    "back\\\\slashes\\",
    "héllo wörld ☃ 中文 🎉",
    "‘smart’ ‚quotes‛ “too”",  # noqa: RUF001
    '{"json": "with \\"quotes\\" and \\u0041", "n": 1}',
    "=cmd|' /C calc'!A0",
    "a:=@b a==@c a=@d a:@e a;f",
    "{{variable}} {{$guid}} ### < ./file",
    "#{ruby} {% js %} <?php ?>",
)
BODIES = (
    *(text.encode() for text in TEXTS),
    b"two\nlines\n",
    b"ends with many\n\n\n",
    b"\n",
    b"dos\r\nlines\r\n",
    b"tab\there",
    b"NUL \0 in the middle",
    b"\0",
    bytes(range(256)),
    b"\xff\xfe not UTF-8 \x80",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH\xcd\xc9\xc9W(\xcf/\xcaI\x01\0\x85\x11J\r\x0b\0\0\0",  # gzip
    b"bidi \xe2\x80\xae and zero\xe2\x80\x8bwidth",
    b"\x1b[2J escapes \x07",
    b"a=1&b=%20&c=+",
    b"digits behind a control: \x01234567",
)
TARGETS = (
    b"/",
    b"/?",
    b"/a/../b/./c",
    b"/..;/x/..",
    b"//double//slash",
    b"/{a,b}/[1-3]?x[]=1&y={z}",
    b"/%41%2f%2F%zz%00",
    b"/?q=a+b%20c&empty=&=v&&",
    b"/'quote\"s`$(touch%20PWNED)`?!!=$HOME&;|<>",
    b"/\\back\\slash^caret|pipe",
    b"/fragment#in?target",
    b"/user:pass@host/@x?a@b:c",
    b"/h\xc3\xa9llo/\xff\xfe",
    b"/~user/*?-x=--y",
    b"*",
    b"/a;p=1,2?http://other/",
)
NAMES = (
    b"X-Test", b"x-lower", b"X-UPPER", b"Accept", b"accept", b"User-Agent", b"user-agent", b"Content-Type", b"Cookie",
    b"Authorization", b"Referer", b"Accept-Encoding", b"Origin", b"X-!#$%&'*+.^_`|~", b"If-None-Match", b"Range",
    b"Cache-Control", b"TE", b"Connection", b"Expect",
)  # fmt: skip
VALUES = (
    *(text.encode() for text in TEXTS),
    b"", b"0", b"*/*", b"text/plain; charset=utf-8", b"a, b, c", b"caf\xe9 \xff", b"tab\tinside", b"keep: colons; semi",
    b"bytes=0-99", b'"etag"', b"Basic dXNlcjpwYXNz", b"a=1; b=2",
)  # fmt: skip
METHODS = (
    b"GET",
    b"GET",
    b"POST",
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"OPTIONS",
    b"get",
    b"M-SEARCH",
    b"X'Y",
    b"HEAD",
)


def awkward_requests(count: int, host: str, port: int, seed: int = 1) -> Iterator[HTTPFlow]:
    """Flows to a server; only requests that a proxy would pass on."""
    for number in range(count):
        yield awkward_request(random.Random(f"{seed}/{number}"), host, port)


def awkward_request(chance: random.Random, host: str, port: int) -> HTTPFlow:
    method = chance.choice(METHODS)
    body = chance.choice((b"", chance.choice(BODIES), chance.choice(BODIES), chance.randbytes(chance.randrange(300))))
    if method == b"HEAD":
        body = b""
    fields = [_field(chance) for _ in range(chance.randrange(7))]
    framing = chance.choice((b"length", b"length", b"chunked")) if body else chance.choice((b"none", b"zero"))
    if framing == b"chunked":
        fields.append((chance.choice((b"Transfer-Encoding", b"transfer-encoding")), b"chunked"))
    elif framing != b"none":
        fields.append((chance.choice((b"Content-Length", b"content-length")), b"%d" % len(body)))
    chance.shuffle(fields)
    authority = chance.choice((f"{host}:{port}", f"{host}:{port}", "other.example", "OTHER.example:81")).encode()
    where = chance.choice((0, 0, len(fields)))
    fields.insert(where, (chance.choice((b"Host", b"Host", b"host", b"HOST")), authority))
    flow = http_flow(f"http://{host}:{port}/")
    request = flow.request
    request.raw_method, request.raw_path, request.raw_content = method, chance.choice(TARGETS), body
    request.headers = Headers(tuple(fields))
    return flow


def _field(chance: random.Random) -> tuple[bytes, bytes]:
    name = chance.choice(NAMES)
    value = chance.choice(VALUES)
    match name.lower():
        case b"te" | b"connection":
            value = b"close" if name == b"Connection" else b"trailers"
        case b"expect":
            value = b"100-continue"
        case b"range":
            value = b"bytes=0-99"
    return name, value
