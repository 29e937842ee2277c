"""What `inject.*` make, and which flows they refuse. Whole conversations are in tests/end2end/test_websocket.py."""

from collections.abc import AsyncIterator

import pytest

from midstream.addons.inject import Inject
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.tunnel import TunnelMessage
from midstream.flows.websocket import BINARY, TEXT, WebSocketMessage
from midstream.hub.master import Master
from midstream.testing import context
from tests.kit.captured import http_flow, tcp_flow, udp_flow, websocket_flow


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(Inject(), loadcore=False) as tests:
        yield tests.master


def listening(flow: Flow) -> list[WebSocketMessage | TunnelMessage]:
    """What is sent into the flow from now on."""
    taken: list[WebSocketMessage | TunnelMessage] = []
    flow.injector = taken.append
    return taken


@pytest.mark.parametrize("to_client", [True, False])
async def test_a_websocket_message(master: Master, to_client: bool) -> None:
    flow = websocket_flow()
    taken = listening(flow)
    master.commands.call("inject.websocket", flow, to_client, "grüße".encode())
    master.commands.call("inject.websocket", flow, to_client, b"\xff", False)
    assert [one.get_state()[:3] for one in taken if isinstance(one, WebSocketMessage)] == [
        (TEXT, not to_client, "grüße".encode()),
        (BINARY, not to_client, b"\xff"),
    ]
    assert all(isinstance(one, WebSocketMessage) and one.injected for one in taken)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
async def test_bytes(master: Master, kind: str) -> None:
    flow = tcp_flow() if kind == "tcp" else udp_flow()
    taken = listening(flow)
    master.commands.call(f"inject.{kind}", flow, True, b"x")
    master.commands.call(f"inject.{kind}", flow, False, b"\x00")
    assert [(one.from_client, one.content) for one in taken] == [(False, b"x"), (True, b"\x00")]


@pytest.mark.parametrize("name", ["websocket", "tcp", "udp"])
async def test_flows_of_another_kind_are_refused(master: Master, name: str) -> None:
    flows: dict[str, Flow] = {"websocket": websocket_flow(), "tcp": tcp_flow(), "udp": udp_flow(), "http": http_flow()}
    for kind, flow in flows.items():
        taken = listening(flow)
        if kind != name:
            with pytest.raises(CommandError, match=f"inject.{name}: the flow is no"):
                master.commands.call(f"inject.{name}", flow, True, b"x")
            assert taken == []


async def test_flows_that_are_over_are_refused(master: Master) -> None:
    with pytest.raises(CommandError, match="not live"):
        master.commands.call("inject.websocket", websocket_flow(), True, b"x")


async def test_text_that_is_none_is_refused(master: Master) -> None:
    flow = websocket_flow()
    assert listening(flow) == []
    with pytest.raises(CommandError, match="not UTF-8"):
        master.commands.call("inject.websocket", flow, True, b"\xff")


async def test_why_the_proxy_takes_nothing_is_told(master: Master) -> None:
    def refuse(message: object) -> None:
        raise ValueError("that direction has ended")

    flow = tcp_flow()
    flow.injector = refuse
    with pytest.raises(CommandError, match="that direction has ended"):
        master.commands.call("inject.tcp", flow, True, b"x")


@pytest.mark.parametrize("kind", ["tcp", "udp", "websocket"])
async def test_what_scripts_give_instead_of_bytes(master: Master, kind: str) -> None:
    flow = {"tcp": tcp_flow, "udp": udp_flow, "websocket": websocket_flow}[kind]()
    taken = listening(flow)
    master.commands.call(f"inject.{kind}", flow, True, "grüße")
    assert [one.content for one in taken] == ["grüße".encode()]
    with pytest.raises(CommandError, match="the message is int, not bytes"):
        master.commands.call(f"inject.{kind}", flow, True, 5)
