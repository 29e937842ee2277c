"""Small tools among the examples, against real traffic."""

import gzip
import json
from pathlib import Path

import pytest

from midstream.console.key_file import KeyFileReader
from midstream.console.keymap import Keymap
from midstream.filters import parse
from midstream.flows.errors import OptionsError
from tests.console.masters import shown_console
from tests.kit.captured import http_flow
from tests.kit.curl import curl, needs_curl
from tests.kit.example_run import EXAMPLES, example
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.waiting import until


async def test_cors_unlock(confdir: Path) -> None:
    async with example(confdir, "cors_unlock.py") as run:
        head, _ = await run.ask(
            "OPTIONS", "/x", "Origin: https://app.example", "Access-Control-Request-Method: PUT",
            "Access-Control-Request-Headers: x-a",
        )  # fmt: skip
        assert head.startswith(b"HTTP/1.1 204")
        assert b"access-control-allow-methods: PUT" in head
        assert b"access-control-allow-headers: x-a" in head
        assert not run.origin.requests
        head, body = await run.get("/x", "Origin: https://app.example")
        assert b"access-control-allow-origin: https://app.example" in head
        assert body == b"hello"
        head, _ = await run.get("/x")
        assert b"access-control" not in head
        run.master.options.cors_hosts = "^api\\."
        head, _ = await run.get("/x", "Origin: https://app.example")
        assert b"access-control" not in head
        with pytest.raises(OptionsError, match="cors_hosts"):
            run.master.options.cors_hosts = "("


async def test_json_lines(confdir: Path, tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl"
    async with example(confdir, "json_lines.py", json_lines=str(file)) as run:
        await run.get("/a?x=1")
        await run.ask("POST", "/b", body=b"data")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [(line["method"], line["status"], line["bytes"]) for line in lines] == [
            ("GET", 200, 5),
            ("POST", 200, 5),
        ]
        assert lines[0]["url"].endswith("/a?x=1")
        assert lines[0]["seconds"] >= 0
        with pytest.raises(OptionsError, match="No such file"):
            run.master.options.json_lines = str(tmp_path / "none" / "x")


async def test_security_headers(confdir: Path) -> None:
    def answer(heard: Heard) -> bytes:
        fields = ["Content-Type: text/html; charset=utf-8"]
        if heard.target == "/good":
            fields += ["Content-Security-Policy: x", "X-Content-Type-Options: nosniff", "Referrer-Policy: x"]
        return ok(b"<p>", *fields)

    async with example(confdir, "security_headers.py", answer) as run:
        await run.get("/good")
        assert not run.logged("pages lack")
        await run.get("/bad")
        await run.get("/bad")
        (line,) = run.logged("pages lack")
        assert "content-security-policy (which code may run)" in line
        assert "strict-transport-security" not in line


async def test_byte_tally(confdir: Path) -> None:
    async with example(confdir, "byte_tally.py") as run:
        await run.ask("POST", "/", body=b"12345678")
        await run.get("/")
        run.master.options.scripts = []
        assert await run.until_logged("127.0.0.1: 8 bytes up, 10 bytes down")


async def test_user_agent(confdir: Path) -> None:
    async with example(confdir, "user_agent.py") as run:
        await run.get("/", "User-Agent: me")
        run.execute("user_agent.set phone")
        await run.get("/", "User-Agent: me")
        assert [heard.fields["user-agent"].split()[0] for heard in run.origin.requests] == ["me", "Mozilla/5.0"]
        with pytest.raises(OptionsError, match="no choice"):
            run.master.options.user_agent = "nobody"


async def test_duplicate_guard(confdir: Path) -> None:
    async with example(confdir, "duplicate_guard.py") as run:
        await run.ask("POST", "/order", body=b"1")
        await run.ask("POST", "/order", body=b"2")
        assert not run.logged("sent twice")
        await run.ask("POST", "/order", body=b"1")
        assert await run.until_logged("sent twice: POST", "/order")


async def test_json_patch(confdir: Path) -> None:
    data = {"user": {"plan": "free", "name": "ä"}, "items": [{"price": 5}, {"price": 7}]}

    def answer(heard: Heard) -> bytes:
        if heard.target == "/broken":
            return ok(b"{", "Content-Type: application/json")
        packed = gzip.compress(json.dumps(data).encode())
        return ok(packed, "Content-Type: application/problem+json", "Content-Encoding: gzip")

    patches = ['user.plan="gold"', "items.1.price=0", "items.7.price=1", "user.plan.deeper=1", "none=1"]
    async with example(confdir, "json_patch.py", answer, json_patch=patches) as run:
        head, body = await run.get("/")
        assert b"gzip" in head
        assert json.loads(gzip.decompress(body)) == {
            "user": {"plan": "gold", "name": "ä"}, "items": [{"price": 5}, {"price": 0}],
        }  # fmt: skip
        assert (await run.get("/broken"))[1] == b"{"
        with pytest.raises(OptionsError, match="double quotes"):
            run.master.options.json_patch = ["a=b"]
        with pytest.raises(OptionsError, match="path=value"):
            run.master.options.json_patch = ["a"]


async def test_graphql_names(confdir: Path, tmp_path: Path) -> None:
    async with example(confdir, "graphql_names.py") as run:
        script = tmp_path / "told.py"
        script.write_text("import logging\ndef response(flow):\n    logging.info('comment: %s', flow.comment)\n")
        run.master.options.scripts = [*run.master.options.scripts, str(script)]
        for body in (
            {"query": "query Cart { items }"},
            {"query": "mutation { a }", "operationName": "CreateOrder"},
            [{"query": "{ me }"}, {"query": "subscription News {x}"}],
            {"query": 5},
            "nothing",
        ):
            await run.ask("POST", "/graphql", "Content-Type: application/json", body=json.dumps(body).encode())
        assert [line.partition(": ")[2] for line in run.logged("comment:")] == [
            "query Cart", "mutation CreateOrder", "query, subscription News", "", "",
        ]  # fmt: skip


async def test_save_bodies(confdir: Path, tmp_path: Path) -> None:
    def answer(heard: Heard) -> bytes:
        return ok(heard.target.encode(), "Content-Type: image/png" if "png" in heard.target else "Content-Type: x/y")

    folder = tmp_path / "bodies"
    options = {"save_bodies": str(folder), "save_bodies_filter": "~ts image/"}
    async with example(confdir, "save_bodies.py", answer, **options) as run:
        for path in ("/a/logo.png", "/%2e%2e/..%2f..%2fpng", "/text", "/png/"):
            await run.get(path)
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert len(files) == 3
        assert any(name.startswith("127.0.0.1/logo-") and name.endswith(".png") for name in files)
        assert not [path for path in tmp_path.iterdir() if path.name not in ("bodies", "conf")]
        with pytest.raises(OptionsError, match="save_bodies_filter"):
            run.master.options.save_bodies_filter = "~nothing"


@needs_curl
async def test_tunnel_pinned(confdir: Path, tmp_path: Path) -> None:
    ca = OriginCA(tmp_path)

    def hello(heard: Heard) -> bytes:
        return ok(b"from the server itself")

    async with (
        origin(answering(hello), tls=ca.context("localhost")) as secure,
        example(confdir, "tunnel_pinned.py", ssl_verify_upstream_trusted_ca=str(ca.file)) as run,
    ):
        # A client that trusts only the server's own CA, as an app that pins does.
        arguments = ("--proxy", run.running.address, "--cacert", str(ca.file), f"https://localhost:{secure.port}/")
        assert (await curl(*arguments)).exit == 60
        await until(lambda: run.execute("pinned.list") == ["localhost"], "the host is known")
        again = await curl(*arguments)
        assert (again.exit, again.body) == (0, b"from the server itself")
        run.execute("pinned.clear")
        assert (await curl(*arguments)).exit == 60


async def test_choose_server(confdir: Path) -> None:
    async with example(confdir, "choose_server.py") as run:
        run.master.options.choose_server = [f"shop.example:80=127.0.0.1:{run.origin.port}"]
        run.client.end.say(b"GET http://shop.example/x HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        assert (await run.client.answer())[1] == b"hello"
        assert run.origin.requests[0].fields["host"] == "shop.example"
        for wrong in ("a", "a=b", "a:1=b:x"):
            with pytest.raises(OptionsError, match="write host:port=host:port"):
                run.master.options.choose_server = [wrong]


async def test_status_page(confdir: Path) -> None:
    async with example(confdir, "status_page.py") as run:
        await run.get("/<script>")
        run.client.end.say(b"GET http://status.proxy/ HTTP/1.1\r\nHost: status.proxy\r\n\r\n")
        head, body = await run.client.answer()
        assert b"text/html" in head
        assert b"1 exchanges" in body
        assert b"&lt;script&gt;" in body


def test_bookmarks_have_keys() -> None:
    keymap = Keymap()
    report = KeyFileReader(keymap, parse).read_file(EXAMPLES / "bookmarks.keys.yaml")
    assert not report.errors
    bound = {" ".join(each.keys): each.command for each in keymap.in_context("flows") if "bookmark" in each.command}
    assert bound[", b"] == "console.command bookmark.add @focus"
    assert ", j" in bound


async def test_bookmarks(confdir: Path) -> None:
    async with shown_console(confdir) as shown:
        shown.options.scripts = [str(EXAMPLES / "bookmarks.py")]
        shown.options.console_keys = str(EXAMPLES / "bookmarks.keys.yaml")
        await shown.until(lambda: shown.console.keys.keymap.bound((",", "b"), "flows"))
        for path in ("login", "cart", "pay"):
            shown.view.add(http_flow(f"https://shop.example/{path}"))
        shown.press("g", ",", "b", "start", "enter", "G", ",", "b", "finish", "enter")
        await shown.until(lambda: shown.console.master.commands.execute("bookmark.names") == ["finish", "start"])
        assert [bool(flow.marked) for flow in shown.view.resolve("@all")] == [True, False, True]
        shown.press(",", "j")
        await shown.until_shown("go to")
        shown.press("2")
        await shown.until(lambda: shown.view.focus_id == shown.view.shown[0])
