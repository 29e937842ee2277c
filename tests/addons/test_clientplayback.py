"""The addon without a proxy: its queue, and what it refuses. What is sent is shown in tests/end2end/."""

from __future__ import annotations

from pathlib import Path

import pytest

from midstream.addons.clientplayback import ClientPlayback
from midstream.flows.errors import CommandError, OptionsError
from midstream.hub.background import Background
from midstream.hub.events import Events
from midstream.proxy.server import Proxy
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow
from tests.kit.waiting import until


def addon() -> ClientPlayback:
    """One whose proxy has not started."""
    return ClientPlayback(Proxy(Events(Background()), None))


def test_nothing_is_sent_before_the_start():
    with context(addon()) as tests:
        call = tests.commands.call
        call("replay.client", [http_flow(), http_flow(), tcp_flow()])
        assert call("replay.client.count") == 2
        assert tests.log.has("warn", "the flow cannot be replayed: it is a TCP flow, and only HTTP can be sent again")
        call("replay.client.stop")
        assert call("replay.client.count") == 0


async def test_many_flows_are_queued_in_slices():
    with context(addon()) as tests:
        tests.commands.call("replay.client", [http_flow()] * 5000)
        await until(lambda: tests.commands.call("replay.client.count") == 5000, "all are queued")


def test_what_it_refuses(tmp_path: Path):
    with context(addon()) as tests:
        for wrong in (0, -2, 101):
            with pytest.raises(OptionsError, match="client_replay_concurrency"):
                tests.options.client_replay_concurrency = wrong
        tests.options.client_replay_concurrency = -1
        with pytest.raises(OptionsError, match=r"client_replay: .*nowhere: it cannot be read: No such file"):
            tests.options.client_replay = [str(tmp_path / "nowhere")]
        with pytest.raises(CommandError, match="nowhere: it cannot be read"):
            tests.commands.call("replay.client.file", str(tmp_path / "nowhere"))
        with pytest.raises(CommandError, match="keeps no list"):
            tests.commands.call("replay.client.draft", http_flow())
