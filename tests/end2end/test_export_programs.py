"""Exports for HTTPie, wget and Python, run for real against an origin that records: the same request, each in its way.

What may differ is what their modules say: the order of the fields for HTTPie and wget, and what they add.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from midstream.store.exports.httpie import httpie
from midstream.store.exports.outgoing import CannotExport, Outgoing, outgoing
from midstream.store.exports.python import python
from midstream.store.exports.raw import raw_request
from midstream.store.exports.wget import wget
from tests.kit.awkward_requests import awkward_requests
from tests.kit.origins import Heard, Origin, answering, ok, origin
from tests.kit.shell_line import SHELLS, batches, run_line

needs_httpie = pytest.mark.skipif(shutil.which("http") is None, reason="the program http (HTTPie) is not installed")
needs_wget = pytest.mark.skipif(shutil.which("wget") is None, reason="the program wget is not installed")

FRAMING = {b"content-length", b"transfer-encoding"}

Sent = tuple[HTTPFlow, str]


def exportable(write: Callable[[Outgoing], str], count: int, web: Origin) -> list[Sent]:
    """The first `count` requests that the format takes, and what it writes."""
    found: list[Sent] = []
    for flow in awkward_requests(10 * count, web.host, web.port):
        try:
            found.append((flow, write(outgoing(flow))))
        except CannotExport:
            continue
        if len(found) == count:
            break
    assert len(found) == count
    return found


def fields_of(head: bytes) -> list[tuple[bytes, bytes]]:
    """Names in lower case with their values, sorted; without those that frame the body."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    return sorted(field for field in fields if field[0] not in FRAMING)


def assert_same_but(flow: HTTPFlow, heard: Heard, added: dict[bytes, bytes]) -> None:
    """The same request, but for the order of the fields, and those that may be `added`, whose values begin so."""
    head, _, _ = raw_request(flow).partition(b"\r\n\r\n")
    assert heard.head.split(b" ")[:2] == head.split(b" ")[:2]
    wanted, got = fields_of(head), fields_of(heard.head)
    names = {name for name, _ in wanted}
    assert [field for field in got if field[0] in names] == wanted
    for name, value in got:
        assert name in names or value.startswith(added[name]), (name, value)
    assert heard.body == flow.request.raw_content


@needs_httpie
async def test_httpie_sends_the_same_request(tmp_path: Path) -> None:
    def comparable(request: Outgoing) -> str:
        # It normalizes percent escapes and escapes more characters; the meaning is the same.
        if b"%" in request.target or any(byte in b"{}[]\\^|`\"<> '" or byte > 126 for byte in request.target):
            raise CannotExport("spelled another way")
        return httpie(request)

    added = {b"connection": b"keep-alive", b"accept-encoding": b"identity", b"user-agent": b"python-urllib3/"}
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        for number, (flow, line) in enumerate(exportable(comparable, 10, web)):
            await run_line(line, tmp_path, SHELLS[number % len(SHELLS)])
            assert_same_but(flow, web.requests[-1], added)
        assert len(web.requests) == 10


@needs_wget
async def test_wget_sends_the_same_request(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".wgetrc").write_text("header = X-From-Wgetrc: yes\n")
    added = {
        b"connection": b"Keep-Alive",
        b"accept": b"*/*",
        b"accept-encoding": b"identity",
        b"content-type": b"application/x-www-form-urlencoded",
    }
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        for number, sent in enumerate(batches(exportable(wget, 60, web))):
            web.requests.clear()
            await run_line("\n".join(f"{line} -q" for _, line in sent), tmp_path, SHELLS[number % len(SHELLS)])
            for (flow, _), heard in zip(sent, web.requests, strict=True):
                assert_same_but(flow, heard, added)


RUN_ALL = """
import sys, runpy
for path in sys.argv[1:]:
    runpy.run_path(path)
"""


async def test_python_sends_the_same_bytes_with_host_first(tmp_path: Path) -> None:
    async with origin(answering(lambda _: ok(b"", "Connection: close"))) as web:
        sent = exportable(python, 100, web)
        paths = []
        for number, (_, program) in enumerate(sent):
            assert program.isascii()
            paths.append(tmp_path / f"{number:03}.py")
            paths[-1].write_text(program)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN_ALL, *map(str, paths), cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(60):
            assert await process.wait() == 0
        assert len(web.requests) == len(sent)
        for (flow, _), heard in zip(sent, web.requests, strict=True):
            assert lines_of(heard.head) == lines_of(raw_request(flow).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            assert heard.body == flow.request.raw_content
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def lines_of(head: bytes) -> list[bytes]:
    """A head with Host first: h11 writes it there."""
    lines = [line.rstrip() for line in head.split(b"\r\n")]
    return [lines[0], *sorted(lines[1:], key=lambda line: not line.lower().startswith(b"host:"))]
