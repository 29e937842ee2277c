import asyncio
import gzip
import json
import os
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from midstream.console.widgets import body_viewer
from midstream.console.widgets.body_pieces import HexPieces, TextPieces
from midstream.console.widgets.body_viewer import Body, BodyView
from midstream.contentviews import Contentview, Metadata, apart, beside
from midstream.contentviews.apart import Apart, Job
from midstream.contentviews.registries import Registry
from midstream.work.worker import SECONDS, Worker
from tests.kit.stopwatch import never_held, within
from tests.kit.waiting import until


class Host:
    """Runs what a body view spawns, and counts its changes."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[object]] = []
        self.changes = 0
        self.views = Registry()
        self.worker = Worker()
        self.view = BodyView(self.changed, self.spawn, self.views, self.worker)

    def changed(self) -> None:
        self.changes += 1

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(coro, name=name))

    async def settle(self) -> None:
        while self.tasks:
            await self.tasks.pop()

    def text(self) -> str:
        pieces = self.view.pieces
        return "\n".join("".join(text for _, text in pieces.piece(at).runs) for at in range(min(len(pieces), 50)))


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.worker.close()


def test_small_text_is_there_at_once(host: Host) -> None:
    host.view.show(Body(b"hello\nworld", "text/plain"))
    assert host.text() == "hello\nworld"
    assert host.view.note == "plain, 11b"
    assert not host.tasks


def test_json_is_made_pretty_and_can_be_raw(host: Host) -> None:
    host.view.show(Body(b'{"a":1}', "application/json"))
    assert host.text() == '{\n  "a": 1\n}'
    assert host.view.note == "json, 7b -> 12b pretty"
    host.view.set_mode("raw")
    assert host.text() == '{"a":1}'


def test_broken_json_is_shown_as_it_is(host: Host) -> None:
    host.view.show(Body(b'{"a":1', "application/json"))
    assert host.text() == '{"a":1'
    assert host.view.note == "json, 6b; JSON failed: the text ends before the JSON does"


def test_binary_is_shown_in_hex(host: Host) -> None:
    host.view.show(Body(b"\x89PNG\r\n\x1a\n\x00\x00", "application/octet-stream"))
    assert isinstance(host.view.pieces, HexPieces)
    host.view.set_mode("raw")
    assert "PNG" in host.text()


def test_encoded_bodies_are_decoded(host: Host) -> None:
    raw = gzip.compress(b"hello", mtime=0)
    host.view.show(Body(raw, "text/plain", "gzip"))
    assert host.text() == "hello"
    assert host.view.note == f"plain, {len(raw)}b -> 5b (gzip)"


def test_what_cannot_be_decoded_is_shown_raw_and_says_so(host: Host) -> None:
    host.view.show(Body(b"not gzip at all", "text/plain", "gzip"))
    assert host.text() == "not gzip at all"
    assert host.view.note.startswith("raw 15b: ")
    host.view.show(Body(b"abc", "text/plain", "quantum"))
    assert "quantum" in host.view.note


def test_missing_and_empty(host: Host) -> None:
    host.view.show(Body(None))
    assert "streamed" in host.view.note
    host.view.show(Body(b""))
    assert host.view.note == "empty"
    assert len(host.view.pieces) == 0


def test_forms_and_charsets(host: Host) -> None:
    host.view.show(Body(b"a=1&b=x+y&c=%1B", "application/x-www-form-urlencoded"))
    assert host.text() == "a: '1'\nb: x y\nc: \"\\e\""
    assert host.view.note.startswith("url-encoded, 15b")
    host.view.show(Body("Grüße".encode("utf-16"), "text/plain"))
    assert "Grüße" in host.text()
    host.view.show(Body("Grüße".encode("latin-1"), "text/plain; charset=latin-1"))
    assert host.text() == "Grüße"
    host.view.show(Body("Grüße".encode(), "text/plain"))
    assert host.text() == "Grüße"
    host.view.show(Body(b"x\xff", "text/plain"))
    assert host.text() == "x\\xff"


def test_the_same_body_is_not_read_again(host: Host) -> None:
    raw = b"hello"
    assert host.view.show(Body(raw, "text/plain"))
    before = host.changes
    assert not host.view.show(Body(raw, "text/plain"))
    assert host.changes == before
    with pytest.raises(ValueError, match="no way to show"):
        host.view.set_mode("dance")


def test_an_empty_body_is_said_to_be_empty_again_after_it_was_forgotten(host: Host) -> None:
    for _ in range(2):
        assert host.view.show(Body(b""))
        assert host.view.note == "empty"
        host.view.forget()
        assert host.view.note == ""


async def test_work_that_was_ended_begins_anew(host: Host) -> None:
    body = Body(json.dumps([{"number": number} for number in range(5000)]).encode(), "application/json")
    host.view.show(body)
    host.view.forget()
    await host.settle()
    assert len(host.view.pieces) == 0
    assert host.view.show(body)
    await host.settle()
    assert "pretty" in host.view.note


async def test_large_bodies_come_raw_first_and_better_later(host: Host) -> None:
    raw = json.dumps([{"number": number} for number in range(5000)]).encode()
    host.view.show(Body(raw, "application/json"))
    assert host.text().startswith("[{")
    await host.settle()
    assert host.text().startswith('[\n  {\n    "number": 0')
    assert "pretty" in host.view.note


async def test_the_loop_is_not_held(host: Host) -> None:
    raw = (b'{"key": "value value value", "other": [1, 2, 3]}' * 200 + b"\n") * 400
    async with never_held(0.2):
        host.view.show(Body(gzip.compress(raw, 1), "application/x-ndjson", "gzip"))
        await host.settle()
    assert isinstance(host.view.pieces, TextPieces)
    assert host.view.pieces.index.lines == 400


async def test_a_newer_body_ends_the_work_on_an_older_one(host: Host) -> None:
    host.view.show(Body(b"[" + b"1," * 60_000 + b"1]", "application/json"))
    host.view.show(Body(b"small", "text/plain"))
    await host.settle()
    assert host.text() == "small"


def test_a_bomb_is_not_unpacked_at_once() -> None:
    spawned: list[str] = []

    def spawn(coro: Coroutine[Any, Any, object], name: str) -> None:
        coro.close()
        spawned.append(name)

    view = BodyView(lambda: None, spawn)
    view.show(Body(gzip.compress(b"\0" * 10_000_000), "text/plain", "gzip"))
    assert spawned == ["body view"]
    assert view.note == "decoding …"


# -- views of scripts -------------------------------------------------------------------------------------------------


class Shout(Contentview):
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return data.decode().upper()

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 3 if data.startswith(b"!") else 0


async def test_a_view_of_a_script_shows_what_it_is_good_for(host: Host) -> None:
    host.views.register(Shout)
    host.view.show(Body(b"!hi\x1b", "text/plain"))
    await host.settle()
    assert host.text() == "!HI␛"
    assert host.view.note == "shout, 4b -> 4b pretty"
    host.view.show(Body(b"hi", "text/plain"))
    assert host.text() == "hi"
    host.view.set_mode("Shout")
    await host.settle()
    assert host.text() == "HI"


async def test_other_views_show_the_same_body_anew(host: Host) -> None:
    body = Body(b"!hi", "text/plain")
    host.view.show(body)
    assert host.text() == "!hi"
    host.views.register(Shout)
    assert host.view.show(body)
    await host.settle()
    assert host.text() == "!HI"
    assert not host.view.show(body)
    host.views.unregister(Shout)
    assert host.view.show(body)
    assert host.text() == "!hi"


@pytest.mark.parametrize(
    ("problem", "reason"), [(ValueError("no\x1b"), "ValueError: no␛"), (SystemExit(3), "SystemExit: 3")]
)
async def test_a_view_of_a_script_that_fails_leaves_the_raw_text(
    host: Host, problem: BaseException, reason: str
) -> None:
    class Failing(Shout):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            raise problem

    host.views.register(Failing)
    host.view.show(Body(b"!hi", "text/plain"))
    await host.settle()
    assert host.text() == "!hi"
    assert host.view.note == f"plain, 3b; Failing failed: {reason}"


async def test_bytes_that_a_view_refuses_are_shown_in_hex(host: Host) -> None:
    for data in (b"\xc1" + bytes(range(16)), b"\xc1" + bytes(100_000)):
        host.view.show(Body(data, "application/msgpack"))
        assert host.text().startswith("c1 00 ")
        await host.settle()
        assert host.text().startswith("c1 00 ")
        assert host.view.note.startswith("hex, ")
        assert host.view.note.endswith("; MsgPack failed: byte 0 is 0xc1, which begins no value")


async def test_a_view_of_a_script_holds_nothing_and_has_its_time(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    class Endless(Shout):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            release.wait()
            return ""

    monkeypatch.setattr(beside, "PATIENCE", 0.01)
    host.views.register(Endless)
    host.view.show(Body(b"!hi", "text/plain"))
    await host.settle()
    assert host.text() == "!hi"
    assert "Endless failed: it takes longer than" in host.view.note
    host.view.show(Body(b"!ho", "text/plain"))
    await host.settle()
    assert host.view.note == "plain, 3b; Endless failed: it is still busy with an earlier body"
    (thread,) = [one for one in threading.enumerate() if one.name == "view Endless"]
    release.set()
    thread.join()
    monkeypatch.undo()
    host.view.show(Body(b"!ha", "text/plain"))
    await host.settle()
    assert host.view.note == "endless, 3b -> 0b pretty"


async def test_what_is_too_large_is_not_given_to_a_script(host: Host) -> None:
    host.views.register(Shout)
    host.view.show(Body(b"!" * (beside.LARGEST_UNASKED + 1), "text/plain"))
    await host.settle()
    assert host.view.note.startswith("plain, ")
    assert host.view.note.endswith("; = makes it pretty")
    host.view.set_mode("shout")
    await host.settle()
    assert host.view.note.endswith("Shout failed: views of scripts are given no more than 8.0m")


async def test_what_is_large_is_made_pretty_on_request(host: Host) -> None:
    raw = json.dumps(["x" * 1000] * 10_000).encode()
    host.view.show(Body(raw, "application/json"))
    await host.settle()
    assert host.view.note == "json, 9.6m; = makes it pretty"
    host.view.set_mode("json")
    await host.settle()
    assert host.view.note == "json, 9.6m -> 9.6m pretty"
    assert host.worker.pid is not None, "the loop did not do it"


async def test_the_beginning_of_a_bomb_is_shown(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_viewer, "LARGEST", 1_000_000)
    raw = gzip.compress(b"bomb" * 1_000_000)
    host.view.show(Body(raw, "text/plain", "gzip"))
    await host.settle()
    assert host.text().startswith("bombbomb")
    assert host.view.note == "plain, 3.8k -> the first 977k (gzip)"


# -- views that need the worker process -------------------------------------------------------------------------------


class Beside(Apart):
    """What it makes of `{}` is its choice."""

    name = "Beside"
    at_once = 10

    def job(self, metadata: Metadata) -> Job:
        return _beside

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 3


def _beside(data: bytes) -> str:
    if b"endless" in data:
        while True:
            pass
    if b"foreign" in data:
        raise ValueError("it is from elsewhere")
    return f"{len(data)} bytes in process {os.getpid()}"


@pytest.fixture
def host_with_worker(host: Host) -> Host:
    host.views.register(Beside)
    return host


async def test_a_library_makes_small_texts_at_once_and_large_ones_beside(host_with_worker: Host) -> None:
    host = host_with_worker
    host.view.show(Body(b"small"))
    assert host.text() == f"5 bytes in process {os.getpid()}"
    host.view.show(Body(b"x" * 1000, "text/plain"))
    assert host.text() == "x" * 1000, "raw until the better form is there"
    await host.settle()
    assert host.text() == f"1000 bytes in process {host.worker.pid}"
    assert host.view.note.startswith("beside, 1.0k -> ")
    host.view.show(Body(b"foreign foreign", "text/plain"))
    await host.settle()
    assert host.text() == "foreign foreign"
    assert host.view.note.startswith("plain, 15b; ")
    assert host.view.note.endswith("it is from elsewhere")


async def test_a_newer_body_ends_the_process_that_is_busy_with_an_older_one(host_with_worker: Host) -> None:
    host = host_with_worker
    host.view.show(Body(b"endless, endless", "text/plain"))
    await until(lambda: host.worker.pid is not None, "a process")
    (first,) = host.tasks
    host.tasks.clear()
    with within(SECONDS, clock=time.monotonic):
        host.view.show(Body(b"x" * 100, "text/plain"))
        await host.settle()
        assert host.text() == f"100 bytes in process {host.worker.pid}"
        assert first.cancelled()


async def test_what_takes_too_long_stays_raw(host_with_worker: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "SECONDS", 0.1)
    host_with_worker.view.show(Body(b"endless, endless", "text/plain"))
    await host_with_worker.settle()
    assert host_with_worker.text() == "endless, endless"
    assert host_with_worker.view.note == "plain, 16b; Beside failed: it takes longer than 0.1 s"
