"""Mock rules over real traffic: a response that was frozen answers when the server is gone, also behind TLS."""

import asyncio
import gzip
from pathlib import Path

import pytest

from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow
from midstream.testing import tflow, ttcpflow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master

pytestmark = [pytest.mark.end2end, needs_curl]


def last(running: RunningMaster) -> HTTPFlow:
    flow = running.recorder.last("response")
    assert isinstance(flow, HTTPFlow)
    return flow


async def test_a_frozen_answer_needs_no_server(tmp_path: Path) -> None:
    rules = tmp_path / "mocks.yaml"
    async with running_master(tmp_path / "conf", mock_rules=str(rules), record_changes=True) as running:
        run = running.master.commands
        packed = gzip.compress(b'{"a": 1}')
        answer = ok(packed, "Content-Encoding: gzip", "X-Real: 1")
        async with origin(answering(lambda heard: answer)) as web:
            url = web.url("/items?q=(1)")
            await curl("--proxy", running.address, "-g", url)
            await run.call("mock.freeze", [last(running)])
        # The server is gone now.
        got = await curl("--proxy", running.address, "-g", url)
        assert (got.status, got.body) == (200, b'{"a": 1}')
        assert b"X-Real: 1" in got.head
        assert b"content-encoding" not in got.head.lower()
        assert (await curl("--proxy", running.address, "-g", url + "x")).status == 502
        assert (await curl("--proxy", running.address, "-g", "-X", "POST", url)).status == 502
        assert run.call("mock.list")[0].startswith("1 on, 1 answered: GET http://127.0.0.1:")
        assert any(flow.changes and flow.changes[-1].who == "mocks" for flow in [_answered(running)])

        # The file has it, and one who edits it sees the edit.
        text = rules.read_text()
        rules.write_text(text.replace("status: 200", "status: 418"))
        run.call("mock.load")
        assert (await curl("--proxy", running.address, "-g", url)).status == 418
        await run.call("mock.toggle", 1)
        assert running.logged("mock rule 1 is off")
        assert "enabled: false" in rules.read_text()
        assert (await curl("--proxy", running.address, "-g", url)).status == 502
        await run.call("mock.toggle", 1)
        await run.call("mock.save", str(tmp_path / "copy.yaml"))
        assert (tmp_path / "copy.yaml").stat().st_mode & 0o777 == 0o600
        await run.call("mock.remove", 1)
        assert run.call("mock.list") == []
        assert (await curl("--proxy", running.address, "-g", url)).status == 502


def _answered(running: RunningMaster) -> HTTPFlow:
    answered = [flow for name, flow in running.recorder.seen if name == "response" and flow.metadata.get("mock")]
    assert isinstance(answered[0], HTTPFlow)
    return answered[0]


async def test_a_host_that_does_not_exist_is_answered_behind_tls(tmp_path: Path) -> None:
    rules = tmp_path / "mocks.yaml"
    rules.write_text("- filter: ~u ^https://nowhere.invalid/mocked\n  host: nowhere.invalid:443\n  body: here\n")
    async with running_master(tmp_path / "conf", mock_rules=str(rules)) as running:
        trusted = ("--proxy", running.address, "--cacert", str(running.ca))
        for _ in range(2):
            got = await curl(*trusted, "https://nowhere.invalid/mocked")
            assert (got.status, got.body) == (200, b"here")
        assert (await curl(*trusted, "https://nowhere.invalid/other")).status == 502


async def test_requests_that_no_rule_answers_reach_the_server(tmp_path: Path) -> None:
    pki = OriginCA(tmp_path)
    async with origin(answering(lambda heard: ok(b"real")), tls=pki.context("localhost")) as web:
        rules = tmp_path / "mocks.yaml"
        rules.write_text(f"- filter: ~u /mocked\n  host: localhost:{web.port}\n  body: mock\n")
        async with running_master(tmp_path / "conf", mock_rules=str(rules), ssl_insecure=True) as running:
            trusted = ("--proxy", running.address, "--cacert", str(running.ca))
            base = f"https://localhost:{web.port}"
            assert (await curl(*trusted, f"{base}/mocked")).body == b"mock"
            assert (await curl(*trusted, f"{base}/real")).body == b"real"


async def test_what_cannot_be_frozen(tmp_path: Path) -> None:
    async with running_master(tmp_path / "conf") as running:
        freeze = running.master.commands.call
        for flow in (ttcpflow(), tflow(), tflow(resp=True)):
            if isinstance(flow, HTTPFlow) and flow.response is not None:
                flow.response.raw_content = None
            with pytest.raises(CommandError, match=r"mock\.freeze: "):
                await freeze("mock.freeze", [flow])
        with pytest.raises(CommandError, match=r"mock\.freeze: "):
            await freeze("mock.freeze", [tflow(resp=True)], "~u (")
        for name in ("mock.toggle", "mock.remove"):
            with pytest.raises(CommandError, match="there is no mock rule 1"):
                await freeze(name, 1)
        with pytest.raises(CommandError, match="names no file"):
            freeze("mock.load")


async def test_what_is_frozen_again_takes_the_place_of_what_was(tmp_path: Path) -> None:
    async with running_master(tmp_path / "conf") as running:
        run = running.master.commands
        flow = tflow(resp=True)
        flow.request.url = "http://mock.invalid/"
        assert flow.response is not None
        flow.response.raw_reason = b"Caf\xe9"
        for body in (b"one", b"two"):
            flow.response.content = body
            await run.call("mock.freeze", [flow])
        assert len(run.call("mock.list")) == 1
        got = await curl("--proxy", running.address, "http://mock.invalid/")
        assert got.body == b"two"
        assert b" 200 Caf\xe9\r\n" in got.head
        await run.call("mock.toggle", 1)
        flow.response.content = b"three"  # one that is off stays, to be turned on again
        await run.call("mock.freeze", [flow])
        assert len(run.call("mock.list")) == 2


async def test_what_is_said_of_the_length_in_a_file_is_passed_over(tmp_path: Path) -> None:
    rules = tmp_path / "mocks.yaml"
    rules.write_text("- filter: ~all\n  headers: {Content-Length: 999, Transfer-Encoding: chunked}\n  body: here\n")
    async with running_master(tmp_path / "conf", mock_rules=str(rules)) as running:
        assert (await curl("--proxy", running.address, "http://mock.invalid/")).body == b"here"
        assert not running.logged("does not fit")


async def test_the_last_of_many_changes_is_in_the_file(tmp_path: Path) -> None:
    rules = tmp_path / "mocks.yaml"
    async with running_master(tmp_path / "conf", mock_rules=str(rules)) as running:
        run = running.master.commands
        flows = [tflow(resp=True) for _ in range(30)]
        for number, flow in enumerate(flows):
            flow.request.path = f"/{number}"
        # The first writes have the larger bodies to write.
        flows[0].response.content = b"\xff" * 8_000_000  # type: ignore[union-attr]
        await asyncio.gather(*(run.call("mock.freeze", [flow]) for flow in flows))
        assert rules.read_text().count("- name:") == 30
        run.call("mock.load")
        assert len(run.call("mock.list")) == 30


async def test_what_was_edited_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    rules, body = tmp_path / "mocks.yaml", tmp_path / "body.html"
    rules.write_text("- filter: ~u one\n  body_file: body.html\n")
    body.write_text("before")
    async with running_master(tmp_path / "conf", mock_rules=str(rules)) as running:
        run = running.master.commands
        body.write_text("edited")
        await run.call("mock.toggle", 1)
        await run.call("mock.toggle", 1)
        assert body.read_text() == "edited"
        mine = rules.read_text() + "- filter: ~u mine\n"
        rules.write_text(mine)
        with pytest.raises(CommandError, match=r"was edited meanwhile; mock\.load reads it"):
            await run.call("mock.toggle", 1)
        assert rules.read_text() == mine
        run.call("mock.load")
        await run.call("mock.toggle", 2)
        assert rules.read_text() == mine + "  enabled: false\n"
        await run.call("mock.save", str(tmp_path / "conf" / "elsewhere.yaml"))
        assert (tmp_path / "conf" / "body.html").read_text() == "edited"
