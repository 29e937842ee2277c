"""The redactor of the examples: what middump prints, and what clients get."""

import gzip
import io
import runpy
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.addons.dumper import Dumper
from midstream.flows.errors import OptionsError
from tests.kit.example_run import EXAMPLES, example
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.program import middump
from tests.kit.stopwatch import within
from tests.kit.web_client import web_client

NAME = "redactor.py"
MASK = runpy.run_path(str(EXAMPLES / NAME))["Mask"]
CARD = "4111 1111 1111 1111"
SECRETS = {
    f"Authorization: Bearer {'abc' * 5}": "Authorization: Bearer <token-1>",
    "authorization: Basic dXNlcjpwYXNz": "authorization: Basic <token-1>",
    "Cookie: id=1; x=2": "Cookie: <cookie-1>",
    "    \x1b[34mSet-Cookie\x1b[0m: id=1; x=2": "    \x1b[34mSet-Cookie\x1b[0m: <cookie-1>",
    f"x eyJ{'a' * 20}.{'b' * 20}.{'c' * 20}, y": "x <token-1>, y",
    '{"access_token": "s3cr3t!", "password":"geheim"}': '{"access_token": "<token-1>", "password":"<token-2>"}',
    "/login?api_key=12345&x=1": "/login?api_key=<token-1>&x=1",
    "a@b.example, c+d@e.f.example, a@b.example": "<email-1>, <email-2>, <email-1>",
    f"card {CARD}, not {CARD[:-1]}2": f"card <card-1>, not {CARD[:-1]}2",
    "1763800000000 and 00000000000000": "1763800000000 and 00000000000000",
    "no secrets @ all: 1.2.3.4:5678": "no secrets @ all: 1.2.3.4:5678",
}


@pytest.mark.parametrize("text", SECRETS)
def test_patterns(text: str) -> None:
    mask = MASK()
    assert mask(text) == SECRETS[text]
    assert mask(mask(text)) == SECRETS[text]


@pytest.mark.parametrize("piece", ["a", "1", "1 ", "a.", "-", "eyJaaaaaaaaa.", "token ", "password:", "a@", "%40", "é"])
def test_no_text_makes_it_slow(piece: str) -> None:
    with within(2):
        MASK()(piece * (500_000 // len(piece)))


@given(st.text())
def test_any_text_is_masked_once(text: str) -> None:
    mask = MASK()
    assert mask(mask(text)) == mask(text)


async def test_bodies(confdir: Path) -> None:
    plain = "mail to ann@shop.example or Käthe, ann@shop.example"

    def answer(heard: Heard) -> bytes:
        match heard.target:
            case "/gzip":
                return ok(gzip.compress(plain.encode("latin-1")), "Content-Type: text/html", "Content-Encoding: gzip")
            case "/broken":
                return ok(b"ann@shop.example", "Content-Encoding: gzip")
            case "/huge":
                return ok(gzip.compress(b"x" * 1_100_000), "Content-Encoding: gzip")
            case "/large":
                return ok(b"x" * 600_000)
            case "/picture":
                return ok(b"\x89PNG\0 ann@shop.example")
        return ok(plain.encode(), "Content-Type: text/plain; charset=utf-8")

    async with example(confdir, NAME, answer) as run:
        assert (await run.get("/"))[1] == plain.encode()
        run.master.options.redact_bodies = True
        assert (await run.get("/"))[1].decode() == "mail to <email-1> or Käthe, <email-1>"
        body = (await run.get("/gzip"))[1]
        assert gzip.decompress(body).decode("latin-1") == "mail to <email-1> or Käthe, <email-1>"
        for path in ("/broken", "/huge", "/large"):
            await run.get(path)
            assert run.logged("not masked: the body of", path)
        assert (await run.get("/picture"))[1] == b"\x89PNG\0 ann@shop.example"
        run.master.options.redact_also = [r"K\w+"]
        assert (await run.get("/"))[1].decode() == "mail to <email-1> or <secret-1>, <email-1>"
        assert run.execute("redact.counts") == [["email", "1"], ["secret", "1"]]
        with pytest.raises(OptionsError, match="redact_also"):
            run.master.options.redact_also = ["("]


async def test_what_is_printed(confdir: Path, tmp_path: Path) -> None:
    def answer(heard: Heard) -> bytes:
        return ok(b'{"mail": "ann@shop.example"}', "Set-Cookie: id=wxyz", "Content-Type: application/json")

    script = tmp_path / "told.py"
    script.write_text("import logging\ndef response(flow):\n    logging.error('for ann@shop.example')\n")
    arguments = ("-s", str(EXAMPLES / NAME), "-s", str(script), "--set", "flow_detail=3")
    async with origin(answering(answer)) as web, middump(confdir, *arguments) as program:
        async with web_client(program.port, web, program.ca) as client:
            client.ask("/?token=abcdefgh", "Authorization: Bearer abcdefgh")
            assert (await client.answer())[1] == b'{"mail": "ann@shop.example"}'
            await program.line("GET", "/?token=<token-1>")
            await program.line("Authorization: Bearer <token-1>")
            await program.line("Set-Cookie: <cookie-1>")
            await program.line('"mail": "<email-1>"')
            await program.error("for <email-1>")
        assert "shop.example" not in program.printed()
        assert "abcdefgh" not in program.printed()


async def test_standard_output_is_given_back(confdir: Path, tmp_path: Path) -> None:
    before = sys.stdout
    again = tmp_path / NAME
    again.write_text((EXAMPLES / NAME).read_text())
    async with example(confdir, NAME) as run:
        assert sys.stdout is before  # nobody prints flows here
        first = run.master.options.scripts
        run.master.addons.add(Dumper(io.StringIO()))
        run.master.options.scripts = [str(again)]
        assert sys.stdout is not before
        again.write_text(again.read_text() + "# saved again\n")
        await run.until_logged("is loaded in its new form")
        assert sys.stdout.below is before  # type: ignore[attr-defined]
        run.master.options.scripts = first
        assert sys.stdout is not before
        run.master.options.scripts = []
        assert sys.stdout is before
