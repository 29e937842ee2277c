"""The example that edits WebSocket messages, between a real client and server."""

from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from midstream.flows.errors import OptionsError
from tests.kit.example_run import EXAMPLES
from tests.kit.running_master import running_master
from tests.kit.websocket_echo import websocket_echo

SCRIPT = str(EXAMPLES / "websocket_edit.py")


async def test_messages_are_changed_and_kept_back(tmp_path: Path) -> None:
    rules = {"websocket_replace": "/hel+o/good bye", "websocket_drop": "secret"}
    async with (
        websocket_echo() as echo,
        running_master(tmp_path, scripts=[SCRIPT], **rules) as running,
        connect(f"ws://localhost:{echo.port}/", proxy=running.address) as client,
    ):
        await client.send("a secret")
        await client.send("hello there")
        assert await client.recv() == "good bye there"
        assert echo.messages == ["good bye there"]


async def test_something_is_said_again_and_again(tmp_path: Path) -> None:
    options = {"websocket_say": "are you there?", "websocket_say_every": 1}
    async with (
        websocket_echo() as echo,
        running_master(tmp_path, scripts=[SCRIPT], **options) as running,
        connect(f"ws://localhost:{echo.port}/", proxy=running.address) as client,
    ):
        assert [await client.recv() for _ in range(2)] == ["are you there?"] * 2
        assert echo.messages == []


@pytest.mark.parametrize("rule", ["/a", "a", "/(/b"])
async def test_rules_that_are_none(tmp_path: Path, rule: str) -> None:
    async with running_master(tmp_path, scripts=[SCRIPT]) as running:
        with pytest.raises(OptionsError, match="websocket_replace"):
            running.master.options.websocket_replace = rule
