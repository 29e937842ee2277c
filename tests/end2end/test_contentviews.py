"""A script's content view: seen in middump's output and in the console's detail pane, and gone with the script."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.console.masters import shown_console
from tests.kit.captured import http_flow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.program import middump, started

pytestmark = pytest.mark.end2end

SCRIPT = """
from {package} import contentviews
from {package}.contentviews import Contentview, Metadata


class SwapCase(Contentview):
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return "{word} " + data.swapcase().decode() + "\\x1b[31m"

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if metadata.content_type and metadata.content_type.startswith("text/example"):
            return 2
        return 0


contentviews.add(SwapCase)
"""


def write(path: Path, word: str = "swapped", package: str = "midstream") -> Path:
    fresh = path.with_suffix(".new")
    fresh.write_text(SCRIPT.format(word=word, package=package))
    os.replace(fresh, path)
    return path


@needs_curl
@pytest.mark.parametrize("package", ["midstream", "mitmproxy"])
async def test_in_middump(tmp_path: Path, confdir: Path, package: str):
    script = write(tmp_path / "swap.py", package=package)
    async with (
        origin(answering(lambda heard: ok(b"Hello", "content-type: text/example; charset=utf-8"))) as web,
        middump(confdir, "-s", str(script), "--flow-detail", "3") as program,
    ):
        await curl("--proxy", program.address, web.url())
        assert await program.line("swapped") == "        swapped hELLO␛[31m"


@needs_curl
async def test_by_the_option_of_middump(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "swap.py")
    by_option = ("--flow-detail", "3", "--dumper-default-contentview", "swapcase")
    async with (
        origin(answering(lambda heard: ok(b"Hello"))) as web,
        middump(confdir, "-s", str(script), *by_option) as program,
    ):
        await curl("--proxy", program.address, web.url())
        assert await program.line("swapped hELLO")


async def test_an_option_that_names_no_view_ends_the_start(tmp_path: Path, confdir: Path):
    script = write(tmp_path / "swap.py")
    arguments = ("-s", str(script), "--set", "dumper_default_contentview=swapcas")
    async with started(confdir, "-p", "0", "--listen-host", "127.0.0.1", *arguments) as program:
        await program.error("option dumper_default_contentview: 'swapcas' is no choice; did you mean 'swapcase'?")
        assert await program.ended() == 1


async def test_in_the_console(tmp_path: Path):
    script = write(tmp_path / "swap.py")
    flow = http_flow(response_body=b"Hello", response_headers=((b"content-type", b"text/example"),))
    async with shown_console(tmp_path) as shown:
        shown.options.scripts = [str(script)]
        shown.view.add(flow)
        shown.press("enter")
        shown.console.run_command("console.flowview.tab response")
        await shown.until_shown("  1  swapped hELLO␛[31m")
        assert "swapcase, 5b" in shown.text
        shown.press("=")
        await shown.until_shown("  1  Hello")
        shown.press("=")
        await shown.until_shown("  1  swapped hELLO␛[31m")
        write(script, "again")
        async with asyncio.timeout(5):
            await shown.until_shown("  1  again hELLO␛[31m")
        shown.press("m")
        await shown.until_shown("swapcase")
        assert "hex dump" in shown.text
        shown.press("esc")
        shown.console.run_command("console.flowview.mode.set 'hex dump'")
        await shown.until_shown("00000000  48 65 6c 6c 6f")
        assert "view: hex dump" in shown.text
        shown.console.run_command("console.flowview.mode.set auto")
        shown.options.scripts = []
        await shown.until_shown("  1  Hello")
        shown.press("m")
        await shown.until_shown("url-encoded")
        assert "swapcase" not in shown.text


@needs_curl
async def test_a_large_body_is_made_pretty_beside_the_console(tmp_path: Path):
    """By the worker process, which ends with the program."""
    items = b",".join(b'{"number": %d, "text": "some words"}' % number for number in range(20_000))
    flow = http_flow(response_body=b"[" + items + b"]", response_headers=((b"content-type", b"application/json"),))
    async with shown_console(tmp_path) as shown:
        shown.view.add(flow)
        shown.press("enter")
        shown.console.run_command("console.flowview.tab response")
        async with asyncio.timeout(15):
            await shown.until_shown('    "number": 0,')
        assert " pretty" in shown.text
        pid = shown.console.master.worker.pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
