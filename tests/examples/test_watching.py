"""Examples that watch traffic and say something about it."""

import base64
import io
import json
import time
from pathlib import Path

import pytest

from midstream.addons.dumper import Dumper
from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow
from midstream.io import FlowReader
from tests.kit.curl import curl, needs_curl
from tests.kit.example_run import Run, example
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.waiting import until


def last(run: Run, event: str = "response") -> HTTPFlow:
    """The flow of the last such event."""
    flow = run.running.recorder.last(event)
    assert isinstance(flow, HTTPFlow)
    return flow


async def test_log_slow(confdir: Path) -> None:
    async with example(confdir, "log_slow.py") as run:
        await run.get("/quick")
        run.master.options.slow_ms = 0
        await run.get("/slow")
        assert "until the first byte" in await run.until_logged("slow: GET", "/slow took")
        assert not run.logged("/quick")


async def test_mark_errors(confdir: Path) -> None:
    def answer(heard: Heard) -> bytes:
        if heard.target == "/gone":
            return b"no HTTP at all\r\n\r\n"
        status = "503 Too Busy" if heard.target == "/bad" else "200 OK"
        return ok(b"\n no \xff room \nmore", "Content-Encoding: gzip", status=status)

    async with example(confdir, "mark_errors.py", answer) as run:
        await run.get("/good")
        assert not last(run).marked
        await run.get("/bad")
        assert last(run).marked == ":red_circle:"
        assert last(run).comment.startswith("503 Too Busy: no")
        await run.get("/gone")
        assert last(run, "error").marked == ":cross_mark:"
        assert "malformed" in last(run, "error").comment


async def test_host_stats(confdir: Path) -> None:
    def answer(heard: Heard) -> bytes:
        return ok(b"x" * 1500, status="404 Not Found" if heard.target == "/none" else "200 OK")

    async with example(confdir, "host_stats.py", answer) as run:
        assert run.execute("host_stats") == []
        await run.get("/a")
        await run.get("/none")
        (row,) = run.execute("host_stats")  # type: ignore[misc]
        assert row[:4] == ["127.0.0.1", "2", "1 failed", "3,000 bytes"]


async def test_concurrent_lookup(confdir: Path) -> None:
    async with example(confdir, "concurrent_lookup.py") as run:
        await run.get("/a")
        await run.get("/b")
        assert last(run).comment.startswith("from ")
        assert len(run.logged("127.0.0.1 is ")) == 1


@needs_curl
async def test_tls_versions(confdir: Path, tmp_path: Path) -> None:
    ca = OriginCA(tmp_path)
    async with (
        origin(answering(lambda heard: ok(b"hello")), tls=ca.context("localhost")) as web,
        example(confdir, "tls_versions.py", ssl_verify_upstream_trusted_ca=str(ca.file)) as run,
    ):
        url = f"https://localhost:{web.port}/"
        assert (await curl("--proxy", run.running.address, "--cacert", str(run.running.ca), url)).body == b"hello"
        for side in ("client", "server"):
            (line,) = run.logged(f"{side} 127.0.0.1:", "(localhost) speaks TLSv1.3 with TLS_")
            assert "None" not in line
        run.master.options.ssl_verify_upstream_trusted_ca = None
        await curl("--proxy", run.running.address, "-k", url)
        assert run.logged("no TLS with localhost")


async def test_content_view(confdir: Path) -> None:
    bodies = {"/lines": b'{"a":[1]}\n\nbroken {\n"\xc3\xa4"\n', "/binary": b"\xff\xfe"}

    def answer(heard: Heard) -> bytes:
        return ok(bodies[heard.target], "Content-Type: Application/x-NDJSON; charset=utf-8")

    async with example(confdir, "content_view.py", answer) as run:
        out = io.StringIO()
        run.master.addons.add(Dumper(out))
        run.master.options.flow_detail = 4
        await run.get("/lines")
        await until(lambda: '"ä"' in out.getvalue(), "the body is printed")  # bodies are, beside the loop
        lines = [line.strip() for line in out.getvalue().splitlines()]
        assert lines[lines.index("# 1") :][:9] == ["# 1", "{", '"a": [', "1", "]", "}", "# 3", "broken {", "# 4"]
        assert '"ä"' in lines
        await run.get("/binary")
        await until(lambda: "codec can't decode" in out.getvalue(), "the view's failure is printed")


async def test_save_errors(confdir: Path, tmp_path: Path) -> None:
    def answer(heard: Heard) -> bytes:
        return b"junk\r\n\r\n" if heard.target == "/junk" else ok(status=f"{heard.target[1:]} X")

    file = tmp_path / "wrong.flows"
    async with example(confdir, "save_errors.py", answer, save_errors=str(file)) as run:
        for path in ("/200", "/500", "/404", "/junk"):
            await run.get(path)
        with file.open("rb") as opened:
            saved = [flow for flow in FlowReader(opened).stream() if isinstance(flow, HTTPFlow)]
        assert [flow.request.path for flow in saved] == ["/500", "/junk"]
        assert saved[1].error is not None
        with pytest.raises(OptionsError, match=r"save_errors: .*No such file"):
            run.master.options.save_errors = str(tmp_path / "none" / "x")
        await run.get("/503")
        with file.open("rb") as opened:
            assert len(list(FlowReader(opened).stream())) == 3


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(claims: object, header: object = None) -> str:
    return f"{part(header or {'alg': 'HS256'})}.{part(claims)}.c2ln"


async def test_jwt_annotator(confdir: Path) -> None:
    async with example(confdir, "jwt_annotator.py") as run:
        await run.get("/", f"Authorization: Bearer {token({'sub': 'ann', 'exp': time.time() + 601, 'x': 1})}")
        assert last(run).comment == "authorization: JWT HS256, sub=ann, expires in 10 min (not checked)"
        assert not last(run).marked
        await run.get("/", f"Cookie: a=b; id={token({'aud': ['x', 'y'], 'exp': time.time() - 86400 * 3})}")
        assert last(run).comment == 'cookie id: JWT HS256, aud=["x", "y"], expired 3 d ago (not checked)'
        assert last(run).marked == ":hourglass:"
        run.master.options.jwt_claims = ["scope"]
        await run.get("/", f"Authorization: bearer {token({'scope': 'read ' * 100, 'sub': 'ann'})}")
        assert last(run).comment.startswith("authorization: JWT HS256, scope=read ")
        assert len(last(run).comment) < 150
        assert "never expires" in last(run).comment


@pytest.mark.parametrize("expiry", ["soon", True, 10**400, -1, [], {}, float("inf"), float("nan")])
async def test_jwt_annotator_reads_no_time_out_of_nonsense(confdir: Path, expiry: object) -> None:
    async with example(confdir, "jwt_annotator.py") as run:
        claims = {"exp": expiry, "sub": "\ud800"}
        await run.get("/", f"Authorization: Bearer {token(claims)}")
        assert last(run).comment == "authorization: JWT HS256, sub=?, expires at no time that can be read (not checked)"


async def test_jwt_annotator_leaves_other_things_alone(confdir: Path) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5000).decode()
    async with example(confdir, "jwt_annotator.py") as run:
        for text in ("a.b.c", "..", token([]), token({}, [1]), f"{deep}.{deep}.", "a.b.c.d", "ä.ö.ü", ""):
            await run.get("/", f"Authorization: Bearer {text}", "Cookie: x")
            assert last(run).comment == ""
        await run.get("/", "Authorization: Basic YTpi")
        assert last(run).comment == ""
        assert not run.logged("Error")
