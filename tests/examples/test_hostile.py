"""No example fails at traffic that is broken on purpose: whatever comes, no handler raises."""

import gzip
from pathlib import Path

import pytest

from tests.kit.example_run import EXAMPLES, example
from tests.kit.origins import Heard, ok
from tests.kit.stopwatch import Slow

JWT = "eyJhbGciOm51bGx9.eyJleHAiOnt9LCJzdWIiOlt7fV19."
OPTIONS: dict[str, dict[str, object]] = {
    "async_fanout": {"fanout_host": "127.0.0.1", "fanout_mirrors": [f"{'x' * 70}.example:1"]},
    "delay": {"delay_ms": 0},
    "hold_for_review": {"review_filter": "~m NONE"},
    "json_patch": {"json_patch": ["a.0.b=1"]},
    "log_slow": {"slow_ms": 0},
    "mock_server": {"mock_server_rules": str(EXAMPLES / "mock_server.rules.yaml")},
    "redactor": {"redact_bodies": True},
    "security_headers": {},
    "stream_modify": {"stream_replace": "a/b"},
}
BROKEN = [
    ok(b"no gzip", "Content-Encoding: gzip", "Content-Type: application/json"),
    ok(gzip.compress(b"[" * 100_000), "Content-Encoding: gzip", "Content-Type: application/json"),
    ok(b'{"a": 1e999, "b": "\\ud800", "": [{}]}', "Content-Type: application/vnd.x+json; charset=utf-99"),
    ok(b"\xff\xfe\x00", "Content-Type: text/html; charset=\xe4", "Set-Cookie: =;;=; \xe4", "Set-Cookie: "),
    ok(b"{}", "Content-Type: ", "Cache-Control: max-age=\xb2, =, ,", "Vary: ,,\xe4", "ETag: x", "Age: \xb2"),
    ok(b"", "Content-Type: application/x-ndjson", "Expires: Mon, 99 Xyz 99999 99:99:99", status="599 \xe4"),
    ok(b"x", "Transfer-Encoding-X: \x80", status="500 "),
    b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nshort",
    b"HTTP/1.1 500 \xe4\r\nContent-Type: text/\xe4; charset=\xff\r\nSet-Cookie: \xe4=\xe4\r\n"
    b"Vary: \xe4\r\nContent-Length: 1\r\n\r\n\xe4",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
]
ASKED: list[tuple[str, str, tuple[str, ...], bytes]] = [
    ("GET", "/?%ff=%00&&=&a=1e999", (f"Authorization: Bearer {JWT}", f"Cookie: a; =; b={JWT}; \xe4=\xe4"), b""),
    ("POST", "/graphql", ("Content-Type: application/json", "Content-Encoding: br"), b"[" * 5000),
    ("POST", "//..//%2e%2e/7/{x}", ("Content-Type: multipart/form-data; boundary=", "Accept: text/html"), b"--"),
    ("GET", "/" + "7/" * 2000, ("Cache-Control: max-age=x", 'If-None-Match: W/"', "Accept: text/html"), b""),
    ("ODD-METHOD", "/*", ("Origin: \xe4\xf6",), b"\0"),
    ("OPTIONS", "/a", ("Origin: x", "Access-Control-Request-Method: \xe4"), b""),
]


@pytest.mark.parametrize("name", sorted(file.stem for file in EXAMPLES.glob("*.py")))
async def test_no_example_fails_at_hostile_traffic(confdir: Path, name: str) -> None:
    answers = iter(BROKEN * len(ASKED))

    def answer(heard: Heard) -> bytes:
        return next(answers)

    async with example(confdir, f"{name}.py", answer, **OPTIONS.get(name, {})) as run:
        for method, path, fields, body in ASKED * len(BROKEN):
            lengths = (f"Content-Length: {len(body)}",) if body else ()
            run.client.end.say(run.client.head(path, *fields, *lengths, method=method) + body)
            await run.client.answer()
        for entry in run.running.log:
            assert " failed in " not in entry.msg
            if "held everything" in entry.msg:
                raise Slow(entry.msg)
        for command in [each for each in run.master.commands.commands if each.endswith((".show", ".list", "_stats"))]:
            if not run.master.commands.commands[command].parameters:
                run.execute(command)
