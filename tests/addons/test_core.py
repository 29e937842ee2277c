"""The commands that every program has, on options and on flows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from midstream.addons.comment import Comment
from midstream.addons.core import Core
from midstream.flows.connection import Client, Server
from midstream.flows.errors import CommandError, OptionsError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tcp import TCPFlow, TCPMessage
from midstream.flows.websocket import TEXT, WebSocketData, WebSocketMessage
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.master import Master
from midstream.hub.options import Options
from midstream.hub.types import Marker
from midstream.testing import context


def make_client() -> Client:
    return Client(peername=("127.0.0.1", 4000), sockname=("127.0.0.1", 8080))


class Store:
    """Resolves `@all` and `@http`, and notes what is updated."""

    def __init__(self) -> None:
        self.http = HTTPFlow(make_client(), Server(address=("example.com", 80)), live=True)
        self.http.request = Request.make("POST", "http://example.com/path", b"a body", [(b"Host", b"example.com")])
        self.tcp = TCPFlow(make_client(), Server(address=("example.com", 9)))
        self.updates: list[list[Flow]] = []
        self.refused = ""

    def load(self, loader: Loader) -> None:
        loader.add_option("names", Sequence[str], [], "")
        loader.add_option("word", str, "", "")

    def configure(self, updated: set[str]) -> None:
        if self.refused and "word" in updated:
            raise OptionsError(self.refused)

    def update(self, flows: Sequence[Flow]) -> None:
        self.updates.append(list(flows))

    @command("view.flows.resolve")
    def resolve(self, spec: str) -> Sequence[Flow]:
        known: dict[str, list[Flow]] = {"@all": [self.http, self.tcp], "@http": [self.http], "@tcp": [self.tcp]}
        return known[spec]


@pytest.fixture
async def store() -> Store:
    return Store()


@pytest.fixture
async def master(store: Store) -> AsyncIterator[Master]:
    async with context(Core(), Comment(), store, loadcore=False) as tests:
        yield tests.master


@pytest.fixture
def run(master: Master) -> Any:
    return master.commands.execute


# -- options --


async def test_set(run: Any, master: Master) -> None:
    run("set word hello")
    assert master.options.word == "hello"
    run("set word='a b'")
    assert master.options.word == "a b"
    run("set word=x")
    assert master.options.word == "x"
    run("set names a 'b c'")
    assert master.options.names == ["a", "b c"]
    run("set names")
    assert master.options.names == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("set wrod x", "set: no option is called 'wrod'; did you mean 'word'?"),
        ("set word a b", "set: word takes one value, 2 were given; put quotes around the whole"),
        ("set word=a b", "set: 'word=a' is followed by more words; put quotes around the whole"),
        ("set word", "set: option word: needs a value"),
        ("options.reset.one wrod", "options.reset.one: no option is called 'wrod'; did you mean 'word'?"),
        ("options.load /no/such/file", "options.load: /no/such/file: no such file"),
        ("options.save /no/such/file", "options.save: /no/such/file: No such file"),
    ],
)
async def test_mistakes_with_options(run: Any, line: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(line)
    assert str(caught.value).startswith(message)


async def test_a_refusal_is_a_command_error(run: Any, master: Master, store: Store) -> None:
    store.refused = "not that word"
    for line in ("set word x", "options.reset", "options.reset.one word"):
        with pytest.raises(CommandError, match="not that word"):
            run(line)
    assert master.options.word == ""


async def test_saving_and_loading(run: Any, master: Master, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    run("set word saved")
    run(f"options.save {file}")
    run("options.reset")
    assert master.options.word == ""
    master.options.apply({"word": "flag"}, "cli")
    run(f"options.load {file}")
    assert (master.options.word, master.options.source("word")) == ("saved", "session")
    run("options.reset.one word")
    assert master.options.word == ""
    file.write_text("- x")
    with pytest.raises(CommandError, match=r"options\.load: .*options\.yaml:1:1: expected lines"):
        run(f"options.load {file}")


async def test_loading_names_that_nobody_knows(
    run: Any, master: Master, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "options.yaml"
    file.write_text("wrod: x\nweb_port: 1\n")
    master.options.defer("older", 1, "cli")
    run(f"options.load {file}")
    assert f"options.load: no such option: wrod ({file}:1:7; did you mean 'word'?)" in caplog.text
    assert "older" not in caplog.text and "web_port" not in caplog.text
    caplog.clear()
    run(f"options.load {file}")
    assert not caplog.records


async def test_confdir_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDSTREAM_CONFDIR", "/somewhere")
    master = Master(Options())
    master.addons.add(Core())
    assert master.options.confdir == "/somewhere"


# -- flows --


async def test_resume_and_kill(run: Any, store: Store) -> None:
    store.http.intercept()
    run("flow.resume @all")
    assert not store.http.intercepted
    assert store.updates == [[store.http]]
    store.http.intercept()
    run("flow.kill @all")
    assert not store.http.intercepted
    assert store.http.error is not None
    run("flow.kill @all")
    run("flow.resume @all")
    assert store.updates == [[store.http], [store.http]]


async def test_a_held_message_is_dropped(run: Any, store: Store) -> None:
    with pytest.raises(CommandError, match="no flow is held at a message"):
        run("flow.drop @all")
    store.http.websocket = WebSocketData([WebSocketMessage(TEXT, True, b"one"), WebSocketMessage(TEXT, True, b"two")])
    store.tcp.messages = [TCPMessage(True, b"one"), TCPMessage(True, b"two")]
    with pytest.raises(CommandError, match="no flow is held at a message"):
        run("flow.drop @all")
    store.http.intercept()
    store.tcp.intercept()
    run("flow.drop @all")
    assert not store.http.intercepted and not store.tcp.intercepted
    assert [message.dropped for message in store.http.websocket.messages] == [False, True]
    assert [message.content for message in store.tcp.messages] == [b"one", b""]
    assert store.updates == [[store.http, store.tcp]]
    run("flow.revert @tcp")
    assert [message.content for message in store.tcp.messages] == [b"one", b"two"]


async def test_marks(run: Any, store: Store) -> None:
    run("flow.mark @all :dog:")
    assert [store.http.marked, store.tcp.marked] == [":dog:", ":dog:"]
    run("flow.mark @http false")
    assert store.http.marked == ""
    run("flow.mark.toggle @all")
    assert [store.http.marked, store.tcp.marked] == [":default:", ""]
    run("flow.mark @all true")
    assert store.updates[-1] == [store.tcp]
    with pytest.raises(CommandError, match=r"flow\.mark: marker: ':dgo:' is no marker"):
        run("flow.mark @all :dgo:")


async def test_many_flows_are_told_of_in_slices(run: Any, store: Store) -> None:
    flows = [HTTPFlow(make_client(), Server(address=("example.com", 80))) for _ in range(2000)]
    Core().mark(flows, Marker(":dog:"))
    assert store.updates == []
    assert all(flow.marked == ":dog:" for flow in flows)
    while sum(map(len, store.updates)) < len(flows):
        await asyncio.sleep(0)
    assert [flow for some in store.updates for flow in some] == flows
    assert len(store.updates) > 2


async def test_comments(run: Any, store: Store) -> None:
    run("flow.comment @all 'look at this'")
    assert store.http.comment == store.tcp.comment == "look at this"
    run("flow.comment @http ''")
    assert store.http.comment == ""
    assert store.updates == [[store.http, store.tcp], [store.http]]


@pytest.mark.parametrize(
    ("attr", "value", "text"),
    [
        ("method", "PUT", "PUT http://example.com/path example.com"),
        ("path", "/other?x=1", "POST http://example.com/other?x=1 example.com"),
        ("host", "example.org", "POST http://example.org/path example.org"),
        ("url", "https://example.net:8443/z", "POST https://example.net:8443/z example.net:8443"),
    ],
)
async def test_setting_request_attributes(run: Any, store: Store, attr: str, value: str, text: str) -> None:
    run(f"flow.set @all {attr} {value}")
    request = store.http.request
    assert f"{request.method} {request.url} {request.headers['host']}" == text
    assert store.updates == [[store.http]]
    run("flow.revert @all")
    assert store.http.request.method == "POST"
    assert store.http.request.url == "http://example.com/path"


async def test_setting_response_attributes(run: Any, store: Store) -> None:
    with pytest.raises(CommandError, match="none of these flows has an HTTP response with a status_code"):
        run("flow.set @all status_code 404")
    store.http.response = Response.make(200)
    run("flow.set @all status_code 404")
    assert (store.http.response.status_code, store.http.response.reason) == (404, "Not Found")
    run("flow.set @all reason 'Gone fishing'")
    assert store.http.response.reason == "Gone fishing"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("url nonsense", "'nonsense' is no URL"),
        (r"path /a\r\nX:y", "path: control characters cannot be sent in it"),
        ("method 'GET /'", "method: 'GET /' is empty or has spaces in it"),
        ("host ''", "host: '' is empty"),
        ("status_code 99", "'99' is no status code"),
        ("status_code abc", "'abc' is no status code"),
        ("reason ☃", "characters beyond Latin-1"),
        ("colour red", "attr: 'colour' is no choice; the choices are host, status_code, method, path, url, reason"),
    ],
)
async def test_values_that_no_message_can_carry(run: Any, store: Store, line: str, message: str) -> None:
    store.http.response = Response.make(200)
    with pytest.raises(CommandError, match=message):
        run(f"flow.set @http {line}")
    assert not store.http.modified()
    assert store.updates == []


async def test_tcp_flows_have_nothing_to_set(run: Any) -> None:
    with pytest.raises(CommandError, match="none of these flows has an HTTP request with a url"):
        run("flow.set @tcp url http://a/")


async def test_encodings(run: Any, store: Store) -> None:
    request = store.http.request
    run("flow.encode @all request gzip")
    assert request.headers["content-encoding"] == "gzip"
    assert request.raw_content is not None and request.raw_content.startswith(b"\x1f\x8b")
    run("flow.encode @all request br")
    assert request.headers["content-encoding"] == "gzip"
    run("flow.decode @all request")
    assert "content-encoding" not in request.headers
    assert request.raw_content == b"a body"
    run("flow.encode.toggle @all request")
    assert request.headers["content-encoding"] == "deflate"
    run("flow.encode.toggle @all request")
    assert request.raw_content == b"a body"
    run("flow.decode @all response")
    assert len(store.updates) == 4
    assert run("flow.encode.options") == ["gzip", "deflate", "br", "zstd"]


async def test_bodies_that_cannot_be_decoded(run: Any, store: Store) -> None:
    store.http.request.headers["content-encoding"] = "gzip"
    with pytest.raises(CommandError, match="the request of flow"):
        run("flow.decode @http request")
    assert store.http.request.raw_content == b"a body"
    with pytest.raises(CommandError, match="'head' is no part of a flow; the parts are request and response"):
        run("flow.decode @http head")
